"""Which test images does one method get right and the other wrong? The images themselves, by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError
from rdr_viz.analysis.disagreements import shown_disagreements
from rdr_viz.analysis.words import class_name, listed, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

#: Images of each class and side, and classes: what a page has room for.
PER_CLASS, CLASSES = 5, 10


@display("answers", place=110)
@dataclass(frozen=True)
class Answers(Display):
    """Two strips of test images for each class: those that only the second method gets right, and only the first.

    With several methods the first and the last are compared, with several seeds the smallest that both have. With one
    method the strips show what it gets right and what it gets wrong. The images are the first of their kind in the test
    set, not chosen.

    Attributes:
        data: a row an image: ``rank``, ``class``, ``name``, ``count``, ``group``, ``right``, ``method``, ``label``,
            ``seed``, ``images``, ``tested``, ``image``, ``taken_for``; see
            :func:`rdr_viz.analysis.disagreements.shown_disagreements`.
        pixels: (rows, H, W, C) uint8, of each row of ``data``.

    Example:
        >>> Answers.from_runs([ce, rdr]).save("figures/answers")  # doctest: +SKIP
    """

    data: pd.DataFrame
    pixels: np.ndarray = field(repr=False)

    title = "Which test images does one method get right and another wrong?"
    look = (
        "Under each image is the class that the wrong method predicts. A method that only shifts its decision towards "
        "rare classes wins images there and loses similar images of common classes: compare the two columns' numbers."
    )

    @classmethod
    def from_run(cls, run: Run, *, data: LongTailedData | None = None) -> Answers:
        """What one run gets right, and what it gets wrong."""
        return cls.from_runs([run], data=data)

    @classmethod
    def from_runs(cls, runs: Sequence[Run], *, data: LongTailedData | None = None) -> Answers:
        """Compare the first method with the last.

        Args:
            runs: finished runs on one data set.
            data: where the runs were trained on the user's own arrays.

        Raises:
            RdrError: runs that can't be compared, or whose test images are not available.
        """
        return cls(*shown_disagreements(runs, per_class=PER_CLASS, classes=CLASSES, data=data))

    @property
    def alt(self) -> str:
        rows = self._by_class()
        parts = [
            f"{class_name(first['name'])} ({first['group']}, {plural(first['tested'], 'test image')}) "
            + listed([f"{images:,} {words}" for images, words in zip(counts, self._sides(), strict=True)])
            for first, counts in rows
        ]
        return f"Test images by class, seed {self.data['seed'].iloc[0]}. {'; '.join(parts)}."

    @property
    def finding(self) -> str:
        left, right = self._sides()
        sentences = []
        for group in GROUPS:
            counts = [counts for first, counts in self._by_class() if first["group"] == group]
            if counts:
                sums = np.sum(counts, axis=0)
                sentences.append(f"{sums[0]:,} {left} and {sums[1]:,} {right} on {group}")
        shown = "" if self._whole else ", among the classes shown"
        return f"Of the test images{shown}, {listed(sentences)} (seed {self.data['seed'].iloc[0]})."

    def plot(self, ax: Axes | None = None, *, name: str | None = None) -> Axes:
        """Draw the strips of one class on ``ax`` and return it.

        Args:
            ax: default: a new figure's axes.
            name: of the class; None (default) is the one with the fewest training images.

        Raises:
            RdrError: a class that is not shown.
        """
        names = list(dict.fromkeys(self.data["name"]))
        name = names[-1] if name is None else name
        if name not in names:
            raise RdrError(f"There are no images of {name!r} here; choose one of {', '.join(names)}.")
        with rdr_style():
            ax = new_figure(TEXT_WIDTH, 1.0).subplots() if ax is None else ax
            self._row(ax, name)
            self._heads(ax)
        return ax

    def figure(self) -> Figure:
        """A row a class, from the one with the most training images to the one with the fewest."""
        names = list(dict.fromkeys(self.data["name"]))
        with rdr_style():
            from matplotlib.layout_engine import ConstrainedLayoutEngine

            figure = new_figure(TEXT_WIDTH, 0.55 + 0.56 * len(names))
            engine = figure.get_layout_engine()
            if isinstance(engine, ConstrainedLayoutEngine):
                engine.set(h_pad=0.01, hspace=0.0)
            axes = figure.subplots(len(names), 1, squeeze=False)[:, 0]
            for ax, name in zip(axes, names, strict=True):
                self._row(ax, name)
            self._heads(axes[0])
        return figure

    @property
    def _one(self) -> bool:
        return self.data["method"].nunique() == 1

    @property
    def _whole(self) -> bool:
        return len(self.data["rank"].unique()) == self.data["rank"].max()

    def _sides(self) -> tuple[str, str]:
        """What the left and the right strip hold, in words."""
        left, right = (self.data.loc[self.data["right"] == side, "label"].iloc[0] for side in self._order)
        return (f"{left} gets right", f"{left} gets wrong") if self._one else (
            f"only {left} gets right", f"only {right} gets right")  # fmt: skip

    @property
    def _order(self) -> tuple[int, int]:
        """``right`` of the left and the right strip."""
        return (0, 1) if self._one else (1, 0)

    def _by_class(self) -> list[tuple[pd.Series, list[int]]]:
        """Of each class its first row, and its images left and right."""
        found = []
        for _, rows in self.data.groupby("rank"):
            found.append((rows.iloc[0], [int(rows.loc[rows["right"] == s, "images"].iloc[0]) for s in self._order]))
        return found

    def _row(self, ax: Axes, name: str) -> None:
        """Words on the left, then two strips; one unit of the axes is an image's side and the room beside it."""
        rows = self.data[self.data["name"] == name]
        first = rows.iloc[0]
        ax.set_xlim(-2.15, 2 * PER_CLASS + 1.5)
        ax.set_ylim(-0.32, 1.0)
        ax.set_aspect("equal")
        ax.set_axis_off()
        color = GROUP_TEXT.get(first["group"], "#222222")
        ax.plot(
            [-2.12, -2.12],
            [-0.1, 0.92],
            color=GROUP_COLORS.get(first["group"], "#888888"),
            lw=2.5,
            solid_capstyle="butt",
        )
        ax.text(-2.0, 0.64, class_name(first["name"]), va="center", fontsize=8, color=color, weight="bold")
        ax.text(-2.0, 0.24, plural(int(first["count"]), "image"), va="center", fontsize=7, color="#444444")
        for at, side in enumerate(self._order):
            strip = rows[rows["right"] == side]
            start = at * (PER_CLASS + 1.0)
            ax.text(start + 0.42, 0.45, f"{int(strip['images'].iloc[0]):,}", ha="right", va="center", fontsize=8)
            for place, (index, row) in enumerate(strip[strip["image"] >= 0].iterrows()):
                x = start + 0.55 + place
                pixels = self.pixels[self.data.index.get_loc(index)]
                ax.imshow(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels, extent=(x, x + 0.9, 0.0, 0.9),
                          cmap="gray", vmin=0, vmax=255, interpolation="nearest", zorder=2)  # fmt: skip
                if row["taken_for"] != row["name"]:
                    ax.text(x + 0.45, -0.05, row["taken_for"], ha="center", va="top", fontsize=5.5, color="#444444")
        ax.set_xlim(-2.15, 2 * PER_CLASS + 1.5)
        ax.set_ylim(-0.32, 1.0)

    def _heads(self, ax: Axes) -> None:
        for at, words in enumerate(self._sides()):
            words = words[0].upper() + words[1:]
            ax.text(at * (PER_CLASS + 1.0) + 0.55, 1.08, words, va="bottom", fontsize=8, clip_on=False)
