"""Which classes does a method serve? Test accuracy by class with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.visible import NAME, visible
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.groups import accuracy_with_intervals
from rdr_viz.analysis.weights import in_order
from rdr_viz.analysis.words import class_name, factor, listed, number, percent, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import (
    class_ticks,
    group_spans,
    in_methods_order,
    label_of,
    legend_above,
    method_handles,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

_DOTS_UP_TO = 20  # classes; beyond it a line per method, without intervals


@display("classes", place=90)
@dataclass(frozen=True)
class AccuracyByClass(Display):
    """A dot per class and method with its 95 % interval, classes from the largest to the smallest.

    Attributes:
        data: ``rank`` and the rows by class of :func:`rdr_viz.analysis.groups.accuracy_with_intervals`.
        classes: ``rank``, ``class``, ``name``, ``count``, ``group``: the order of the classes.
        dataset: The data set's name.
        imbalance_factor: Of the training set; None for data taken as they are.
        epoch: After which; None is the last.
    """

    data: pd.DataFrame
    classes: pd.DataFrame
    dataset: str
    imbalance_factor: float | None
    epoch: int | None = None

    title = "Which classes does a method serve?"
    look = (
        "Read each class from method to method: a gain at the right is worth having if the left does not fall. Where "
        "intervals overlap widely the difference may be chance."
    )

    @classmethod
    def from_run(cls, run: Run, *, data: LongTailedData | None = None) -> AccuracyByClass:
        """One run alone, with Wilson's intervals."""
        return cls.from_runs([run], data=data)

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, epoch: int | None = None, data: LongTailedData | None = None
    ) -> AccuracyByClass:
        """Collect accuracies; intervals are Student's over the seeds, or Wilson's where a method has one seed.

        Args:
            runs: that differ in method and seed alone.
            epoch: after which; None (default) is the last. Before it one seed has no interval.
            data: where the runs were trained on the user's own arrays.

        Raises:
            RdrError: runs that cannot be compared.
        """
        runs = in_order(runs)
        classes = class_table(*runs)
        table = accuracy_with_intervals(runs, epoch=epoch, data=data)
        table = table[table["level"] == "class"].reset_index(drop=True)
        table.insert(2, "rank", table["class"].map(classes.set_index("class")["rank"]))
        config = runs[0].config
        return cls(table, classes, visible(config.dataset, NAME), config.imbalance_factor, epoch)

    @property
    def alt(self) -> str:
        parts, few = [], len(self.classes) <= _DOTS_UP_TO
        intervals = f"; intervals: {self._intervals}" if few else ""
        when = "" if self.epoch is None else f", epoch {self.epoch}"
        for method, rows in self.data.groupby("method", sort=False):
            rows = rows.sort_values("rank")
            if few:
                values = [f"{class_name(row.name_)} {number(row.accuracy)}" for row in _named(rows)]
                parts.append(f"{label_of(method)}: {', '.join(values)}")
            else:
                means = rows.groupby("group", sort=False)["accuracy"].mean()
                values = [f"{group} {percent(value)} on average" for group, value in means.items()]
                parts.append(f"{label_of(method)}: {', '.join(values)}")
        return (
            f"{'Dot' if few else 'Line'} chart of test accuracy in percent by class on {self.dataset} "
            f"with {factor(self.imbalance_factor)}{when}, "
            f"from the largest class to the smallest{intervals}. {'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        parts = []
        for method, rows in self.data.groupby("method", sort=False):
            worst = rows.loc[rows["accuracy"].idxmin()]
            parts.append(f"{percent(worst['accuracy'])} on {class_name(str(worst['name']))} with {label_of(method)}")
        drawn = f" Intervals are {self._intervals}." if len(self.classes) <= _DOTS_UP_TO else ""
        when = "" if self.epoch is None else f" after epoch {self.epoch}"
        return f"Accuracy on the worst class{when}: {listed(parts)}.{drawn}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw dots and intervals (lines beyond 20 classes) on ``ax`` (default: new axes) and return it."""
        ax = new_axes(TEXT_WIDTH, 3.1) if ax is None else ax
        methods = in_methods_order(self.data)
        with rdr_style():
            dots = len(self.classes) <= _DOTS_UP_TO
            offsets = (np.arange(len(methods)) - (len(methods) - 1) / 2) * min(0.2, 0.7 / len(methods))
            for method, offset in zip(methods, offsets, strict=True):
                rows = self.data[self.data["method"] == method].sort_values("rank")
                style = method_style(method)
                if not dots:
                    ax.plot(rows["rank"], rows["accuracy"], color=style.color, ls=style.linestyle, lw=1.0)
                    continue
                x = rows["rank"] + offset
                ax.vlines(x, rows["low"], rows["high"], color=style.edge, lw=1.0)
                ax.plot(x, rows["accuracy"], **{**style.line(), "linestyle": "none"})
            group_spans(ax, self.classes)
            class_ticks(ax, self.classes)
            least = self.data[["accuracy", "low"]].min().min()
            # One scale while the epochs go by.
            ax.set(ylabel="Test accuracy (%)", ylim=(0 if self.epoch is not None or least < 40 else None, 101.5))
            ax.set_yticks([tick for tick in range(0, 101, 20) if tick >= ax.get_ylim()[0]])
            handles = method_handles(methods)
            for handle in handles if dots else []:
                handle.set_linestyle("none")
            pad = legend_above(ax, handles, foot=1.07) + 15
            how = self._intervals if dots else f"{len(self.classes)} classes"
            when = "" if self.epoch is None else f", epoch {self.epoch}"
            ax.set_title(f"{self.dataset}, {factor(self.imbalance_factor)}{when}: {how}", pad=pad)
        return ax

    @property
    def _intervals(self) -> str:
        seeds = int(self.data["seeds"].max())
        words = {
            "t over seeds": f"95 % t over {plural(seeds, 'seed')}",
            "Wilson over test images": "95 % Wilson over test images of one run",
            "none": "none for one seed",
        }
        kinds = set(self.data["interval"])
        return ", ".join(said for kind, said in words.items() if kind in kinds)


def _named(rows: pd.DataFrame):
    return rows[["name", "accuracy"]].set_axis(["name_", "accuracy"], axis=1).itertuples(index=False)
