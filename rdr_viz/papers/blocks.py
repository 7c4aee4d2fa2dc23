"""What the page of a paper consists of: tables, pictures and plans, each with the words that stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdr_viz.analysis.order import agreement_in_columns
from rdr_viz.pages import Section
from rdr_viz.papers.claim_rows import scale_name
from rdr_viz.papers.comparison import agreement
from rdr_viz.papers.layout import Part, arrange, heading

if TYPE_CHECKING:
    import pandas as pd

    from rdr_viz.papers.paper import Paper


@dataclass(frozen=True)
class TableBlock:
    """A table of the paper beside ours, at one scale.

    Attributes:
        name: as the paper numbers it.
        caption: one sentence.
        scale: "paper" for the paper's own settings, else the small scale's name.
        cells: as :func:`rdr_viz.papers.layout.arrange` takes them.
        missing: runs that are still to be made for it.
        note: what stands for what at this scale, ``""`` at the paper's own.
        stem: of its picture's files in the folder ``tables`` beside the page.
    """

    name: str
    caption: str
    scale: str
    cells: pd.DataFrame
    missing: int
    note: str
    stem: str

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
    def summary(self) -> str:
        """Cells measured, and the share of pairs of methods in the paper's order: ``"digits 64 of 64 (51 %)"``."""
        measured = self.cells["ours"].notna().sum()
        order = agreement_in_columns(self.cells)
        said = f"{self.where} {measured:,} of {len(self.cells):,}"
        if order is None:
            return said
        return f"{said} ({100 * order.same / order.pairs:.0f} %)"

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
        pictures: ours, each with its setting in words (:class:`rdr_viz.papers.figures.Drawn`); none without runs.
        scale: as of :class:`TableBlock`; ``""`` where no run plays a part.
        command: that makes the missing runs, ``""`` if none is.
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
class OrderBlock:
    """The order of methods, the paper's and ours, at one scale; ``pictures`` each with its setting in words."""

    scale: str
    pictures: Sequence[tuple[str, Section]]

    @property
    def where(self) -> str:
        """The scale's name to a reader."""
        return scale_name(self.scale)


@dataclass(frozen=True)
class PeekingBlock:
    """What choosing the epoch by the test set would add, at one scale.

    Attributes:
        scale: as of :class:`TableBlock`.
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
    """The missing runs of a grid.

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


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else _letter(index // 26 - 1) + _letter(index % 26)
