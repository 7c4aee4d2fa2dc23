"""Does the method make Theorem 1's class terms smaller? Their sum over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rdr_core.errors import unknown_name
from rdr_viz.analysis.bound import bound_sums
from rdr_viz.analysis.over_epochs import READINGS
from rdr_viz.analysis.weights import in_order, method_columns
from rdr_viz.analysis.words import short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.epochs import epoch_axis
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_TEXT
from rdr_viz.displays.shared import (
    figure_legend,
    in_methods_order,
    label_of,
    last_epochs,
    legend_above,
    method_handles,
    seed_lines,
    seeds_words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.runs import Run


@display("bound", place=60)
@dataclass(frozen=True)
class BoundTerms(Display):
    """The sum of w_y B'_y over all classes and over each group's, by epoch; a line per method.

    Attributes:
        data: ``method``, ``label``, ``seed`` and the columns of :func:`rdr_viz.analysis.bound.bound_sums`.
        reading: of B', a key of :data:`rdr_viz.analysis.over_epochs.READINGS`.
    """

    data: pd.DataFrame
    reading: str

    title = "Do the class terms of Theorem 1 shrink?"
    look = (
        "The bound on the balanced risk grows with this sum, so lower is better; weights have mean 1 over the classes "
        "in every method. Which group makes up the sum?"
    )

    @classmethod
    def from_run(cls, run: Run, *, reading: str = "b_prime") -> BoundTerms:
        """One run alone."""
        return cls.from_runs([run], reading=reading)

    @classmethod
    def from_runs(cls, runs: Sequence[Run], *, reading: str = "b_prime") -> BoundTerms:
        """Add up the class terms of each run.

        Raises:
            RdrError: without runs, or for another reading.
        """
        tables = []
        for run in in_order(runs):
            sums = bound_sums(run, readings=[reading])
            tables.append(pd.concat([method_columns(run, len(sums)), sums], axis=1))
        return cls(pd.concat(tables, ignore_index=True), reading)

    @property
    def alt(self) -> str:
        parts = []
        for (method, group), rows in self.data.groupby(["method", "group"], sort=False):
            if group == "All":
                first, last = self._ends(rows)
                parts.append(f"{label_of(method)} {short(first)} to {short(last)}")
        last = self.data["epoch"].max()
        return (
            f"Line charts of the sum of w B′ ({READINGS[self.reading]}) over all classes and by group, epochs "
            f"{self.data['epoch'].min()} to {last}, {seeds_words(self.data)}. Over all classes: {'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        final = last_epochs(self.data)
        means = final.groupby(["method", "group"], sort=False)["terms"].mean()
        whole = means.xs("All", level="group").sort_values()
        listed_ = ", ".join(f"{label_of(method)} {short(value)}" for method, value in whole.items())
        shares = []
        for method in in_methods_order(self.data):
            parts = means[method].drop("All")
            shares.append(f"{parts.idxmax()} in {label_of(method)} ({100 * parts.max() / parts.sum():.0f} %)")
        return f"After the last epoch, from the lowest sum: {listed_}. The largest part came from {', '.join(shares)}."

    def plot(self, ax: Axes | None = None, *, group: str = "All") -> Axes:
        """Draw the sum over one group's classes (default: over all) on ``ax`` and return it.

        Raises:
            RdrError: a group that is not in the data.
        """
        known = list(dict.fromkeys(self.data["group"]))
        if group not in known:
            raise unknown_name("group", group, known)
        ax = new_axes(TEXT_WIDTH, 2.8) if ax is None else ax
        with rdr_style():
            self._panel(ax, group)
            epoch_axis(ax, self.data["epoch"])
            ax.set_ylabel("Sum of w B′")
            handles = method_handles(in_methods_order(self.data))
            for handle in handles:
                handle.set_marker("")
            pad = legend_above(ax, handles)
            ax.set_title(f"{self._heading(group)} ({seeds_words(self.data)})", pad=pad)
        return ax

    def figure(self) -> Figure:
        """A panel for all classes and one for each group, each with its own scale from 0."""
        known = list(dict.fromkeys(self.data["group"]))
        figure = new_figure(TEXT_WIDTH, 2.7)
        with rdr_style():
            panels = figure.subplots(1, len(known), squeeze=False)[0]
            for panel, group in zip(panels, known, strict=True):
                self._panel(panel, group)
                epoch_axis(panel, self.data["epoch"])
                panel.locator_params(axis="x", nbins=3)
                panel.set_title(group, color=GROUP_TEXT.get(group, "#222222"))
            panels[0].set_ylabel("Sum of w B′")
            handles = method_handles(in_methods_order(self.data))
            for handle in handles:
                handle.set_marker("")
            figure_legend(figure, handles)
            figure.suptitle(f"{self._heading('All')} ({seeds_words(self.data)})", x=0.01, ha="left")
        return figure

    def _panel(self, ax: Axes, group: str) -> None:
        rows = self.data[self.data["group"] == group]
        seed_lines(ax, rows, "epoch", "terms")
        ax.set_ylim(bottom=0)
        ax.locator_params(axis="y", nbins=5)

    def _heading(self, group: str) -> str:
        where = "" if group == "All" else f", {group}"
        return f"Class terms of Theorem 1{where}: B′ by {READINGS[self.reading]}"

    def _ends(self, rows: pd.DataFrame) -> tuple[float, float]:
        means = rows.groupby("epoch")["terms"].mean()
        return means.iloc[0], means.iloc[-1]
