"""LDAM: rare classes have to be right by a larger margin, on a classifier that knows only directions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rdr_core.methods.losses import at_least_float32
from rdr_core.methods.parts import at_least, between, part
from rdr_core.shapes import Float, Int


def margins(class_counts: Int[Tensor, "d"], max_margin: float = 0.5) -> Float[Tensor, "d"]:
    """Margins ~ n_c^(-1/4), the smallest class's being ``max_margin``; float64.

    Args:
        class_counts: training images of each class.
        max_margin: in cosines (default 0.5: LDAM's code).

    Example:
        >>> margins(torch.tensor([16, 1]))
        tensor([0.2500, 0.5000], dtype=torch.float64)
    """
    return max_margin * (class_counts.min() / class_counts.double()).pow(0.25)


@part(
    "ldam",
    kind="loss",
    summary="label-distribution-aware margins: the rarer a class, the larger the margin of its samples",
    formula="-log softmax(s (cos - m_y 1_y))_y, m_c = max_margin (n_min / n_c)^(1/4)",
    source="Cao et al. 2019, eq. 10 and 13",
    ranges={"scale": between(0, float("inf"), "()"), "max_margin": at_least(0)},
    cosine="scale",
    notes="trains a cosine classifier, logits z = s cos; margins are no share of the prior, and with +drw and cb "
    "or inverse it is LDAM-DRW",
)
def ldam(
    logits: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    scale: float = 30.0,
    max_margin: float = 0.5,
) -> Float[Tensor, "B"]:
    """Cross-entropy with the true class's logit lowered by ``scale`` times its class's margin.

    Args:
        logits: z = s cos(w_c, h), as :class:`rdr_core.models.CosineClassifier` gives them; with raw
            cosines multiply first.
        labels: true classes.
        class_counts: training images of each class.
        scale: s, the logits' (default 30: LDAM's code).
        max_margin: the smallest class's margin, in cosines (default 0.5: LDAM's code); 0 is cross-entropy.

    Example:
        >>> cosines = torch.tensor([[0.5, 0.0]])
        >>> ldam(30 * cosines, torch.tensor([0]), torch.tensor([1, 16]))  # its margin takes the lead away: log 2
        tensor([0.6931])
    """
    scores = at_least_float32(logits)
    true = labels[:, None] == torch.arange(scores.shape[1], device=scores.device)
    shift = scale * margins(class_counts, max_margin).to(scores.dtype)
    return F.cross_entropy(scores - shift * true, labels, reduction="none")
