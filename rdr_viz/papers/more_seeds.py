"""What more seeds would decide: the interval of a mean if further seeds were like those measured."""

from __future__ import annotations

from bisect import bisect_left
from typing import overload

import numpy as np
from scipy.stats import chi2, t

from rdr_viz.papers.claims import UNDECIDED, decide

#: Seeds beyond which nobody trains.
MOST = 1000


@overload
def half_width(sd: float, seeds: int, confidence: float = 0.95) -> float: ...
@overload
def half_width(sd: np.ndarray, seeds: int, confidence: float | np.ndarray = 0.95) -> np.ndarray: ...
def half_width(sd: float | np.ndarray, seeds: int, confidence: float | np.ndarray = 0.95) -> float | np.ndarray:
    """Half of Student's interval of a mean over seeds.

    Args:
        sd: standard deviation over seeds (n - 1), a number or several.
        seeds: 2 or more.
        confidence: default 0.95, one for all or one for each.

    Example:
        >>> [round(float(half_width(1.0, seeds)), 2) for seeds in (2, 3, 5, 10, 20)]
        [8.98, 2.48, 1.24, 0.72, 0.47]
    """
    return t.ppf((1 + np.asarray(confidence)) / 2, seeds - 1) * sd / np.sqrt(seeds)


def standard_deviation(low: float, high: float, seeds: int) -> float:
    """The standard deviation over seeds that Student's 95 % interval of their mean came from.

    Example:
        >>> round(standard_deviation(-2.48413771, 2.48413771, 3), 6)
        1.0
    """
    return float((high - low) / 2 / half_width(1.0, seeds))


def spread_of_the_spread(seeds: int, confidence: float = 0.95) -> tuple[float, float]:
    """Factors of the measured standard deviation between which the true one lies, for normal values.

    Few seeds tell little of their own spread, so a plan that takes it for granted is a guess.

    Example:
        >>> [round(factor, 2) for factor in spread_of_the_spread(3)]
        [0.52, 6.28]
    """
    degrees = seeds - 1
    ends = chi2.ppf([(1 + confidence) / 2, (1 - confidence) / 2], degrees)
    low, high = np.sqrt(degrees / ends)
    return float(low), float(high)


def seeds_to_decide(
    mean: float, sd: float, holds_between: tuple[float, float], most: int = MOST, *, confidence: float = 0.95
) -> int | None:
    """The fewest seeds whose interval decides a claim, if mean and spread stayed as they are.

    Args:
        mean: of the seeds measured.
        sd: their standard deviation (n - 1).
        holds_between: the open range in which the claim holds (:attr:`rdr_viz.papers.paper.Claim.holds_between`).
        most: seeds that are thought of (default :data:`MOST`).
        confidence: of the interval that decides; default 0.95, as of a single question.

    Returns:
        From 2 on; None where that many would not do, as where the mean lies on an end of the range, or where seeds
        without spread say nothing of it.

    Example:
        >>> seeds_to_decide(1.0, 1.0, (0, np.inf)), seeds_to_decide(0.1, 1.0, (0, np.inf))
        (7, 387)
    """

    def decided(seeds: int) -> bool:
        half = half_width(sd, seeds, confidence)
        return decide(mean - half, mean + half, holds_between) != UNDECIDED

    # The interval only shrinks around its mean, so what is decided stays so.
    seeds = 2 + bisect_left(range(2, most + 1), True, key=decided)
    return seeds if seeds <= most else None
