"""How much of a number belongs to what is measured, and how much to the measuring: intraclass correlation, ICC(1).

Things measured several times each, as images whose density ratio is taken in several batches. One-way random-effects
analysis of variance: value = mean + the thing's own + noise, the last two independent, each with a variance of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rdr_core.errors import RdrError
from rdr_viz.analysis.correlation import is_constant


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
        (0.978, True)
        >>> reliability([[1.0, 3.0], [3.0, 1.0]]).value  # each thing has the same mean
        -1.0
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise RdrError(f"reliability needs values (things, measurements), two or more of these; got {values.shape}.")
    mean, (n, k) = float(values.mean()), values.shape
    if not _has_a_share(values):
        return Reliability(mean, np.nan, np.nan, np.nan, np.nan)
    from scipy.special import fdtri  # quantile of F; a quarter of a second to import

    between, within = _mean_squares(values)
    tail, freedom = (1 - confidence) / 2, (n - 1, n * (k - 1))
    value, low, high = _share(between, within, k, np.array([1.0, fdtri(*freedom, 1 - tail), fdtri(*freedom, tail)]))
    return Reliability(mean, float(np.sqrt((between + (k - 1) * within) / k)), float(value), float(low), float(high))


def interval_of_mean(tables: Sequence[ArrayLike], confidence: float = 0.95, draws: int = 4000) -> tuple[float, float]:
    """Interval of the mean of several reliabilities, as those of a group's classes.

    A generalised interval (Weerahandi 1993): the truths that fit each table are drawn as its F interval has them, which
    is F over a quantile of F, and averaged. Of one table it is the F interval. In simulations 95 % intervals held the
    mean in 93 to 97 % where tables had ten things or more; with two or three things, whose estimates are low where the
    truth is high, in 85 to 95 %. Equal tables give equal bits.

    Args:
        tables: as of :func:`reliability`, independent of each other; those without a reliability are left out.
        confidence: of the interval (default 0.95).
        draws: of the truths (default 4000: ends are sure to a hundredth of the interval's width or two).

    Returns:
        Its ends; NaN where no table has a reliability.

    Example:
        >>> one = [[1.0, 1.2], [2.0, 1.8], [3.1, 2.9]]
        >>> [round(end, 2) for end in interval_of_mean([one])], [round(end, 2) for end in reliability(one)[3:]]
        ([0.7, 1.0], [0.7, 1.0])
    """
    known = [values for values in (np.asarray(table, dtype=np.float64) for table in tables) if _has_a_share(values)]
    if not known:
        return np.nan, np.nan
    from scipy.special import fdtri

    rng, truths = np.random.default_rng(0), np.zeros(draws)
    for values in known:
        n, k = values.shape
        levels = (rng.permutation(draws) + 0.5) / draws  # each quantile once, in an order of the table's own
        truths += _share(*_mean_squares(values), k, fdtri(n - 1, n * (k - 1), levels)) / len(known)
    low, high = np.quantile(truths, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _has_a_share(values: np.ndarray) -> bool:
    """Whether there is variance to share out between things."""
    return len(values) > 1 and bool(np.isfinite(values).all()) and not is_constant(values)


def _mean_squares(values: np.ndarray) -> tuple[float, float]:
    """MSB and MSW of (n, k) values."""
    (n, k), means = values.shape, values.mean(1, keepdims=True)
    between = k * ((means - means.mean()) ** 2).sum() / (n - 1)
    return float(between), float(((values - means) ** 2).sum() / (n * (k - 1)))


def _share(between: float, within: float, k: int, quantiles: np.ndarray) -> np.ndarray:
    """The share that fits F = MSB / MSW, were the noise's part of F each of these quantiles; with 1, ICC(1)."""
    noise = within * quantiles
    return (between - noise) / (between + (k - 1) * noise)
