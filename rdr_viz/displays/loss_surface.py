"""How sharp is the minimum, and for which group? Filter-normalised loss surfaces by group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_viz.analysis.surface import loss_surface, surface_by_group
from rdr_viz.analysis.weights import in_order, method_columns
from rdr_viz.analysis.words import number, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_TEXT
from rdr_viz.displays.shared import GROUP_LOOKS, figure_legend, in_methods_order, label_of, legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.contour import QuadContourSet
    from matplotlib.figure import Figure, FigureBase

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

_SHOWN = ("Many", "Medium", "Few")


@display("surface", place=160)
@dataclass(frozen=True)
class LossSurface(Display):
    """Cross-entropy of each group around a trained network: a line per group, or contours over two directions.

    Attributes:
        data: ``method``, ``label``, ``seed`` and the columns of :func:`rdr_viz.analysis.surface.surface_by_group`.
        dimensions: 1 or 2.
        split: whose images, ``"train"`` or ``"test"``.

    Example:
        >>> LossSurface.from_run(run, dimensions=2).figure()  # doctest: +SKIP
    """

    data: pd.DataFrame
    dimensions: int
    split: str

    title = "How sharp is the minimum, and for which group?"
    look = (
        "0 is the trained network; a step of 1 moves each filter by its own norm in a random direction, the same "
        "direction for every method. A narrow valley is a sharp minimum: check whether Few's is narrower than Many's. "
        "BatchNorm runs on its stored statistics; another direction gives another picture."
    )

    @classmethod
    def from_run(cls, run: Run, **options: Any) -> LossSurface:
        """One run alone; options as for :meth:`from_runs`."""
        return cls.from_runs([run], **options)

    @classmethod
    def from_runs(
        cls,
        runs: Sequence[Run],
        *,
        dimensions: int = 1,
        span: float = 0.5,
        points: int = 21,
        epoch: int | None = None,
        split: str = "train",
        seed: int = 0,
        data: LongTailedData | None = None,
    ) -> LossSurface:
        """Compute the surfaces of runs, one of each method; seeds are different minima, never averaged.

        Args:
            runs: finished runs; of a method with several, the one with the lowest seed is drawn.
            dimensions, points, epoch, split, seed, data: as for :func:`rdr_viz.analysis.surface.loss_surface`.
            span: default 0.5, since further out all is lost.
        """
        chosen: dict[str, Run] = {}
        for run in in_order(runs):
            chosen.setdefault(run.config.method, run)
        tables = []
        for run in chosen.values():
            found = surface_by_group(
                loss_surface(
                    run, dimensions=dimensions, span=span, points=points, epoch=epoch, split=split, seed=seed, data=data
                )
            )
            tables.append(pd.concat([method_columns(run, len(found)), found], axis=1))
        return cls(pd.concat(tables, ignore_index=True), dimensions, split)

    def widths(self, rise: float = 1.0) -> pd.DataFrame:
        """How far one can step until the loss has risen by ``rise`` nats: ``method``, ``group``, ``width``.

        The share of the steps computed whose loss is less than ``rise`` above that of the network, times the length
        of the line (or the area of the square): larger is flatter.
        """
        rows = []
        for (method, group), part in self.data.groupby(["method", "group"], sort=False):
            centre = part.loc[(part["a"] == 0) & (part["b"] == 0), "loss"].item()
            size = np.ptp(part["a"]) * (np.ptp(part["b"]) if self.dimensions == 2 else 1)
            rows.append({"method": method, "group": group, "width": size * (part["loss"] < centre + rise).mean()})
        return pd.DataFrame(rows)

    @property
    def alt(self) -> str:
        parts = []
        for (method, group), part in self.data.groupby(["method", "group"], sort=False):
            centre = part.loc[(part["a"] == 0) & (part["b"] == 0), "loss"].item()
            most = short(part["loss"].max())
            parts.append(f"{label_of(method)}, {group}: {short(centre)} at the network, at most {most}")
        what = "Line charts" if self.dimensions == 1 else "Contour maps"
        span = number(self.data["a"].max(), 2)
        return (
            f"{what} of cross-entropy up to {span} from the network in each direction ({self._images}). "
            f"{'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        widths = self.widths().set_index(["method", "group"])["width"]
        what = "width" if self.dimensions == 1 else "area"
        sentences = []
        for method in in_methods_order(self.data):
            own = widths[method]
            values = ", ".join(f"{group} {number(own[group], 2)}" for group in _SHOWN if group in own)
            sentences.append(f"{label_of(method)}: {values}.")
        whole = number(np.ptp(self.data["a"]) ** self.dimensions, 2)
        return (
            f"The {what} of the valley, where the loss is less than 1 nat above the network's ({whole} is the whole "
            f"range): {' '.join(sentences)}"
        )

    def plot(self, ax: Axes | None = None, *, method: str | None = None, group: str = "All") -> Axes:
        """Draw one method's lines by group, or one group's contours, on ``ax`` and return it.

        Args:
            ax: default: a new figure's axes.
            method: canonical name; None (default) is the first.
            group: of the contours, ``"All"`` (default) or a group; lines show every group.

        Raises:
            RdrError: a method or a group that is not in the data.
        """
        methods, groups = in_methods_order(self.data), set(self.data["group"])
        method = methods[0] if method is None else method
        if method not in methods or group not in groups:
            raise RdrError(f"There is no surface of {method!r} and {group!r}; there are {', '.join(methods)}.")
        ax = new_axes(3.6, 3.0) if ax is None else ax
        with rdr_style():
            if self.dimensions == 1:
                self._lines(ax, method)
                ax.set(xlabel="Step along a random direction", ylabel="Cross-entropy (nats)")
                ax.set_title(f"{label_of(method)} ({self._images})", pad=legend_above(ax, self._handles()))
            else:
                _colour_bar(ax.figure, self._contours(ax, method, group), ax)
                ax.set(xlabel="First direction", ylabel="Second direction")
                ax.set_title(f"{label_of(method)}, {group} ({self._images})")
        return ax

    def figure(self) -> Figure:
        """One dimension: a panel per method. Two: a row per method, a panel per group, with one scale."""
        methods = in_methods_order(self.data)
        with rdr_style():
            if self.dimensions == 1:
                columns = min(len(methods), 4)
                rows = -(-len(methods) // columns)
                figure = new_figure(TEXT_WIDTH, 0.75 + 2.0 * rows)
                grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
                for panel in grid.flat[len(methods) :]:
                    panel.set_axis_off()
                for panel, method in zip(grid.flat, methods, strict=False):
                    self._lines(panel, method)
                    panel.set_title(label_of(method))
                for panel in grid[:, 0]:
                    panel.set_ylabel("Cross-entropy (nats)")
                for panel in grid[-1]:
                    panel.set_xlabel("Step")
                figure_legend(figure, self._handles())
                figure.suptitle(f"Loss along one random direction ({self._images})", x=0.01, ha="left")
                return figure
            groups = [group for group in _SHOWN if group in set(self.data["group"])]
            figure = new_figure(TEXT_WIDTH, 0.75 + 1.5 * len(methods))
            grid = figure.subplots(len(methods), len(groups), sharex=True, sharey=True, squeeze=False)
            for row, method in zip(grid, methods, strict=True):
                for panel, group in zip(row, groups, strict=True):
                    drawn = self._contours(panel, method, group)
                    if method == methods[0]:
                        panel.set_title(group, color=GROUP_TEXT[group])
                row[0].set_ylabel(f"{label_of(method)}\nsecond direction")
            for panel in grid[-1]:
                panel.set_xlabel("First direction")
            _colour_bar(figure, drawn, grid)
            figure.suptitle(f"Loss over two random directions ({self._images})", x=0.01, ha="left")
        return figure

    @property
    def _images(self) -> str:
        return "training images" if self.split == "train" else "test images"

    def _handles(self) -> list:
        from matplotlib.lines import Line2D

        shown = [group for group in _SHOWN if group in set(self.data["group"])]
        return [Line2D([], [], label=group, **GROUP_LOOKS[group]) for group in shown]

    def _lines(self, ax: Axes, method: str) -> None:
        rows = self.data[(self.data["method"] == method) & (self.data["b"] == 0)]
        for group in _SHOWN:
            part = rows[rows["group"] == group]
            if len(part):
                ax.plot(part["a"], part["loss"], **GROUP_LOOKS[group])
        ax.axvline(0, color="#BBBBBB", lw=0.6, zorder=0)
        ax.set_yscale("log")
        low = self.data.loc[self.data["group"].isin(_SHOWN), "loss"]
        ax.set_ylim(max(1e-4, low[low > 0].min() / 1.5), low.max() * 1.5)
        ax.set_xlim(self.data["a"].min(), self.data["a"].max())
        self._ticks(ax.xaxis)

    def _contours(self, ax: Axes, method: str, group: str) -> QuadContourSet:
        part = self.data[(self.data["method"] == method) & (self.data["group"] == group)]
        grid = part.pivot(index="b", columns="a", values="loss")
        # The same levels in every panel, each twice the one before.
        levels = 2.0 ** np.arange(-7, 5)
        from matplotlib.colors import LogNorm

        drawn = ax.contourf(
            grid.columns, grid.index, grid.to_numpy().clip(levels[0], levels[-1]), levels=levels,
            norm=LogNorm(levels[0], levels[-1]), cmap="Purples",
        )  # fmt: skip
        ax.contour(grid.columns, grid.index, grid, levels=[1.0], colors="#222222", linewidths=0.9)
        ax.plot(0, 0, marker="+", color="#222222", markersize=6)
        ax.grid(False)
        ax.set_aspect("equal")
        self._ticks(ax.xaxis)
        self._ticks(ax.yaxis)
        return drawn

    def _ticks(self, axis: Axis) -> None:
        """The two ends and the network."""
        span = self.data["a"].max()
        axis.set_ticks([-span, 0, span], [f"−{span:g}", "0", f"{span:g}"])


def _colour_bar(figure: FigureBase, drawn: QuadContourSet, axes: Axes | Iterable[Axes]) -> None:
    bar = figure.colorbar(drawn, ax=axes, label="Cross-entropy (nats); line: 1 nat", aspect=30, pad=0.02)
    bar.set_ticks([0.01, 0.1, 1, 10], labels=["0.01", "0.1", "1", "10"])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
