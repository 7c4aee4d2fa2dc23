"""Class weights that need only the counts: pure functions ``w(class_counts, **parameters) -> (d,)``, mean 1.

In training each sample gets its class's weight, and the batch's weights are scaled to mean 1
before the average over the batch (:mod:`rdr_core.methods.weighting`), as the RDR paper does and
as PyTorch's ``cross_entropy(weight=...)`` does. So weighting changes which samples count, never
the learning rate.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.methods.parts import at_least, between, number_or, part
from rdr_core.shapes import Float, Int


def _counts(class_counts: Tensor) -> Tensor:
    counts = class_counts.double()
    empty = (counts < 1).nonzero().flatten().tolist()
    if empty:
        raise RdrError(f"class {empty[0]} has no training sample, so no weight; drop the class or lower the IF.")
    return counts


@part(
    "inverse",
    kind="class weights",
    summary="inverse frequency, the paper's 1/n: rare classes count more",
    formula="w_c ~ n_c^-gamma",
    source="RDR paper, eq. 1 with r = 1",
    ranges={"gamma": at_least(0)},
    prior="gamma",
    notes="beside la with tau = 1 the prior is corrected twice; Fisher-consistent is inverse:gamma=v+la:tau=1-v, "
    "with +drw ADRW of Wang et al. 2023 (v 0.05 to 0.25)",
)
def inverse_frequency(class_counts: Int[Tensor, "d"], gamma: float = 1.0) -> Float[Tensor, "d"]:
    """Weights ~ n_c^-gamma with mean 1 over classes.

    Args:
        class_counts: training images of each class, at least 1.
        gamma: 1 is 1/n (default), 0.5 its square root, 0 no weighting.

    Raises:
        RdrError: a class without a sample.

    Example:
        >>> import torch
        >>> inverse_frequency(torch.tensor([3, 1]))
        tensor([0.5000, 1.5000])
    """
    weights = _counts(class_counts).pow(-gamma)
    return (weights / weights.mean()).float()


@part(
    "cb",
    kind="class weights",
    summary="class-balanced: inverse of the effective number of samples",
    formula="w_c ~ (1 - beta) / (1 - beta^n_c)",
    source="Cui et al. 2019, eq. 6",
    ranges={"beta": between(0, 1, "[)")},
    notes="between no weights and 1/n, so beside a loss that carries the prior it corrects more than once",
)
def effective_number(class_counts: Int[Tensor, "d"], beta: float = 0.9999) -> Float[Tensor, "d"]:
    """Weights ~ (1 - beta) / (1 - beta^n_c) with mean 1 over classes.

    Args:
        class_counts: training images of each class, at least 1.
        beta: 0 is no weighting, towards 1 inverse frequency (default 0.9999: Cui et al. 2019).

    Raises:
        RdrError: a class without a sample, or beta outside [0, 1).

    Example:
        >>> import torch
        >>> effective_number(torch.tensor([2, 1]), beta=0.5)
        tensor([0.8000, 1.2000])
    """
    if not 0 <= beta < 1:
        raise RdrError(f"beta is {beta}; it must be at least 0 and below 1 (default 0.9999).")
    counts = _counts(class_counts)
    if beta == 0:
        return torch.ones_like(counts).float()
    # expm1: for beta near 1 and few samples 1 - beta^n would lose its digits.
    weights = -1 / torch.expm1(counts * math.log(beta))
    return (weights / weights.mean()).float()


def difficulty(class_accuracy: Float[Tensor, "d"], tau: float | str = "paper") -> Float[Tensor, "d"]:
    """Class-wise difficulty weights ~ (1 - A_c)^tau, mean 1 over classes; all 1 where no class is difficult.

    A class without an error gets weight 0, unless none has one; all are NaN where an accuracy is none. Computed in
    float64, returned in the accuracies' type. Never waits for the device.

    Args:
        class_accuracy: (d,) A_c on held-out images, in 0..1.
        tau: a fixed power (1.5 in the public code's README), or one that grows with the spread of the
            accuracies s = max A / (min A + 0.01): "paper" (default), 2 sigmoid(s - 1) (Sinha et al. 2020),
            from about 1 where all are alike to 2, or "code", sigmoid(s), which is what the public CIFAR code
            does, from 0.73 to 1.

    Raises:
        RdrError: another word, or a power below 0.

    Example:
        >>> import torch
        >>> difficulty(torch.tensor([0.9, 0.7]), tau=1.0)
        tensor([0.5000, 1.5000])
    """
    if not DIFFICULTY_POWERS.test(tau):
        raise RdrError(f"tau is {tau!r}; it must be {DIFFICULTY_POWERS.words}.")
    accuracy = class_accuracy.double()
    power = torch.as_tensor(tau).to(accuracy) if not isinstance(tau, str) else _spread_power(accuracy, tau)
    weights = (1 - accuracy).pow(power)
    mean = weights.mean()
    return torch.where(mean == 0, 1.0, weights / mean).to(class_accuracy)


#: What the power of the difficulty may be.
DIFFICULTY_POWERS = number_or(at_least(0), "paper", "code")


def _spread_power(accuracy: Float[Tensor, "d"], form: str) -> Float[Tensor, ""]:
    spread = accuracy.max() / (accuracy.min() + 0.01)
    return 2 * torch.sigmoid(spread - 1) if form == "paper" else torch.sigmoid(spread)
