"""Does the network's confidence match its accuracy? Reliability by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import unknown_name
from rdr_viz.analysis.groups import BINS, calibration
from rdr_viz.analysis.weights import in_order, method_columns
from rdr_viz.analysis.words import number
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_TEXT, method_style
from rdr_viz.displays.shared import figure_legend, in_methods_order, label_of, legend_above, method_handles, seeds_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

_FEWEST = 5  # images in a bin that is drawn: fewer say nothing


@display("calibration", place=120)
@dataclass(frozen=True)
class Calibration(Display):
    """Accuracy against confidence in 15 equal bins, by group and method, with the expected calibration error.

    Attributes:
        data: ``method``, ``label``, ``seed`` and the columns of :func:`rdr_viz.analysis.groups.calibration`.
    """

    data: pd.DataFrame

    title = "Does the network's confidence match its accuracy?"
    look = (
        "On the dashed line confidence equals accuracy; below it the network is overconfident. The area of a dot shows "
        "its number of images; Few is where trust is misplaced first."
    )

    @classmethod
    def from_run(cls, run: Run, *, bins: int = BINS, data: LongTailedData | None = None) -> Calibration:
        """One run alone."""
        return cls.from_runs([run], bins=bins, data=data)

    @classmethod
    def from_runs(cls, runs: Sequence[Run], *, bins: int = BINS, data: LongTailedData | None = None) -> Calibration:
        """Bin the test predictions of each run.

        Args:
            runs: finished runs on one data set.
            bins: default 15.
            data: where the runs were trained on the user's own arrays.
        """
        tables = []
        for run in in_order(runs):
            found = calibration(run, bins=bins, data=data)
            tables.append(pd.concat([method_columns(run, len(found)), found], axis=1))
        return cls(pd.concat(tables, ignore_index=True))

    def errors(self) -> pd.DataFrame:
        """``method``, ``group``, ``ece``, ``overconfidence``: means over seeds, in percentage points."""
        once = self.data.drop_duplicates(["method", "seed", "group"])
        means = once.groupby(["method", "group"], sort=False)[["ece", "overconfidence"]].mean() * 100
        return means.reset_index()

    @property
    def alt(self) -> str:
        parts = []
        for method, rows in self.errors().groupby("method", sort=False):
            values = [f"{row.group} {number(row.ece)}" for row in rows.itertuples()]
            parts.append(f"{label_of(method)}: {', '.join(values)}")
        return (
            f"Reliability diagrams, {seeds_words(self.data)}. Expected calibration error in percentage points: "
            f"{'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        errors = self.errors()
        sentences = []
        for method, rows in errors.groupby("method", sort=False):
            worst = rows.loc[rows["ece"].idxmax()]
            which = "overconfident" if worst["overconfidence"] > 0 else "underconfident"
            whole = rows.loc[rows["group"] == "All", "ece"].item()
            sentences.append(
                f"{label_of(method)} is off by {number(whole)} points over all images and most on {worst['group']} "
                f"({number(worst['ece'])} points; {which} by {number(abs(worst['overconfidence']))} on average)."
            )
        return " ".join(sentences)

    def plot(self, ax: Axes | None = None, *, group: str = "All") -> Axes:
        """Draw the diagram of one group (default: all images) on ``ax`` and return it.

        Raises:
            RdrError: a group that is not in the data.
        """
        known = list(dict.fromkeys(self.data["group"]))
        if group not in known:
            raise unknown_name("group", group, known)
        ax = new_axes(3.6, 3.6) if ax is None else ax
        with rdr_style():
            self._panel(ax, group)
            ax.set(xlabel="Confidence", ylabel="Accuracy")
            pad = legend_above(ax, method_handles(in_methods_order(self.data)))
            ax.set_title(f"Calibration, {group} ({seeds_words(self.data)})", pad=pad)
        return ax

    def figure(self) -> Figure:
        """A diagram for all images and one for each group."""
        known = list(dict.fromkeys(self.data["group"]))
        rows = -(-len(known) // 2)
        figure = new_figure(4.9, 0.7 + 2.3 * rows)
        with rdr_style():
            grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
            for panel in grid.flat[len(known) :]:
                panel.set_axis_off()
            for panel, group in zip(grid.flat, known, strict=False):
                self._panel(panel, group)
                panel.set_title(group, color=GROUP_TEXT.get(group, "#222222"))
            for panel in grid[-1]:
                panel.set_xlabel("Confidence")
            for panel in grid[:, 0]:
                panel.set_ylabel("Accuracy")
            figure_legend(figure, method_handles(in_methods_order(self.data)))
            figure.suptitle(f"Calibration on test images ({seeds_words(self.data)})", x=0.01, ha="left")
        return figure

    def _panel(self, ax: Axes, group: str) -> None:
        ax.plot([0, 1], [0, 1], color="#888888", lw=0.8, ls="--", zorder=0)
        errors = self.errors().set_index(["method", "group"])["ece"]
        methods = in_methods_order(self.data)
        for at, method in enumerate(methods):
            style = method_style(method)
            rows = self.data[
                (self.data["method"] == method) & (self.data["group"] == group) & (self.data["images"] > 0)
            ]
            sums = rows.assign(
                confidence=rows["confidence"] * rows["images"], accuracy=rows["accuracy"] * rows["images"]
            ).groupby("bin")[["images", "confidence", "accuracy"]].sum()  # fmt: skip
            shown = sums[sums["images"] >= _FEWEST]
            x, y = shown["confidence"] / shown["images"], shown["accuracy"] / shown["images"]
            ax.plot(x, y, color=style.color, ls=style.linestyle, lw=0.9, alpha=0.8)
            area = 5 + 45 * np.sqrt(shown["images"] / sums["images"].sum())
            ax.scatter(x, y, s=area, color=style.color, marker=style.marker, edgecolors=style.edge, lw=0.5, zorder=3)
            ax.annotate(
                number(errors[(method, group)]), (0.03, 0.94), xycoords="axes fraction",
                xytext=(0, -9.5 * (at + 1)), textcoords="offset points", va="top", color=style.edge, weight="bold",
            )  # fmt: skip
        # In the corner of the underconfident, which few networks are.
        ax.annotate("ECE, points", (0.03, 0.94), xycoords="axes fraction", va="top", color="#666666", fontsize=7)
        ax.set(xlim=(0, 1.03), ylim=(0, 1.04), aspect="equal")
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
