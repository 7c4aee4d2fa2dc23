"""Is flatness more than a small loss? The trace of each class's Hessian by its training loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label, method_order
from rdr_viz.analysis.correlation import spearman
from rdr_viz.analysis.words import listed, number, plural, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import figure_legend, in_methods_order, label_of, method_handles
from rdr_viz.displays.trace_table import NO_LOSS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

_COLUMNS = [
    "method", "label", "seed", "class", "name", "group", "images", "mean_loss", "trace", "trace_per_loss", "mode",
]  # fmt: skip


@display("flatness", place=200)
@dataclass(frozen=True)
class Flatness(Display):
    """A point for each run and class: trace against training loss, log axes; along a grey line only scale differs.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``class``, ``name``, ``group``, ``images``, ``mean_loss``, ``trace``,
            ``trace_per_loss``, ``mode``; a row for each run and class, of the last epoch, both above 0.

    Example:
        >>> Flatness.from_runs([ce, inverse, rdr]).finding  # doctest: +SKIP
    """

    data: pd.DataFrame

    title = "Is flatness more than a small loss?"
    look = (
        "Along a grey line the trace falls only as the loss does: only the Hessian's scale changes. A method that "
        "finds flatter minima is below the others, not further down along the line. Large points are Few."
    )

    @classmethod
    def from_run(cls, run: Run, *, data: LongTailedData | None = None, **options: Any) -> Flatness:
        """Of one run's classes; as :meth:`from_runs`."""
        return cls.from_runs([run], data=data, **options)

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, classes: Sequence[int] | None = None, data: LongTailedData | None = None,
        **options: Any,
    ) -> Flatness:  # fmt: skip
        """Compute or read curvature and loss after the last epoch.

        Args:
            runs: in any order.
            classes: to draw (default: all, as `rdr analyse RUN --what curvature` stores them).
            data: where the runs were trained on the user's own arrays.
            options: further ones of :func:`rdr_viz.analysis.curvature.class_curvature`.

        Raises:
            RdrError: no run, or none whose loss is known.
        """
        from rdr_viz.analysis.curvature import class_curvature, scale_free

        if not runs:
            raise RdrError("There is no run to draw; give at least one.")
        tables = []
        for run in sorted(runs, key=lambda run: (*method_order(run.config.method), run.config.seed)):
            chosen: dict[str, Any] = {} if classes is None else {"classes": classes, "epochs": run.milestones[-1:]}
            table = scale_free(class_curvature(run, **chosen, data=data, **options))
            table = table[(table["rank"] == 1) & (table["epoch"] == run.config.epochs)]
            tables.append(
                table.assign(
                    method=run.config.method, label=method_label(run.config.method), seed=run.config.seed,
                    name=[run.class_names[klass] for klass in table["class"]],
                )
            )  # fmt: skip
        found = pd.concat(tables, ignore_index=True)[_COLUMNS]
        found = found[(found["mean_loss"] > 0) & (found["trace"] > 0)].reset_index(drop=True)
        if found.empty:
            raise RdrError(f"There is nothing to draw: {NO_LOSS} (a network without its weights is trained again).")
        return cls(found)

    @property
    def correlation(self) -> float:
        """Spearman's rank correlation of trace and loss over all points, in [-1, 1]."""
        return spearman(self.data["mean_loss"], self.data["trace"])

    def means(self) -> pd.DataFrame:
        """By method in their order, geometric means over Few (over all classes where none is Few): ``mean_loss``,
        ``trace``, ``trace_per_loss``."""
        few = self.data[self.data["group"] == "Few"]
        rows = self.data if few.empty else few
        by = rows.groupby("method", sort=False)[["mean_loss", "trace", "trace_per_loss"]]
        return by.agg(lambda values: float(np.exp(np.log(values).mean())))

    @property
    def alt(self) -> str:
        said = [
            f"{label_of(method)} loss {short(row['mean_loss'])}, trace {short(row['trace'])}"
            for method, row in self.means().iterrows()
        ]
        return (
            f"Scatter plot of the Hessian's trace by training loss, log scales, {plural(len(self.data), 'point')}, "
            f"rank correlation {number(self.correlation, 2)}. Geometric means over {self._where()}: {'; '.join(said)}. "
            f"{self._mode()}."
        )

    @property
    def finding(self) -> str:
        points = plural(len(self.data), "point")
        words = (
            f"Over {points}, each a class of a network, the rank correlation of trace and training loss is "
            f"{number(self.correlation, 2)}."
        )
        means = self.means()
        if len(means) > 1:
            first, *others = means.index
            ratios = means / means.loc[first]
            traces, freed = (
                listed([f"×{short(ratios.loc[method, column])} with {label_of(method)}" for method in others])
                for column in ("trace", "trace_per_loss")
            )
            words += f" On {self._where()}, relative to {label_of(first)}: trace {traces}; trace over loss {freed}."
        return f"{words} {self._mode()}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw on ``ax`` (default: a new figure's) and return it; :meth:`figure` has the legend."""
        ax = new_axes(TEXT_WIDTH, 3.6) if ax is None else ax
        with rdr_style():
            ax.set_xscale("log")
            ax.set_yscale("log")
            for method, rows in self.data.groupby("method", sort=False):
                style = method_style(method)
                for few, size in ((False, {"ms": 3.5, "alpha": 0.5}), (True, {"ms": 6, "zorder": 3})):
                    some = rows[(rows["group"] == "Few") == few]
                    ax.plot(some["mean_loss"], some["trace"], **style.line() | {"linestyle": "none", "mew": 0.8} | size)
            self._guides(ax)
            ax.set_xlabel("Training loss of the class (nats, log scale)")
            ax.set_ylabel("Trace of the Hessian (log scale)")
            ax.set_title(f"{self.title} ({self._mode()})")
        return ax

    def figure(self) -> Figure:
        """With a legend of the methods."""
        figure = super().figure()
        with rdr_style():
            handles = method_handles(in_methods_order(self.data))
            for handle in handles:
                handle.set_linestyle("none")
            figure_legend(figure, handles)
        return figure

    def _guides(self, ax: Axes) -> None:
        """Lines of equal trace over loss, at powers of ten."""
        low, high = ax.get_xlim()
        ends = np.log10(self.data["trace_per_loss"])
        bottom, top = ax.get_ylim()
        for power in range(int(np.floor(ends.min())), int(np.ceil(ends.max())) + 1):
            ratio = 10.0**power
            ax.plot([low, high], [ratio * low, ratio * high], color="#BBBBBB", lw=0.7, zorder=0)
            right, up = min(high, top / ratio), min(top, ratio * high)
            if bottom < up and low < right:
                at_side = right == high
                ax.annotate(f"×{ratio:,g}", (right, up), xytext=(3, 0) if at_side else (4, -1),
                            va="center" if at_side else "top", textcoords="offset points", color="#666666", fontsize=7,
                            annotation_clip=False)  # fmt: skip
        ax.set_xlim(low, high)
        ax.set_ylim(bottom, top)

    def _where(self) -> str:
        return "Few" if (self.data["group"] == "Few").any() else "all classes"

    def _mode(self) -> str:
        return f"BatchNorm in {listed(sorted(self.data['mode'].unique()))} mode"
