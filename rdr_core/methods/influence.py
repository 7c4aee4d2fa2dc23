"""Influence-balanced weights: samples that would move the decision boundary the most count the least."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rdr_core.methods.contract import Context, Weighing, Weighting
from rdr_core.methods.losses import at_least_float32
from rdr_core.methods.parts import part
from rdr_core.methods.replaced import INFINITE, WEIGHTLESS
from rdr_core.methods.weighting import scaled
from rdr_core.methods.weights import inverse_frequency
from rdr_core.shapes import Float, Int

#: Added to the influence, so that a sample without any keeps a finite weight (the public code's epsilon).
EPSILON = 1e-3


def influence(
    features: Float[Tensor, "B Z"], logits: Float[Tensor, "B d"], labels: Int[Tensor, "B"]
) -> Float[Tensor, "B"]:
    """How much each sample pulls at a linear classifier under cross-entropy: ``||p - y||_1 ||h||_1``.

    That is the sum of the sizes of its gradient by the classifier's weights, ``(p - y) h^T``.

    Example:
        >>> import torch
        >>> influence(torch.tensor([[1.0, -2.0]]), torch.zeros(1, 2), torch.tensor([0]))  # (0.5 + 0.5) (1 + 2)
        tensor([3.])
    """
    log_p = at_least_float32(logits).log_softmax(1)
    # ||p - y||_1 = 2 (1 - p_y), from expm1: close to p_y = 1 the difference of floats would lose every digit.
    wrong = -2 * torch.expm1(log_p.gather(1, labels.long()[:, None])[:, 0])
    return wrong * at_least_float32(features).abs().sum(1)


class InfluenceBalanced(Weighting):
    """Weights ~ ``(1 / n_y) / (influence + 1e-3)``, scaled to mean 1 over the batch; no gradient flows through them.

    Scaled so, the constant alpha of the paper plays no part. A sample with a feature that is not finite has the mean
    influence of the others, and so its class's weight.

    Args:
        class_counts: (d,) training images of each class.
        logits_of: (B, Z) features -> (B, d) logits, by the classifier as it is now.

    Raises:
        RdrError: a class without a sample.

    Example:
        >>> weighting = InfluenceBalanced(torch.tensor([1, 1]), lambda h: torch.zeros(len(h), 2))
        >>> weighting(torch.tensor([[1.0], [3.0]]), torch.tensor([0, 1]))  # about 1 to 1/3
        tensor([1.4998, 0.5002])
    """

    class_weights: Float[Tensor, "d"]

    def __init__(self, class_counts: Int[Tensor, "d"], logits_of: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.logits_of = logits_of
        self.register_buffer("class_weights", inverse_frequency(class_counts))

    @torch.no_grad()
    def weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        pull = influence(features, self.logits_of(features), labels)
        finite = pull.isfinite()
        typical = torch.where(finite, pull, 0.0).sum() / finite.sum().clamp_min(1)
        weights, empty = scaled(self.class_weights[labels.long()] / (torch.where(finite, pull, typical) + EPSILON))
        replaced = (empty * float(WEIGHTLESS)).expand(len(labels)).masked_fill(~finite, INFINITE)
        return Weighing(weights.float(), replaced=replaced)


@part(
    "ib",
    kind="weighting",
    summary="influence-balanced: samples that pull the most at the classifier count the least, rare classes more",
    formula="w ~ (1 / n_y) / (||p - y||_1 ||h||_1 + 0.001)",
    source="Park et al. 2021 (influence-balanced loss), section 3; 0.001: its public code",
    notes="made for the second half of a run, in which it spares samples that are fitted by effort alone: "
    "ib+drw:start=0.5; the public code lets the gradient flow through the weight, here it is a factor as any weight is",
)
def ib(context: Context) -> InfluenceBalanced:
    """:class:`InfluenceBalanced` for a run, by the classifier of its network."""
    model = context.model

    def logits_of(features: Tensor) -> Tensor:
        # Looked up anew each time: a network may be given another classifier, and it is no part of the weights' state.
        return model.classifier(features.to(model.classifier.weight.dtype))

    return InfluenceBalanced(context.class_counts, logits_of)
