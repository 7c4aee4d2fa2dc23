"""Curvature of a run's network on the images of each class or group, at the epochs whose weights were kept.

This is the paper's table 3 (lambda_min, lambda_max and trace of each Few class) and figure 4 (their spectral density).
Results are stored in the run's ``analysis/`` and read when they are asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.plain import plain_numbers
from rdr_viz.analysis.catalogue import analysis
from rdr_viz.analysis.curvature.losses import class_loss
from rdr_viz.analysis.curvature.request import Request
from rdr_viz.analysis.stored import NotStored, result_path

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run
    from rdr_viz.analysis.curvature.hessian import Hessian
    from rdr_viz.analysis.pieces import HowFar


@plain_numbers
def class_curvature(
    run: Run,
    *,
    by: str = "class",
    epochs: Sequence[int] | None = None,
    classes: Sequence[int] | None = None,
    split: str = "train",
    loss: str = "ce",
    mode: str = "eval",
    relative_error: float = 0.03,
    k: int = 1,
    tolerance: float = 1e-4,
    budget: int = 1000,
    batch_size: int = 500,
    seed: int = 0,
    backend: str = "rdr",
    data: LongTailedData | None = None,
    device: str | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Extreme eigenvalues and trace of the mean loss over each class's (or group's) images, without augmentation.

    Args:
        run: a finished run.
        by: ``"class"``, ``"group"`` (the loss over all its images, not a mean of classes) or ``"all"`` images in one.
        epochs: of ``run.milestones`` (default: all of them).
        classes: the classes to take (default: all); with ``by="group"`` the groups' other classes are left out.
        split: ``"train"`` or ``"test"`` images.
        loss: ``"ce"``, the same for every method, or ``"own"``, the run's own loss without its weights.
        mode: ``"eval"`` or ``"train"``, for BatchNorm (:class:`rdr_viz.analysis.curvature.Hessian`).
        relative_error: of the trace (default 0.03).
        k: eigenvalues at each end, a row for each ``rank``.
        tolerance, budget, batch_size, seed, backend: as :class:`rdr_viz.analysis.curvature.Hessian` has them.
        data: the run's data, where it is at hand already (default: loaded).
        device: where (default: the CPU). Not part of the stored result's name.
        progress: a bar over epochs and classes.

    Returns:
        A row for each epoch, subset and rank (1 is the extreme): ``epoch``; ``class`` and ``group``, or ``group``
        alone; ``images``; ``rank``; ``lambda_max``, ``lambda_min``, ``residual_max``, ``residual_min``
        (||Hv - lambda v||); ``converged``; ``trace``, ``trace_standard_error`` (the same in each rank); ``probes``,
        ``products``, ``seconds``; ``mode``, ``loss``, ``split``, ``parameters``, ``backend``; ``mean_loss``, the value
        of the loss itself, which curvature goes with (:mod:`rdr_viz.analysis.curvature.scale`): NaN where the curvature
        was stored without it and :func:`rdr_viz.analysis.curvature.class_loss` has not been asked since. Subsets
        without images have no row. PyHessian gives no ``lambda_min`` (NaN).

    Raises:
        RdrError: an unknown option, epoch or class, or a run that is not finished.

    Example:
        >>> table = class_curvature(run, classes=run.groups.few, epochs=run.milestones[-1:])   # doctest: +SKIP
        >>> table.pivot(index="class", columns="epoch", values="lambda_max")             # doctest: +SKIP
    """
    what = Request(run, by, epochs, classes, split, loss, mode, batch_size, seed, backend, device, data)
    parameters = what.parameters | {
        "relative_error": relative_error, "k": k, "tolerance": tolerance, "budget": budget,
    }  # fmt: skip
    there = result_path(run, "curvature", parameters).is_file()

    def rows_of(hessian: Hessian) -> list[dict[str, Any]]:
        how_many = min(k, max(1, hessian.parameters // 2))
        if backend == "pyhessian":
            largest = hessian.eigenvalues(how_many, "largest", tolerance=tolerance, budget=budget)
            values = np.concatenate([largest.values, np.full(how_many, np.nan)])
            residuals = np.concatenate([largest.residuals, np.full(how_many, np.nan)])
        else:
            largest = hessian.eigenvalues(how_many, "both", tolerance=tolerance, budget=budget)
            values, residuals = largest.values, largest.residuals
        trace = hessian.trace(relative_error, deflate=largest)
        return [
            {
                "rank": rank + 1,
                "lambda_max": values[rank],
                "lambda_min": values[-1 - rank],
                "residual_max": residuals[rank],
                "residual_min": residuals[-1 - rank],
                "converged": largest.converged and trace.converged,
                "trace": trace.value,
                "trace_standard_error": trace.standard_error,
                "probes": trace.probes,
                "products": largest.products + trace.products,
                "seconds": round(largest.how.seconds + trace.how.seconds, 3),
            }
            for rank in range(how_many)
        ]

    table = what.stored("curvature", parameters, rows_of, progress)
    # A loss is computed with its curvature; of curvature that is only read, it is only read.
    return _with_loss(what, table, run.as_stored if there else run)


@plain_numbers
def class_density(
    run: Run,
    *,
    by: str = "class",
    epochs: Sequence[int] | None = None,
    classes: Sequence[int] | None = None,
    split: str = "train",
    loss: str = "ce",
    mode: str = "eval",
    probes: int = 10,
    steps: int = 60,
    batch_size: int = 500,
    seed: int = 0,
    data: LongTailedData | None = None,
    device: str | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Spectral density of the mean loss over each class's (or group's) images.

    Args:
        probes, steps: of the quadrature (:meth:`rdr_viz.analysis.curvature.Hessian.spectral_density`).
        epochs: of ``run.milestones`` (default: the last, since a density is a picture of its own).
        run, by, classes, split, loss, mode, batch_size, seed, data, device, progress: as :func:`class_curvature`.

    Returns:
        A row for each epoch, subset and point of the grid: ``epoch``; ``class`` and ``group``, or ``group`` alone;
        ``images``; ``grid``, ``density`` (integrates to 1 over the grid); and, the same for every point,
        ``lambda_min``, ``lambda_max`` (by Lanczos to a residual of 1e-4 of each) and their ``residual_min`` and
        ``residual_max`` (older ones were stored without), ``trace`` and ``trace_standard_error`` (of the quadrature),
        ``sigma`` (the broadening), ``mode``, ``loss``, ``split``, ``parameters``, ``backend``.

    Raises:
        RdrError: as :func:`class_curvature`.
    """
    epochs = run.milestones[-1:] if epochs is None else epochs
    what = Request(run, by, epochs, classes, split, loss, mode, batch_size, seed, "rdr", device, data)
    parameters = what.parameters | {"probes": probes, "steps": steps}

    def rows_of(hessian: Hessian) -> list[dict[str, Any]]:
        ends = hessian.eigenvalues(1, "both")
        found = hessian.spectral_density(probes, steps=steps, deflate=ends)
        return [
            {
                "grid": at,
                "density": height,
                "lambda_min": ends.smallest,
                "lambda_max": ends.largest,
                "residual_min": ends.residuals[-1],
                "residual_max": ends.residuals[0],
                "trace": found.trace,
                "trace_standard_error": found.trace_standard_error,
                "sigma": found.sigma,
            }
            for at, height in zip(found.grid, found.density, strict=True)
        ]

    return what.stored("density", parameters, rows_of, progress)


def how_far(analysis: Callable[..., pd.DataFrame], run: Run, **asked: Any) -> HowFar:
    """How much of an analysis of curvature is stored; it computes and reads nothing.

    Args:
        analysis: :func:`class_curvature` or :func:`class_density`.
        run, asked: what it would be called with.
    """
    given = {name: parameter.default for name, parameter in signature(analysis).parameters.items()} | asked
    own = ("relative_error", "k", "tolerance", "budget") if "k" in given else ("probes", "steps")
    name = "curvature" if "k" in given else "density"
    if name == "density" and given["epochs"] is None:
        given["epochs"] = run.milestones[-1:]
    named = ("by", "epochs", "classes", "split", "loss", "mode", "batch_size", "seed")
    what = Request(
        run, **{key: given[key] for key in named}, backend=given.get("backend", "rdr"), device=None, data=None
    )
    return what.how_far(name, what.parameters | {key: given[key] for key in own})


def _all_so_far(run: Run) -> HowFar:
    return how_far(class_density, run, epochs=[run.config.epochs]) + how_far(class_curvature, run)


@analysis("curvature", "extreme eigenvalues, trace and density of the Hessian by class",
          results=("density", "curvature"), how_far=_all_so_far, place=10)  # fmt: skip
def curvature(run: Run, *, data: LongTailedData | None = None, progress: bool = True) -> pd.DataFrame:
    """Store every class's density after the last epoch and its curvature at all kept ones: the table."""
    class_density(run, epochs=[run.config.epochs], data=data, progress=progress)
    if set(run.milestones) <= set(run.kept):  # before loss was stored with it, curvature was stored without
        class_loss(run, data=data)
    return class_curvature(run, data=data, progress=progress)


def _with_loss(what: Request, table: pd.DataFrame, run: Run) -> pd.DataFrame:
    """The table with the loss of each row, where it is known."""
    try:
        losses = class_loss(
            run, by=what.by, epochs=what.epochs, classes=what.classes, split=what.split, loss=what.loss,
            mode=what.mode, batch_size=what.batch_size, data=what.data, device=what.device,
        )  # fmt: skip
    except NotStored:
        return table.assign(mean_loss=np.nan)
    keys = ["epoch", "class" if what.by == "class" else "group"]
    return table.merge(losses[[*keys, "mean_loss"]], on=keys, how="left", validate="many_to_one")
