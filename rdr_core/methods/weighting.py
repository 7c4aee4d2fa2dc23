"""The weightings that others are made of: every sample counts 1, or as much as its class."""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.methods.contract import Weighing, Weighting
from rdr_core.shapes import Float, Int


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

    class_weights: Float[Tensor, "d"]

    def __init__(self, class_weights: Float[Tensor, "d"]) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights.float())

    @torch.no_grad()
    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        return Weighing(mean_one(self.class_weights[labels.long()]))
