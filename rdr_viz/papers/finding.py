"""The finding on the README's first screen, in three sentences: does it work, is it the ratio, is it deferring?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rdr_viz.analysis.words import dataset_name, listed, number, plural, with_sign
from rdr_viz.papers.claims import FAILS, HOLDS, NOT_MEASURED, UNDECIDED
from rdr_viz.papers.judging import Judge

if TYPE_CHECKING:
    from rdr_viz.papers.grids import Grid
    from rdr_viz.papers.judging import Judged
    from rdr_viz.papers.paper import Paper
    from rdr_viz.papers.shelf import Shelf

#: The grids that may tell it: those that train as the authors' code does before others, and of these the one whose
#: seeds and test images are many and draw the data first.
STRONGEST = ("fashion-authors", "cifar-authors", "digits-authors", "fashion", "cifar", "digits")
_POINTS = "\N{NO-BREAK SPACE}points"
_RELEASED, _CONTROL = "rdr:preset=released", "inverse+drw"
_SPOKEN = {
    _CONTROL: "that control",
    f"{_RELEASED},ratio=permuted": "itself with ratios permuted within their class",
    f"{_RELEASED},ratio=class": "itself with each class's mean ratio in the batch",
    f"{_RELEASED},ratio=matched": "class weights with its own class means",
}
_RATIO_WORDS = {
    HOLDS: "so over all classes the ratio helps",
    FAILS: "so over all classes the ratio does not help",
    UNDECIDED: "so these runs do not show that the ratio helps",
}
_DEFERRING_WORDS = {
    HOLDS: "so deferring helps",
    FAILS: "so deferring does not help",
    UNDECIDED: "so whether deferring helps is open",
}


def finding(paper: Paper, shelf: Shelf) -> str:
    """Three plain sentences, from the first of these grids with runs of the released RDR and its fair control.

    Returns:
        ``""`` where no such run is made.
    """
    judge = Judge(paper, shelf)
    for name in STRONGEST:
        grid = paper.grids.get(name)
        if grid and _measured(paper, grid, judge, _RELEASED, _CONTROL):
            return " ".join(filter(None, (part(paper, grid, judge) for part in (_gain, _of_ratio, _of_deferring))))
    return ""


def _gain(paper: Paper, grid: Grid, judge: Judge) -> str:
    """What the method gains over cross-entropy, and its control without the ratio."""
    settings = _measured(paper, grid, judge, "rdr", "ce")
    if not settings:
        settings = _measured(paper, grid, judge, _RELEASED, _CONTROL)
        return f"{_where(grid, settings)}, the released RDR has 1/n deferred by the same schedule as its fair control."
    control = "its fair control, 1/n deferred by the same schedule"
    if not any(np.isnan(one.of_control) for one in settings):
        control += f", by {listed([_points(one.of_control) for one in settings])}"
    return f"{_where(grid, settings)}, the released RDR differs from cross-entropy by {_numbers(settings)}; {control}."


def _of_ratio(paper: Paper, grid: Grid, judge: Judge) -> str:
    """The method beside each control that has everything but its ratio."""
    found = {rival: _measured(paper, grid, judge, _RELEASED, rival) for rival in _SPOKEN}
    most = max((one.seeds for settings in found.values() for one in settings), default=0)
    told = [
        f"from {_SPOKEN[rival]} by {_level(settings)}{_fewer(settings, most)}" for rival, settings in found.items()
        if settings
    ]  # fmt: skip
    verdicts = {one.verdict for settings in found.values() for one in settings}
    return f"RDR differs {listed(told)}, {_word(verdicts, _RATIO_WORDS)}."


def _of_deferring(paper: Paper, grid: Grid, judge: Judge) -> str:
    settings = _measured(paper, grid, judge, _CONTROL, "inverse")
    if not settings:
        return ""
    word = _word({one.verdict for one in settings}, _DEFERRING_WORDS)
    return f"Deferring alone moves 1/n by {_level(settings)}, {word}."


def _measured(paper: Paper, grid: Grid, judge: Judge, method: str, against: str) -> list[Judged]:
    """The settings that are, of the claim that the one beats the other over all classes."""
    claim = next(
        claim for claim in paper.claims
        if (claim.method, claim.against, claim.measure, claim.above) == ((method,), (against,), ("all",), 0)
    )  # fmt: skip
    return [setting for setting in judge.of(claim, grid) if setting.verdict != NOT_MEASURED]


def _where(grid: Grid, judged: list[Judged]) -> str:
    sets = listed(list(dict.fromkeys(dataset_name(grid.datasets[setting.request.dataset]) for setting in judged)))
    factors = listed([f"{setting.factor:g}" for setting in judged])
    whose = "the authors' code" if grid.settings.get("recipe") == "authors" else "the paper's text"
    seeds = sorted({setting.seeds for setting in judged})
    many = plural(seeds[-1], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    drawn = f"{many}, each with its own draw of the data" if grid.draws else many
    brackets = "brackets hold intervals that allow for all questions asked of these runs"
    return f"On {sets} at imbalance factor {factors}, trained by the schedule of {whose} ({drawn}; {brackets})"


def _fewer(judged: list[Judged], most: int) -> str:
    """How many seeds a comparison has, where others beside it have more."""
    least = min(one.seeds for one in judged)
    return f" ({plural(least, 'seed')})" if least < most else ""


def _level(judged: list[Judged]) -> str:
    if all(setting.mean == setting.low == setting.high == 0 for setting in judged):
        return f"0.0{_POINTS} in each seed"
    return _numbers(judged)


def _numbers(judged: list[Judged]) -> str:
    """Each setting's points with the interval that decides."""
    said = []
    for one in judged:
        interval = "" if np.isnan(one.wide_low) else f" [{_signed(one.wide_low)} to {_signed(one.wide_high)}]"
        said.append(f"{_points(one.mean)}{interval}")
    return listed(said)


def _points(value: float) -> str:
    return f"{_signed(value)}{_POINTS}"


def _signed(value: float) -> str:
    return with_sign(number(value, 1))


def _word(verdicts: set[str], words: dict[str, str]) -> str:
    if verdicts == {HOLDS}:
        return words[HOLDS]
    return words[FAILS] if FAILS in verdicts else words[UNDECIDED]
