"""How much of a number belongs to what is measured, and how much to the measuring: intraclass correlation, ICC(1).

Things measured several times each, as images whose density ratio is taken in several batches. One-way random-effects
analysis of variance: value = mean + the thing's own + noise, the last two independent, each with a variance of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtri  # quantile of F; scipy.stats takes seconds to import

from rdr_core.errors import RdrError
from rdr_viz.numbers.correlation import is_constant


class Reliability(NamedTuple):
    """How reliable one measurement is.

    Attributes:
        mean: of all values.
        spread: standard deviation of one value of one thing drawn at random; NaN where ``value`` is.
        value: the share of that variance which belongs to the thing, 1 at most; an estimate, so it can be below 0, down
            to -1 / (k - 1). NaN for one thing alone, for values that do not differ (nothing to share), and for values
            that are no numbers.
        low, high: ends of its interval; NaN where ``value`` is.
    """

    mean: float
    spread: float
    value: float
    low: float
    high: float


def reliability(values: ArrayLike, confidence: float = 0.95) -> Reliability:
    """ICC(1), the reliability of a single measurement (Shrout and Fleiss 1979), with its F interval.

    With MSB the mean square between n things and MSW that within them, over k measurements of each,

        ICC(1) = (MSB - MSW) / (MSB + (k - 1) MSW).

    MSB - MSW and MSW are unbiased for k times the things' variance and for the noise's; their quotient is not quite,
    and a little low for few things. It is not cut at 0: an estimate below 0 says that things differ by no more than
    noise makes them, and cutting would make means over classes too high. The interval is exact where both parts are
    normal and all measurements independent.

    Args:
        values: (n, k) numbers, a row for each thing; k at least 2.
        confidence: of the interval (default 0.95).

    Raises:
        RdrError: another shape.

    Example:
        >>> found = reliability([[1.0, 1.2], [2.0, 1.8], [3.1, 2.9]])
        >>> round(found.value, 3), found.low < found.value < found.high
        (0.98, True)
        >>> reliability([[1.0, 3.0], [3.0, 1.0]]).value  # each thing has the same mean
        -1.0
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise RdrError(f"reliability needs values (things, measurements), two measurements or more; got {values.shape}.")
    n, k = values.shape
    mean = float(values.mean())
    if n < 2 or not np.isfinite(values).all() or is_constant(values):
        return Reliability(mean, np.nan, np.nan, np.nan, np.nan)
    means = values.mean(1, keepdims=True)
    between = k * float(((means - mean) ** 2).sum()) / (n - 1)
    within = float(((values - means) ** 2).sum()) / (n * (k - 1))
    with np.errstate(divide="ignore"):
        f = np.float64(between) / within
    tail, freedom = (1 - confidence) / 2, (n - 1, n * (k - 1))
    value, low, high = (_of_f(f / quantile, k) for quantile in (1.0, fdtri(*freedom, 1 - tail), fdtri(*freedom, tail)))
    return Reliability(mean, float(np.sqrt((between + (k - 1) * within) / k)), value, low, high)


def interval_of_mean(values: ArrayLike, low: ArrayLike, high: ArrayLike) -> tuple[float, float]:
    """Interval of the mean of independent estimates from their own: distances to the ends add up by squares.

    Zou and Donner's (2008) recovery of variance estimates, which lets intervals be lopsided. NaN without estimates.

    Args:
        values, low, high: (m,) estimates and the ends of their intervals, all of one confidence, none missing.

    Example:
        >>> interval_of_mean([1.0, 3.0], [-2.0, -1.0], [1.0, 7.0])
        (-0.5, 4.0)
    """
    values, low, high = (np.asarray(part, dtype=np.float64) for part in (values, low, high))
    if not len(values):
        return np.nan, np.nan
    mean, m = values.mean(), len(values)
    below, above = np.sqrt(((values - low) ** 2).sum()) / m, np.sqrt(((high - values) ** 2).sum()) / m
    return float(mean - below), float(mean + above)


def _of_f(f: float, k: int) -> float:
    """The share as a function of F = MSB / MSW; infinity is 1."""
    return 1.0 if np.isinf(f) else float((f - 1) / (f + k - 1))
