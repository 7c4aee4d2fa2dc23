"""What is asked of a run's curvature, checked: which network, images and loss; and the tables of it, stored by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError
from rdr_viz.analysis.pieces import HowFar, Pieces
from rdr_viz.analysis.stored import how_far, result_path, stored

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import Tensor

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run
    from rdr_viz.analysis.curvature.hessian import Hessian

BY = ("class", "group", "all")
SPLITS = ("train", "test")
LOSSES = ("ce", "own")


def own_loss(run: Run) -> Callable[[Tensor, Tensor], Tensor]:
    """The run's own loss of each sample, (logits, labels) -> (B,), without its weights."""
    import torch

    used = run.config.spec.loss
    if run.config.spec.experts > 1:
        raise RdrError(
            f"{used.part.name} is a loss of several experts, and curvature is of their mean logits; use loss='ce'."
        )
    return partial(used.part.make, class_counts=torch.tensor(run.class_counts), **used.arguments)


class Request:
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
        work = self._work()
        pieces = Pieces(result_path(self.run, name, parameters))
        compute = partial(self.table, work, pieces, rows_of, name, progress)
        return stored(self.run, name, parameters, compute, data=self.data, pieces=len(work))

    def how_far(self, name: str, parameters: Mapping[str, Any]) -> HowFar:
        """How much of the table of that name is stored."""
        return how_far(self.run, name, parameters, len(self._work()))

    def _work(self) -> list[tuple[int, dict[str, Any], list[int]]]:
        return [(epoch, *subset) for epoch in self.epochs for subset in self.subsets()]

    def stored_at_once(
        self, name: str, parameters: Mapping[str, Any], row_of: Callable[[Hessian], dict[str, Any]]
    ) -> pd.DataFrame:
        """The table of that name, of what takes no time: a row each, from Hessians in float64."""
        import pandas as pd

        def compute() -> pd.DataFrame:
            import torch

            hessian_of = self._hessians(torch.float64)
            setting = {"mode": self.mode, "loss": self.loss, "split": self.split}
            rows = []
            for epoch in self.epochs:
                for names, classes in self.subsets():
                    images, hessian = hessian_of(epoch, classes)
                    if hessian is not None:
                        rows.append({"epoch": epoch, **names, "images": images, **row_of(hessian), **setting})
            return pd.DataFrame(rows)

        return stored(self.run, name, parameters, compute, data=self.data)

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

    def _hessians(self, dtype: torch.dtype | None = None) -> Callable[[int, list[int]], tuple[int, Hessian | None]]:
        """From an epoch and classes to how many images those have, and their Hessian; None where they have none."""
        import torch

        from rdr_core.training.inference import Inputs
        from rdr_viz.analysis.curvature.hessian import Hessian

        @cache
        def data() -> LongTailedData:
            return self.run.data(self.data)

        model_at = lru_cache(maxsize=1)(self.run.model)
        loss = own_loss(self.run) if self.loss == "own" else None

        def hessian(epoch: int, classes: list[int]) -> tuple[int, Hessian | None]:
            split = getattr(data(), self.split)
            chosen = torch.isin(split.labels, torch.tensor(classes))
            count = int(chosen.sum())
            if not count:
                return 0, None
            return count, Hessian(
                model_at(epoch), Inputs.of(data(), self.split).choose(chosen), split.labels[chosen], loss=loss,
                mode=self.mode, batch_size=self.batch_size, seed=self.seed, backend=self.backend, device=self.device,
                dtype=dtype or torch.float32,
            )  # fmt: skip

        return hessian
