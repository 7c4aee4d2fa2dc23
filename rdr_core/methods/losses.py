"""Losses: pure functions ``f(logits, labels, class_counts, **parameters) -> (B,)``, one loss per sample.

None averages or weights: what weights the samples is a weighting, and the two are composed by
name (:mod:`rdr_core.methods.grammar`). All compute in float32 or better, whatever the logits' type.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rdr_core.methods.parts import at_least, between, part
from rdr_core.shapes import Float, Int


def at_least_float32(logits: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
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
    summary="cross-entropy, every sample counts the same: the baseline",
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
    return F.cross_entropy(at_least_float32(logits), labels.long(), reduction="none")


@part(
    "focal",
    kind="loss",
    summary="focal loss: samples that are already right count less",
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
    losses = F.cross_entropy(at_least_float32(logits), labels.long(), reduction="none")
    # 1 - p from expm1: close to p = 1 the difference of floats would lose every digit. The clamp keeps
    # the gradient of a fractional power finite where rounding makes the loss exactly 0.
    wrong = (-torch.expm1(-losses)).clamp_min(torch.finfo(losses.dtype).tiny)
    return wrong.pow(gamma) * losses


@part(
    "la",
    kind="loss",
    summary="logit adjustment: the log prior is added to the logits in training, not in tests",
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
    return F.cross_entropy(scores + tau * log_prior, labels.long(), reduction="none")


@part(
    "balanced_softmax",
    kind="loss",
    summary="balanced softmax: classes enter the softmax by their counts; la with tau = 1",
    formula="-log (n_y e^z_y / sum_c n_c e^z_c)",
    source="Ren et al. 2020",
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
    return F.cross_entropy(scores + class_counts.to(scores.dtype).log(), labels.long(), reduction="none")


@part(
    "vs",
    kind="loss",
    summary="vector scaling: logit adjustment, and rare classes must reach larger logits; tau = 0 is CDT",
    formula="-log softmax(z (n / n_max)^gamma + tau log pi)_y",
    source="Kini et al. 2021; CDT: Ye et al. 2020",
    ranges={"gamma": at_least(0), "tau": at_least(0)},
    prior="tau",
    notes="gamma is a margin that grows as training goes on, no share of the prior; in a network that does not fit its "
    "training samples it favours rare classes too much",
)
def vs(
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
        >>> vs(logits, torch.tensor([1]), counts, gamma=0.5, tau=0)  # 2 counts as 1: log(1 + 1/e)
        tensor([0.3133])
    """
    scores = at_least_float32(logits)
    scaled = scores * (class_counts.to(scores.dtype) / class_counts.max()).pow(gamma)
    return logit_adjusted(scaled, labels, class_counts, tau)


def margins(class_counts: Int[Tensor, "d"], max_margin: float = 0.5) -> Float[Tensor, "d"]:
    """LDAM's margins ~ n_c^(-1/4), the smallest class's being ``max_margin``; float64.

    Args:
        class_counts: training images of each class.
        max_margin: in cosines (default 0.5: LDAM's code).

    Example:
        >>> import torch
        >>> margins(torch.tensor([16, 1]))
        tensor([0.2500, 0.5000], dtype=torch.float64)
    """
    return max_margin * (class_counts.min() / class_counts.double()).pow(0.25)


def ldam(
    cosines: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    scale: float = 30.0,
    max_margin: float = 0.5,
) -> Float[Tensor, "B"]:
    """Cross-entropy on ``scale * (cos - m_y)`` for the true class and ``scale * cos`` for the others.

    Args:
        cosines: of each sample's features and each class's vector.
        labels: true classes.
        class_counts: training images of each class.
        scale: s, from cosines to logits (default 30: LDAM's code).
        max_margin: the smallest class's margin, in cosines (default 0.5: LDAM's code); 0 is cross-entropy.

    Example:
        >>> import torch
        >>> ldam(torch.tensor([[0.5, 0.0]]), torch.tensor([0]), torch.tensor([1, 16]))  # the margin takes all: log 2
        tensor([0.6931])
    """
    scores = at_least_float32(cosines)
    true = labels[:, None] == torch.arange(scores.shape[1], device=scores.device)
    return F.cross_entropy(scale * (scores - margins(class_counts, max_margin).to(scores.dtype) * true), labels.long(),
                           reduction="none")  # fmt: skip


@part(
    "ldam",
    kind="loss",
    summary="label-distribution-aware margins: the rarer a class, the larger the margin of its samples",
    formula="-log softmax(s (cos - m_y 1_y))_y, m_c = max_margin (n_min / n_c)^(1/4)",
    source="Cao et al. 2019",
    ranges={"scale": between(0, float("inf"), "()"), "max_margin": at_least(0)},
    cosine="scale",
    notes="trains a cosine classifier, logits z = s cos; margins are no share of the prior, and with +drw and cb "
    "or inverse it is LDAM-DRW",
)
def ldam_of_logits(
    logits: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    scale: float = 30.0,
    max_margin: float = 0.5,
) -> Float[Tensor, "B"]:
    """:func:`ldam` of logits ``scale * cos``: what its networks give, so that analyses read them as any other's.

    Example:
        >>> import torch
        >>> ldam_of_logits(torch.tensor([[15.0, 0.0]]), torch.tensor([0]), torch.tensor([1, 16]))
        tensor([0.6931])
    """
    return ldam(at_least_float32(logits) / scale, labels, class_counts, scale, max_margin)
