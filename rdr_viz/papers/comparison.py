"""Do our numbers agree with a table of the paper? The table as printed, ours in each cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from rdr_viz.analysis.words import listed, number, plural
from rdr_viz.displays.base import Display
from rdr_viz.displays.figure import TEXT_WIDTH, new_figure, rdr_style
from rdr_viz.papers.grids import PRINTED
from rdr_viz.papers.layout import Cell, Column, Part, arrange, heading, tally

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# State -> (letters, ground): blue-green and orange stay apart under the common kinds of colour blindness, and each has
# its mark besides.
_LOOKS = {
    "inside": ("#00695C", "#D9F0EC"),
    "above": ("#9A3D00", "#FCE8D8"),
    "below": ("#9A3D00", "#FCE8D8"),
    "open": ("#222222", "none"),
}
_QUIET = "#666666"
# Inches: a line of text, the room around a cell's lines and between columns, and a header's line.
_LINE, _ROOM, _GAP, _HEAD = 0.145, 0.09, 0.16, 0.19


@dataclass(frozen=True)
class ComparisonTable(Display):
    """A table of the paper: in each cell its number, ours under it and the difference.

    Attributes:
        data: the cells of one table at one scale, as :func:`rdr_viz.papers.layout.arrange` takes them.
        names: of data sets, as a reader of the paper knows them.

    Example:
        >>> ComparisonTable(cells, paper.datasets).save("out/table1")  # doctest: +SKIP
    """

    data: pd.DataFrame
    names: Mapping[str, str] = field(default_factory=dict)

    title = "Do our numbers agree with the paper's?"
    look = (
        "In each cell the paper's number is above ours (± standard deviation, number of seeds) and the difference: ≈ "
        "inside the spread of both, ▲ above it, ▼ below. A dash is not measured."
    )

    @property
    def alt(self) -> str:
        said = [
            f"{row}, {self._place(column)}: paper {cell.paper}, ours {cell.ours}" + _difference_words(cell)
            for part in arrange(self.data)
            for row, cells in part.rows
            for column, cell in zip(part.columns, cells, strict=True)
            if cell is not None and cell.ours
        ]
        return f"{self._heading()} of the paper beside ours. {self.finding}" + "".join(f" {line}." for line in said)

    @property
    def finding(self) -> str:
        return agreement(self.data)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Set the table on ``ax`` (default: a new figure's, as wide and high as the table needs) and return it."""
        parts = arrange(self.data)
        label = max(_width(row) for part in parts for row, _ in part.rows) + _GAP
        most = max(len(part.columns) for part in parts)
        columns = max(*map(self._column_width, parts), (TEXT_WIDTH - label) / most)
        wide = label + columns * most
        lines = 3 if any(state in tally(self.data) for state in _LOOKS) else 2
        high = sum(_HEAD * (2 + part.grouped) + (_LINE * lines + _ROOM) * len(part.rows) + 0.3 for part in parts)
        if ax is None:
            ax = new_figure(wide + 0.14, high + 0.4).subplots()
        with rdr_style():
            ax.set_axis_off()
            ax.set_title(f"{self._heading()}. {self.title}")
            ax.set_xlim(0, wide + 0.04)
            ax.set_ylim(high, 0)
            y = 0.0
            for part in parts:
                y = self._draw_head(ax, part, y, label, columns)
                for row, cells in part.rows:
                    y = _draw_row(ax, row, cells, y, label, columns, lines)
                y += 0.3
            ax.text(0, high - 0.12, self._key(), va="center", color=_QUIET)
        return ax

    def _draw_head(self, ax: Axes, part: Part, y: float, label: float, width: float) -> float:
        """Data sets, imbalance factors and, where there are several, groups; the height under them."""
        named = [(self.names.get(dataset, dataset), span) for dataset, span in part.datasets()]
        for heads, weight in ((named, "bold"), (list(part.factors()), "normal")):
            at = 0
            for words, span in heads:
                # Numbers are right-aligned: so is the head of one column; that of several is over their middle.
                left, right = label + at * width + _GAP / 2, label + (at + span) * width
                ax.text(right if span == 1 else (left + right) / 2, y + _HEAD / 2, words, weight=weight,
                        ha="right" if span == 1 else "center", va="center")  # fmt: skip
                if span > 1:
                    ax.plot([left, right], [y + _HEAD] * 2, color="#BBBBBB", lw=0.6)
                at += span
            y += _HEAD
        if part.grouped:
            for at, column in enumerate(part.columns):
                ax.text(label + (at + 1) * width, y + _HEAD / 2, column.label, ha="right", va="center")
            y += _HEAD
        ax.plot([0, label + width * len(part.columns)], [y, y], color="#444444", lw=0.8)
        return y

    def _column_width(self, part: Part) -> float:
        words = [words for _, cells in part.rows for cell in cells if cell for words in (cell.paper, _ours(cell))]
        words += [column.label for column in part.columns] if part.grouped else []
        words += [self.names.get(dataset, dataset) for dataset, span in part.datasets() if span == 1]
        return max(map(_width, words)) + _GAP

    def _key(self) -> str:
        measured = self.data[self.data["ours"].notna()]
        if not len(measured):
            return "None of these cells is measured."
        marks = "≈ inside the spread of both, ▲ above, ▼ below, – not measured"
        scales = [scale for scale in dict.fromkeys(measured["scale"]) if scale not in PRINTED]
        where = f" In italics: {listed(scales)}, another setting." if scales else ""
        return (
            "Paper, then ours ± sd (seeds)" + (f"; {marks}." if measured["scale"].isin(PRINTED).any() else ".") + where
        )

    def _heading(self) -> str:
        return heading(str(self.data["table"].iloc[0]))

    def _place(self, column: Column) -> str:
        words = f"{self.names.get(column.dataset, column.dataset)} {column.factor}"
        return words if column.group == "all" else f"{words} {column.label}"


