"""How many density ratios make no sense as weights? The share of raw ratios below zero, over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rdr_viz.analysis.weights import ratios_below_zero
from rdr_viz.analysis.words import listed, percent
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.epochs import epoch_axis
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.shared import in_methods_order, label_of, legend_above, method_handles, seed_lines, seeds_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rdr_core.runs import Run


@display("below-zero", place=70)
@dataclass(frozen=True)
class RatiosBelowZero(Display):
    """A line per method: the share of visits whose raw density ratio is below 0, by epoch.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``epoch``, ``percent``; see
            :func:`rdr_viz.analysis.weights.ratios_below_zero`.
    """

    data: pd.DataFrame

    title = "How many density ratios are below zero?"
    look = (
        "A ratio of densities cannot be negative, but its least-squares estimate can; clamped, such an image has no "
        "weight in that step. A high line means that much of the data is thrown away by noise."
    )

    @classmethod
    def from_run(cls, run: Run) -> RatiosBelowZero:
        """One run alone."""
        return cls.from_runs([run])

    @classmethod
    def from_runs(cls, runs: Sequence[Run]) -> RatiosBelowZero:
        """Read the runs' histories; methods without ratios stay in ``data`` as NaN and are not drawn.

        Raises:
            RdrError: without runs.
        """
        return cls(ratios_below_zero(runs))

    @property
    def alt(self) -> str:
        if self._known.empty:
            return f"No line: {self._without}."
        values = []
        for method, rows in self._known.groupby("method", sort=False):
            means = rows.groupby("epoch")["percent"].mean()
            values.append(f"{label_of(method)} from {percent(means.iloc[0])} to {percent(means.iloc[-1])}")
        return (
            f"Line chart of the share of raw density ratios below 0, epochs {self.data['epoch'].min()} to "
            f"{self.data['epoch'].max()}, {seeds_words(self._known)}: {'; '.join(values)}."
        )

    @property
    def finding(self) -> str:
        if self._known.empty:
            return f"There are no ratios: {self._without}."
        epochs = sorted(self._known["epoch"].unique())
        size = max(1, len(epochs) // 5)
        parts = []
        for method, rows in self._known.groupby("method", sort=False):
            first, last = (
                rows.loc[rows["epoch"].isin(part), "percent"].mean() for part in (epochs[:size], epochs[-size:])
            )
            parts.append(
                f"{percent(first)} in the first and {percent(last)} in the last fifth of {label_of(method)}'s epochs"
            )
        return f"Raw ratios below 0: {listed(parts)}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the lines on ``ax`` (default: a new figure's axes, 5.5 by 2.6 inches) and return it."""
        ax = new_axes(TEXT_WIDTH, 2.6) if ax is None else ax
        with rdr_style():
            methods = in_methods_order(self._known)
            seed_lines(ax, self._known, "epoch", "percent")
            pad = 8.0
            if methods:
                handles = method_handles(methods)
                for handle in handles:
                    handle.set_marker("")
                pad = legend_above(ax, handles)
            else:
                ax.text(0.5, 0.5, self._without, transform=ax.transAxes, ha="center", color="#666666")
            ax.set_ylim(0, max(5.0, 1.08 * self._known["percent"].max()) if methods else 100)
            epoch_axis(ax, self.data["epoch"])
            ax.set_ylabel("Raw ratios below 0 (%)")
            words = f" ({seeds_words(self._known)}" if methods else ""
            band = ", band: all seeds)" if methods and self._known["seed"].nunique() > 1 else ")" if methods else ""
            ax.set_title(f"Density ratios without meaning{words}{band}", pad=pad)
        return ax

    @property
    def _known(self) -> pd.DataFrame:
        return self.data.dropna(subset="percent")

    @property
    def _without(self) -> str:
        labels = list(dict.fromkeys(self.data["label"]))
        return f"{listed(labels)} {'has' if len(labels) == 1 else 'have'} no density ratios"
