"""A run without weights that keeps, beside itself, what runs whose weights begin late need to go on from it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rdr_core.measures.bound import class_mean
from rdr_core.methods.contract import Weighing, Weighting
from rdr_core.methods.deferred import Deferred
from rdr_core.methods.fork import PATH, kept_paths
from rdr_core.methods.rdr import RDRWeights
from rdr_core.shapes import Float, Int
from rdr_core.training.state import TrainingState
from rdr_core.training.visits import share_below_zero


class TrunkState(TrainingState):
    """A run in training, of a method without weights, in which RDR's presets follow the batches."""

    def _build_method(self) -> None:
        super()._build_method()
        counts = self.data.class_counts.to(self.device)
        self.weighting = Followers(counts, self.model.feature_dim, self.sampler.visits, self.config.epochs)
        self.weighting.to(self.device)
        self.objective.weighting = self.weighting


class Followers(Weighting):
    """Weights of 1, while RDR's prototypes and ratios are followed in each of its presets.

    Args:
        class_counts: (d,) training images of each class.
        feature_dim: Z.
        visits: of an epoch.
        epochs: of the run.
    """

    position: Int[Tensor, "1"]
    labels: Int[Tensor, "V"]
    ratios: Float[Tensor, "P V"]
    mean_ratio: Float[Tensor, "P E d"]
    below_zero: Float[Tensor, "P E"]
    weighs = False

    def __init__(self, class_counts: Int[Tensor, "d"], feature_dim: int, visits: int, epochs: int) -> None:
        super().__init__()
        self.rdrs = nn.ModuleDict(
            {
                name: RDRWeights(class_counts, feature_dim, **dict(zip(PATH, path, strict=True)))
                for name, path in kept_paths().items()
            }
        )
        followed, d = len(self.rdrs), len(class_counts)
        # Records of the epoch under way, a column a visit, and of the epochs before.
        self.register_buffer("position", torch.zeros(1, dtype=torch.int64))
        self.register_buffer("labels", torch.zeros(visits, dtype=torch.int64))
        self.register_buffer("ratios", torch.full((followed, visits), torch.nan))
        self.register_buffer("mean_ratio", torch.full((followed, epochs, d), torch.nan, dtype=torch.float64))
        self.register_buffer("below_zero", torch.full((followed, epochs), torch.nan, dtype=torch.float64))

    def _followed(self) -> list[RDRWeights]:
        return [rdr for rdr in self.rdrs.values() if isinstance(rdr, RDRWeights)]

    def start_epoch(self, epoch: int) -> None:
        self.position.zero_()

    @torch.no_grad()
    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        weighed = [rdr.weigh(features, labels).ratios for rdr in self._followed()]
        ratios = torch.stack([ratios for ratios in weighed if ratios is not None])
        here = self.position + torch.arange(len(labels), device=labels.device)
        self.labels.index_copy_(0, here, labels.long())
        self.ratios.index_copy_(1, here, ratios)
        self.position += len(labels)
        return Weighing(torch.ones(len(labels), device=labels.device))

    def finish_epoch(self, epoch: int) -> None:
        for at, (rdr, ratios) in enumerate(zip(self._followed(), self.ratios, strict=True)):
            rdr.finish_epoch(epoch)
            self.mean_ratio[at, epoch] = class_mean(ratios, self.labels, self.mean_ratio.shape[2])
            self.below_zero[at, epoch] = share_below_zero(ratios)


def branch_tree(trunk: dict[str, Any], state: TrainingState) -> dict[str, Any]:
    """The tree from which a fresh run goes on as if it had itself made the trunk's epochs.

    Args:
        trunk: a :class:`TrunkState`'s tree after an epoch, before which the run's weights do not begin.
        state: the run's, as built.
    """
    weighting = state.weighting.weighting if isinstance(state.weighting, Deferred) else state.weighting
    history = [dict(row) for row in trunk["history"]]
    classes = dict(trunk["classes"])
    if isinstance(weighting, RDRWeights):
        path = tuple(getattr(weighting, name) for name in PATH)
        at, name = next((at, name) for at, (name, kept) in enumerate(kept_paths().items()) if kept == path)
        kept = trunk["weighting"]
        for own in ("prototypes", "started", "steps"):
            getattr(weighting, own).copy_(kept[f"rdrs.{name}.{own}"])
        classes["ratio"] = kept["mean_ratio"][at, : trunk["epoch"]].to(classes["ratio"].dtype)
        for row, share in zip(history, kept["below_zero"][at], strict=False):
            row["negative_ratios"] = float(share)
    return trunk | {"history": history, "classes": classes, "weighting": state.weighting.state_dict(), "seconds": 0.0}
