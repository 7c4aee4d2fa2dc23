"""Is an image's density ratio its own, or noise of its batches? Reliability and mean of r by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import unknown_name
from rdr_viz.analysis.accuracy import ALL_AND_GROUPS
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.replayed_ratios import reliability_of_methods
from rdr_viz.analysis.words import class_name, listed, number, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import (
    class_ticks,
    data_of,
    figure_legend,
    group_spans,
    in_methods_order,
    label_of,
    legend_above,
    method_handles,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

#: Columns, and what they are called.
QUANTITIES = {"reliability": "Reliability of r", "ratio": "Mean of r"}
_DOTS_UP_TO = 20  # classes; beyond it a line per method, without intervals


@display("reliability", place=80)
@dataclass(frozen=True)
class RatioReliability(Display):
    """A dot per class and method with its 95 % interval, and a line for each group's mean; below it the mean of r.

    Attributes:
        data: the rows of :func:`rdr_viz.analysis.replayed_ratios.reliability_of_methods`.
        classes: ``rank``, ``class``, ``name``, ``count``, ``group``: the order of the classes.
        what: The data set, in words.

    Example:
        >>> RatioReliability.from_runs(runs).finding  # doctest: +SKIP
    """

    data: pd.DataFrame
    classes: pd.DataFrame
    what: str

    title = "Is an image's density ratio its own?"
    look = (
        "At 1 an image gets the same ratio whichever images share its batch; at 0 its ratio is only batch noise. Lines "
        "are means over a group's classes. Near 0, images of a class can swap ratios at little cost."
    )

    @classmethod
    def from_run(cls, run: Run, *, epoch: int | None = None, data: LongTailedData | None = None) -> RatioReliability:
        """One run alone, with intervals by F."""
        return cls.from_runs([run], epoch=epoch, data=data)

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, epoch: int | None = None, data: LongTailedData | None = None
    ) -> RatioReliability:
        """Replay the runs; intervals are Student's over the seeds, or by F where a method has one seed.

        Args:
            runs: that differ in method and seed alone; methods without ratios stay in ``data`` and are not drawn.
            epoch: kept by all of them; None (default) is the last.
            data: where the runs were trained on the user's own arrays.

        Raises:
            RdrError: runs that cannot be compared, or an epoch that is not kept.
        """
        runs = list(runs)
        table = reliability_of_methods(runs, epoch=epoch, data=data)
        return cls(table, class_table(*runs), data_of(runs[0]))

    @property
    def alt(self) -> str:
        if self._known.empty:
            return f"No dot: {self._without}."
        parts = []
        for method, rows in self._known.groupby("method", sort=False):
            shown = rows[rows["level"] == "class"] if self._dots else rows[rows["level"] != "class"]
            values = [f"{_called(row)} {number(row['reliability'], 2)}" for _, row in shown.iterrows()]
            parts.append(f"{label_of(method)}: {', '.join(values)}")
        chart, how = ("Dot", f"; intervals: {self._intervals}") if self._dots else ("Line", "")
        return (
            f"{chart} chart of the reliability of r by class on {self.what}, from the largest class to the "
            f"smallest{how}. {'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        if self._known.empty:
            return f"There are no ratios: {self._without}."
        parts, low = [], 0
        for method, rows in self._known.groupby("method", sort=False):
            groups = rows[rows["level"] != "class"].set_index("group")
            said = [
                f"{number(groups.loc[group, 'reliability'], 2)}{_interval(groups.loc[group])} on {group}"
                for group in ALL_AND_GROUPS
                if not np.isnan(groups.loc[group, "reliability"])
            ]
            parts.append(f"{listed(said)} with {label_of(method)}" if said else f"unknown with {label_of(method)}")
            low += int((rows.loc[rows["level"] == "class", "reliability"] < 0).sum())
        shares = "; ".join(parts)
        sentences = [f"The share of r's variance within a class that belongs to the image was {shares}."]
        if low:
            verb = "estimate lies" if low == 1 else "estimates lie"
            sentences.append(f"{low} {verb} below 0: images that differ by no more than noise makes them.")
        by_class = self._known[self._known["level"] == "class"].groupby("class")["reliability"]
        if without := int(by_class.count().eq(0).sum()):
            sentences.append(f"{plural(without, 'class has', 'classes have')} no variance between images to share out.")
        return " ".join(sentences)

    def plot(self, ax: Axes | None = None, *, quantity: str = "reliability") -> Axes:
        """Draw one quantity on ``ax`` (default: a new figure's axes) and return it.

        Raises:
            RdrError: not one of :data:`QUANTITIES`.
        """
        if quantity not in QUANTITIES:
            raise unknown_name("quantity", quantity, QUANTITIES)
        ax = new_axes(TEXT_WIDTH, 2.9) if ax is None else ax
        with rdr_style():
            self._panel(ax, quantity)
            class_ticks(ax, self.classes)
            ax.set_ylabel(QUANTITIES[quantity])
            pad = 22.0
            if self._methods:
                pad = legend_above(ax, method_handles(self._methods), foot=1.07) + 15
            ax.set_title(self._title(), pad=pad)
        return ax

    def figure(self) -> Figure:
        """A panel for each quantity."""
        figure = new_figure(TEXT_WIDTH, 4.4)
        with rdr_style():
            panels = figure.subplots(2, 1, sharex=True, height_ratios=(1.5, 1))
            for panel, (quantity, words) in zip(panels, QUANTITIES.items(), strict=True):
                self._panel(panel, quantity)
                panel.set_ylabel(words)
            for text in list(panels[1].texts):
                text.remove()  # words stand in the first
            class_ticks(panels[1], self.classes)
            if self._methods:
                figure_legend(figure, method_handles(self._methods))
            figure.suptitle(self._title(), x=0.01, ha="left")
        return figure

    def _panel(self, ax: Axes, quantity: str) -> None:
        spans = self.classes.groupby("group")["rank"].agg(["min", "max"])
        ax.axhline(1.0 if quantity == "ratio" else 0.0, color="#999999", lw=0.8, zorder=0)
        many = len(self._methods)
        offsets = (np.arange(many) - (many - 1) / 2) * min(0.2, 0.7 / max(1, many))
        for method, offset in zip(self._methods, offsets, strict=True):
            own = self._known[self._known["method"] == method]
            rows, style = own[own["level"] == "class"].sort_values("rank"), method_style(method)
            for _, group in own[own["level"] == "group"].dropna(subset=quantity).iterrows():
                first, last = spans.loc[group["group"]]
                ax.hlines(group[quantity], first - 0.45, last + 0.45, color=style.color, linestyle=style.linestyle,
                          lw=1.2, zorder=1)  # fmt: skip
            if not self._dots:
                ax.plot(rows["rank"], rows[quantity], color=style.color, ls=style.linestyle, lw=1.0)
                continue
            x = rows["rank"] + offset
            if quantity == "reliability":
                ax.vlines(x, rows["low"], rows["high"], color=style.edge, lw=1.0)
            ax.plot(x, rows[quantity], **{**style.line(), "linestyle": "none"})
        group_spans(ax, self.classes)
        if not self._methods:
            ax.text(0.5, 0.5, self._without, transform=ax.transAxes, ha="center", color="#666666")
            ax.set_yticks([])
        elif quantity == "reliability":
            least = self._known[["reliability", "low"]].min().min() if self._dots else self._known["reliability"].min()
            ax.set_ylim(min(0, least) - 0.06, 1.06)
        else:
            ax.margins(y=0.12)
            ax.locator_params(axis="y", nbins=4)

    def _title(self) -> str:
        if not self._methods:
            return f"Density ratios on {self.what}"
        how = self._intervals if self._dots else plural(self._seeds, "seed")
        return f"Density ratios on {self.what} ({how})"

    @property
    def _intervals(self) -> str:
        passes = int(self._known["passes"].iloc[0])
        words = {
            "t over seeds": f"95 % t over {plural(self._seeds, 'seed')}",
            "F over passes": f"95 % F over {plural(passes, 'pass', 'passes')}",
        }
        return ", ".join(said for kind, said in words.items() if kind in set(self._known["interval"]))

    @property
    def _seeds(self) -> int:
        return int(self._known["seeds"].max())

    @property
    def _dots(self) -> bool:
        return len(self.classes) <= _DOTS_UP_TO

    @property
    def _methods(self) -> list[str]:
        return in_methods_order(self._known)

    @property
    def _known(self) -> pd.DataFrame:
        """Of methods that have ratios."""
        return self.data[self.data.groupby("method")["ratio"].transform("count") > 0]

    @property
    def _without(self) -> str:
        labels = list(dict.fromkeys(self.data["label"]))
        return f"{listed(labels)} {'has' if len(labels) == 1 else 'have'} no density ratios"


def _called(row: pd.Series) -> str:
    return class_name(str(row["name"])) if row["level"] == "class" else str(row["group"])


def _interval(row: pd.Series) -> str:
    return "" if np.isnan(row["low"]) else f" ({number(row['low'], 2)} to {number(row['high'], 2)})"
