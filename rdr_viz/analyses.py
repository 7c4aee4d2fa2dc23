"""Analyses by name, as `rdr analyze` computes and stores them beside a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rdr_core.errors import unknown_name

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run
    from rdr_viz.pieces import HowFar


def _curvature(run: Run, data: LongTailedData | None, progress: bool) -> pd.DataFrame:
    from rdr_viz.curvature import class_curvature, class_density, class_loss

    class_density(run, epochs=[run.config.epochs], data=data, progress=progress)
    if set(run.milestones) <= set(run.kept):  # before loss was stored with it, curvature was stored without
        class_loss(run, data=data)
    return class_curvature(run, data=data, progress=progress)


def _groups(run: Run, data: LongTailedData | None, progress: bool) -> pd.DataFrame:
    from rdr_viz.numbers.groups import calibration, confusion

    calibration(run, data=data)
    return confusion(run, data=data)


def _shares(run: Run, data: LongTailedData | None, progress: bool) -> pd.DataFrame:
    from rdr_viz.numbers.weights import shares

    return shares(run, data=data)


def _ratios(run: Run, data: LongTailedData | None, progress: bool) -> pd.DataFrame:
    from rdr_viz.numbers.ratio_reliability import ratio_reliability

    return ratio_reliability(run, data=data)


def _geometry(run: Run, data: LongTailedData | None, progress: bool) -> pd.DataFrame:
    from rdr_viz.numbers.geometry import neural_collapse, norms_and_angles

    norms_and_angles([run], data=data)
    return neural_collapse([run], data=data)


def _surface(run: Run, data: LongTailedData | None, progress: bool) -> pd.DataFrame:
    from rdr_viz.numbers.surface import loss_surface

    return loss_surface(run, data=data)


#: What each does, and how.
ANALYSES: dict[str, tuple[str, Callable[[Run, LongTailedData | None, bool], pd.DataFrame]]] = {
    "curvature": ("extreme eigenvalues, trace and density of the Hessian by class", _curvature),
    "groups": ("predictions, confusion and calibration by group", _groups),
    "shares": ("share of the loss and of the gradient that each group gets", _shares),
    "ratios": ("how much of a density ratio belongs to the image, by class", _ratios),
    "geometry": ("features, their norms and angles, neural collapse through training", _geometry),
    "surface": ("the loss around the trained weights, by class", _surface),
}


#: The results that each stores, those that take its time.
RESULTS: dict[str, tuple[str, ...]] = {
    "curvature": ("density", "curvature"),
    "groups": ("predictions",),
    "shares": ("shares",),
    "ratios": ("ratio-reliability",),
    "geometry": ("neural-collapse", "norms"),
    "surface": ("loss-surface",),
}


def analyse(run: Run, what: str, data: LongTailedData | None = None, *, progress: bool = True) -> pd.DataFrame:
    """Compute and store an analysis of a run, or read it if it is there.

    Args:
        run: a finished run.
        what: one of :data:`ANALYSES`.
        data: what it was trained on, where it is at hand (:meth:`Run.load_data`).
        progress: show a bar in what takes long.

    Returns:
        Its main table.

    Raises:
        RdrError: an unknown name, or a run that is not finished.
    """
    from rdr_core.runs.settings import settings_of
    from rdr_core.training.threads import using_threads

    if what not in ANALYSES:
        raise unknown_name("analysis", what, ANALYSES)
    with using_threads(settings_of(run.config.dataset).threads):
        return ANALYSES[what][1](run, data, progress)


def progress_of(run: Run, what: str) -> HowFar:
    """How far an analysis of a run is, without computing any of it; what takes seconds is one piece.

    Args:
        run: a finished run.
        what: one of :data:`ANALYSES`.
    """
    from rdr_viz.analysis import how_far
    from rdr_viz.pieces import HowFar

    return how_far(lambda: _curvature(run, None, False)) if what == "curvature" else HowFar(0, 1)
