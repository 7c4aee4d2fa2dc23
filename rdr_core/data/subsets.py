"""Which images are kept: the field's usual seeded subset, and a short hash to recognise it by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.shapes import Int

#: Stream 1 is the label noise's.
_HELD_OUT_STREAM = 2


def choose_subset(
    labels: Int[np.ndarray, "M"], counts: Int[np.ndarray, "d"] | Sequence[int], seed: int = 0, stream: int = 0
) -> Int[np.ndarray, "N"]:
    """Indices of ``counts[c]`` images of each class c, drawn by a private generator.

    Class by class in order, the class's indices are shuffled by one ``np.random.RandomState(seed)``
    and the first ``counts[c]`` kept: with seed 0 the subset that LDAM-DRW and its many descendants
    train on. The legacy generator is meant: its streams never change (NEP 19).

    Args:
        labels: (M,) class of each image, 0..d-1.
        counts: (d,) images wanted of each class.
        seed: 0 (default) to 2^32 - 1; another seed is another subset.
        stream: above 0, a draw independent of the field's (:func:`random_state`).

    Returns:
        (N,) int64 indices into ``labels``, N = sum of the counts, class by class.

    Raises:
        RdrError: a class has fewer images than wanted, or the seed is out of range.

    Example:
        >>> labels = np.array([0, 1, 0, 1, 0])
        >>> chosen = choose_subset(labels, counts=[2, 1], seed=0)
        >>> labels[chosen].tolist()
        [0, 0, 1]
    """
    draw = random_state(seed, stream)
    chosen = [np.empty(0, dtype=np.int64)]
    for c, wanted in enumerate(counts):
        of_class = np.flatnonzero(labels == c)
        if len(of_class) < wanted:
            raise RdrError(f"Class {c} has {len(of_class)} images, fewer than the {wanted} wanted; ask for fewer.")
        draw.shuffle(of_class)
        chosen.append(of_class[:wanted])
    return np.concatenate(chosen).astype(np.int64)


def hold_out(labels: Int[np.ndarray, "M"], num_classes: int, images: int, seed: int = 0) -> Int[np.ndarray, "H"]:
    """Indices of ``images`` images of each class, to be kept out of training; at least one image of each class is left.

    Args:
        labels: (M,) class of each image, 0..d-1.
        num_classes: d.
        images: wanted of each class, 0 or more.
        seed: 0 (default) to 2^32 - 1; the draw is independent of the subset's.

    Raises:
        RdrError: a class that would be left without an image, or no such number of images.

    Example:
        >>> labels = np.array([0, 1, 0, 1, 0])
        >>> labels[hold_out(labels, num_classes=2, images=1)].tolist()
        [0, 1]
    """
    if images < 0:
        raise RdrError(f"held_out is {images}; it is a number of images of each class, 0 or larger.")
    counts = np.bincount(labels, minlength=num_classes)
    smallest = int(counts.argmin())
    if counts[smallest] <= images:
        raise RdrError(
            f"Class {smallest} has {counts[smallest]} images, too few to hold {images} out and train on the rest; "
            f"hold out {max(0, counts[smallest] - 1)} of each class at most."
        )
    return choose_subset(labels, [images] * num_classes, seed, stream=_HELD_OUT_STREAM)


def indices_hash(indices: Int[np.ndarray, "N"] | Sequence[int]) -> str:
    """The first 16 hex digits of the SHA-256 of the indices as little-endian int64, the same on every platform.

    Example:
        >>> indices_hash([0, 1, 2])
        'ab25350e3e65efeb'
    """
    return hashlib.sha256(np.asarray(indices, dtype="<i8").tobytes()).hexdigest()[:16]


def random_state(seed: int, stream: int = 0) -> np.random.RandomState:
    """A private legacy generator; streams above 0 are independent of the subset's at the same seed.

    Raises:
        RdrError: a seed outside 0..2^32 - 1, all that the legacy generator takes.

    Example:
        >>> random_state(0).randint(100), np.random.RandomState(0).randint(100)
        (44, 44)
    """
    if not 0 <= seed < 2**32:
        raise RdrError(f"The seed is {seed}, but NumPy's legacy generator takes 0 to 4294967295: give one of those.")
    return np.random.RandomState([seed, stream] if stream else seed)
