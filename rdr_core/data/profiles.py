"""Long-tail profiles: how many images each class keeps, ``(largest, d, imbalance factor) -> (d,)``.

Class 0 is the largest and class d - 1 the smallest; the imbalance factor IF is their ratio.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rdr_core.errors import RdrError, unknown_name
from rdr_core.shapes import Float, Int


def exponential(largest: int, num_classes: int, imbalance_factor: int | float) -> Int[np.ndarray, "d"]:
    """Counts that fall by the same factor from class to class: n_c = int(largest * IF^(-c / (d - 1))).

    Args:
        largest: images of class 0, at least 1.
        num_classes: d; a single class keeps ``largest``.
        imbalance_factor: IF, from 1 (balanced) to ``largest`` (one image left in the last class).

    Returns:
        (d,) int64 counts, truncated and not rounded, as in Cui et al. 2019 and LDAM-DRW: for
        IF 10 / 50 / 100 / 200 they sum to 20431 / 13996 / 12406 / 11203 on CIFAR-10 and to
        19573 / 12608 / 10847 / 9502 on CIFAR-100.

    Raises:
        RdrError: an IF below 1 or not finite, or one that leaves a class without an image.

    Example:
        >>> exponential(largest=1000, num_classes=3, imbalance_factor=100).tolist()
        [1000, 100, 10]
    """
    _check(largest, num_classes, imbalance_factor)
    falls = [-c / max(num_classes - 1, 1) for c in range(num_classes)]
    return _truncate([largest * float(imbalance_factor) ** fall for fall in falls], largest, imbalance_factor)


def step(largest: int, num_classes: int, imbalance_factor: int | float) -> Int[np.ndarray, "d"]:
    """Counts in two levels: the first half of the classes keeps ``largest``, the rest int(largest / IF).

    Args:
        largest: images of each class of the first half, at least 1.
        num_classes: d; of an odd number the middle class is full.
        imbalance_factor: IF, from 1 (balanced) to ``largest``.

    Returns:
        (d,) int64 counts (Buda et al. 2018, section 3.1, with half of the classes in the minority).

    Raises:
        RdrError: an IF below 1 or not finite, or one that leaves a class without an image.

    Example:
        >>> step(largest=1000, num_classes=5, imbalance_factor=100).tolist()
        [1000, 1000, 1000, 10, 10]
    """
    _check(largest, num_classes, imbalance_factor)
    rare = num_classes // 2
    return _truncate([largest] * (num_classes - rare) + [largest / imbalance_factor] * rare, largest, imbalance_factor)


PROFILES: dict[str, Callable[[int, int, int | float], np.ndarray]] = {"exponential": exponential, "step": step}


def profile_counts(
    profile: str | None, largest: int, num_classes: int, imbalance_factor: int | float
) -> Int[np.ndarray, "d"]:
    """The counts of the profile of that name: ``"exponential"`` or ``"step"``.

    Raises:
        RdrError: an unknown profile, or an IF that it cannot have.

    Example:
        >>> profile_counts("step", largest=8, num_classes=2, imbalance_factor=4).tolist()
        [8, 2]
    """
    if profile not in PROFILES:
        raise unknown_name("profile", profile, PROFILES)
    return PROFILES[profile](largest, num_classes, imbalance_factor)


def _check(largest: int, num_classes: int, imbalance_factor: int | float) -> None:
    if largest < 1 or num_classes < 1:
        raise RdrError(
            f"A profile needs at least one class and one image in the largest, not {num_classes} classes of {largest}."
        )
    if not math.isfinite(imbalance_factor) or imbalance_factor < 1:
        raise RdrError(
            f"The imbalance factor is {imbalance_factor:g}, but it is the largest class's count over the smallest's: "
            "give a finite number from 1 (balanced) on."
        )


def _truncate(sizes: list[int | float], largest: int, imbalance_factor: int | float) -> Int[np.ndarray, "d"]:
    """Truncate, taking a float that misses an integer only by its rounding error for that integer.

    In floats 49 * (1 / 49) is 0.999...9, which must not empty a class. The guard is 1e-12 of the
    value, far above the error of a power and far below what separates any standard figure from
    its neighbour, so it changes none of them.
    """
    exact: Float[np.ndarray, "d"] = np.asarray(sizes, dtype=np.float64)
    nearest = np.rint(exact)
    counts = np.where(np.abs(exact - nearest) <= 1e-12 * exact, nearest, np.floor(exact)).astype(np.int64)
    empty = np.flatnonzero(counts < 1)
    if len(empty):
        raise RdrError(
            f"Imbalance factor {imbalance_factor:g} leaves class {empty[0]} without an image, since the largest class "
            f"has {largest}: the largest factor that works is {largest}."
        )
    return counts
