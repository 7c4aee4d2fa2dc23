"""The page of a paper: are its claims true, its tables and figures beside ours, and what is still to be run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rdr_core.errors import unknown_name
from rdr_viz.page import Section
from rdr_viz.page.template import write_template
from rdr_viz.papers.claims import FAILS, HOLDS, NOT_MEASURED, UNDECIDED, overall
from rdr_viz.papers.comparison import agreement
from rdr_viz.papers.layout import MARKS, Part, arrange, heading, tally

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.papers.paper import Paper

_Block = TypeVar("_Block")

#: What may be said of a claim -> the mark that says so without colour.
VERDICTS = {HOLDS: "✓", FAILS: "✗", UNDECIDED: "?", NOT_MEASURED: "–"}


@dataclass(frozen=True)
class Verdict:
    """What our runs say of a claim in one setting.

    Attributes:
        scale: "paper" for the paper's own settings, else the small scale's name.
        verdict: one of :data:`VERDICTS`.
        measured: the number that decides, with its unit; ``""`` if not measured.
        interval: its 95 % interval over seeds, e.g. ``"1.2 to 3.0"``; ``""`` for one seed.
        seeds: how many.
        setting: which of the claim's settings, methods or rivals; ``""`` where it has but one.
        control: the same number of the method's fair control, e.g. ``"its control, 1/n: +1.0"``; ``""`` for none.

    Raises:
        RdrError: an unknown verdict.
    """

    scale: str
    verdict: str
    measured: str
    interval: str
    seeds: int
    setting: str = ""
    control: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise unknown_name("verdict", self.verdict, VERDICTS)

    @property
    def mark(self) -> str:
        """The verdict as a sign."""
        return VERDICTS[self.verdict]


@dataclass(frozen=True)
class ClaimRow:
    """A claim of the paper and what came of it.

    Attributes:
        sentence: what is claimed.
        verdicts: by setting; scales are shown in the order in which they first come.
        criterion: what decides, in a sentence.
        paper: the paper's own numbers for it, ``""`` for none.
    """

    sentence: str
    verdicts: Sequence[Verdict]
    criterion: str
    paper: str

    @property
    def overall(self) -> dict[str, str]:
        """The verdict on the claim at each scale (:func:`rdr_viz.papers.claims.overall`)."""
        return {scale: overall(self._at(scale)) for scale in dict.fromkeys(verdict.scale for verdict in self.verdicts)}

    @property
    def scales(self) -> Iterator[tuple[str, str, list[Verdict], list[str]]]:
        """For each scale its name to a reader, the verdict, what was measured, and the settings that were not."""
        for scale, verdict in self.overall.items():
            measured = [one for one in self._at(scale) if one.verdict != NOT_MEASURED]
            others = [one.setting for one in self._at(scale) if one.verdict == NOT_MEASURED and one.setting]
            yield scale_name(scale), verdict, measured, others

    def _at(self, scale: str) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.scale == scale]


@dataclass(frozen=True)
class TableBlock:
    """A table of the paper beside ours, at one scale.

    Attributes:
        name: as the paper numbers it.
        caption: one sentence.
        scale: as in :class:`Verdict`.
        cells: as :func:`rdr_viz.papers.layout.arrange` takes them.
        missing: runs that are still to be made for it.
        note: what stands for what at this scale, ``""`` at the paper's own.
    """

    name: str
    caption: str
    scale: str
    cells: pd.DataFrame
    missing: int
    note: str = ""

    @property
    def heading(self) -> str:
        """``"Table 1"``."""
        return heading(self.name)

    @property
    def where(self) -> str:
        """The scale's name to a reader."""
        return scale_name(self.scale)

    @property
    def parts(self) -> list[Part]:
        """The cells as they stand on the page."""
        return arrange(self.cells)

    @property
    def agreement(self) -> str:
        """How many cells are measured and how many agree, in a sentence."""
        return agreement(self.cells)

    @property
    def notes(self) -> dict[str, str]:
        """The notes on cells, each with the letter that stands for it."""
        notes = dict.fromkeys(note for note in self.cells["note"] if note)
        return {note: _letter(index) for index, note in enumerate(notes)}


