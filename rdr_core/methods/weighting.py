"""The weightings that others are made of: every sample counts 1, or as much as its class."""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.methods.contract import Weighing, Weighting
from rdr_core.methods.losses import at_least_float32
from rdr_core.methods.own_loop import FlatBatch
from rdr_core.methods.replaced import WEIGHTLESS
from rdr_core.shapes import Bool, Float, Int


def mean_one(weights: Float[Tensor, "B"]) -> Float[Tensor, "B"]:
    """Weights scaled to mean 1 over the batch; all 1 where they are all 0, no numbers where they can't be scaled.

    Half types are summed in float32.

    Example:
        >>> mean_one(torch.tensor([1.0, 3.0])), mean_one(torch.zeros(2)), mean_one(torch.tensor([-1.0, -3.0]))
        (tensor([0.5000, 1.5000]), tensor([1., 1.]), tensor([-inf, -inf]))
    """
    return scaled(at_least_float32(weights))[0].to(weights.dtype)


def scaled(weights: Float[Tensor, "B"]) -> tuple[Float[Tensor, "B"], Bool[Tensor, ""]]:
    """:func:`mean_one` in the weights' own type, and whether they were all 0.

    Example:
        >>> scaled(torch.zeros(2))
        (tensor([1., 1.]), tensor(True))
    """
    empty = weights.any().logical_not_()
    # Weights below 0 or without a value are no reason to weigh all alike: over 0 or NaN they stop the run.
    return (weights / weights.mean().clamp_min_(0)).masked_fill_(empty, 1), empty


def scaled_among(weights: Float[Tensor, "B"], kept: Bool[Tensor, "B"]) -> tuple[Float[Tensor, "B"], Bool[Tensor, ""]]:
    """:func:`scaled` over those kept; the others weigh 0.

    Example:
        >>> scaled_among(torch.tensor([1.0, 3.0, 7.0]), torch.tensor([True, True, False]))
        (tensor([0.5000, 1.5000, 0.0000]), tensor(False))
    """
    used = torch.where(kept, weights, 0)
    empty = used.any().logical_not_()
    return (used / (used.sum() / kept.sum()).clamp_min(0)).masked_fill(empty, 1) * kept, empty


class Unweighted(Weighting):
    """Every sample counts 1: what a method without a weighting does."""

    weighs = False

    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        return Weighing(torch.ones(len(labels), device=labels.device))


class ClassWeights(Weighting):
    """The weight of a sample is its class's, scaled to mean 1 over the batch.

    Args:
        class_weights: (d,) weights, finite, 0 or larger and not all 0; their scale plays no part.
        name: whose weights they are, for messages.

    Raises:
        RdrError: a weight that is none; all are 0.

    Example:
        >>> ClassWeights(torch.tensor([0.5, 1.5]))(torch.zeros(2, 3), torch.tensor([0, 1]))
        tensor([0.5000, 1.5000])
    """

    class_weights: Float[Tensor, "d"]

    def __init__(self, class_weights: Float[Tensor, "d"], name: str = "class weights") -> None:
        super().__init__()
        wide = check_class_weights(torch.as_tensor(class_weights), name).double()
        # So far from 1 that a batch's sum could leave float32.
        extreme = not 1e-20 <= float(wide.max()) <= 1e20
        self.register_buffer("class_weights", (wide / wide.max() if extreme else wide).float())
        self.num_classes = len(wide)

    def weigh_kept(self, batch: FlatBatch) -> Float[Tensor, "B"]:
        return scaled_among(self.class_weights[batch.labels], batch.kept)[0]

    @torch.no_grad()
    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        weights, empty = scaled(self.class_weights[labels.long()])
        return Weighing(weights, replaced=(empty * float(WEIGHTLESS)).expand(len(labels)))


def check_class_counts(counts: Int[Tensor, "d"]) -> Int[Tensor, "d"]:
    """The numbers of training samples by class, where each class has a prior; waits for the device.

    Raises:
        RdrError: a class without a sample.

    Example:
        >>> check_class_counts(torch.tensor([3, 1]))
        tensor([3, 1])
    """
    counts = torch.as_tensor(counts)
    if not bool((counts >= 1).all()):
        raise RdrError(f"class {int(counts.argmin())} has no training sample, so no prior; drop the class.")
    return counts


def check_class_weights(weights: Float[Tensor, "..."], name: str) -> Float[Tensor, "d"]:
    """The weights, where they can weigh; waits for the device.

    Args:
        weights: of the classes.
        name: whose they are, for the message.

    Raises:
        RdrError: one is not finite or below 0, or all are 0.

    Example:
        >>> check_class_weights(torch.tensor([0.0, 1.5]), "mine")
        tensor([0.0000, 1.5000])
    """
    if weights.ndim != 1 or not len(weights):
        raise RdrError(f"{name}: class weights have shape {tuple(weights.shape)}; give one number for each class.")
    bad = (~(weights.isfinite() & (weights >= 0))).nonzero()
    if len(bad):
        c = int(bad[0])
        raise RdrError(
            f"{name}: the weight of class {c} is {float(weights[c]):g}; weights must be finite and 0 or larger, and "
            "not all 0."
        )
    if not bool((weights > 0).any()):
        raise RdrError(f"{name}: the weights of all {len(weights)} classes are 0, so nothing would count; give others.")
    return weights
