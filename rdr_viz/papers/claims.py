"""What may be said of a claim, and when: from intervals over seeds to a word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rdr_core.methods.grammar import parse
from rdr_viz.analysis.measures.measure import MEASURES

if TYPE_CHECKING:
    from rdr_viz.papers.paper import Claim

HOLDS, FAILS, UNDECIDED, NOT_MEASURED = "holds", "fails", "undecided", "not measured"
#: Of a claim whose readings come to different verdicts.
DEPENDS = "depends on the reading"


class Setting(Protocol):
    """A setting of a claim with its verdict and the method that the claim is about."""

    @property
    def verdict(self) -> str: ...

    @property
    def method(self) -> str: ...


def decide(low: float, high: float, holds_between: tuple[float, float]) -> str:
    """The verdict on an interval: inside the range, outside it, or neither.

    Args:
        low, high: ends of the interval; NaN, as of a single seed, decides nothing, and neither do seeds that are all
            equal, as where every method has all of a group right: they know nothing of their own spread.
        holds_between: the open range in which the claim holds.

    Example:
        >>> above = (0, np.inf)
        >>> decide(1, 3, above), decide(-1, 3, above), decide(-3, -1, above), decide(np.nan, np.nan, above)
        ('holds', 'undecided', 'fails', 'undecided')
    """
    if not low < high:
        return UNDECIDED
    least, most = holds_between
    if least < low and high < most:
        return HOLDS
    return FAILS if high <= least or low >= most else UNDECIDED


def overall(claim: Claim, settings: Iterable[Setting]) -> str:
    """The verdict on a claim: it fails where a setting fails, and holds where all that there are hold.

    Of a claim with readings each is judged so, and where they come to different words it depends on the reading.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> overall(load_paper("rdr").claims[0], [])
        'not measured'
    """
    settings = list(settings)
    if not claim.readings:
        return _together([setting.verdict for setting in settings])
    methods = dict.fromkeys(setting.method for setting in settings)
    words = {_together([setting.verdict for setting in settings if setting.method == method]) for method in methods}
    if len(words) < 2:
        return words.pop() if words else NOT_MEASURED
    return DEPENDS if len(words - {NOT_MEASURED}) > 1 else UNDECIDED  # of one reading nothing is known


def _together(verdicts: list[str]) -> str:
    found = set(verdicts) - {NOT_MEASURED}
    if not found:
        return NOT_MEASURED
    if FAILS in found:
        return FAILS
    return HOLDS if set(verdicts) == {HOLDS} else UNDECIDED


def criterion(claim: Claim) -> str:
    """In words, how a claim is judged.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> print(criterion(load_paper("rdr").claims[0]))
        Measured: accuracy over all classes, of RDR minus CE, seed by seed. Holds where the interval of the mean over \
seeds, widened for all questions of the setting, is above 0; fails where it is not above 0 anywhere; else undecided.
    """
    low, high = claim.holds_between
    where = (
        f"between {low:g} and {high:g}" if claim.between else f"above {low:g}" if high == np.inf else f"below {high:g}"
    )
    label = _labels(claim.method)
    if claim.by == "order":
        one, other = (MEASURES[name].words for name in claim.measure)
        return (
            f"Measured: Kendall's rank correlation of the methods' order by {one} with that by {other}, seed by seed "
            f"(1: no two of {label} change places). {_decided('mean', where)}"
        )
    of = f"of {label}"
    if claim.against:
        rival = _labels(claim.against)
        of += f" over {rival}" if claim.by == "ratio" else f" minus {rival}"
        of += ", seed by seed"
    words = " and ".join(MEASURES[name].words for name in claim.measure)
    mean = "geometric mean" if claim.by == "ratio" else "mean"
    several = " These are readings of one sentence; each is judged by itself." if claim.readings else ""
    return f"Measured: {words}, {of}. {_decided(mean, where)}{several}"


def _decided(mean: str, where: str) -> str:
    return (
        f"Holds where the interval of the {mean} over seeds, widened for all questions of the setting, is {where}; "
        f"fails where it is not {where} anywhere; else undecided."
    )


def _labels(methods: tuple[str, ...]) -> str:
    from rdr_core.methods.names import method_label
    from rdr_viz.analysis.words import listed

    return listed([method_label(parse(method).name) for method in methods])
