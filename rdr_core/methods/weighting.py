"""What a weighting is to the training loop: a module that maps a batch's features and labels to weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rdr_core.data import LongTailedData
from rdr_core.shapes import Float, Int


class Weighing(NamedTuple):
    """A batch weighed.

    Attributes:
        weights: (B,) float32, mean 1, no gradient.
        ratios: (B,) raw density ratios, before any clamp; None where the weighting has none.
    """

    weights: Float[Tensor, "B"]
    ratios: Float[Tensor, "B"] | None = None


class Weighting(nn.Module):
    """Base of all weightings. State that must survive a resume lies in buffers.

    A weighting implements :meth:`weigh`; one that depends on the epoch (deferred, difficulty-based)
    also :meth:`start_epoch` or :meth:`finish_epoch`. Calling the module gives the weights alone, for
    anyone's own loop.
    """

    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        """Weights of a batch; in training mode it may also learn from the batch."""
        raise NotImplementedError(f"{type(self).__name__} must define weigh(features, labels)")

    def start_epoch(self, epoch: int) -> None:
        """Called before the epoch's first batch; epochs count from 0."""

    def finish_epoch(self, epoch: int) -> None:
        """Called after the epoch's last batch."""

    def forward(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Float[Tensor, "B"]:
        return self.weigh(features, labels).weights


def mean_one(weights: Float[Tensor, "B"]) -> Float[Tensor, "B"]:
    """Weights scaled to mean 1 over the batch; all 1 where they are all 0.

    Example:
        >>> mean_one(torch.tensor([1.0, 3.0])), mean_one(torch.zeros(2))
        (tensor([0.5000, 1.5000]), tensor([1., 1.]))
    """
    mean = weights.mean()
    return torch.where(mean > 0, weights / mean, torch.ones_like(weights))


class Unweighted(Weighting):
    """Every sample counts 1: what a method without a weighting does."""

    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        return Weighing(torch.ones(len(labels), device=labels.device))


class ClassWeights(Weighting):
    """The weight of a sample is its class's, scaled to mean 1 over the batch.

    Args:
        class_weights: (d,) positive weights; their scale plays no part.

    Example:
        >>> ClassWeights(torch.tensor([0.5, 1.5]))(torch.zeros(2, 3), torch.tensor([0, 1]))
        tensor([0.5000, 1.5000])
    """

    def __init__(self, class_weights: Float[Tensor, "d"]) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights.float())

    @torch.no_grad()
    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        return Weighing(mean_one(self.class_weights[labels.long()]))


@dataclass(frozen=True)
class Context:
    """What a part may know of the training it is built for.

    Attributes:
        class_counts: (d,) training images of each class.
        labels: (N,) training labels, for samplers.
        feature_dim: Z.
        steps_per_epoch, epochs: length of the run.
        prior: power of 1 / prior that a weighting is asked for (:mod:`.grammar`).
        seed: the run's.
        model: the network in training, for parts that look at it (held-out accuracy, perturbations).
        data: all images and labels, on the CPU.
    """

    class_counts: Int[Tensor, "d"]
    labels: Int[Tensor, "N"]
    feature_dim: int
    steps_per_epoch: int
    epochs: int
    prior: float
    seed: int
    model: nn.Module
    data: LongTailedData
