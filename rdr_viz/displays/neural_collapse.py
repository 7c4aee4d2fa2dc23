"""Do features and classifier collapse to a simplex, and evenly? NC1 to NC4 over kept epochs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rdr_core.errors import unknown_name
from rdr_viz.analysis.geometry import MEASURES, neural_collapse
from rdr_viz.analysis.words import short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.shared import (
    in_methods_order,
    label_of,
    last_epochs,
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

_NAMES = {
    "nc1": "NC1: spread within\nover between classes",
    "nc2_norm": "NC2: unequal norms\nof class means",
    "nc2_angle": "NC2: angles of means\naway from a simplex",
    "nc3": "NC3: classifier away\nfrom class means",
    "nc4": "NC4: disagreement with\nnearest class mean",
}


_WORDS = {"nc1": "NC1", "nc2_norm": "NC2 (norms)", "nc2_angle": "NC2 (angles)", "nc3": "NC3", "nc4": "NC4"}


@display("collapse", place=140)
@dataclass(frozen=True)
class NeuralCollapse(Display):
    """A panel per measure of neural collapse, a line per method over the epochs whose weights were kept.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``epoch`` and a column per measure; see
            :func:`rdr_viz.analysis.geometry.neural_collapse`. Every measure is 0 at complete collapse.
        split: whose features, ``"train"`` or ``"test"``.
    """

    data: pd.DataFrame
    split: str

    title = "Do features and classifier collapse to a simplex?"
    look = (
        "Every measure is 0 at complete collapse. On imbalanced data the means of rare classes crowd together, which "
        "NC2 shows; a method that treats classes alike brings its lines down."
    )

    @classmethod
    def from_run(cls, run: Run, **options: Any) -> NeuralCollapse:
        """One run alone; options as for :meth:`from_runs`."""
        return cls.from_runs([run], **options)

    @classmethod
    def from_runs(
        cls,
        runs: Sequence[Run],
        *,
        epochs: Iterable[int] | None = None,
        split: str = "train",
        data: LongTailedData | None = None,
    ) -> NeuralCollapse:
        """Measure the runs at their kept epochs.

        Args:
            runs: finished runs.
            epochs: which of the kept ones; None (default) is all.
            split: ``"train"`` (default) or ``"test"``.
            data: where the runs were trained on the user's own arrays.
        """
        return cls(neural_collapse(runs, epochs=epochs, split=split, data=data), split)

    @property
    def alt(self) -> str:
        parts = []
        for method, rows in self._last().groupby("method", sort=False):
            values = ", ".join(f"{measure} {short(rows[measure].mean())}" for measure in MEASURES)
            parts.append(f"{label_of(method)}: {values}")
        return (
            f"Line charts of neural collapse of {self._images} at epochs "
            f"{', '.join(map(str, sorted(self.data['epoch'].unique())))}, {seeds_words(self.data)}. At the last: "
            f"{'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        means = self._last().groupby("method", sort=False)[list(MEASURES)].mean()
        if len(means) == 1:
            values = ", ".join(f"{_WORDS[measure]} {short(means[measure].iloc[0])}" for measure in MEASURES)
            return f"At the last epoch: {values} (0: collapsed)."
        parts = [f"{_WORDS[m]} with {label_of(means[m].idxmin())} ({short(means[m].min())})" for m in MEASURES]
        return f"At the last epoch the lowest values (0: collapsed) were {', '.join(parts)}."

    def plot(self, ax: Axes | None = None, *, measure: str = "nc1") -> Axes:
        """Draw one measure (default NC1) on ``ax`` and return it.

        Raises:
            RdrError: another measure.
        """
        if measure not in MEASURES:
            raise unknown_name("measure", measure, MEASURES)
        ax = new_axes(TEXT_WIDTH, 2.8) if ax is None else ax
        with rdr_style():
            self._panel(ax, measure)
            ax.set_xlabel("Epoch")
            pad = legend_above(ax, method_handles(in_methods_order(self.data)))
            ax.set_title(f"{_NAMES[measure].replace(chr(10), ' ')} ({self._images})", pad=pad)
        return ax

    def figure(self) -> Figure:
        """All measures; the sixth place holds the legend."""
        figure = new_figure(TEXT_WIDTH, 4.0)
        with rdr_style():
            grid = figure.subplots(2, 3, sharex=True).flatten()
            for panel, measure in zip(grid, MEASURES, strict=False):
                self._panel(panel, measure)
                panel.set_title(_NAMES[measure], fontsize=8, pad=5)
            grid[2].tick_params(labelbottom=True)
            for panel in grid[3:5]:
                panel.set_xlabel("Epoch")
            grid[5].set_axis_off()
            grid[5].legend(handles=method_handles(in_methods_order(self.data)), loc="center", title="0: collapsed")
            figure.suptitle(f"Neural collapse of {self._images} ({seeds_words(self.data)})", x=0.01, ha="left")
        return figure

    @property
    def _images(self) -> str:
        return "training images" if self.split == "train" else "test images"

    def _last(self) -> pd.DataFrame:
        return last_epochs(self.data)

    def _panel(self, ax: Axes, measure: str) -> None:
        seed_lines(ax, self.data, "epoch", measure, markers=True)
        highest = self.data[measure].max()
        ax.set_ylim(0, 1.08 * highest if highest > 0 else 1)
        ax.set_xticks(sorted(self.data["epoch"].unique()))
        ax.margins(x=0.06)
        ax.locator_params(axis="y", nbins=5)
