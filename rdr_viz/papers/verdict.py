"""The paragraph of verdict at the page's head: does the ratio help, and how many claims hold?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.methods.control import control_of
from rdr_core.methods.grammar import parse
from rdr_core.methods.names import method_label
from rdr_viz.analysis.words import listed, plural
from rdr_viz.papers.claim_words import unit
from rdr_viz.papers.claims import DEPENDS, FAILS, HOLDS, NOT_MEASURED, UNDECIDED
from rdr_viz.papers.finding import STRONGEST
from rdr_viz.papers.questions import BETTER, RATIO

if TYPE_CHECKING:
    from rdr_viz.papers.claim_rows import ClaimRow, Verdict
    from rdr_viz.papers.grids import Grid
    from rdr_viz.papers.paper import Paper

#: Methods as one speaks of them.
_SPOKEN = {
    "rdr:preset=released": "the released RDR",
    "inverse": "1/n",
    "inverse+drw": "1/n deferred by the same schedule",
}


@dataclass(frozen=True)
class Answer:
    """The verdict in words.

    Attributes:
        headline: the answer to whether the ratio helps, in a sentence; ``""`` where nothing is measured of it.
        reasons: the numbers behind it, in the strongest setting first.
        counts: how many claims hold, fail and are undecided, by scale.
    """

    headline: str
    reasons: str
    counts: str


def answer(paper: Paper, claims: Sequence[ClaimRow]) -> Answer:
    """Word the verdict from what is measured of the claims; nothing of it is written beforehand."""
    grids: dict[str, Grid] = {}
    for grid in _strongest(paper):
        grids.setdefault(grid.scale, grid)
    shown = {scale: found for scale in grids if (found := _of_ratio(claims, scale))}
    if not shown:
        return Answer("", "", counts(claims))
    (scale, strongest), *others = shown.items()
    grid = grids[scale]
    reasons = [
        f"The strongest test so far is {_titled(grid)}: {_tally([one for _, one in strongest])}",
        _distances(strongest, ""),
        *[_distances(found, f"{in_scale(other)} ") for other, found in others[:1]],
        _gain(claims, scale),
    ]
    return Answer(_headline([one.verdict for _, one in strongest]), " ".join(filter(None, reasons)), counts(claims))


def counts(claims: Sequence[ClaimRow]) -> str:
    """``"Of 34 claims, on digits 13 hold, 3 fail and 18 are undecided; ..."``; ``""`` without claims."""
    said, idle = [], []
    for scale in dict.fromkeys(scale for row in claims for scale in row.overall):
        found = Counter(row.overall[scale] for row in claims if scale in row.overall)
        if set(found) == {NOT_MEASURED}:
            idle.append(scale)
            continue
        words = [_count(found[HOLDS], "holds", "hold"), _count(found[FAILS], "fails", "fail"),
                 _count(found[UNDECIDED], "is undecided", "are undecided")]  # fmt: skip
        if found[DEPENDS]:
            words.append(_count(found[DEPENDS], DEPENDS, "depend on the reading"))
        said.append(f"{in_scale(scale)} {listed(words)}")
    text = f"Of {plural(len(claims), 'claim')}, {'; '.join(said)}." if said else ""
    left = f"None is measured yet {listed([in_scale(scale) for scale in idle])}." if idle else ""
    return f"{text} {left}".strip()


def in_scale(scale: str) -> str:
    """A scale in a sentence.

    Example:
        >>> in_scale("digits, authors' schedule"), in_scale("paper")
        ("on digits by the authors' schedule", "in the paper's own setting")
    """
    names = {"paper": "in the paper's own setting", "authors' code": "on CIFAR by the authors' code"}
    return names.get(scale, "on " + scale.replace(", ", " by the ", 1))


def _count(number: int, one: str, many: str) -> str:
    return f"{number or 'none'} {many if number > 1 else one}"


def _strongest(paper: Paper) -> list[Grid]:
    """Its grids in the order in which they are believed, those with nothing to say of it last."""
    known = [paper.grids[name] for name in STRONGEST if name in paper.grids]
    return known + [grid for grid in paper.grids.values() if grid not in known]


def _of_ratio(claims: Sequence[ClaimRow], scale: str) -> list[tuple[ClaimRow, Verdict]]:
    """What is measured there of the claims that the ratio helps."""
    asked = [row for row in claims if row.question == RATIO and row.claim.above == 0]
    found = [(row, one) for row in asked for one in row.measured if one.scale == scale]
    # Where another method stands for the paper's its control is another too: that rival differs in more than the ratio.
    return [(row, one) for row, one in found if not (_is_control(row, one) and one.control)]


def _headline(verdicts: list[str]) -> str:
    found = set(verdicts)
    if found == {HOLDS}:
        return "Yes: in the strongest setting measured here the density ratio helps, beside each of its controls."
    if {HOLDS, FAILS} <= found:
        return "In part: the density ratio helps beside some of its controls, and does worse beside others."
    if HOLDS in found:
        return "In part: the density ratio helps beside some of its controls; beside others our runs do not show it."
    if FAILS in found:
        return "Our runs do not show that the density ratio helps."
    return "Our runs cannot tell whether the density ratio helps."


def _tally(found: list[Verdict]) -> str:
    several = Counter(one.verdict for one in found)
    said = [_count(several[HOLDS], "favours the ratio", "favour the ratio"),
            _count(several[FAILS], "goes against it", "go against it"),
            _count(several[UNDECIDED], "leaves it open", "leave it open")]  # fmt: skip
    return (
        f"of {plural(len(found), 'comparison')} of RDR with a control without its ratio, {listed(said)}. (Brackets "
        "hold intervals that allow for all questions asked of these runs.)"
    )


def _titled(grid: Grid) -> str:
    """Its title with what follows a colon in brackets."""
    name, _, rest = grid.title.partition(": ")
    return f"{name} ({rest})" if rest else name


def _distances(found: list[tuple[ClaimRow, Verdict]], where: str) -> str:
    """How far the method lies from its fair control, in each setting and measure; ``""`` where that is not measured."""
    own = [(row, one) for row, one in found if _is_control(row, one)]
    if not own:
        return ""
    method, rival = own[0][0].claim.method[0], own[0][1].against
    own = [(row, one) for row, one in own if (row.claim.method[0], one.against) == (method, rival)]
    control = f"its fair control, {_spoken(rival)}"
    seeds = sorted({one.seeds for _, one in own})
    over = plural(seeds[-1], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    who = _spoken(method)
    if all(one.mean == one.low == one.high == 0 for _, one in own):
        text = f"{who} equals {control}, in each of {over}."
    else:
        text = f"{who} differs from {control}, by {listed([_at(row, one) for row, one in own])} ({over})."
    text = f"{where}{text}"
    return text[0].upper() + text[1:]


def _at(row: ClaimRow, one: Verdict) -> str:
    measure = {"all": "over all classes", "many": "on Many", "medium": "on Medium", "few": "on Few"}
    return f"{_points(row, one)} {measure[row.claim.measure[0]]}{_factor(row, one)}"


def _points(row: ClaimRow, one: Verdict) -> str:
    interval = f" [{row.wide_interval(one)}]" if row.wide_interval(one) else ""
    return f"{row.number(one.mean)}{unit(row.claim)}{interval}"


def _factor(row: ClaimRow, one: Verdict) -> str:
    """The imbalance factor, where the claim is measured at several."""
    several = len({other.data for other in row.measured if other.scale == one.scale}) > 1
    return f" at{one.data.rpartition(',')[2]}" if several else ""


def _gain(claims: Sequence[ClaimRow], scale: str) -> str:
    """What the method gains over cross-entropy there, with its control beside it."""
    for row in claims:
        if (row.question, row.claim.against, row.claim.measure, row.claim.noise_rate) != (BETTER, ("ce",), ("all",), 0):
            continue
        for one in row.measured:
            if one.scale == scale:
                beside = "" if np.isnan(one.of_control) else f", its control by {row.number(one.of_control)}"
                return f"RDR differs from cross-entropy by {_points(row, one)}{beside}."
    return ""


def _is_control(row: ClaimRow, one: Verdict) -> bool:
    return len(row.claim.method) == 1 and one.against == control_of(row.claim.method[0])


def _spoken(method: str) -> str:
    name = parse(method).name
    return next((words for key, words in _SPOKEN.items() if parse(key).name == name), method_label(name))
