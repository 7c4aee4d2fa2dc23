"""Curvature of a run's network on the images of each class or group, at the epochs whose weights were kept.

This is the paper's table 3 (lambda_min, lambda_max and trace of each Few class) and figure 4 (their spectral density).
Results are stored in the run's ``analysis/`` and read when they are asked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.plain import plain_numbers
from rdr_viz.analysis import NotStored, only_stored, result_path
from rdr_viz.curvature.losses import class_loss
from rdr_viz.curvature.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run
    from rdr_viz.curvature.hessian import Hessian


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
        mode: ``"eval"`` or ``"train"``, for BatchNorm (:class:`rdr_viz.curvature.Hessian`).
        relative_error: of the trace (default 0.03).
        k: eigenvalues at each end, a row for each ``rank``.
        tolerance, budget, batch_size, seed, backend: as :class:`rdr_viz.curvature.Hessian` has them.
        data: the run's data, where it is at hand already (default: loaded).
        device: where (default: the CPU). Not part of the stored result's name.
        progress: a bar over epochs and classes.

    Returns:
        A row for each epoch, subset and rank (1 is the extreme): ``epoch``; ``class`` and ``group``, or ``group``
        alone; ``images``; ``rank``; ``lambda_max``, ``lambda_min``, ``residual_max``, ``residual_min``
        (||Hv - lambda v||); ``converged``; ``trace``, ``trace_standard_error`` (the same in each rank); ``probes``,
        ``products``, ``seconds``; ``mode``, ``loss``, ``split``, ``parameters``, ``backend``; ``mean_loss``, the value
        of the loss itself, which curvature goes with (:mod:`rdr_viz.curvature.scale`): NaN where the curvature was
        stored without it and :func:`rdr_viz.curvature.class_loss` has not been asked since. Subsets without images
        have no row. PyHessian gives no ``lambda_min`` (NaN).

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

    def rows_of(hessian: Hessian) -> list[dict[str, Any]]:
        how_many = min(k, max(1, hessian.parameters // 2))
        if backend == "pyhessian":
            largest = hessian.eigenvalues(how_many, "largest", tolerance=tolerance, budget=budget)
            values = np.concatenate([largest.values, np.full(how_many, np.nan)])
            residuals = np.concatenate([largest.residuals, np.full(how_many, np.nan)])
        else:
            largest = hessian.eigenvalues(how_many, "both", tolerance=tolerance, budget=budget)
            values, residuals = largest.values, largest.residuals
        trace = hessian.trace(relative_error)
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

    there = result_path(run, "curvature", parameters).is_file()
    table = what.stored("curvature", parameters, rows_of, progress)
    if table.empty:  # how far it is, was asked
        return table
    with only_stored() if there else nullcontext():
        return _with_loss(what, table)


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
        probes, steps: of the quadrature (:meth:`rdr_viz.curvature.Hessian.spectral_density`).
        epochs: of ``run.milestones`` (default: the last, since a density is a picture of its own).
        run, by, classes, split, loss, mode, batch_size, seed, data, device, progress: as :func:`class_curvature`.

    Returns:
        A row for each epoch, subset and point of the grid: ``epoch``; ``class`` and ``group``, or ``group`` alone;
        ``images``; ``grid``, ``density`` (integrates to 1 over the grid); and, the same for every point,
        ``lambda_min``, ``lambda_max`` (by Lanczos to a residual of 1e-4 of each), ``trace`` and
        ``trace_standard_error`` (of the quadrature), ``sigma`` (the broadening), ``mode``, ``loss``, ``split``,
        ``parameters``, ``backend``.

    Raises:
        RdrError: as :func:`class_curvature`.
    """
    epochs = run.milestones[-1:] if epochs is None else epochs
    what = Request(run, by, epochs, classes, split, loss, mode, batch_size, seed, "rdr", device, data)
    parameters = what.parameters | {"probes": probes, "steps": steps}

    def rows_of(hessian: Hessian) -> list[dict[str, Any]]:
        ends = hessian.eigenvalues(1, "both")
        found = hessian.spectral_density(probes, steps=steps)
        return [
            {
                "grid": at,
                "density": height,
                "lambda_min": ends.smallest,
                "lambda_max": ends.largest,
                "trace": found.trace,
                "trace_standard_error": found.trace_standard_error,
                "sigma": found.sigma,
            }
            for at, height in zip(found.grid, found.density, strict=True)
        ]

    return what.stored("density", parameters, rows_of, progress)


def _with_loss(what: Request, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the loss of each row, where it is known."""
    try:
        losses = class_loss(
            what.run, by=what.by, epochs=what.epochs, classes=what.classes, split=what.split, loss=what.loss,
            mode=what.mode, batch_size=what.batch_size, data=what.data, device=what.device,
        )  # fmt: skip
    except NotStored:
        return table.assign(mean_loss=np.nan)
    keys = ["epoch", "class" if what.by == "class" else "group"]
    return table.merge(losses[[*keys, "mean_loss"]], on=keys, how="left", validate="many_to_one")
