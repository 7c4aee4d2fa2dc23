"""Inverse loss reweighting: class weights, solved for in each batch, under which all classes lose the same."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from rdr_core.methods.contract import Context, Weighing, Weighting
from rdr_core.methods.losses import at_least_float32
from rdr_core.methods.parts import at_least, between, part
from rdr_core.methods.replaced import INFINITE, WEIGHTLESS
from rdr_core.methods.weighting import scaled
from rdr_core.shapes import Float, Int

#: Added to the squared loss, so that a class without any keeps a finite weight (the public code's epsilon).
EPSILON = 1e-8


def equalising(losses: Float[Tensor, "k"], target: Float[Tensor, ""], alpha: float) -> Float[Tensor, "k"]:
    """The weights w that minimise ``(w l_c - target)^2 + alpha (w - 1)^2`` for each class's mean loss l_c.

    Example:
        >>> equalising(torch.tensor([0.5, 2.0]), torch.tensor(1.0), alpha=0.0)
        tensor([2.0000, 0.5000])
    """
    return (target * losses + alpha) / (losses.square() + alpha + EPSILON)


class EqualLosses(Weighting):
    """Weights of a batch's classes that bring their mean losses to the mean of these, and weigh rare classes up.

    A class's weight is :func:`equalising` by its mean cross-entropy in the batch, times ``m_c``, at most ``most``. m_c
    is ~ (batches with the class)^-gamma, with mean 1 over classes, as of the beginning of the epoch; 1 in the first.
    Weights are scaled to mean 1 over the batch, and no gradient flows through them. A sample with a feature that is not
    finite has its class's weight, and plays no part in it.

    Args:
        num_classes: d.
        logits_of: (B, Z) features -> (B, d) logits, by the classifier as it is now.
        alpha: how much weights are drawn towards 1 (default 0: the public code).
        gamma: power of the number of batches (default 1: the public code).
        most: the largest weight, before they are scaled (default 10: the public code).

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [0.0, 0.0]])  # losses 0.13 and 0.69
        >>> weighting = EqualLosses(2, lambda features: logits)
        >>> weighting(torch.zeros(2, 1), torch.tensor([0, 1]))
        tensor([1.6904, 0.3096])
    """

    batches: Float[Tensor, "d"]
    rarity: Float[Tensor, "d"]

    def __init__(
        self, num_classes: int, logits_of: Callable[[Tensor], Tensor], alpha: float = 0.0, gamma: float = 1.0,
        most: float = 10.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_classes, self.logits_of = num_classes, logits_of
        self.alpha, self.gamma, self.most = alpha, gamma, most
        self.register_buffer("batches", torch.zeros(num_classes))
        self.register_buffer("rarity", torch.ones(num_classes))

    def start_epoch(self, epoch: int) -> None:
        rarity = self.batches.clamp_min(1).pow(-self.gamma)
        self.rarity.copy_(rarity / rarity.mean())

    @torch.no_grad()
    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        labels = labels.long()
        losses = F.cross_entropy(at_least_float32(self.logits_of(features)), labels, reduction="none")
        finite = losses.isfinite() & features.isfinite().all(1)
        zeros = losses.new_zeros(len(self.batches))
        number = zeros.index_add(0, labels, finite.to(losses.dtype))
        mean = zeros.index_add(0, labels, torch.where(finite, losses, 0.0)) / number.clamp_min(1)
        there = number > 0
        target = mean.sum() / there.sum().clamp_min(1)
        of_class = torch.where(there, equalising(mean, target, self.alpha), 1.0)
        weights, empty = scaled((of_class * self.rarity).clamp(0, self.most)[labels])
        if self.training:
            self.batches += there
        replaced = (empty * float(WEIGHTLESS)).expand(len(labels)).masked_fill(~finite, INFINITE)
        return Weighing(weights.float(), replaced=replaced)


@part(
    "ilr",
    kind="weighting",
    summary="inverse loss reweighting: weights under which the batch's classes lose the same, rare classes more",
    formula="w_c ~ m_c (t l_c + alpha) / (l_c^2 + alpha), t the mean of l_c, m_c ~ (batches with c)^-gamma",
    source="Wang et al. 2026 (inverse loss reweighting), as its public code has it",
    ranges={"alpha": at_least(0), "gamma": at_least(0), "most": between(0, 1e6, "(]")},
    notes="made for the last fifth of a run: ilr+drw; weights do not follow a power of the prior, so a loss or a "
    "sampler that carries it corrects a second time",
)
def ilr(context: Context, alpha: float = 0.0, gamma: float = 1.0, most: float = 10.0) -> EqualLosses:
    """:class:`EqualLosses` for a run, by the classifier of its network."""
    model = context.model

    def logits_of(features: Tensor) -> Tensor:
        # Looked up anew each time: a network may be given another classifier, and it is no part of the weights' state.
        return model.classifier(features.to(model.classifier.weight.dtype))

    return EqualLosses(len(context.class_counts), logits_of, alpha, gamma, most)
