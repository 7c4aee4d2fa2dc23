"""Label noise for the -NL experiments: flip an exact number of training labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rdr_core.data.subsets import random_state
from rdr_core.errors import RdrError, unknown_name
from rdr_core.shapes import Int

# Noise must not reuse the numbers that chose the subset at the same seed.
_NOISE_STREAM = 1


def _symmetric(old: np.ndarray, counts: np.ndarray, draw: np.random.RandomState) -> np.ndarray:
    return (old + draw.randint(1, len(counts), size=len(old))) % len(counts)


def _prior(old: np.ndarray, counts: np.ndarray, draw: np.random.RandomState) -> np.ndarray:
    new = np.empty_like(old)
    for c in np.unique(old):
        others = counts.astype(np.float64)
        others[c] = 0
        if not others.sum():
            raise RdrError(
                "Prior noise needs samples of at least two classes; use symmetric noise or set the rate to 0."
            )
        of_class = old == c
        new[of_class] = draw.choice(len(counts), size=of_class.sum(), p=others / others.sum())
    return new


NOISES: dict[str, Callable[[np.ndarray, np.ndarray, np.random.RandomState], np.ndarray]] = {
    "symmetric": _symmetric,
    "prior": _prior,
}


def flip_labels(
    labels: Int[np.ndarray, "N"], num_classes: int, rate: int | float, noise: str = "symmetric", seed: int = 0
) -> Int[np.ndarray, "N"]:
    """A copy of the labels in which exactly int(rate * N) have become another class.

    Args:
        labels: (N,) classes 0..d-1, of the subset: subsample first, then flip.
        num_classes: d.
        rate: share of labels to flip, in [0, 1); the RDR paper's -NL sets have 0.05.
        noise: ``"symmetric"`` (default) draws the new class uniformly from the others, ``"prior"``
            in proportion to their counts n_c; neither ever gives the old class.
        seed: 0 (default) to 2^32 - 1, of a private generator independent of the subset's.

    Returns:
        (N,) int64 labels.

    Raises:
        RdrError: a rate outside [0, 1), an unknown noise, or no other class to flip to.

    Example:
        >>> clean = np.repeat([0, 1, 2], [60, 30, 10])
        >>> int((flip_labels(clean, num_classes=3, rate=0.05) != clean).sum())
        5
    """
    if not 0 <= rate < 1:
        raise RdrError(f"The noise rate is {rate:g}, but it is the share of labels to flip: give one in [0, 1).")
    if noise not in NOISES:
        raise unknown_name("label noise", noise, NOISES)
    noisy = labels.astype(np.int64)
    if rate == 0:
        return noisy
    if num_classes < 2:
        raise RdrError("Label noise needs a second class to flip to, but there is only one; set the noise rate to 0.")
    draw = random_state(seed, stream=_NOISE_STREAM)
    flipped = draw.permutation(len(noisy))[: int(rate * len(noisy))]
    counts = np.bincount(noisy, minlength=num_classes)
    noisy[flipped] = NOISES[noise](noisy[flipped], counts, draw)
    return noisy
