"""How long is the tail? Training images by class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdr_core.data.groups import GROUPS
from rdr_core.errors import unknown_name
from rdr_core.visible import NAME, visible
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.words import class_name, factor, listed, percent, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

SCALES = ("linear", "log")
_NAMED_CLASSES = 20  # above it, names no longer fit under the bars


@display("counts", place=10)
@dataclass(frozen=True)
class ClassCounts(Display):
    """Bars of the number of training images of each class, from the largest class to the smallest, by group.

    Attributes:
        data: ``rank``, ``class``, ``name``, ``count`` (images), ``group``; see
            :func:`rdr_viz.analysis.counts.class_table`.
        dataset: The data set's name.
        imbalance_factor: As asked for, None for data taken as they are; ``n_max / n_min`` after rounding is in ``alt``.

    Example:
        >>> ClassCounts.from_run(run).save("figures/class_counts")  # doctest: +SKIP
    """

    data: pd.DataFrame
    dataset: str
    imbalance_factor: float | None

    title = "How long is the tail?"
    look = "Each bar is one class; look at how soon the bars shrink to almost nothing, and how many classes are there."

    @classmethod
    def from_run(cls, run: Run) -> ClassCounts:
        """Read the class counts of ``run``."""
        return cls(class_table(run), visible(run.config.dataset, NAME), run.config.imbalance_factor)

    @classmethod
    def from_data(cls, data: LongTailedData) -> ClassCounts:
        """Read the class counts of ``data``, before anything is trained on it."""
        return cls(class_table(data), data.name, data.imbalance_factor)

    @property
    def alt(self) -> str:
        first, last = self.data.iloc[0], self.data.iloc[-1]
        groups = listed([f"{group} {plural(len(rows), 'class', 'classes')}" for group, rows in self._groups()])
        return (
            f"Bar chart of training images by class for {self.dataset} with "
            f"{factor(self.imbalance_factor)}: {len(self.data):,} classes, from {plural(first['count'], 'image')} "
            f"({class_name(first['name'])}) down to {plural(last['count'], 'image')} ({class_name(last['name'])}), "
            f"{plural(self._total, 'image')} in all. Groups: {groups}."
        )

    @property
    def finding(self) -> str:
        shares = [
            f"{group} has {percent(100 * rows['count'].sum() / self._total)} of the images "
            f"({plural(len(rows), 'class', 'classes')})"
            for group, rows in self._groups()
        ]
        largest, smallest = self.data["count"].max(), self.data["count"].min()
        if largest == smallest:
            return f"Every class has {plural(largest, 'image')}; by group: {listed(shares)}."
        times = f"{largest / smallest:,.0f} times"
        return (
            f"The largest class has {plural(largest, 'image')}, {times} the smallest class's {smallest:,} (counts are "
            f"rounded down to whole images, so this can exceed the factor asked for); by group: {listed(shares)}."
        )

    def plot(self, ax: Axes | None = None, *, scale: str = "linear") -> Axes:
        """Draw the bars on ``ax`` and return it.

        Args:
            ax: Default: a new figure's axes, 5.5 by 2.8 inches.
            scale: ``"linear"`` (default) shows how little the tail is; ``"log"`` shows that counts fall exponentially.

        Raises:
            RdrError: for another scale.
        """
        if scale not in SCALES:
            raise unknown_name("scale", scale, SCALES)
        ax = new_axes(TEXT_WIDTH, 2.8) if ax is None else ax
        with rdr_style():
            self._bars(ax, scale)
            self._group_labels(ax)
            self._class_axis(ax)
        return ax

    @property
    def _total(self) -> int:
        return int(self.data["count"].sum())

    def _groups(self) -> list[tuple[str, pd.DataFrame]]:
        groups = [(group, self.data[self.data["group"] == group]) for group in GROUPS]
        return [(group, rows) for group, rows in groups if len(rows)]

    def _bars(self, ax: Axes, scale: str) -> None:
        colors = self.data["group"].map(GROUP_COLORS).fillna("#888888")
        few = len(self.data) <= _NAMED_CLASSES
        bars = ax.bar(self.data["rank"], self.data["count"], width=0.78 if few else 1.0, color=colors, linewidth=0)
        for end, side in ((0, "left"), (-1, "right")):
            bar = bars[end]
            x = bar.get_x() + bar.get_width() * (0.5 if few else 0.0 if end == 0 else 1.0)
            ax.annotate(
                f"{self.data['count'].iloc[end]:,}",
                (x, bar.get_height()),
                xytext=(0 if few else 3 * (side == "left"), 2),
                textcoords="offset points",
                ha="center" if few else side,
                va="bottom",
            )
        ax.set_xlim(0.4, len(self.data) + 0.6)
        if scale == "log":
            ax.set_yscale("log")
            ax.set_ylim(bottom=0.8)
        ax.margins(y=0.13)  # room for the first number below the brackets
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        ax.set_ylabel("Training images")
        ax.set_title(f"{self.dataset}, {factor(self.imbalance_factor)}", pad=36)

    def _group_labels(self, ax: Axes) -> None:
        """A bracket above the axes over each group's classes, with its name and share of the images."""
        over_axes = ax.get_xaxis_transform()
        for group, rows in self._groups():
            left, right = rows["rank"].min() - 0.4, rows["rank"].max() + 0.4
            color = GROUP_COLORS[group]
            ax.plot([left, right], [1.05, 1.05], color=color, lw=2, transform=over_axes, clip_on=False)
            ax.annotate(
                group,
                ((left + right) / 2, 1.05),
                xycoords=over_axes,
                xytext=(0, 13),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=GROUP_TEXT[group],
                weight="bold",
                annotation_clip=False,
            )
            ax.annotate(
                plural(int(rows["count"].sum()), "image"),
                ((left + right) / 2, 1.05),
                xycoords=over_axes,
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                va="bottom",
                annotation_clip=False,
            )

    def _class_axis(self, ax: Axes) -> None:
        if len(self.data) > _NAMED_CLASSES:
            ax.set_xlabel("Class, by falling number of images")
            ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            return
        names = self.data["name"].tolist()
        crowded = max(len(name) for name in names) * len(names) > 75  # about what 8 pt letters fill at 5.5 in
        ax.set_xticks(self.data["rank"], names, rotation=35 if crowded else 0, ha="right" if crowded else "center")
        if crowded:
            for label in ax.get_xticklabels():
                label.set_rotation_mode("anchor")
        ax.tick_params(axis="x", length=0)
        ax.set_xlabel("Class")
