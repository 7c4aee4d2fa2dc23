"""Seesaw loss: a rare class is pushed down less by samples of common ones, unless they are taken for it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rdr_core.methods.losses import at_least_float32
from rdr_core.methods.parts import at_least, part
from rdr_core.shapes import Float, Int


def log_seesaw_factors(
    logits: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    p: float,
    q: float,
) -> Float[Tensor, "B d"]:
    """log S of each sample and class: log of mitigation times compensation, 0 for the sample's own class; no gradient.

    Mitigation is ``min(1, n_j / n_y)^p``, compensation ``max(1, p_j / p_y)^q``; both as differences of logarithms, so
    that no quotient of tiny probabilities is taken.

    Example:
        >>> factors = log_seesaw_factors(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([100, 1]), p=0.5, q=2.0)
        >>> factors.exp()  # sqrt of 1 / 100; the class is not taken for the other, so there is nothing to compensate
        tensor([[1.0000, 0.1000]])
    """
    with torch.no_grad():
        log_counts = class_counts.to(logits.dtype).log()
        log_p = F.log_softmax(logits, 1)
        mitigation = (log_counts - log_counts[labels][:, None]).clamp_max(0)
        compensation = (log_p - log_p.gather(1, labels[:, None])).clamp_min(0)
        return p * mitigation + q * compensation


@part(
    "seesaw",
    kind="loss",
    summary="seesaw loss: samples of common classes push rarer ones down less, more where taken for one",
    formula="-log (e^z_y / sum_c S_c e^z_c), S_c = min(1, n_c / n_y)^p max(1, p_c / p_y)^q, S_y = 1",
    source="Wang et al. 2021 (Seesaw loss), section 3; counts of the training set in place of running ones",
    ranges={"p": at_least(0), "q": at_least(0)},
    notes="S carries at most a share p of the prior, and that in samples of common classes alone, so it is no power of "
    "it; weights or a sampler beside it correct a second time",
)
def seesaw(
    logits: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    p: float = 0.8,
    q: float = 2.0,
) -> Float[Tensor, "B"]:
    """Seesaw loss of each sample; tests use the raw logits.

    The counts are those of the training set, which the paper's running counts of samples seen become. The public code
    raises p_y to at least 0.01 in the compensation; without that, as in the paper's equation, the loss of a hopeless
    sample grows 1 + q times as fast as cross-entropy, its gradient no faster. The paper's scaled cosine classifier is
    no part of it.

    Args:
        logits, labels: scores and true classes.
        class_counts: training images of each class.
        p: how much less rarer classes are pushed down; 0 is not less (default 0.8: Wang et al. 2021 and their code).
        q: how much more those are which the sample is taken for; 0 is not more (default 2: the same).

    Example:
        >>> import torch
        >>> seesaw(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([100, 1]), p=0.5)  # log(1 + 0.1)
        tensor([0.0953])
    """
    scores, labels = at_least_float32(logits), labels.long()
    return F.cross_entropy(scores + log_seesaw_factors(scores, labels, class_counts, p, q), labels, reduction="none")
