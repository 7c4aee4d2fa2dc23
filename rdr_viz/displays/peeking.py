"""What does choosing the epoch by the test set add? A number that one must not report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rdr_core.errors import unknown_name
from rdr_viz.analysis.best_epoch import peeking
from rdr_viz.analysis.groups import t_interval
from rdr_viz.analysis.words import number, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import in_methods_order, label_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.runs import Run

_MOST_PANELS = 3  # beside each other


@display("peeking", place=230)
@dataclass(frozen=True)
class Peeking(Display):
    """Best minus last epoch by method, mean over seeds with its 95 % interval; a panel for each setting.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``setting``, ``last``, ``best``, ``gain`` (points), ``best_epoch``,
            ``epochs``; see :func:`rdr_viz.analysis.best_epoch.peeking`.

    Example:
        >>> Peeking.from_runs(runs).save("peeking")  # doctest: +SKIP
    """

    data: pd.DataFrame

    title = "What would peeking at the test set add?"
    look = (
        "The points that a table gains by reporting the best epoch on the test set instead of the last. Do not report "
        "them: no one has a test set's labels before the epoch is chosen. Where methods gain differently, peeking "
        "changes who wins."
    )

    @classmethod
    def from_run(cls, run: Run) -> Peeking:
        """One run alone."""
        return cls.from_runs([run])

    @classmethod
    def from_runs(cls, runs: Sequence[Run]) -> Peeking:
        """Read the runs' histories.

        Raises:
            RdrError: without runs, or if a method has a seed twice in one setting.
        """
        return cls(peeking(runs))

    @property
    def panels(self) -> tuple[str, ...]:
        """The settings, in order."""
        return tuple(dict.fromkeys(self.data["setting"]))

    def summary(self) -> pd.DataFrame:
        """A row per setting and method: ``last``, ``best``, ``gain`` (means over seeds), ``low``, ``high`` (Student's
        95 % interval of the gain, NaN for one seed), ``seeds``."""
        rows = []
        for (setting, method), found in self.data.groupby(["setting", "method"], sort=False):
            low, high = t_interval(found["gain"].to_numpy())
            means = found[["last", "best", "gain"]].mean().to_dict()
            rows.append({"setting": setting, "method": method, **means, "low": low, "high": high, "seeds": len(found)})
        return pd.DataFrame(rows)

    @property
    def alt(self) -> str:
        parts = []
        for setting, rows in self.summary().groupby("setting", sort=False):
            said = [
                f"{label_of(row.method)} {number(row.last)} at the last epoch, {number(row.best)} at the best"
                for row in rows.itertuples()
            ]
            parts.append(f"{setting}: {'; '.join(said)}.")
        return f"What choosing the best of all epochs on the test set adds, by method. {' '.join(parts)}"

    @property
    def finding(self) -> str:
        table = self.summary()
        sentences = []
        for setting, rows in table.groupby("setting", sort=False):
            least, most = rows.loc[rows["gain"].idxmin()], rows.loc[rows["gain"].idxmax()]
            if len(rows) == 1:
                sentences.append(f"{setting}: peeking adds {_points(most['gain'])} to {label_of(most['method'])}.")
                continue
            sentences.append(
                f"{setting}: peeking adds {_points(rows['gain'].mean())} on average, from {number(least['gain'])} "
                f"({label_of(least['method'])}) to {number(most['gain'])} ({label_of(most['method'])})."
            )
        if table["seeds"].max() == 1:
            sentences.append("This is one seed.")
        return " ".join(sentences)

    def plot(self, ax: Axes | None = None, *, panel: str | None = None) -> Axes:
        """Draw one setting on ``ax`` (default: a new figure's axes) and return it.

        Args:
            ax: where to.
            panel: one of :attr:`panels` (default: the first).

        Raises:
            RdrError: another panel.
        """
        panel = self.panels[0] if panel is None else panel
        if panel not in self.panels:
            raise unknown_name("panel", panel, self.panels)
        methods = self._methods()
        ax = new_axes(TEXT_WIDTH, 1.05 + 0.24 * len(methods)) if ax is None else ax
        rows = self.summary()
        rows = rows[rows["setting"] == panel].set_index("method")
        with rdr_style():
            for place, method in enumerate(methods):
                if method not in rows.index:
                    continue
                row, style = rows.loc[method], method_style(method)
                if row["low"] < row["high"]:
                    ends = [max(0.0, row["low"]), row["high"]]  # no gain is below 0
                    ax.plot(ends, [place, place], color=style.edge, lw=1.6, solid_capstyle="butt")
                look = style.line() | {"linestyle": "none", "markersize": 6}
                ax.plot(row["gain"], place, **look)
            ax.set_ylim(len(methods) - 0.5, -0.5)
            ax.set_yticks(range(len(methods)), [label_of(method) for method in methods])
            ax.set_xlim(0, self._widest())
            ax.grid(False, axis="y")
            ax.set_xlabel("Best minus last epoch (points)")
            seeds = rows["seeds"]
            low, high = int(seeds.min()), int(seeds.max())
            ax.set_title(f"{panel}\n{plural(high, 'seed') if low == high else f'{low} to {high} seeds'}")
        return ax

    def figure(self) -> Figure:
        """All settings beside each other, on one scale."""
        columns = min(len(self.panels), _MOST_PANELS)
        rows = -(-len(self.panels) // columns)
        figure = new_figure(TEXT_WIDTH if columns == 1 else 7.2, (1.05 + 0.24 * len(self._methods())) * rows)
        with rdr_style():
            axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
            for ax in axes[len(self.panels) :]:
                ax.set_axis_off()
            for ax, panel in zip(axes, self.panels, strict=False):
                self.plot(ax, panel=panel)
        return figure

    def _widest(self) -> float:
        table = self.summary()
        return 1.05 * max(table[["gain", "high"]].max().max(), 0.1)

    def _methods(self) -> list[str]:
        return in_methods_order(self.data)


def _points(value: float) -> str:
    return f"{number(value)} points"
