"""RDR's weights for more classes than one process has room for: each holds the prototypes of a part of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from rdr_core.errors import RdrError
from rdr_core.methods.own_loop import FlatBatch, several_processes
from rdr_core.methods.rdr import RDRWeights
from rdr_core.methods.weighting import check_class_counts
from rdr_core.shapes import Bool, Float, Int


class ShardedRDRWeights(RDRWeights):
    """:class:`RDRWeights` of which each process keeps the rows of d / processes classes, the same weights otherwise.

    In a loop of several processes (DistributedDataParallel, say) each calls it at every step with its own part of the
    batch. Features go to all of them, a sample is weighed by the process that has its class, and its weight comes back.
    What a process keeps falls with their number: d Z / processes numbers. It stays outside of what
    DistributedDataParallel wraps, which would make its prototypes the same in all. Without torch.distributed it is
    :class:`RDRWeights`.

    Args:
        class_counts: (d,) training images of each class, of all classes, in every process.
        feature_dim: Z.
        settings: as for :class:`RDRWeights`.

    Attributes:
        first, last: the classes of this process are those from ``first`` on and before ``last``; its prototypes,
            ``class_counts`` and checkpoint are of these.

    Raises:
        RdrError: as for :class:`RDRWeights`; more processes than classes.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> rdr = ShardedRDRWeights(torch.tensor([30, 10]), feature_dim=4)
        >>> rdr.first, rdr.last, rdr(torch.randn(4, 4), torch.tensor([0, 0, 0, 1]))
        (0, 2, tensor([0.6667, 0.6667, 0.6667, 2.0000]))
    """

    def __init__(self, class_counts: Int[Tensor, "d"], feature_dim: int, **settings: Any) -> None:
        counts = check_class_counts(class_counts)  # of all, so that all processes refuse the same class
        rank, ranks = (dist.get_rank(), dist.get_world_size()) if several_processes() else (0, 1)
        classes = len(counts)
        if classes < ranks:
            raise RdrError(f"There are {classes} classes for {ranks} processes; take RDRWeights, which fit in each.")
        self.first, self.last = rank * classes // ranks, (rank + 1) * classes // ranks
        own = counts[self.first : self.last]
        super().__init__(own, feature_dim, **settings)
        self.num_classes = classes
        # Priors are of all samples, so that weights of different processes are on one scale.
        power = settings.get("prior", 1.0)
        self.inverse_prior *= (counts.sum().double() / own.sum()).pow(power).to(self.inverse_prior.dtype)

    def weigh_kept(self, batch: FlatBatch) -> Float[Tensor, "B"]:
        """Weights of the samples of all processes: each one's from the process that has its class."""
        mine = batch.kept & (batch.labels >= self.first) & (batch.labels < self.last)
        local = torch.where(mine, batch.labels - self.first, 0)
        weights = self.weigh(batch.features, local, mine).weights
        return _summed(weights)

    def _scaled(
        self, raw: Float[Tensor, "B"], kept: Bool[Tensor, "B"] | None
    ) -> tuple[Float[Tensor, "B"], Bool[Tensor, ""]]:
        """To mean 1 over the samples of all processes."""
        if kept is None:
            return super()._scaled(raw, kept)
        used = torch.where(kept, raw, 0)
        total, number, some = _summed(torch.stack([used.sum().double(), kept.sum().double(), used.any().double()]))
        empty = some == 0
        return (used / (total / number).clamp_min(0).to(raw.dtype)).masked_fill(empty, 1) * kept, empty


def _summed(values: Tensor) -> Tensor:
    """Over the processes, the same in each."""
    if several_processes():
        dist.all_reduce(values)
    return values
