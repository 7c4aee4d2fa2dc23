"""Deferred re-weighting (DRW): learn features without weights first, then weigh."""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.methods.contract import Context, Weighing, Weighting
from rdr_core.methods.parts import between, part
from rdr_core.shapes import Bool, Float, Int


class Deferred(Weighting):
    """Weights 1 until an epoch begins, then another weighting's, which follows the batches from the first.

    Args:
        weighting: whose weights to defer; its prototypes or difficulties are learnt all along.
        start: the first epoch with weights, counted from 0.

    Example:
        >>> from rdr_core.methods.weighting import ClassWeights
        >>> deferred = Deferred(ClassWeights(torch.tensor([0.5, 1.5])), start=8)
        >>> for epoch in (7, 8):
        ...     deferred.start_epoch(epoch)
        ...     print(deferred(torch.zeros(2, 3), torch.tensor([0, 1])))
        tensor([1., 1.])
        tensor([0.5000, 1.5000])
    """

    active: Bool[Tensor, ""]

    def __init__(self, weighting: Weighting, start: int) -> None:
        super().__init__()
        self.weighting, self.start = weighting, start
        # A run stopped within an epoch goes on without starting the epoch again.
        self.register_buffer("active", torch.tensor(start <= 0))

    def start_epoch(self, epoch: int) -> None:
        self.active.fill_(epoch >= self.start)
        self.weighting.start_epoch(epoch)

    def finish_epoch(self, epoch: int) -> None:
        self.weighting.finish_epoch(epoch)

    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        weights, ratios, replaced = self.weighting.weigh(features, labels)
        if replaced is not None:
            replaced = torch.where(self.active, replaced, torch.nan)
        return Weighing(torch.where(self.active, weights, 1.0), ratios, replaced)


@part(
    "drw",
    kind="schedule",
    summary="deferred re-weighting: weights are 1 in the first part of the run, then the weighting's",
    formula="1 before start * epochs, then w",
    source="Cao et al. 2019, algorithm 1",
    ranges={"start": between(0, 1, "[)")},
    notes="the weighting follows the batches from the first; the last epoch has its weights, however short the run",
)
def drw(context: Context, weighting: Weighting, start: float = 0.8) -> Deferred:
    """:class:`Deferred` for a run; ``start`` is a share of its epochs (default 0.8: 160 of 200, Cao et al. 2019)."""
    return Deferred(weighting, first_epoch(start, context.epochs))


def first_epoch(start: float, epochs: int) -> int:
    """The first epoch with weights, counted from 0.

    Example:
        >>> first_epoch(0.8, 200), first_epoch(0.8, 1)
        (160, 0)
    """
    return min(round(start * epochs), epochs - 1)
