"""One verdict among many: p-values of means, and Holm's level, which all questions of a family share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr  # Student's t distribution function

ALPHA = 0.05


def p_value(values: ArrayLike, between: tuple[float, float]) -> float:
    """How surprising the values would be if their mean lay on the nearest end of a range: two-sided, by Student's t.

    It is at most alpha just where the interval of the mean with confidence 1 - alpha lies inside the range, or outside.

    Args:
        values: (n,) independent numbers, as of seeds.
        between: ends of the range, open; infinite where it has none.

    Returns:
        NaN for fewer than two values, or values without any spread: they know nothing of it.

    Example:
        >>> round(p_value([1.0, 2.0, 3.0], (0, np.inf)), 4), p_value([1.0], (0, np.inf))
        (0.0742, nan)
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or not np.ptp(values):
        return np.nan
    error = values.std(ddof=1) / np.sqrt(len(values))
    low, high = ((values.mean() - end) / error for end in between)
    freedom = len(values) - 1
    inside = max(stdtr(freedom, -low), stdtr(freedom, high))  # how likely so far from the lower end, the upper
    outside = min(stdtr(freedom, low), stdtr(freedom, -high))
    return float(min(1.0, 2 * min(inside, outside)))


def holm_level(p_values: ArrayLike, alpha: float = ALPHA) -> float:
    """The level at which Holm (1979) ends up testing each of several hypotheses.

    He takes p-values from the smallest on, and lets the k-th of m pass while it is at most alpha / (m - k + 1). The
    chance that any true hypothesis is rejected is at most alpha, however the tests depend on each other. Those that
    pass are just those with a p-value of at most alpha / (m - passed), which is returned: so an interval of confidence
    1 - level says of each question what Holm says.

    Args:
        p_values: (m,) of all questions asked; NaN is none.
        alpha: default 0.05.

    Returns:
        alpha / (m - passed); alpha itself where there is no question, or where all pass.

    Example:
        >>> holm_level([0.01, 0.04, 0.2])  # 0.01 passes at 0.05 / 3, and 0.04 would have to at 0.05 / 2
        0.025
    """
    rising = np.sort(np.asarray(p_values, dtype=float))
    rising = rising[~np.isnan(rising)]
    left = len(rising) - np.arange(len(rising))
    fails = rising * left > alpha
    passed = int(fails.argmax()) if fails.any() else len(rising)
    return alpha / max(1, len(rising) - passed)
