"""Does the classifier favour common classes by its norms? Norms and angles by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rdr_core.errors import unknown_name
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.geometry import norms_and_angles
from rdr_viz.analysis.weights import in_order
from rdr_viz.analysis.words import listed, number, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.shared import (
    class_ticks,
    figure_legend,
    group_spans,
    in_methods_order,
    label_of,
    legend_above,
    method_handles,
    seed_lines,
    seeds_words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

QUANTITIES = {
    "classifier_norm": "Norm of classifier row",
    "feature_norm": "Norm of training features",
    "angle": "Classifier to class mean (°)",
    "test_shift": "Training to test mean (°)",
}


@display("norms", place=150)
@dataclass(frozen=True)
class Norms(Display):
    """A line per method over the classes, from the largest to the smallest: norms of classifier and features, angles.

    Attributes:
        data: ``rank`` and the columns of :func:`rdr_viz.analysis.geometry.norms_and_angles`.
        classes: ``rank``, ``class``, ``name``, ``count``, ``group``: the order of the classes.
    """

    data: pd.DataFrame
    classes: pd.DataFrame

    title = "Does the classifier favour common classes?"
    look = (
        "A longer classifier row wins more often: check whether lines fall from left to right. The last panel shows "
        "how far a class's test images are from where its few training images put the class."
    )

    @classmethod
    def from_run(cls, run: Run, *, epoch: int | None = None, data: LongTailedData | None = None) -> Norms:
        """One run alone."""
        return cls.from_runs([run], epoch=epoch, data=data)

    @classmethod
    def from_runs(cls, runs: Sequence[Run], *, epoch: int | None = None, data: LongTailedData | None = None) -> Norms:
        """Measure the runs at a kept epoch (default: the last).

        Args:
            runs: finished runs on one data set.
            epoch: kept by all of them; None is each one's last.
            data: where the runs were trained on the user's own arrays.
        """
        runs = in_order(runs)
        classes = class_table(*runs)
        table = norms_and_angles(runs, epoch=epoch, data=data)
        table.insert(3, "rank", table["class"].map(classes.set_index("class")["rank"]))
        return cls(table, classes)

    @property
    def alt(self) -> str:
        parts = []
        for method in in_methods_order(self.data):
            values = [
                f"{words[0].lower()}{words[1:]} {' to '.join(short(self._end(method, key, at)) for at in (0, -1))}"
                for key, words in QUANTITIES.items()
            ]
            parts.append(f"{label_of(method)}: {', '.join(values)}")
        return (
            f"Line charts over {len(self.classes)} classes, from the largest ({self.classes['count'].iloc[0]:,} "
            f"images) to the smallest ({self.classes['count'].iloc[-1]:,}), {seeds_words(self.data)}. From the "
            f"first class to the last: {'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        parts = []
        for method in in_methods_order(self.data):
            means = self._group_means(method, "classifier_norm")
            parts.append(f"{number(means.iloc[0] / means.iloc[-1], 2)} with {label_of(method)}")
        first, last = means.index[0], means.index[-1]
        shift = []
        for method in in_methods_order(self.data):
            means = self._group_means(method, "test_shift")
            shift.append(f"{number(means.iloc[0], 0)}° and {number(means.iloc[-1], 0)}° with {label_of(method)}")
        return (
            f"The mean norm of classifier rows of {first} classes over that of {last} was {listed(parts)}. The angle "
            f"between test and training means in {first} and {last} was {listed(shift)}."
        )

    def plot(self, ax: Axes | None = None, *, quantity: str = "classifier_norm") -> Axes:
        """Draw one quantity on ``ax`` (default: the classifier's norms) and return it.

        Raises:
            RdrError: not one of :data:`QUANTITIES`.
        """
        if quantity not in QUANTITIES:
            raise unknown_name("quantity", quantity, QUANTITIES)
        ax = new_axes(TEXT_WIDTH, 3.0) if ax is None else ax
        with rdr_style():
            self._panel(ax, quantity)
            class_ticks(ax, self.classes)
            ax.set_ylabel(QUANTITIES[quantity])
            pad = legend_above(ax, method_handles(in_methods_order(self.data)), foot=1.06) + 12
            ax.set_title(f"By class ({seeds_words(self.data)})", pad=pad)
        return ax

    def figure(self) -> Figure:
        """A panel for each quantity."""
        figure = new_figure(TEXT_WIDTH, 4.5)
        with rdr_style():
            grid = figure.subplots(2, 2, sharex=True)
            for panel, quantity in zip(grid.flat, QUANTITIES, strict=True):
                self._panel(panel, quantity)
                panel.set_title(QUANTITIES[quantity], fontsize=8.5, pad=15)
            for panel in grid[1]:
                class_ticks(panel, self.classes)
            figure_legend(figure, method_handles(in_methods_order(self.data)))
            figure.suptitle(f"Norms and angles by class ({seeds_words(self.data)})", x=0.01, ha="left")
        return figure

    def _panel(self, ax: Axes, quantity: str) -> None:
        seed_lines(ax, self.data, "rank", quantity, markers=len(self.classes) <= 30)
        group_spans(ax, self.classes)
        ax.set_ylim(0, 1.05 * self.data[quantity].max())
        ax.locator_params(axis="y", nbins=5)

    def _end(self, method: str, quantity: str, at: int) -> float:
        rank = self.classes["rank"].iloc[at]
        return self.data[(self.data["method"] == method) & (self.data["rank"] == rank)][quantity].mean()

    def _group_means(self, method: str, quantity: str) -> pd.Series:
        rows = self.data[self.data["method"] == method]
        return rows.groupby("group")[quantity].mean()[self.classes["group"].unique()]
