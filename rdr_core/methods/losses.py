"""Losses: pure functions ``f(logits, labels, class_counts, **parameters) -> (B,)``, one loss per sample.

None averages or weights: what weights the samples is a weighting, and the two are composed by
name (:mod:`rdr_core.methods.grammar`). All compute in float32 or better, whatever the logits' type.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rdr_core.methods.parts import at_least, part
from rdr_core.shapes import Float, Int


def at_least_float32(logits: Float[Tensor, "B d"]) -> Float[Tensor, "B d"]:
    """Half precision widened; float64 stays.

    Example:
        >>> import torch
        >>> at_least_float32(torch.zeros(1, 2, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return logits if logits.dtype == torch.float64 else logits.float()


@part(
    "ce",
    kind="loss",
    summary="cross-entropy, every sample alike: the baseline",
    formula="-log softmax(z)_y",
    source="",
)
def cross_entropy(
    logits: Float[Tensor, "B d"], labels: Int[Tensor, "B"], class_counts: Int[Tensor, "d"]
) -> Float[Tensor, "B"]:
    """Cross-entropy of each sample; ``class_counts`` plays no part.

    Example:
        >>> import torch
        >>> cross_entropy(torch.zeros(1, 4), torch.tensor([2]), torch.tensor([5, 3, 2, 1]))  # log 4
        tensor([1.3863])
    """
    return F.cross_entropy(at_least_float32(logits), labels, reduction="none")


@part(
    "focal",
    kind="loss",
    summary="focal loss: samples already right count less",
    formula="-(1 - p_y)^gamma log p_y",
    source="Lin et al. 2017, eq. 4",
    ranges={"gamma": at_least(0)},
)
def focal(
    logits: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    gamma: float = 2.0,
) -> Float[Tensor, "B"]:
    """Focal loss of each sample, with p_y from the plain softmax even where class weights are used.

    Args:
        logits, labels: scores and true classes.
        class_counts: plays no part.
        gamma: focusing exponent, 0 is cross-entropy (default 2: Lin et al. 2017).

    Example:
        >>> import torch
        >>> focal(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([1, 1]))  # 0.5^2 * log 2
        tensor([0.1733])
    """
    losses = F.cross_entropy(at_least_float32(logits), labels, reduction="none")
    # 1 - p from expm1: close to p = 1 the difference of floats would lose every digit. The clamp keeps
    # the gradient of a fractional power finite where rounding makes the loss exactly 0.
    wrong = (-torch.expm1(-losses)).clamp_min(torch.finfo(losses.dtype).tiny)
    return wrong.pow(gamma) * losses


@part(
    "la",
    kind="loss",
    summary="logit adjustment: the prior enters the training logits, tests use the raw ones",
    formula="-log softmax(z + tau log pi)_y",
    source="Menon et al. 2021, eq. 10",
    ranges={"tau": at_least(0)},
    prior="tau",
)
def logit_adjusted(
    logits: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    tau: float = 1.0,
) -> Float[Tensor, "B"]:
    """Cross-entropy on logits shifted by the log prior; tau = 1 is balanced softmax.

    Use the raw logits at test time; shifting them again would correct twice.

    Args:
        logits, labels: scores and true classes.
        class_counts: training images of each class, from which the prior pi comes.
        tau: how much of the prior the loss carries (default 1: Menon et al. 2021). With weights
            ~ pi^-v the pair is Fisher-consistent for the balanced risk iff tau = 1 - v (Wang et al. 2023).

    Example:
        >>> import torch
        >>> logit_adjusted(torch.zeros(1, 2), torch.tensor([1]), torch.tensor([3, 1]))  # log 4
        tensor([1.3863])
    """
    scores = at_least_float32(logits)
    log_prior = torch.log(class_counts.to(scores.dtype) / class_counts.sum())
    return F.cross_entropy(scores + tau * log_prior, labels, reduction="none")


@part(
    "balanced_softmax",
    kind="loss",
    summary="balanced softmax: classes enter the softmax by their counts; la with tau = 1",
    formula="-log (n_y e^z_y / sum_c n_c e^z_c)",
    source="Ren et al. 2020, eq. 4",
    prior=1.0,
    notes="carries all of the prior, so weights ~ 1/n beside it correct twice",
)
def balanced_softmax(
    logits: Float[Tensor, "B d"], labels: Int[Tensor, "B"], class_counts: Int[Tensor, "d"]
) -> Float[Tensor, "B"]:
    """Cross-entropy on logits + log n; use the raw logits at test time.

    Example:
        >>> import torch
        >>> balanced_softmax(torch.zeros(1, 2), torch.tensor([1]), torch.tensor([3, 1]))  # log 4
        tensor([1.3863])
    """
    scores = at_least_float32(logits)
    return F.cross_entropy(scores + class_counts.to(scores.dtype).log(), labels, reduction="none")


@part(
    "vs",
    kind="loss",
    summary="vector scaling: logit adjustment, and rare classes must reach larger logits; tau = 0 is CDT",
    formula="-log softmax(z (n / n_max)^gamma + tau log pi)_y",
    source="Kini et al. 2021, eq. 2; CDT: Ye et al. 2020",
    ranges={"gamma": at_least(0), "tau": at_least(0)},
    prior="tau",
    notes="gamma is a margin that grows as training goes on, no share of the prior",
)
def vector_scaling(
    logits: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    gamma: float = 0.3,
    tau: float = 1.0,
) -> Float[Tensor, "B"]:
    """Cross-entropy on logits scaled down for rare classes and shifted by the log prior; tests use the raw logits.

    Args:
        logits, labels: scores and true classes.
        class_counts: training images of each class.
        gamma: power of n / n_max by which a class's logit is scaled (default 0.3, the upper end of the
            0.05 to 0.3 that public code uses); 0 is logit adjustment.
        tau: how much of the prior the loss carries (default 1: Menon et al. 2021); 0 is CDT.

    Example:
        >>> import torch
        >>> logits, counts = torch.tensor([[0.0, 2.0]]), torch.tensor([4, 1])
        >>> vector_scaling(logits, torch.tensor([1]), counts, gamma=0.5, tau=0)  # 2 counts as 1: log(1 + 1/e)
        tensor([0.3133])
    """
    scores = at_least_float32(logits)
    scaled = scores * (class_counts.to(scores.dtype) / class_counts.max()).pow(gamma)
    return logit_adjusted(scaled, labels, class_counts, tau)
