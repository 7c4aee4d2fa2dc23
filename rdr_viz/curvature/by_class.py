"""Curvature of a run's network on the images of each class or group, at the epochs whose weights were kept.

This is the paper's table 3 (lambda_min, lambda_max and trace of each Few class) and figure 4 (their spectral density).
Results are stored in the run's ``analysis/`` and read when they are asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.plain import plain_numbers
from rdr_viz.analysis import result_path, stored
from rdr_viz.pieces import Pieces

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run
    from rdr_viz.curvature.hessian import Hessian

BY = ("class", "group", "all")
SPLITS = ("train", "test")
LOSSES = ("ce", "own")


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
        ``products``, ``seconds``; ``mode``, ``loss``, ``split``, ``parameters``, ``backend``. Subsets without images
        have no row. PyHessian gives no ``lambda_min`` (NaN).

    Raises:
        RdrError: an unknown option, epoch or class, or a run that is not finished.

    Example:
        >>> table = class_curvature(run, classes=run.groups.few, epochs=run.milestones[-1:])   # doctest: +SKIP
        >>> table.pivot(index="class", columns="epoch", values="lambda_max")             # doctest: +SKIP
    """
    what = _Request(run, by, epochs, classes, split, loss, mode, batch_size, seed, backend, device, data)
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

    return what.stored("curvature", parameters, rows_of, progress)


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
    what = _Request(run, by, epochs, classes, split, loss, mode, batch_size, seed, "rdr", device, data)
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


def own_loss(run: Run) -> Callable[[Tensor, Tensor], Tensor]:
    """The run's own loss of each sample, (logits, labels) -> (B,), without its weights."""
    import torch

    from rdr_core.methods.grammar import parse

    used = parse(run.config.method).get("loss")
    return partial(used.part.make, class_counts=torch.tensor(run.class_counts), **used.arguments)


class _Request:
    """What is asked of a run, checked."""

    def __init__(
        self,
        run: Run,
        by: str,
        epochs: Sequence[int] | None,
        classes: Sequence[int] | None,
        split: str,
        loss: str,
        mode: str,
        batch_size: int,
        seed: int,
        backend: str,
        device: str | None,
        data: LongTailedData | None,
    ) -> None:
        known = {"by": BY, "split": SPLITS, "loss": LOSSES, "mode": ("eval", "train"), "backend": ("rdr", "pyhessian")}
        given = {"by": by, "split": split, "loss": loss, "mode": mode, "backend": backend}
        for name, values in known.items():
            if given[name] not in values:
                raise RdrError(f"{name}={given[name]!r} is not one of {', '.join(map(repr, values))}.")
        if backend == "pyhessian" and mode == "train":
            raise RdrError("PyHessian always uses evaluation mode; use mode='eval' or backend='rdr'.")
        d = len(run.class_counts)
        self.classes = sorted({int(c) for c in (range(d) if classes is None else classes)})
        if not self.classes or self.classes[0] < 0 or self.classes[-1] >= d:
            raise RdrError(f"classes={self.classes} must be one or more of 0 to {d - 1}.")
        self.epochs = sorted({int(epoch) for epoch in (run.milestones if epochs is None else epochs)})
        if not self.epochs:
            raise RdrError(f"epochs is empty; name one or more of {', '.join(map(str, run.milestones))}.")
        self.run, self.by, self.split, self.loss, self.mode = run, by, split, loss, mode
        self.batch_size, self.seed, self.backend, self.device, self.data = batch_size, seed, backend, device, data

    @property
    def parameters(self) -> dict[str, Any]:
        """All that decides the result."""
        names = ("by", "epochs", "classes", "split", "loss", "mode", "batch_size", "seed", "backend")
        return {name: getattr(self, name) for name in names}

    def subsets(self) -> list[tuple[dict[str, Any], list[int]]]:
        """Names of each row's subset and its classes."""
        of_class = self.run.groups.of_class
        if self.by == "class":
            return [({"class": c, "group": of_class[c]}, [c]) for c in self.classes]
        if self.by == "all":
            return [({"group": "All"}, self.classes)]
        parts = [(name, [int(c) for c in members if c in self.classes]) for name, members in self.run.groups.items()]
        return [({"group": name}, members) for name, members in parts if members]

    def stored(
        self, name: str, parameters: Mapping[str, Any], rows_of: Callable[[Hessian], list[dict[str, Any]]],
        progress: bool,
    ) -> pd.DataFrame:  # fmt: skip
        """The table of that name: read, or computed piece by piece, so that what was stopped goes on."""
        work = [(epoch, *subset) for epoch in self.epochs for subset in self.subsets()]
        pieces = Pieces(result_path(self.run, name, parameters))
        compute = partial(self.table, work, pieces, rows_of, name, progress)
        return stored(self.run, name, parameters, compute, data=self.data, pieces=len(work))

    def table(
        self, work: Sequence[tuple[int, dict[str, Any], list[int]]], pieces: Pieces,
        rows_of: Callable[[Hessian], list[dict[str, Any]]], name: str, progress: bool,
    ) -> pd.DataFrame:  # fmt: skip
        """The rows of every epoch and subset that has images."""
        import pandas as pd
        from tqdm.auto import tqdm

        for epoch in self.epochs:  # before hours of work, not in their midst
            self.run.weights_file(epoch)
        hessian_of = self._hessians()

        def piece(epoch: int, names: dict[str, Any], classes: list[int]) -> list[dict[str, Any]]:
            images, hessian = hessian_of(epoch, classes)
            if hessian is None:
                return []
            setting = {"mode": self.mode, "loss": self.loss, "split": self.split,
                       "parameters": hessian.parameters, "backend": self.backend}  # fmt: skip
            return [{"epoch": epoch, **names, "images": images, **row, **setting} for row in rows_of(hessian)]

        bar = tqdm(work, desc=name, disable=not progress)
        return pd.DataFrame([row for at, of in enumerate(bar) for row in pieces.rows(at, partial(piece, *of))])

    def _hessians(self) -> Callable[[int, list[int]], tuple[int, Hessian | None]]:
        """From an epoch and classes to how many images those have, and their Hessian; None where they have none."""
        import torch

        from rdr_core.training.augment import normalise
        from rdr_viz.curvature.hessian import Hessian

        @cache
        def data() -> LongTailedData:
            return self.run.load_data() if self.data is None else self.data

        model_at = lru_cache(maxsize=1)(self.run.model)
        loss = own_loss(self.run) if self.loss == "own" else None

        def hessian(epoch: int, classes: list[int]) -> tuple[int, Hessian | None]:
            split = getattr(data(), self.split)
            chosen = torch.isin(split.labels, torch.tensor(classes))
            count = int(chosen.sum())
            if not count:
                return 0, None
            images = normalise(split.images[chosen], torch.tensor(data().mean), torch.tensor(data().std))
            return count, Hessian(
                model_at(epoch), images, split.labels[chosen], loss=loss, mode=self.mode,
                batch_size=self.batch_size, seed=self.seed, backend=self.backend, device=self.device,
            )  # fmt: skip

        return hessian