def agreement(cells: pd.DataFrame) -> str:
    """One or two sentences on how many of a table's cells are measured and how many agree with the paper."""
    counts = tally(cells)
    measured = cells[cells["ours"].notna()]
    against_print = measured["scale"].isin(PRINTED)
    compared, other = measured[against_print], measured[~against_print]
    said = []
    if len(compared):
        where = [f"{counts[state]} {words}" for state, words in _WORDS.items() if state in counts]
        setting = _IN[compared["scale"].iloc[0]]
        said.append(
            f"{_share(compared, cells)} measured {setting}: {listed(where)}; the median difference is "
            f"{number(compared['difference'].median())}."
        )
    if len(other):
        scales = listed(list(dict.fromkeys(other["scale"])))
        said.append(
            f"{_share(other, cells)} measured on another scale ({scales}), where a difference from the paper would say "
            "nothing."
        )
    return " ".join(said) or f"None of the {plural(len(cells), 'cell')} is measured yet."


_WORDS = {
    "inside": "inside the spread of both",
    "above": "above it",
    "below": "below it",
    "open": "with no spread to judge by",
}


_IN = {"paper": "in the paper's setting", "authors' code": "by the authors' code"}


def _share(some: pd.DataFrame, cells: pd.DataFrame) -> str:
    return f"{len(some):,} of {plural(len(cells), 'cell')} {'is' if len(some) == 1 else 'are'}"


def _difference_words(cell: Cell) -> str:
    words = {"inside": "inside the spread", "above": "above", "below": "below", "other": "in another setting"}
    return "".join(f", {word}" for word in (cell.difference, words.get(cell.state, "")) if word)


def _draw_row(
    ax: Axes, row: str, cells: tuple[Cell | None, ...], y: float, label: float, width: float, lines: int
) -> float:
    from matplotlib.patches import Rectangle

    y += _ROOM / 2
    middle = [y + _LINE * (line + 0.5) for line in range(lines)]
    ax.text(0, middle[0], row, weight="bold", va="center")
    for at, cell in enumerate(cells, start=1):
        if cell is None:
            continue
        right = label + at * width
        ax.text(right, middle[0], cell.paper, ha="right", va="center", color=_QUIET)
        other = cell.state == "other"
        ax.text(right, middle[1], _ours(cell), ha="right", va="center", color=_QUIET if other else "#222222",
                style="italic" if other else "normal")  # fmt: skip
        if cell.difference:
            letters, ground = _LOOKS[cell.state]
            words = f"{cell.mark} {cell.difference}".strip()
            if ground != "none":
                left = right - _width(words) - 0.05
                ax.add_patch(Rectangle((left, middle[2] - 0.07), right - left + 0.03, 0.14, color=ground, lw=0))
            ax.text(right, middle[2], words, ha="right", va="center", color=letters)
    y += _LINE * lines + _ROOM / 2
    ax.plot([0, label + width * len(cells)], [y, y], color="#E4E4E4", lw=0.6)
    return y


def _ours(cell: Cell) -> str:
    return f"{cell.ours} ({cell.seeds})" if cell.ours else "–"


@cache
def _width(words: str) -> float:
    """Inches that words take in the size of a picture's letters, in bold, which is the wider."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family="DejaVu Sans", weight="bold", size=8)
    return TextPath((0, 0), words, prop=font).get_extents().width / 72 if words else 0.0
