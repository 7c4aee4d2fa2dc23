"""Do our methods rank as in the paper? A line a method, from its place in the paper to its place in our runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rdr_viz.analysis.order import Agreement, agreement_of_orders, columns_with_an_order, turned_pairs
from rdr_viz.analysis.words import listed, number, plural
from rdr_viz.displays.base import Display
from rdr_viz.displays.figure import new_axes, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import label_of
from rdr_viz.papers.grids import PRINTED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_WIDE, _HEAD, _LINE = 3.0, 0.55, 0.165  # inches: the picture, its title, and from one place to the next


@dataclass(frozen=True)
class OrderOfMethods(Display):
    """A slope chart: methods by rank of accuracy over all classes, the paper's at the left, ours at the right.

    Attributes:
        data: ``dataset``, ``imbalance_factor``, ``method``, ``label``, ``paper``, ``paper_sd``, ``ours``, ``ours_sd``,
            ``seeds``, ``paper_rank``, ``our_rank`` (1 is the best; methods that are level share the mean of their
            places).
        paper_setting: in words, ``"CIFAR-10-LT, IF 100"``.
        our_setting: what stands for it, ``"digits, IF 50"``; ``""`` for the same.

    Example:
        >>> [each.save(f"out/order{i}") for i, each in enumerate(OrderOfMethods.of(cells, names))]  # doctest: +SKIP
    """

    data: pd.DataFrame
    paper_setting: str
    our_setting: str

    title = "Do the methods rank as in the paper?"
    look = (
        "A level line is a method that keeps its place; lines that cross are two methods that change theirs. Methods "
        "with similar accuracies may change places by chance."
    )

    @classmethod
    def of(cls, cells: pd.DataFrame, names: Mapping[str, str]) -> list[OrderOfMethods]:
        """One for each setting of a scale's cells in which there are methods enough.

        Args:
            cells: as :func:`rdr_viz.papers.cells.compared_cells` returns them, of any tables.
            names: of data sets, as a reader of the paper knows them.
        """
        return [cls._of(rows, names) for rows in columns_with_an_order(cells[cells["group"] == "all"])]

    @classmethod
    def _of(cls, rows: pd.DataFrame, names: Mapping[str, str]) -> OrderOfMethods:
        first = rows.iloc[0]
        ranks = {
            name: rows[column].round(9).rank(ascending=False)
            for name, column in (("paper_rank", "paper"), ("our_rank", "ours"))
        }
        kept = rows[["dataset", "imbalance_factor", "method", "paper", "paper_sd", "ours", "ours_sd", "seeds"]]
        return cls(
            kept.assign(label=[label_of(method) for method in rows["method"]], **ranks),
            f"{names.get(first['dataset'], first['dataset'])}, IF {first['imbalance_factor']:g}",
            "" if first["scale"] in PRINTED else first["stands"],
        )

    @property
    def agreement(self) -> Agreement:
        """How far the two orders agree."""
        return agreement_of_orders(self.data["paper"], self.data["ours"])

    @property
    def alt(self) -> str:
        paper, ours = (
            ", ".join(f"{row['label']} {number(row[column])}" for row in self._best_first(column))
            for column in ("paper", "ours")
        )
        return (
            f"Slope chart of methods by accuracy over all classes, best first. In the paper, {self.paper_setting}: "
            f"{paper}. In our runs{f', {self.our_setting}' if self.our_setting else ''}: {ours}."
        )

    @property
    def finding(self) -> str:
        agreement, rows = self.agreement, self.data
        turned = turned_pairs(rows["paper"], rows["ours"])
        clear = sum(_clear(rows.iloc[a], rows.iloc[b]) for a, b in turned)
        beyond = f", {clear or 'none'} of them by more than the spread over seeds" if turned else ""
        moves = "change" if agreement.turned > 1 else "changes"
        return (
            f"{agreement.turned or 'None'} of {plural(agreement.pairs, 'pair')} of methods {moves} places{beyond} "
            f"(Kendall's τ {number(agreement.tau, 2)}). {self._leaders()}"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw on ``ax`` (default: a new figure's, as high as the methods need) and return it."""
        rows = self.data
        if ax is None:
            ax = new_axes(_WIDE, _HEAD + _LINE * len(rows))
        with rdr_style():
            for row in rows.to_dict("records"):
                kept = row["paper_rank"] == row["our_rank"]
                ax.plot([0, 1], [row["paper_rank"], row["our_rank"]], clip_on=False, lw=1.2 if kept else 1.7,
                        alpha=0.5 if kept else 1, **method_style(row["method"]).line())  # fmt: skip
            for x, column, align, step in ((0, "paper", "right", -6), (1, "ours", "left", 6)):
                for place, row in enumerate(self._best_first(column), start=1):
                    words = (row["label"], number(row[column]))
                    ax.annotate(
                        " ".join(words if x == 0 else words[::-1]), (x, place), xytext=(step, 0),
                        textcoords="offset points", ha=align, va="center", annotation_clip=False,
                    )  # fmt: skip
            ax.set(xlim=(0, 1), ylim=(len(rows) + 0.6, 0.4), xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            ax.grid(False)
            ax.set_title(
                f"paper: {self.paper_setting}\nours: {self.our_setting or 'the same'}", loc="center", fontsize=8
            )
        return ax

    def _best_first(self, column: str) -> list[dict]:
        """The methods by a number, the best first; those that are level in the order in which they come."""
        order = self.data[column].round(9).sort_values(ascending=False, kind="stable").index
        return self.data.loc[order].to_dict("records")

    def _leaders(self) -> str:
        """Who is best in each."""
        paper, ours = (
            self.data.loc[self.data[column] >= self.data[column].max() - 1e-9, "label"].tolist()
            for column in ("paper", "ours")
        )
        if paper == ours:
            return f"Best in both: {listed(paper)}."
        return f"Best in the paper: {listed(paper)}; here: {listed(ours)}."


def _clear(one: pd.Series, other: pd.Series) -> bool:
    """Whether our means lie further apart than the standard deviations of both together."""
    return bool(abs(one["ours"] - other["ours"]) > np.nansum([one["ours_sd"], other["ours_sd"]]))
