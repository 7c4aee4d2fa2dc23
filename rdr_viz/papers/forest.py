"""The forest plot of all claims: which numbers share an axis, and where on it each of them lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rdr_viz.analysis.measures.measure import MEASURES
from rdr_viz.papers.claim_rows import ClaimRow, Verdict
from rdr_viz.papers.claims import FAILS, HOLDS, UNDECIDED
from rdr_viz.papers.questions import QUESTIONS

if TYPE_CHECKING:
    from rdr_viz.papers.paper import Claim

#: Ways to sort, with the words for them; each gives a claim its place (:meth:`Axis.places`).
SORTS = {
    "question": "by question", "fails": "what fails first", "holds": "what holds first", "seeds": "most seeds first",
}  # fmt: skip
_TICKS = 7  # at most
_ROOM = 0.03  # of the axis, beyond its outermost number


class Spot(NamedTuple):
    """Where the parts of a row lie, in percent of the axis, as text; ``""`` for what is not there."""

    mean: str
    low: str
    high: str
    wide_low: str
    wide_high: str
    paper: str
    control: str


@dataclass(frozen=True)
class Axis:
    """Claims whose numbers are of one kind, on one axis.

    Attributes:
        title: what is measured, with its unit.
        is_log: whether ratios are shown, on a log scale.
        rows: the claims, by question.
        low, high: ends.
    """

    title: str
    is_log: bool
    rows: tuple[ClaimRow, ...]
    low: float
    high: float

    @property
    def ticks(self) -> list[tuple[str, str]]:
        """Place and words of each."""
        make = _ratio_ticks if self.is_log else _even_ticks
        signed = not self.is_log and self.low < 0
        return [(self.place(value), _tick_words(value, signed=signed)) for value in make(self.low, self.high)]

    def place(self, value: float) -> str:
        """Percent from the left, ``"12.34"``; ``""`` for NaN."""
        if np.isnan(value):
            return ""
        low, value, high = (np.log(v) if self.is_log else v for v in (self.low, value, self.high))
        return f"{100 * (value - low) / (high - low):.2f}"

    def spot(self, verdict: Verdict) -> Spot:
        """Of a measured setting."""
        ends = (min(max(end, self.low), self.high) for end in (verdict.wide_low, verdict.wide_high))  # NaN stays
        numbers = (verdict.mean, verdict.low, verdict.high, *ends, verdict.paper, verdict.of_control)
        return Spot(*(self.place(number) for number in numbers))

    def ground(self, claim: Claim) -> tuple[str, str]:
        """Left end and width of where the claim holds, as far as the axis goes."""
        low, high = claim.holds_between
        left, right = (float(self.place(min(max(end, self.low), self.high))) for end in (low, high))
        return f"{left:.2f}", f"{right - left:.2f}"

    def ends(self, claim: Claim) -> list[str]:
        """Places at which the claim's ground ends."""
        return [self.place(end) for end in claim.holds_between if np.isfinite(end)]

    def by_question(self) -> Iterator[tuple[str, str, list[ClaimRow]]]:
        """Each question that these claims ask: its key, its words and its claims."""
        for key, words in QUESTIONS.items():
            if asked := [row for row in self.rows if row.question == key]:
                yield key, words, asked

    def places(self, row: ClaimRow) -> dict[str, int]:
        """The claim's place by each of :data:`SORTS`, from 0; ties as by question."""
        return {name: sorted(self.rows, key=key).index(row) for name, key in _KEYS.items()}


def axes(claims: Sequence[ClaimRow]) -> list[Axis]:
    """The claims that are measured, parted by what can share an axis, in the order of their questions."""
    measured = sorted((row for row in claims if row.measured), key=lambda row: [*QUESTIONS].index(row.question))
    kinds = dict.fromkeys(map(_kind, measured))
    return [_axis(*kind, [row for row in measured if _kind(row) == kind]) for kind in kinds]


def _axis(title: str, is_log: bool, rows: list[ClaimRow]) -> Axis:
    finite = [
        number for row in rows for one in row.measured
        for number in (one.mean, one.low, one.high, one.paper, one.of_control, *row.claim.holds_between)
        if np.isfinite(number)
    ]  # fmt: skip
    numbers = np.log([number for number in finite if number > 0]) if is_log else np.array(finite)
    low, high = float(numbers.min()), float(numbers.max())
    room = _ROOM * (high - low or 1)
    low, high = low - room, high + room
    return Axis(title, is_log, tuple(rows), *((float(np.exp(low)), float(np.exp(high))) if is_log else (low, high)))


def _kind(row: ClaimRow) -> tuple[str, bool]:
    """Title of the axis that a claim's numbers belong on, and whether it is a log scale."""
    claim, measure = row.claim, MEASURES[row.claim.measure[0]]
    difference = ": difference" if claim.against else ""
    if claim.by == "ratio":
        return "Ratio of one method's number to the other's", True
    if claim.by == "order" or claim.measure[0].startswith("correlation"):
        return "Rank correlation, −1 to 1", False
    if claim.measure[0] in ("many", "few"):
        return f"Accuracy on Many or on Few classes{difference} in points", False
    words = measure.words[0].upper() + measure.words[1:]
    if measure.unit == "points":
        return f"{words}{difference} in points", False
    if claim.measure[0].startswith("change of the "):
        return "Change of class weights through training, in percent", False
    return f"{words}{difference}", False


def _order_of(first: str) -> dict[str, int]:
    verdicts = [first, *(verdict for verdict in (FAILS, UNDECIDED, HOLDS) if verdict != first)]
    return {verdict: place for place, verdict in enumerate(verdicts)}


def _counts(row: ClaimRow, first: str) -> tuple[int, ...]:
    """Sorts claims with many settings of that verdict first, then those with many of the next."""
    found = [one.verdict for one in row.measured]
    return tuple(-found.count(verdict) for verdict in _order_of(first))


_KEYS = {
    "question": lambda row: 0,
    "fails": lambda row: _counts(row, FAILS),
    "holds": lambda row: _counts(row, HOLDS),
    "seeds": lambda row: -max(one.seeds for one in row.measured),
}


def _even_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between two numbers, seven at most.

    Example:
        >>> _even_ticks(-6.1, 13.0)
        [-5.0, 0.0, 5.0, 10.0]
    """
    size = 10.0 ** np.floor(np.log10((high - low) / _TICKS))
    step = next(step for step in (size, 2 * size, 5 * size, 10 * size) if (high - low) / step <= _TICKS)
    return [float(round(step * k, 9)) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _ratio_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two ratios; powers alone where there would be too many.

    Example:
        >>> _ratio_ticks(0.3, 3.0), _ratio_ticks(0.01, 200)
        ([0.5, 1.0, 2.0], [0.01, 0.1, 1.0, 10.0, 100.0])
    """
    for bases in ((1, 2, 5), (1,)):
        found = [float(f"{base}e{power}") for power in range(-9, 10) for base in bases]
        found = [tick for tick in found if low <= tick <= high]
        if len(found) <= _TICKS:
            return found
    return found


def _tick_words(value: float, *, signed: bool) -> str:
    return f"{value:+g}".replace("-", "−") if signed and value else f"{value:g}".replace("-", "−")
