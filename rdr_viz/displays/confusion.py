"""Where do the mistakes go? Confusion between groups and between classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.groups import confusion
from rdr_viz.analysis.weights import in_order, method_columns
from rdr_viz.analysis.words import class_name, listed, number, percent
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.shared import in_methods_order, label_of, seeds_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

_NUMBERS_UP_TO = 12  # classes of which every cell can be printed
_LEVELS = ("group", "class")


@display("confusion", place=100)
@dataclass(frozen=True)
class Confusion(Display):
    """Heat maps: of the test images of each group or class (rows), the percentage given to each (columns).

    Attributes:
        data: ``method``, ``label``, ``seed``, ``level`` ("group" or "class"), ``true``, ``predicted``, ``images``,
            ``percent``; see :func:`rdr_viz.analysis.groups.confusion`.
        classes: ``rank``, ``class``, ``name``, ``count``, ``group``: the order of the classes.

    Example:
        >>> Confusion.from_run(run).plot(level="class")  # doctest: +SKIP
    """

    data: pd.DataFrame
    classes: pd.DataFrame

    title = "Where do the mistakes go?"
    look = (
        "Each row adds up to 100 %. A method that only shifts its decision towards rare classes empties the lower left "
        "and fills the upper right: common classes taken for rare ones."
    )

    @classmethod
    def from_run(cls, run: Run, *, data: LongTailedData | None = None) -> Confusion:
        """One run: groups beside classes."""
        return cls.from_runs([run], data=data)

    @classmethod
    def from_runs(cls, runs: Sequence[Run], *, data: LongTailedData | None = None) -> Confusion:
        """Count the mistakes of each run; a method's seeds are pooled.

        Args:
            runs: finished runs on one data set.
            data: where the runs were trained on the user's own arrays.
        """
        runs = in_order(runs)
        tables = []
        for run in runs:
            for level in _LEVELS:
                found = confusion(run, by=level, data=data).assign(level=level)
                tables.append(
                    pd.concat(
                        [method_columns(run, len(found)), found.astype({"true": object, "predicted": object})], axis=1
                    )
                )
        table = pd.concat(tables, ignore_index=True)
        columns = ["method", "label", "seed", "level", "true", "predicted", "images", "percent"]
        return cls(table[columns], class_table(*runs))

    @property
    def alt(self) -> str:
        parts = []
        for method in in_methods_order(self.data):
            names, cells = self.matrix(method, "group")
            rows = [
                f"{name} to {', '.join(f'{other} {percent(v)}' for other, v in zip(names, row, strict=True))}"
                for name, row in zip(names, cells, strict=True)
            ]
            parts.append(f"{label_of(method)}: {'; '.join(rows)}")
        return f"Heat maps of test predictions by true group, {seeds_words(self.data)}. {'. '.join(parts)}."

    @property
    def finding(self) -> str:
        sentences = []
        for method in in_methods_order(self.data):
            names, cells = self.matrix(method, "group")
            words = []
            if {"Many", "Few"} <= set(names):
                many, few = names.index("Many"), names.index("Few")
                words.append(
                    f"{percent(cells[few, many])} of the Few images were taken for Many, {percent(cells[many, few])} "
                    "the other way"
                )
            klasses, by_class = self.matrix(method, "class")
            wrong = np.where(np.eye(len(klasses), dtype=bool) | np.isnan(by_class), -1, by_class)
            true, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
            if wrong.max() > 0:
                shown = [class_name(klasses[at]) for at in (true, predicted)]
                words.append(f"the most common mistake was {shown[0]} for {shown[1]} ({percent(wrong.max())})")
            sentences.append(f"{label_of(method)}: {listed(words)}." if words else "")
        return " ".join(filter(None, sentences))

    def matrix(self, method: str, level: str) -> tuple[list[str], np.ndarray]:
        """Names and (k, k) percentages over the images of all seeds; groups and classes in the pictures' order."""
        rows = self.data[(self.data["method"] == method) & (self.data["level"] == level)]
        counts = rows.groupby(["true", "predicted"])["images"].sum().unstack()
        if level == "group":
            order: list = [group for group in GROUPS if group in counts.index]
            names = order
        else:
            order, names = self.classes["class"].tolist(), self.classes["name"].tolist()
        cells = counts.loc[order, order].to_numpy(dtype=float)
        with np.errstate(invalid="ignore"):
            return names, 100 * cells / cells.sum(1, keepdims=True)

    def plot(self, ax: Axes | None = None, *, level: str = "group", method: str | None = None) -> Axes:
        """Draw one heat map on ``ax`` and return it.

        Args:
            ax: default: a new figure's axes.
            level: ``"group"`` (default) or ``"class"``.
            method: canonical name; None (default) is the first.

        Raises:
            RdrError: another level, or a method that is not in the data.
        """
        methods = in_methods_order(self.data)
        method = methods[0] if method is None else method
        if level not in _LEVELS or method not in methods:
            raise RdrError(
                f"There is no confusion of {method!r} by {level!r}; choose 'group' or 'class', "
                f"and one of {', '.join(methods)}."
            )
        ax = new_axes(3.4, 3.3) if ax is None else ax
        with rdr_style():
            self._heat(ax, method, level)
            ax.set_title(label_of(method))
            ax.set_ylabel(f"True {self._axis(level)}")
            ax.set_xlabel(f"Predicted {self._axis(level)}")
        return ax

    def figure(self) -> Figure:
        """One method: groups beside classes. Several: a row of heat maps by group, by class under them."""
        methods = in_methods_order(self.data)
        with rdr_style():
            if len(methods) == 1:
                figure = new_figure(TEXT_WIDTH, 3.3)
                panels = figure.subplots(1, 2, width_ratios=[1, 1.65])
                pairs = [(panels[0], methods[0], "group"), (panels[1], methods[0], "class")]
            else:
                columns = min(len(methods), 4)
                rows = -(-len(methods) // columns)
                figure = new_figure(TEXT_WIDTH, 0.95 + 1.42 * rows * 4 / max(columns, 3))
                grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
                pairs = [(panel, method, "group") for panel, method in zip(grid.flat, methods, strict=False)]
                for panel in grid.flat[len(methods) :]:
                    panel.set_axis_off()
            for at, (panel, method, level) in enumerate(pairs):
                self._heat(panel, method, level)
                panel.set_title(label_of(method) if len(methods) > 1 else f"By {level}", fontsize=8.5)
                if len(methods) > 2:
                    panel.tick_params(axis="x", rotation=40)
                if len(methods) == 1 or at % 4 == 0:
                    panel.set_ylabel(f"True {self._axis(level)}")
                if len(methods) == 1:
                    panel.set_xlabel(f"Predicted {self._axis(level)}")
            if len(methods) > 1:
                figure.supxlabel("Predicted group", fontsize=8, color="#444444")
            head = f"{label_of(methods[0])}: where" if len(methods) == 1 else "Where"
            pooled = self.data.groupby("method")["seed"].nunique().max()
            words = "one seed" if pooled == 1 else seeds_words(self.data).replace("mean of", "images of")
            figure.suptitle(f"{head} test images go, % of the row ({words})\n", x=0.01, ha="left", linespacing=0.5)
        return figure

    def _axis(self, level: str) -> str:
        """What an axis counts: many classes are shown by rank."""
        return "class, by rank" if level == "class" and len(self.classes) > _NUMBERS_UP_TO else level

    def _heat(self, ax: Axes, method: str, level: str) -> None:
        names, cells = self.matrix(method, level)
        # The square root lifts small shares out of the white: a row's mistakes matter more than its diagonal.
        ax.imshow(np.sqrt(cells / 100), cmap="Greys", vmin=0, vmax=1.15, aspect="equal", interpolation="nearest")
        size = len(names)
        ax.grid(False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
        if size > _NUMBERS_UP_TO:
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_formatter(lambda value, _: f"{value + 1:,.0f}")
            bounds = self.classes["group"].ne(self.classes["group"].shift()).to_numpy().nonzero()[0][1:]
            for at in bounds:
                ax.axhline(at - 0.5, color="#BBBBBB", lw=0.5)
                ax.axvline(at - 0.5, color="#BBBBBB", lw=0.5)
            return
        crowded = max(map(len, names)) * size > 30
        ax.set_xticks(range(size), names, rotation=90 if crowded and size > 3 else 0)
        ax.set_yticks(range(size), names)
        for row in range(size):
            for column in range(size):
                value = cells[row, column]
                if np.isnan(value) or (size > 3 and value < 0.5):
                    continue
                ax.text(
                    column, row, number(value, 0 if size > 3 or value == 100 else 1), ha="center", va="center",
                    color="white" if value > 33 else "#222222", fontsize=6.5 if size > 6 else 8,
                )  # fmt: skip