@dataclass(frozen=True)
class FigureBlock:
    """A figure of the paper, drawn from our runs at one scale.

    Attributes:
        number: as the paper has it.
        caption: the question.
        paper_shows: what the paper's own figure shows.
        pictures: ours, each with its setting in words (:class:`rdr_viz.papers.figures.Drawn`); none if runs lack.
        scale: as in :class:`Verdict`; ``""`` where no run plays a part.
        command: that makes the runs that lack, ``""`` if none does.
    """

    number: str
    caption: str
    paper_shows: str
    pictures: Sequence[tuple[str, Section]]
    scale: str
    command: str

    @property
    def where(self) -> str:
        """The scale's name to a reader."""
        return scale_name(self.scale)


@dataclass(frozen=True)
class PeekingBlock:
    """What choosing the epoch by the test set would add, at one scale.

    Attributes:
        scale: as in :class:`Verdict`.
        picture: of it.
        rows: setting, method, last epoch, best epoch, gain with its interval, seeds; in words.
    """

    scale: str
    picture: Section
    rows: Sequence[tuple[str, str, str, str, str, int]]

    @property
    def where(self) -> str:
        """The scale's name to a reader."""
        return scale_name(self.scale)


@dataclass(frozen=True)
class PlanRow:
    """What a grid of runs still lacks.

    Attributes:
        title: of the grid.
        finished, runs: how many are made, of how many.
        cost: what the others want, in a sentence; ``""`` if all are made.
        command: that makes them.
    """

    title: str
    finished: int
    runs: int
    cost: str
    command: str


@dataclass(frozen=True)
class OtherPaper:
    """A smaller paper that shares the page."""

    paper: Paper
    tables: Sequence[TableBlock]


@dataclass(frozen=True)
class _Glance:
    """A scale's line in the summary at the page's head."""

    where: str
    verdicts: Mapping[str, int]
    cells: Mapping[str, int]


def scale_name(scale: str) -> str:
    """``"paper's setting"`` for "paper"; other scales are called by their names."""
    return "paper's setting" if scale == "paper" else scale


def write_paper_page(
    path: str | os.PathLike[str],
    *,
    paper: Paper,
    claims: Sequence[ClaimRow],
    tables: Sequence[TableBlock],
    figures: Sequence[FigureBlock],
    plan: Sequence[PlanRow],
    peeking: Sequence[PeekingBlock] = (),
    others: Sequence[OtherPaper] = (),
    command: str = "rdr paper",
) -> Path:
    """Write one HTML file that needs no other file, no script and no network; see :func:`rdr_viz.page.write_page`.

    Blocks of one table or figure at several scales stand together if they follow each other. All words are escaped.
    Equal arguments give equal bytes.

    Args:
        path: Where to write; folders are made.
        paper: Its title, citation, data sets' names, slips and choices.
        claims: And what came of them.
        tables: In order.
        figures: In order.
        plan: What is missing, a grid a row.
        peeking: What choosing the epoch by the test set would add, a scale a block.
        others: Smaller papers, shown at the end.
        command: What repeats the page, for a shell.

    Returns:
        The path written.
    """
    return write_template(
        path,
        "papers/page.html.j2",
        title=f"{paper.title}: the paper beside our runs",
        paper=paper,
        marks=VERDICTS,
        glances=_glances(claims, tables),
        claims=claims,
        tables=_runs_of(tables, lambda block: block.name),
        figures=_runs_of(figures, lambda block: block.number),
        plan=plan,
        peeking=peeking,
        others=[(other, _runs_of(other.tables, lambda block: block.name)) for other in others],
        command=command,
    )


def _glances(claims: Sequence[ClaimRow], tables: Sequence[TableBlock]) -> list[_Glance]:
    """Claims by verdict and cells by state at each scale, the paper's own first."""
    scales = dict.fromkeys(
        [*(scale for claim in claims for scale in claim.overall), *(block.scale for block in tables)]
    )
    glances = []
    for scale in sorted(scales, key=lambda scale: scale != "paper"):
        verdicts = Counter(claim.overall[scale] for claim in claims if scale in claim.overall)
        states: Counter[str] = Counter()
        for block in tables:
            if block.scale == scale:
                states.update(tally(block.cells))
        glances.append(
            _Glance(
                scale_name(scale),
                {verdict: verdicts[verdict] for verdict in VERDICTS if verdict in verdicts},
                {state: states[state] for state in MARKS if state in states},
            )
        )
    return glances


def _runs_of(blocks: Sequence[_Block], key: Callable[[_Block], str]) -> list[list[_Block]]:
    """Blocks that follow each other and have the same key, together."""
    return [list(found) for _, found in groupby(blocks, key=key)]


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else _letter(index // 26 - 1) + _letter(index % 26)
