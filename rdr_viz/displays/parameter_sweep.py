"""How much does one parameter of a method matter? The idea of the paper's figure 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.visible import NAME, visible
from rdr_viz.analysis.sweep import Sweep, accuracy_over_parameter, pooled_sd
from rdr_viz.analysis.words import factor, listed, number, percent
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.epochs import log_ticks
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_TEXT, method_style
from rdr_viz.displays.shared import GROUP_LOOKS, label_of, seeds_words
from rdr_viz.displays.weights_by_class import apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.runs import Run

_LOG_FROM = 100.0  # largest over smallest value from which a log axis reads better
_TICKS = 7  # up to as many values each has its tick
_LABEL_GAP = 0.1  # least distance of two labels at the right, in parts of the axes' height


@display("sweep", place=240, in_galleries=False)
@dataclass(frozen=True)
class ParameterSweep(Display):
    """Mean test accuracy against one parameter of the method, with mean ± sd as an interval and a dot per seed.

    The parameter is the one in which the runs' methods differ; runs of other methods are lines to compare with.

    Attributes:
        data: ``method``, ``label``, ``value`` (NaN for a method to compare with), ``seed``, ``group``, ``accuracy``
            (percent); see :func:`rdr_viz.analysis.sweep.accuracy_over_parameter`.
        sweep: The parameter and its values.
        dataset: The data set's name.
        imbalance_factor: Of the training set; None for data taken as they are.

    Example:
        >>> ParameterSweep.from_runs(runs).sweep.parameter  # doctest: +SKIP
        'momentum'
    """

    data: pd.DataFrame
    sweep: Sweep
    dataset: str
    imbalance_factor: float | None

    title = "How much does one parameter matter?"
    look = (
        "Compare the differences between means with the spread over the seeds of one value: a difference within that "
        "spread may be chance."
    )

    @classmethod
    def from_runs(cls, runs: Sequence[Run]) -> ParameterSweep:
        """Collect the last epoch's accuracies of ``runs``.

        Raises:
            RdrError: without runs, if methods differ in no or in more than one parameter, if the runs differ in more
                than method and seed, or if one method has a seed twice.
        """
        runs = list(runs)
        data, sweep = accuracy_over_parameter(runs)
        return cls(data, sweep, visible(runs[0].config.dataset, NAME), runs[0].config.imbalance_factor)

    def summary(self, group: str = "All") -> pd.DataFrame:
        """A row a value, rising: ``value``, ``mean`` and ``sd`` (sample; NaN for one seed) in percent, ``seeds``."""
        rows = self._rows(group).dropna(subset="value")
        return rows.groupby("value", as_index=False).agg(
            mean=("accuracy", "mean"), sd=("accuracy", "std"), seeds=("seed", "nunique")
        )

    @property
    def alt(self) -> str:
        parts = []
        for group in ("All", *GROUPS):
            means = [
                f"{number(row.mean)} at {row.value:g}" for row in self.summary(group)[["value", "mean"]].itertuples()
            ]
            parts.append(f"{group}: {', '.join(means)}")
        others = [f"{label_of(method)} {number(mean)}" for method, mean in self._references().items()]
        against = f" To compare, over all classes: {', '.join(others)}." if others else ""
        return (
            f"Line chart of test accuracy in percent against {self._parameter()} on {self.dataset} with "
            f"{factor(self.imbalance_factor)}, {seeds_words(self.data)}. {'; '.join(parts)}.{against}"
        )

    @property
    def finding(self) -> str:
        summary = self.summary()
        low, high = summary.loc[summary["mean"].idxmin()], summary.loc[summary["mean"].idxmax()]
        extent = high["mean"] - low["mean"]
        sentences = [
            f"Over all classes the means lie within {number(extent)} points: from {percent(low['mean'])} at "
            f"{self.sweep.parameter} {low['value']:g} to {percent(high['mean'])} at {high['value']:g}."
        ]
        rows = self._rows("All").dropna(subset="value")
        spread = pooled_sd(rows["accuracy"], rows["value"])
        if np.isnan(spread):
            sentences.append("This is one seed, so a few points either way may be chance.")
        else:
            against = "less than" if extent < spread else "more than"
            sentences.append(
                f"That is {against} the standard deviation over seeds at one value, {number(spread)} points."
            )
        ranges = [
            f"{number(means.max() - means.min())} on {group}"
            for group in GROUPS
            if (means := self.summary(group)["mean"]).notna().any()
        ]
        sentences.append(f"By group the means lie within {listed(ranges)}.")
        others = [f"{label_of(method)} had {percent(mean)}" for method, mean in self._references().items()]
        if others:
            sentences.append(f"To compare, over all classes {listed(others)}.")
        return " ".join(sentences)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the accuracy over all classes on ``ax`` (default: a new figure's axes, 3.4 by 2.4 inches), return it."""
        ax = new_axes(3.4, 2.4) if ax is None else ax
        style, summary, rows = method_style(self.sweep.base), self.summary(), self._rows("All").dropna(subset="value")
        with rdr_style():
            for method, mean in self._references().items():
                look = method_style(method)
                ax.axhline(mean, color=look.color, linestyle=look.linestyle, lw=1.1, zorder=1)
            ax.plot(rows["value"], rows["accuracy"], linestyle="none", marker="o", markersize=3.2,
                    color=style.color, alpha=0.65, markeredgewidth=0)  # fmt: skip
            ax.errorbar(summary["value"], summary["mean"], summary["sd"].fillna(0), elinewidth=0.9, ecolor=style.edge,
                        markersize=5, **style.line())  # fmt: skip
            self._value_axis(ax)
            names = [(mean, label_of(method), method_style(method).edge) for method, mean in self._references().items()]
            _name_lines(ax, names)
            ax.set_ylabel("Test accuracy (%)")
            ax.set_title("All classes")
        return ax

    def figure(self) -> Figure:
        """All classes on a scale of their own at the left, the groups at the right."""
        figure = new_figure(TEXT_WIDTH, 2.5)
        with rdr_style():
            left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
            self.plot(left)
            ends = []
            for group in GROUPS:
                summary = self.summary(group).dropna(subset="mean")
                if summary.empty:
                    continue
                look = GROUP_LOOKS[group]
                right.errorbar(summary["value"], summary["mean"], summary["sd"].fillna(0), elinewidth=0.8, marker="o",
                               markersize=3, lw=1.2, **look)  # fmt: skip
                ends.append((summary["mean"].iloc[-1], group, GROUP_TEXT[group]))
            self._value_axis(right)
            _name_lines(right, ends)
            right.set_title("By group")
            label = label_of(self.sweep.base)
            figure.suptitle(
                f"{label} on {self.dataset}, {factor(self.imbalance_factor)} ({seeds_words(self.data)})",
                x=0.01,
                ha="left",
            )
        return figure

    def _value_axis(self, ax: Axes) -> None:
        values = np.array(list(self.sweep.values.values()))
        if values.min() > 0 and values.max() >= _LOG_FROM * values.min():
            ax.set_xscale("log")
            log_ticks(ax.xaxis, values.min(), values.max())
        elif len(values) <= _TICKS:
            ax.set_xticks(values, [f"{value:g}" for value in values])
        ax.set_xlabel(f"{self.sweep.parameter.capitalize()} of {label_of(self.sweep.part)}")

    def _parameter(self) -> str:
        return f"{self.sweep.parameter} of {label_of(self.sweep.part)}"

    def _rows(self, group: str) -> pd.DataFrame:
        return self.data[self.data["group"] == group]

    def _references(self) -> pd.Series:
        """Mean accuracy over all classes of the methods to compare with."""
        rows = self._rows("All")
        return rows[rows["value"].isna()].groupby("method", sort=False)["accuracy"].mean()


def _name_lines(ax: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Names beside the right ends of lines (height, name, colour), apart from each other."""
    if not ends:
        return
    low, high = ax.get_ylim()
    heights = np.array([(height - low) / (high - low) for height, *_ in ends])
    for height, (_, name, color) in zip(apart(heights, _LABEL_GAP), ends, strict=True):
        ax.annotate(name, (1, height), xycoords="axes fraction", xytext=(4, 0), textcoords="offset points",
                    va="center", color=color, annotation_clip=False)  # fmt: skip
