"""What does a method cost? Seconds of training: the paper's figure 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rdr_viz.analysis.times import of_one_device, training_seconds
from rdr_viz.analysis.words import plural, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import new_axes, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import in_methods_order, label_of, seeds_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rdr_core.runs import Run


@display("times", place=210)
@dataclass(frozen=True)
class TimeBars(Display):
    """Bars of the seconds that training took, by method, with a dot per seed and the factor over CE.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``epochs``, ``total``, ``epoch_median``; see
            :func:`rdr_viz.analysis.times.training_seconds`.
        left_out: How many runs were made on another device, whose seconds cannot be compared.
    """

    data: pd.DataFrame
    left_out: int = 0

    title = "What does a method cost?"
    look = "Compare the bars, and the spread of their dots: times of runs on a busy machine cannot be compared."

    @classmethod
    def from_run(cls, run: Run) -> TimeBars:
        """One run alone."""
        return cls.from_runs([run])

    @classmethod
    def from_runs(cls, runs: Sequence[Run]) -> TimeBars:
        """Read the seconds of the runs made on the most common device.

        Raises:
            RdrError: without runs.
        """
        here, elsewhere = of_one_device(runs)
        return cls(training_seconds(here), len(elsewhere))

    @property
    def alt(self) -> str:
        values = [
            f"{label_of(method)} {short(value)} s{self._factor(method)}" for method, value in self._means().items()
        ]
        return f"Bar chart of seconds of training for {self._epochs()}, {seeds_words(self.data)}: {', '.join(values)}."

    @property
    def finding(self) -> str:
        means = self._means()
        first, last = means.idxmin(), means.idxmax()
        left_out = f" Left out: {plural(self.left_out, 'run')} made on another device." if self.left_out else ""
        if len(means) == 1:
            return f"{label_of(first)} took {short(means[first])} s for {self._epochs()}.{left_out}"
        return (
            f"{label_of(last)} took longest, {short(means[last])} s for {self._epochs()}, "
            f"{short(means[last] / means[first])} times {label_of(first)}'s {short(means[first])} s. "
            "The median epoch, steadier than the sum, took "
            + ", ".join(
                f"{1000 * value:,.0f} ms with {label_of(method)}"
                for method, value in self.data.groupby("method", sort=False)["epoch_median"].mean().items()
            )
            + f".{left_out}"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the bars on ``ax`` (default: a new figure's axes, at most 5.5 by 2.6 inches) and return it."""
        methods = in_methods_order(self.data)
        ax = new_axes(min(5.5, 1.6 + 0.75 * len(methods)), 2.6) if ax is None else ax
        means = self._means()
        with rdr_style():
            for at, method in enumerate(methods):
                style, rows = method_style(method), self.data[self.data["method"] == method]
                ax.bar(
                    at, means[method], width=0.66, color=style.color, edgecolor=style.edge, lw=0.7, hatch=style.hatch
                )
                if len(rows) > 1:
                    ax.plot([at] * len(rows), rows["total"], linestyle="none", marker="o", markersize=3.4,
                            color=style.edge, markeredgecolor="white", markeredgewidth=0.5)  # fmt: skip
                ax.annotate(
                    f"{short(means[method])}{self._factor(method, short_form=True)}",
                    (at, rows["total"].max()), xytext=(0, 4), textcoords="offset points",
                    ha="center", va="bottom", linespacing=1.25,
                )  # fmt: skip
            ax.set_xticks(range(len(methods)), [label_of(method) for method in methods])
            ax.tick_params(axis="x", length=0)
            ax.set(ylabel="Seconds of training", xlim=(-0.6, len(methods) - 0.4))
            ax.set_ylim(0, self.data["total"].max() * 1.25)
            ax.set_title(f"{self._epochs().capitalize()} ({seeds_words(self.data)})")
        return ax

    def _means(self) -> pd.Series:
        return self.data.groupby("method", sort=False)["total"].mean()

    def _factor(self, method: str, *, short_form: bool = False) -> str:
        means = self._means()
        if method == "ce" or "ce" not in means:
            return ""
        times = f"{means[method] / means['ce']:.2f}"
        return f"\n×{times}" if short_form else f" ({times} times CE)"

    def _epochs(self) -> str:
        low, high = self.data["epochs"].min(), self.data["epochs"].max()
        return f"{low:,} epochs" if low == high else f"{low:,} to {high:,} epochs"
