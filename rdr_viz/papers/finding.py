"""The finding on the README's first screen, in two sentences: does the ratio help, and does deferring?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rdr_viz.numbers.words import dataset_name, listed, plural
from rdr_viz.papers.claim_words import signed, unit
from rdr_viz.papers.claims import FAILS, HOLDS, NOT_MEASURED, UNDECIDED, judge

if TYPE_CHECKING:
    from rdr_core.papers.grids import Grid
    from rdr_core.papers.paper import Claim, Paper
    from rdr_viz.papers.claims import Judged
    from rdr_viz.papers.shelf import Shelf

#: The grids that may tell it: those that train as the authors' code does before others, and of these the one whose
#: seeds and test images are many and draw the data first.
STRONGEST = ("fashion-authors", "cifar-authors", "digits-authors", "fashion", "cifar", "digits")
#: Method and rival of the two claims, over all classes.
_RATIO, _DEFERRING = ("rdr:preset=released", "inverse+drw"), ("inverse+drw", "inverse")
_RATIO_WORDS = {
    HOLDS: "the ratio helps",
    FAILS: "the ratio does not help",
    UNDECIDED: "these runs do not tell whether the ratio helps",
}
_DEFERRING_WORDS = {
    HOLDS: "deferring helps",
    FAILS: "deferring does not help",
    UNDECIDED: "whether deferring helps is open",
}


def finding(paper: Paper, shelf: Shelf) -> str:
    """Two plain sentences, from the first of these grids with runs of the released RDR and its fair control.

    Returns:
        ``""`` where no such run is made.
    """
    claims = [_claim(paper, *pair) for pair in (_RATIO, _DEFERRING)]
    for name in STRONGEST:
        grid = paper.grids.get(name)
        judged = [_measured(claim, paper, grid, shelf) for claim in claims] if grid else []
        if judged and all(judged):
            return _said(grid, claims, *judged)
    return ""


def _said(grid: Grid, claims: list[Claim], ratio: list[Judged], deferring: list[Judged]) -> str:
    control = "its fair control, 1/n deferred by the same schedule"
    if all(setting.mean == setting.low == setting.high == 0 for setting in ratio):
        helps = f"level with {control}, in each of {_seeds(ratio)}: the ratio changes nothing there"
    else:
        helps = f"{_numbers(claims[0], ratio)} from {control}: {_word(ratio, _RATIO_WORDS)}"
    return (
        f"{_where(grid, ratio)}, the released RDR is {helps}. Deferring alone moves 1/n by "
        f"{_numbers(claims[1], deferring)}: {_word(deferring, _DEFERRING_WORDS)}."
    )


def _claim(paper: Paper, method: str, against: str) -> Claim:
    return next(
        claim for claim in paper.claims
        if (claim.method, claim.against, claim.measure, claim.above) == ((method,), (against,), ("all",), 0)
    )  # fmt: skip


def _measured(claim: Claim, paper: Paper, grid: Grid, shelf: Shelf) -> list[Judged]:
    return [setting for setting in judge(claim, paper, grid, shelf) if setting.verdict != NOT_MEASURED]


def _where(grid: Grid, judged: list[Judged]) -> str:
    sets = listed(list(dict.fromkeys(dataset_name(grid.datasets[setting.request.dataset]) for setting in judged)))
    factors = listed([f"{setting.factor:g}" for setting in judged])
    whose = "the authors' code" if grid.settings.get("recipe") == "authors" else "the paper's text"
    return f"On {sets} at imbalance factor {factors}, trained by the schedule of {whose}"


def _numbers(claim: Claim, judged: list[Judged]) -> str:
    """Each setting's points with its interval, and how many seeds."""
    said = []
    for setting in judged:
        interval = f" [{signed(setting.low, claim)} to {signed(setting.high, claim)}]"
        said.append(signed(setting.mean, claim) + ("" if np.isnan(setting.low) else interval))
    return f"{listed(said)}{unit(claim)} ({_seeds(judged)})"


def _seeds(judged: list[Judged]) -> str:
    seeds = sorted({setting.seeds for setting in judged})
    return plural(seeds[-1], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"


def _word(judged: list[Judged], words: dict[str, str]) -> str:
    verdicts = {setting.verdict for setting in judged}
    if verdicts == {HOLDS}:
        return words[HOLDS]
    return words[FAILS] if FAILS in verdicts else words[UNDECIDED]
