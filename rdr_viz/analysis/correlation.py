"""Spearman's rank correlation of two short series, and series without their drift."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rank correlation of ``x`` and ``y``, in [-1, 1]; ties share their mean rank.

    Pairs in which a value is missing are left out. NaN where there is nothing to correlate: fewer than three
    pairs, or a series that is constant (up to single precision, 1e-6 of its size).

    Args:
        x: Numbers, shape (k,).
        y: Numbers, shape (k,).

    Example:
        >>> spearman([1, 2, 3, 4], [9, 7, 8, 1])
        -0.8
    """
    pairs = pd.DataFrame({"x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float)}).dropna()
    if len(pairs) < 3 or is_constant(pairs["x"]) or is_constant(pairs["y"]):
        return float("nan")
    ranks = pairs.rank()
    return round(float(np.corrcoef(ranks["x"], ranks["y"])[0, 1]), 12)


def without_drift(values: ArrayLike) -> np.ndarray:
    """What each value is above the mean of its two neighbours, shape (k - 2,): minus half the second difference.

    Two series that both drift correlate, whatever the reason, and through training nearly all do: Spearman's
    correlation over ten seeds of 58 epochs calls any two drifts related. So do first differences, where drifts fade in
    one way, as a loss does. A drift is smooth, and leaves next to nothing above its neighbours' mean: there, two series
    that only share a drift are found related in 4 to 5 of 100 cases, as they should be (tests/analysis/test_drift.py).

    Args:
        values: (k,) in order of time.

    Example:
        >>> without_drift([1, 2, 3, 7, 5]).tolist()
        [0.0, -1.5, 3.0]
    """
    values = np.asarray(values, dtype=float)
    return values[1:-1] - (values[:-2] + values[2:]) / 2


def is_constant(values: ArrayLike, tolerance: float = 1e-6) -> bool:
    """Whether the values differ by no more than ``tolerance`` of the largest magnitude.

    Example:
        >>> is_constant([1.0, 1.0 + 1e-12]), is_constant([1.0, 1.1])
        (True, False)
    """
    values = np.asarray(values, dtype=float)
    return bool(np.ptp(values) <= tolerance * np.abs(values).max())
