"""What came of each claim in each setting: the numbers, the verdict, and the words for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.errors import unknown_name
from rdr_core.methods.names import method_label
from rdr_viz.analysis.words import dataset_name, plural
from rdr_viz.papers.cells import run_command
from rdr_viz.papers.claim_words import setting_words, signed, unit
from rdr_viz.papers.claims import DEPENDS, FAILS, HOLDS, NOT_MEASURED, UNDECIDED, criterion, overall
from rdr_viz.papers.grids import PRINTED
from rdr_viz.papers.judging import ends
from rdr_viz.papers.more_seeds import seeds_to_decide
from rdr_viz.papers.questions import question
from rdr_viz.papers.wanted import scales

if TYPE_CHECKING:
    from rdr_viz.papers.grids import Grid
    from rdr_viz.papers.judging import Judge, Judged
    from rdr_viz.papers.paper import Claim, Paper

#: What may be said of a claim -> the mark that says so without colour.
VERDICTS = {HOLDS: "✓", FAILS: "✗", UNDECIDED: "?", DEPENDS: "⇄", NOT_MEASURED: "–"}


@dataclass(frozen=True)
class Verdict:
    """What our runs say of a claim in one setting.

    Attributes:
        scale: "paper" for the paper's own settings, else the small scale's name.
        data: the data set and the imbalance factor, ``"Fashion-MNIST, IF 100"``.
        verdict: one of :data:`VERDICTS`.
        mean, low, high: the number, with its 95 % interval over seeds; NaN where there is none.
        wide_low, wide_high: the interval that decides, widened for all questions of its scale.
        seeds: how many.
        needed: of an undecided setting, about how many would decide it if mean and spread stayed the same; None where
            a thousand would not, or where that is not asked.
        method: that the claim is about, as the paper's.
        which: of the claim's methods, rivals or measures; ``""`` where it has but one.
        against: the rival's name, ``""`` for none.
        paper: the paper's own number, NaN where it prints none.
        control, of_control: the method's fair control and its number; ``""`` and NaN for none.
        command: that makes the runs of what is not measured.

    Raises:
        RdrError: an unknown verdict.
    """

    scale: str
    data: str
    verdict: str
    mean: float = np.nan
    low: float = np.nan
    high: float = np.nan
    wide_low: float = np.nan
    wide_high: float = np.nan
    seeds: int = 0
    needed: int | None = None
    method: str = ""
    which: str = ""
    against: str = ""
    paper: float = np.nan
    control: str = ""
    of_control: float = np.nan
    command: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise unknown_name("verdict", self.verdict, VERDICTS)

    @property
    def mark(self) -> str:
        """The verdict as a sign."""
        return VERDICTS[self.verdict]

    @property
    def how(self) -> str:
        """What the scale says beyond its data set, ``"authors' schedule"``; ``""`` for nothing."""
        dataset = self.data.partition(",")[0]
        if self.scale.lower().startswith(dataset.lower()):
            return self.scale[len(dataset) :].strip(", ")
        return scale_name(self.scale)


@dataclass(frozen=True)
class ClaimRow:
    """A claim of the paper and what came of it.

    Attributes:
        claim: what is claimed, and what decides.
        verdicts: by setting; scales are shown in the order in which they first come.
    """

    claim: Claim
    verdicts: Sequence[Verdict]

    @cached_property
    def measured(self) -> list[Verdict]:
        """The settings that are."""
        return [verdict for verdict in self.verdicts if verdict.verdict != NOT_MEASURED]

    @cached_property
    def question(self) -> str:
        """What it asks, a key of :data:`rdr_viz.papers.questions.QUESTIONS`."""
        return question(self.claim)

    @property
    def criterion(self) -> str:
        """How it is judged, in a sentence."""
        return criterion(self.claim)

    @property
    def overall(self) -> dict[str, str]:
        """The verdict on the claim at each scale (:func:`rdr_viz.papers.claims.overall`)."""
        scales = dict.fromkeys(verdict.scale for verdict in self.verdicts)
        return {scale: overall(self.claim, [one for one in self.verdicts if one.scale == scale]) for scale in scales}

    def number(self, value: float) -> str:
        """One of its numbers in words, with the sign of a difference."""
        return signed(value, self.claim)

    def measured_words(self, verdict: Verdict) -> str:
        """``"+2.0 [+1.0 to +3.0]"``."""
        return self.number(verdict.mean) + ("" if np.isnan(verdict.low) else f" [{self.interval(verdict)}]")

    def interval(self, verdict: Verdict) -> str:
        """``"+1.0 to +3.0"``; ``""`` where there is none."""
        return "" if np.isnan(verdict.low) else f"{self.number(verdict.low)} to {self.number(verdict.high)}"

    def wide_interval(self, verdict: Verdict) -> str:
        """The one that decides, widened for all questions of the scale; ``""`` where there is none."""
        ends = verdict.wide_low, verdict.wide_high
        return "" if np.isnan(ends[0]) else f"{self.number(ends[0])} to {self.number(ends[1])}"

    def sentence(self, verdict: Verdict) -> str:
        """All that there is to say of a setting."""
        parts = [self.measured_words(verdict) + unit(self.claim), plural(verdict.seeds, "seed"), verdict.verdict]
        if verdict.needed:
            parts.append(f"about {verdict.needed} seeds like these would decide")
        if not np.isnan(verdict.paper):
            parts.append(f"the paper's own number: {self.number(verdict.paper)}")
        if verdict.control:
            parts.append(f"the same of its fair control, {verdict.control}: {self.number(verdict.of_control)}")
        where = ", ".join(filter(None, (verdict.data, verdict.how, verdict.which)))
        return f"{where}: {'; '.join(parts)}"


def claim_row(claim: Claim, paper: Paper, judge: Judge, runs: Path) -> tuple[ClaimRow, list[tuple[str, Judged]]]:
    """Judge a claim at every scale.

    Returns:
        What is shown of it, and each setting as it was judged with the name of its scale, the paper's own first.
    """
    judged = [
        (grid, setting) for grids in scales(paper).values() for grid in grids
        for setting in judge.of(claim, grid)
    ]  # fmt: skip
    verdicts = [_verdict(claim, paper, grid, setting, runs) for grid, setting in judged]
    return ClaimRow(claim, verdicts), [(grid.scale, setting) for grid, setting in judged]


def needed(claim: Claim, setting: Judged) -> int | None:
    """About how many seeds would decide an undecided setting at its level, with the mean and spread of those there are.

    None of another verdict, and where a thousand would not.
    """
    if setting.verdict != UNDECIDED or np.isnan(setting.p):
        return None
    values = np.array(setting.values)
    return seeds_to_decide(values.mean(), values.std(ddof=1), ends(claim), confidence=1 - setting.level)


def scale_name(scale: str) -> str:
    """``"paper's setting"`` for "paper"; other scales are called by their names."""
    return "paper's setting" if scale == "paper" else scale


def _verdict(claim: Claim, paper: Paper, grid: Grid, setting: Judged, runs: Path) -> Verdict:
    config = grid.config(setting.request, seed=0)
    own = dataset_name(config.dataset if config else setting.request.dataset)
    dataset = paper.datasets[setting.request.dataset] if grid.scale in PRINTED else own[0].upper() + own[1:]
    factor = "" if setting.factor is None else f"IF {setting.factor:g}"
    return Verdict(
        scale=grid.scale, data=", ".join(filter(None, (dataset, factor))), verdict=setting.verdict, mean=setting.mean,
        low=setting.low, high=setting.high, wide_low=setting.wide_low, wide_high=setting.wide_high,
        seeds=setting.seeds, needed=needed(claim, setting), method=setting.method,
        which=setting_words(claim, None, setting, None), against=setting.against, paper=setting.paper,
        control=method_label(setting.control) if setting.control else "", of_control=setting.of_control,
        command=run_command(grid, runs, "claims") if setting.verdict == NOT_MEASURED else "",
    )  # fmt: skip
