"""Label-aware smoothing: the labels of common classes, of which networks grow too sure, are smoothed the most."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from rdr_core.methods.losses import at_least_float32
from rdr_core.methods.parts import between, part
from rdr_core.shapes import Float, Int


def smoothing(class_counts: Int[Tensor, "d"], head: float = 0.4, tail: float = 0.1) -> Float[Tensor, "d"]:
    """Each class's share of its label that is spread over all classes; float64.

    From ``tail`` for the smallest to ``head`` for the largest, along a quarter of a sine: the concave form, the best
    of the paper's three. Where all classes are as large as each other, each is the smallest.

    Args:
        class_counts: training images of each class.
        head: of the largest (default 0.4: MiSLAS's code for CIFAR-100 at imbalance factor 100; 0.3 for CIFAR-10).
        tail: of the smallest (default 0.1: the same; 0 for CIFAR-10).

    Example:
        >>> import torch
        >>> smoothing(torch.tensor([301, 101, 1]))  # 0.1 + 0.3 sin of 90, 30 and 0 degrees
        tensor([0.4000, 0.2500, 0.1000], dtype=torch.float64)
    """
    counts = class_counts.double()
    span = (counts.max() - counts.min()).clamp_min(1)
    return tail + (head - tail) * torch.sin(math.pi / 2 * (counts - counts.min()) / span)


@part(
    "las",
    kind="loss",
    summary="label-aware smoothing: labels are smoothed, those of common classes the most",
    formula="-(1 - e_y) log p_y - e_y mean_c log p_c, e = tail + (head - tail) sin(pi/2 (n - n_min) / (n_max - n_min))",
    source="Zhong et al. 2021 (MiSLAS), section 3, the concave form",
    ranges={"head": between(0, 1), "tail": between(0, 1)},
    notes="calibrates and carries no prior; MiSLAS uses it in its second stage, after mixup in the first",
)
def label_aware_smoothing(
    logits: Float[Tensor, "B d"],
    labels: Int[Tensor, "B"],
    class_counts: Int[Tensor, "d"],
    head: float = 0.4,
    tail: float = 0.1,
) -> Float[Tensor, "B"]:
    """Cross-entropy against labels of which a share e_y is spread evenly over all d classes, the true one too.

    That is the public code's form; the paper spreads it over the d - 1 others, so its share is e_y
    (d - 1) / d here.

    Args:
        logits, labels: scores and true classes.
        class_counts: training images of each class.
        head, tail: shares of the largest and the smallest class: see :func:`smoothing`.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0]])
        >>> label_aware_smoothing(logits, torch.tensor([0]), torch.tensor([9, 1]))  # log(1 + e^-2) + 0.2 * 2
        tensor([0.5269])
    """
    log_p, labels = F.log_softmax(at_least_float32(logits), 1), labels.long()
    share = smoothing(class_counts, head, tail).to(log_p.dtype)[labels]
    return -(1 - share) * log_p.gather(1, labels[:, None])[:, 0] - share * log_p.mean(1)
