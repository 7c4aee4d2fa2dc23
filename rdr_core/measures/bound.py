"""B' and the class terms of Theorem 1: pure functions of what an epoch's training passes showed.

The balanced risk is bounded by a training term plus
``C / (d pi_1) * sum_y w_y sqrt(pi_y) (1 - softmax(B_y))`` (paper, Theorem 1, after Wang et al. 2023),
with B_y "the smallest prediction for the true class over the training samples of class y".
"""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.errors import RdrError, unknown_name
from rdr_core.shapes import Float, Int

#: How B_y is read, and the column of a run's ``classes`` that holds it.
READINGS: dict[str, str] = {
    "logit": "b_prime",
    "probability": "b_prime_probability",
    "batch": "b_prime_batch",
    "quantile": "b_prime_quantile",
}


def class_mean(values: Float[Tensor, "V"], labels: Int[Tensor, "V"], num_classes: int) -> Float[Tensor, "d"]:
    """Mean of ``values`` by class, NaN for a class without one, in float64.

    Example:
        >>> class_mean(torch.tensor([1.0, 3.0]), torch.tensor([0, 0]), 2)
        tensor([2., nan], dtype=torch.float64)
    """
    total = torch.zeros(num_classes, dtype=torch.float64, device=values.device).index_add_(
        0, labels.long(), values.double()
    )
    return total / torch.bincount(labels, minlength=num_classes)


def b_prime(
    logits: Float[Tensor, "V"],
    probabilities: Float[Tensor, "V"],
    labels: Int[Tensor, "V"],
    priors: Float[Tensor, "d"],
    *,
    reading: str = "logit",
    batches: Int[Tensor, "V"] | None = None,
    quantile: float = 0.1,
) -> Float[Tensor, "d"]:
    """B'_y = sqrt(pi_y) * (1 - softmax(B_y)) of each class, from the visits of an epoch.

    Args:
        logits: true-class logit at each visit of a training sample.
        probabilities: true-class softmax probability at each visit.
        labels: class of each visit.
        priors: (d,) pi.
        reading: what softmax(B_y) is. "logit": the probability of the sample with the smallest
            true-class logit (the text read strictly, default); "probability": the smallest
            probability over the class; "batch": the smallest in each batch, averaged over the
            batches that hold the class; "quantile": a low quantile over the class.
        batches: number of the batch of each visit; needed for "batch".
        quantile: for "quantile" (default 0.1).

    Returns:
        (d,) float64, NaN for a class without a visit.

    Raises:
        RdrError: an unknown reading, or "batch" without the batches.

    Example:
        >>> b_prime(torch.tensor([2.0, 1.0]), torch.tensor([0.2, 0.6]), torch.tensor([0, 0]), torch.tensor([1.0]))
        tensor([0.4000], dtype=torch.float64)
    """
    if reading not in READINGS:
        raise unknown_name("reading of B'", reading, READINGS)
    labels = labels.long()
    if reading == "batch":
        if batches is None:
            raise RdrError("The reading 'batch' of B' needs the number of each visit's batch; give batches.")
        least = _batch_minimum(probabilities.double(), labels, batches, len(priors))
    else:
        least = _at_rank(logits if reading == "logit" else probabilities, probabilities, labels, len(priors),
                         quantile if reading == "quantile" else 0.0)  # fmt: skip
    return priors.double().sqrt() * (1 - least)


def _at_rank(keys: Tensor, values: Tensor, labels: Tensor, d: int, quantile: float) -> Tensor:
    """By class, the value at the given quantile (lower) of the keys: two stable sorts, no loop over classes."""
    by_key = keys.argsort(stable=True)
    order = by_key[labels[by_key].argsort(stable=True)]
    counts = torch.bincount(labels, minlength=d)
    start = counts.cumsum(0) - counts
    position = start + ((counts - 1).clamp_min(0) * quantile).floor().long()
    picked = values.double()[order[position.clamp_max(len(order) - 1)]]
    return torch.where(counts > 0, picked, torch.nan)


def _batch_minimum(values: Tensor, labels: Tensor, batches: Tensor, d: int) -> Tensor:
    """By class, the mean over batches of the least value in the batch."""
    cell, position = torch.unique(batches * d + labels, return_inverse=True)
    least = torch.full((len(cell),), torch.inf, dtype=values.dtype, device=values.device)
    least.scatter_reduce_(0, position, values, "amin")
    return class_mean(least, cell % d, d)


def bound_terms(weights: Float[Tensor, "d"], b_primes: Float[Tensor, "d"]) -> Float[Tensor, ""]:
    """Sum over classes of w_y B'_y: Theorem 1's class terms without their constant C / (d pi_1).

    Classes without a value (NaN) are left out.

    Example:
        >>> bound_terms(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.1]))
        tensor(0.7000, dtype=torch.float64)
    """
    return (weights.double() * b_primes.double()).nansum()
