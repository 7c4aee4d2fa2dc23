"""How does each class's weight change in training? The idea of the paper's figure 7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.data.groups import GROUPS
from rdr_core.methods.names import method_label
from rdr_viz.analysis.correlation import is_constant
from rdr_viz.analysis.over_epochs import changes_by_class, first_and_last, weights_by_class
from rdr_viz.analysis.words import class_name, listed, percent, plural, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.epochs import epoch_axis, log_ticks, shade_warm_up
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT
from rdr_viz.displays.shared import chosen_groups, data_of, rows_of_groups

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.runs import Run

_LOG_FROM = 5.0  # largest over smallest weight from which a log axis reads better
_LABEL_GAP = 0.085  # least distance of two labels at the right, in parts of the axes' height
_PANEL_GAP = 0.1  # the same in a group's panel, which is lower
_LONGEST = 14  # letters of a class's name in a panel
_COLUMNS = {"weight": "Class weight (mean 1)", "ratio": "Mean raw ratio r"}  # from above to below, and their axes
_EACH = 12  # up to as many classes the finding names the change of each, and up to half as many a panel each line


@display("weights", place=30)
@dataclass(frozen=True)
class WeightsByClass(Display):
    """A line per class: its mean weight over each epoch's visits, in its group's colour.

    Below, for a method with ratios, are the classes' mean raw ratios r. The weights are these ratios clamped, times
    1/n, scaled to mean 1 over the classes: a weight falls if its ratio falls, but also if those of other classes rise.

    Attributes:
        data: ``epoch``, ``class``, ``name``, ``count``, ``group``, ``weight``, ``ratio``, ``warm_up``; see
            :func:`rdr_viz.analysis.over_epochs.weights_by_class`.
        method: Canonical method name.
        groups: Groups with a panel of their own, as in the paper's figure 7; empty for all classes in one.
        setting: The run's data set and imbalance factor, for the title.

    Example:
        >>> WeightsByClass.from_run(run).plot().figure  # doctest: +SKIP
    """

    data: pd.DataFrame
    method: str
    groups: tuple[str, ...] = ()
    setting: str = ""

    title = "How do the class weights change in training?"
    look = (
        "Each line is one class; look at how far apart large and small classes are, and whether the lines still move "
        "late in training. If weights move and raw ratios do not, scaling and the clamp at 0 move them."
    )

    @classmethod
    def from_run(cls, run: Run, *, groups: Sequence[str] | None = None) -> WeightsByClass:
        """Read the class weights of ``run``.

        Args:
            run: A stored run.
            groups: Groups to show in a panel each, on vertical scales of their own, where small moves show (the paper's
                figure 7: all three); None (default) is all classes on one scale.

        Raises:
            RdrError: for another group, or none, or only such as have no class.
        """
        data = weights_by_class(run)
        shown: tuple[str, ...] = ()
        if groups is not None:
            shown = chosen_groups(groups, GROUPS)
            data = rows_of_groups(data, shown)
        return cls(data, run.config.method, shown, data_of(run))

    @property
    def has_ratios(self) -> bool:
        """Whether the method has density ratios."""
        return bool(self.data["ratio"].notna().any())

    def changes(self) -> pd.DataFrame:
        """How far each class's weight moved; see :func:`rdr_viz.analysis.over_epochs.changes_by_class`."""
        return changes_by_class(self.data, "weight")

    @property
    def alt(self) -> str:
        largest, smallest = self._ends()
        ends, below = [], []
        for klass in dict.fromkeys((largest, smallest)):
            rows = self._line(klass)
            ends.append(
                f"{class_name(rows['name'].iloc[0])} ({plural(int(rows['count'].iloc[0]), 'image')}) from "
                f"{short(rows['weight'].iloc[0])} to {short(rows['weight'].iloc[-1])}"
            )
            if self.has_ratios:
                used = rows[~rows["warm_up"]]
                below.append(
                    f"{class_name(rows['name'].iloc[0])} from {short(used['ratio'].iloc[0])} to "
                    f"{short(used['ratio'].iloc[-1])}"
                )
        beneath = f" Beneath, their mean raw ratios after the warm-up: {listed(below)}." if below else ""
        return (
            f"Line chart of the mean weight of {plural(self.data['class'].nunique(), 'class', 'classes')} for "
            f"{method_label(self.method)}, epochs {self.data['epoch'].min()} to {self.data['epoch'].max()}: "
            f"{listed(ends)}.{beneath}"
        )

    @property
    def finding(self) -> str:
        weights = self.data["weight"].dropna()
        if is_constant(weights):
            return f"Every class kept the weight {short(weights.iloc[0])} throughout."
        first, last = first_and_last(self.data)
        ratios = f" Mean raw ratio: {self._moves('ratio', first, last)}." if self.has_ratios else ""
        warm_up = f" Before epoch {first[0]} some class still had its initial weight, 1." if first[0] > 1 else ""
        return (
            f"Mean weight in {_span(first)} and in {_span(last)}: {self._moves('weight', first, last)}.{ratios}"
            f"{self._each()}{warm_up}"
        )

    def _moves(self, column: str, first: list[int], last: list[int]) -> str:
        """The groups' means over some epochs and over others."""
        moves = []
        for group in GROUPS:
            rows = self.data[self.data["group"] == group]
            if rows.empty:
                continue
            start, end = (rows.loc[rows["epoch"].isin(part), column].mean() for part in (first, last))
            change = f" ({_signed(100 * (end / start - 1))})" if start > 0 else ""
            moves.append(f"{group} {short(start)} and {short(end)}{change}")
        return ", ".join(moves)

    def _each(self) -> str:
        """The classes' own changes, in a sentence, where there are few enough to read."""
        changes = self.changes()
        if len(changes) > _EACH or changes["change"].isna().all():
            return ""
        parts = []
        for group, rows in changes.groupby("group", sort=False):
            known = rows.dropna(subset="change")
            if len(known):
                names = [class_name(name).removeprefix("class ") for name in known["name"]]
                parts.append(f"{group} {', '.join(names)}: {listed([_signed(value) for value in known['change']])}")
        return f" Class by class: {'; '.join(parts)}."

    def figure(self) -> Figure:
        """All classes on one scale, or a panel for each of :attr:`groups`; beneath them the raw ratios."""
        if not self.groups:
            return self._whole()
        rows = 2 if self.has_ratios else 1
        figure = new_figure(TEXT_WIDTH, 0.5 + 1.8 * rows)
        with rdr_style():
            panels = figure.subplots(rows, len(self.groups), sharex="col", squeeze=False)
            for row, (column, label) in zip(panels, list(_COLUMNS.items())[:rows], strict=True):
                for ax, group in zip(row, self.groups, strict=True):
                    self._panel(ax, group, column)
                row[0].set_ylabel(label)
            for ax, group in zip(panels[0], self.groups, strict=True):
                ax.set_title(group, color=GROUP_TEXT[group])
            for ax in panels[-1]:
                ax.set_xlabel("Epoch")
            figure.align_ylabels(panels[:, 0])
            figure.suptitle(self._heading(), x=0.01, ha="left")
        return figure

    def _whole(self) -> Figure:
        """All classes on one scale."""
        if not self.has_ratios:
            return super().figure()
        figure = new_figure(TEXT_WIDTH, 4.6)
        with rdr_style():
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.6))
            self.plot(upper).set_xlabel("")
            self._lines(lower, self.data, "ratio")
            shade_warm_up(lower, self.data)
            epoch_axis(lower, self.data["epoch"])
            lower.set_ylabel(_COLUMNS["ratio"])
            figure.align_ylabels([upper, lower])
        return figure

    def _heading(self) -> str:
        words = f"{method_label(self.method)}: weight of each class"
        return f"{words} ({self.setting})" if self.setting else words

    def _panel(self, ax: Axes, group: str, column: str) -> None:
        """The lines of one group on a scale of their own, each with its class's name at the right."""
        rows = self.data[self.data["group"] == group]
        if rows[column].isna().all():
            ax.text(0.5, 0.5, f"no {column} in\nthis group", transform=ax.transAxes, ha="center", va="center")
            ax.set(xticks=[], yticks=[])
            return
        self._lines(ax, rows, column)
        shade_warm_up(ax, self.data)
        epoch_axis(ax, self.data["epoch"], label=False)
        ax.margins(y=0.08)
        ax.locator_params(axis="y", nbins=5)
        final = rows[rows["epoch"] == rows["epoch"].max()].dropna(subset=column)
        if rows["class"].nunique() <= _EACH // 2 and len(final):
            low, high = ax.get_ylim()
            heights = ((final[column] - low) / (high - low)).to_numpy()
            for height, name in zip(apart(heights, _PANEL_GAP), final["name"], strict=True):
                ax.annotate(
                    name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…", (1, height),
                    xycoords="axes fraction", xytext=(3, 0), textcoords="offset points", va="center",
                    color=GROUP_TEXT[group], annotation_clip=False,
                )  # fmt: skip

    def _lines(self, ax: Axes, rows: pd.DataFrame, column: str) -> None:
        """A line for each class of the rows, without the warm-up: its weights of 1 would flatten all that follows."""
        wide = rows["class"].nunique() <= _EACH
        for _, line in rows.groupby("class", sort=True):
            color = GROUP_COLORS[line["group"].iloc[0]]
            ax.plot(line["epoch"], line[column].mask(line["warm_up"]), color=color, lw=1.2 if wide else 0.7)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw all weights on ``ax`` (default: a new figure's axes, 5.5 by 3 inches) and return it.

        The vertical axis is logarithmic where all weights are positive and the largest is over five times the smallest.
        """
        ax = new_axes(TEXT_WIDTH, 3.0) if ax is None else ax
        with rdr_style():
            many = self.data["class"].nunique() > 30
            for _, rows in self.data.groupby("class", sort=True):
                color = GROUP_COLORS.get(rows["group"].iloc[0], "#888888")
                ax.plot(rows["epoch"], rows["weight"], color=color, lw=0.7 if many else 1.3)
            self._scale(ax)
            shade_warm_up(ax, self.data)
            epoch_axis(ax, self.data["epoch"])
            self._labels(ax)
            ax.set_ylabel("Class weight (mean of all: 1)")
            ax.set_title(self._heading())
        return ax

    def _scale(self, ax: Axes) -> None:
        weights = self.data["weight"].dropna()
        if weights.empty or weights.min() <= 0 or weights.max() / weights.min() <= _LOG_FROM:
            ax.set_ylim(bottom=0)
            return
        ax.set_yscale("log")
        ax.set_ylim(weights.min() / 1.15, weights.max() * 1.15)
        log_ticks(ax.yaxis, *ax.get_ylim())

    def _labels(self, ax: Axes) -> None:
        """At the right: the largest and the smallest class with their numbers, and the groups' names between."""
        weights = self.data["weight"].dropna()
        if weights.empty or is_constant(weights):
            words = "no weights" if weights.empty else f"every class: {short(weights.iloc[0])}"
            at = (1, 0.5) if weights.empty else (1, weights.iloc[0])
            ax.annotate(
                words,
                at,
                xycoords="axes fraction" if weights.empty else ("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                annotation_clip=False,
            )
            return
        ends = self._ends()
        wanted = []
        for klass in dict.fromkeys(ends):
            rows = self._line(klass).dropna(subset="weight")
            if len(rows):
                row = rows.iloc[-1]
                words = f"{class_name(row['name'], 14)} (n = {row['count']:,}): {short(row['weight'])}"
                wanted.append((row["weight"], words, row["group"], "normal"))
        final = self.data[self.data["epoch"] == self.data["epoch"].max()]
        for group in GROUPS:
            rows = final.loc[final["group"] == group, "weight"].dropna()
            if len(rows):
                wanted.append((rows.median(), group, group, "bold"))
        to_axes = ax.transScale + ax.transLimits
        heights = np.array([to_axes.transform((self.data["epoch"].max(), value))[1] for value, *_ in wanted])
        for height, (_, words, group, weight) in zip(apart(heights, _LABEL_GAP), wanted, strict=True):
            ax.annotate(
                words,
                (1, height),
                xycoords="axes fraction",
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=GROUP_TEXT.get(group, "#444444"),
                weight=weight,
                annotation_clip=False,
            )

    def _ends(self) -> tuple[int, int]:
        """The classes with the most and the fewest images."""
        counts = (
            self.data.drop_duplicates("class").set_index("class")["count"].sort_values(ascending=False, kind="stable")
        )
        return int(counts.index[0]), int(counts.index[-1])

    def _line(self, klass: int) -> pd.DataFrame:
        return self.data[self.data["class"] == klass]


def apart(heights: np.ndarray, gap: float) -> np.ndarray:
    """The nearest heights within 0..1, in the same order, that keep ``gap`` between neighbours; shape (k,) in and out.

    Least squares under the order, by pooling: subtract the gaps already due, take the isotonic fit, clip, add back.

    Example:
        >>> apart(np.array([0.5, 0.5, 0.9]), 0.1).round(2).tolist()
        [0.45, 0.55, 0.9]
    """
    order = np.argsort(heights, kind="stable")
    due = gap * np.arange(len(heights))
    pools: list[tuple[float, int]] = []
    for value in heights[order] - due:
        size = 1
        while pools and pools[-1][0] > value:
            before, count = pools.pop()
            value, size = (before * count + value * size) / (count + size), count + size
        pools.append((value, size))
    placed = np.empty(len(heights))
    fit = np.repeat([value for value, _ in pools], [size for _, size in pools])
    placed[order] = np.clip(fit, 0, max(0.0, 1 - due[-1])) + due
    return placed


def _span(epochs: list[int]) -> str:
    return f"epoch {epochs[0]}" if len(epochs) == 1 else f"epochs {epochs[0]} to {epochs[-1]}"


def _signed(value: float) -> str:
    return f"+{percent(value)}" if round(value, 1) > 0 else percent(value)
