"""The analyses of runs that papers print numbers of, and those of `rdr analyze`, by the names TOML files give."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.errors import unknown_name
from rdr_viz.analyses import ANALYSES, analyse, progress_of

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run


def _curvature(run: Run, data: LongTailedData | None, device: str | None) -> pd.DataFrame:
    from rdr_viz.curvature import class_curvature

    return class_curvature(
        run, classes=_smallest(run), epochs=[run.config.epochs], data=data, device=device, progress=False
    )


def _loss(run: Run, data: LongTailedData | None, device: str | None) -> pd.DataFrame:
    from rdr_viz.curvature import class_loss

    return class_loss(run, classes=_smallest(run), epochs=[run.config.epochs], data=data, device=device)


def _smallest(run: Run) -> list[int]:
    # A stable sort from the end: of classes with equally many images the later ones, which are Few in every grouping.
    smallest = len(run.class_counts) - 1 - np.argsort(run.class_counts[::-1], kind="stable")[:4]
    return [int(c) for c in smallest]


def _density(run: Run, data: LongTailedData | None, device: str | None) -> pd.DataFrame:
    from rdr_viz.curvature import class_density

    smallest = [int(np.argmin(run.class_counts))]  # as the picture takes it
    return class_density(run, classes=smallest, epochs=[run.config.epochs], data=data, device=device, progress=False)


def _general(name: str, run: Run, data: LongTailedData | None, device: str | None) -> pd.DataFrame:
    return analyse(run, name, data, progress=False)  # made for a CPU


OF_PAPERS: dict[str, Callable[[Run, LongTailedData | None, str | None], pd.DataFrame]] = {
    **{name: partial(_general, name) for name in ANALYSES},
    "curvature of the four smallest classes": _curvature,
    "training loss of the four smallest classes": _loss,
    "density of the smallest class": _density,
}


def analysis(run: Run, name: str, data: LongTailedData | None = None, device: str | None = None) -> pd.DataFrame:
    """The table of an analysis: read if the run has it, computed and stored if not.

    Args:
        run: a finished run.
        name: "curvature of the four smallest classes", "training loss of the four smallest classes" (comes with their
            curvature; asked for where that was stored without) or "density of the smallest class", after the last
            epoch; or one of :data:`rdr_viz.analyses.ANALYSES`.
        data: the run's, where they are at hand.
        device: where curvature is computed (default: the CPU); the result is the same but for rounding.

    Raises:
        RdrError: an unknown name; inside :func:`rdr_viz.analysis.only_stored`, an analysis that is not there.
    """
    if name not in OF_PAPERS:
        raise unknown_name("analysis", name, OF_PAPERS)
    return OF_PAPERS[name](run, data, device)


def has_analysis(run: Run, name: str) -> bool:
    """Whether the run has it stored."""
    from rdr_viz.analysis import NotStored, only_stored

    try:
        with only_stored():
            analysis(run, name)
    except NotStored:
        return False
    return True


def share_of(run: Run, name: str) -> float:
    """How much of an analysis is stored, 0 to 1."""
    from rdr_viz.analysis import how_far

    if has_analysis(run, name):
        return 1.0
    if name in ANALYSES:
        done, total, _ = progress_of(run, name)
    else:
        done, total, _ = how_far(lambda: OF_PAPERS[name](run, None, None))
    return done / total
