"""How are the eigenvalues of a class's Hessian spread? The paper's figure 4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label, method_order
from rdr_viz.analysis.words import class_name, listed, plural, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_figure, rdr_style
from rdr_viz.displays.palette import method_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

#: Densities below this are shown at it.
_FLOOR = 1e-7


@display("density", place=170)
@dataclass(frozen=True)
class SpectralDensityPlot(Display):
    """A panel per run and class, densities on a log axis, both extremes printed.

    Attributes:
        data: ``method``, ``seed``, ``class``, ``name``, ``images``, ``epoch``, ``grid``, ``density``, ``lambda_min``,
            ``lambda_max``, ``mode``, ``parameters``; see :func:`rdr_viz.analysis.curvature.class_density`.

    Example:
        >>> SpectralDensityPlot.from_runs([ce, rdr], classes=[9]).figure()  # doctest: +SKIP
    """

    data: pd.DataFrame

    title = "How are the Hessian's eigenvalues spread?"
    look = (
        "Look at how far each curve reaches to the right (the sharpest direction) and below 0 (a saddle's directions); "
        "the height is a log scale, so nearly all eigenvalues are in the spike at 0."
    )

    @classmethod
    def from_run(cls, run: Run, *, data: LongTailedData | None = None, **options: Any) -> SpectralDensityPlot:
        """Of one run; ``options`` as for :func:`rdr_viz.analysis.curvature.class_density`."""
        return cls.from_runs([run], data=data, **options)

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, classes: Sequence[int] | None = None, data: LongTailedData | None = None,
        **options: Any,
    ) -> SpectralDensityPlot:  # fmt: skip
        """Compute or read the densities.

        Args:
            runs: in any order; drawn in the methods' fixed order.
            classes: to show (default: of each run, the class with the fewest images, as in figure 4).
            data: where the runs were trained on the user's own arrays.
            options: further ones of :func:`rdr_viz.analysis.curvature.class_density`.
        """
        import pandas as pd

        from rdr_viz.analysis.curvature import class_density

        if not runs:
            raise RdrError("There is no run to draw; give at least one.")
        tables = []
        for run in sorted(runs, key=lambda run: (*method_order(run.config.method), run.config.seed)):
            chosen = [int(np.argmin(run.class_counts))] if classes is None else list(classes)
            table = class_density(run, classes=chosen, data=data, **options)
            table.insert(0, "method", run.config.method)
            table.insert(1, "seed", run.config.seed)
            table["name"] = [run.class_names[klass] for klass in table["class"]]
            tables.append(table)
        return cls(pd.concat(tables, ignore_index=True))

    @property
    def alt(self) -> str:
        panels = [
            f"{self._name(rows)} from {short(rows['lambda_min'].iloc[0])} to {short(rows['lambda_max'].iloc[0])}"
            for rows in self._panels()
        ]
        return (
            f"Spectral density of the Hessian, log scale, {self._mode()}. Smallest and largest eigenvalue: "
            f"{listed(panels)}."
        )

    @property
    def finding(self) -> str:
        panels = self._panels()
        sharpest = max(panels, key=lambda rows: rows["lambda_max"].iloc[0])
        flattest = min(panels, key=lambda rows: rows["lambda_max"].iloc[0])
        words = f"The largest eigenvalue is {short(sharpest['lambda_max'].iloc[0])} for {self._name(sharpest)}"
        if len(panels) > 1:
            words += f" and {short(flattest['lambda_max'].iloc[0])} for {self._name(flattest)}"
        below = sum(rows["lambda_min"].iloc[0] < 0 for rows in panels)
        reach = "reaches" if len(panels) == 1 else "reach"
        return f"{words}; {below} of {plural(len(panels), 'spectrum', 'spectra')} {reach} below 0. {self._mode()}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw every density on one ``ax`` (default: a new figure's) and return it; :meth:`figure` has panels."""
        if ax is None:
            ax = new_figure(TEXT_WIDTH, 3.0).subplots()
        with rdr_style():
            panels = self._panels()
            for rows in panels:
                self._draw(ax, rows)
                ax.lines[-1].set_label(self._label(rows))
            ax.set_title(f"Spectral density ({self._mode()})")
            ax.legend(loc="upper right")
        return ax

    def figure(self) -> Figure:
        """A panel for each run and class, at most four in a row, on the same axes: a narrow spectrum looks narrow."""
        panels = self._panels()
        across = min(4, len(panels)) if len(panels) != 4 else 2
        down = -(-len(panels) // across)
        with rdr_style():
            figure = new_figure(TEXT_WIDTH, 0.5 + (1.9 if across < 3 else 2.05) * down)
            grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
            for index, (ax, rows) in enumerate(zip(grid.flat, panels, strict=False)):
                self._draw(ax, rows)
                style = method_style(rows["method"].iloc[0])
                seed = f", seed {rows['seed'].iloc[0]}" if self.data["seed"].nunique() > 1 else ""
                between = ": " if across < 3 else "\n"  # no room for one line beside each other
                ax.set_title(f"{style.label}{seed}{between}{class_name(rows['name'].iloc[0], 14)}", pad=4)
                ax.annotate(
                    f"λ min {short(rows['lambda_min'].iloc[0])}\nλ max {short(rows['lambda_max'].iloc[0])}",
                    (0.96, 0.95), xycoords="axes fraction", ha="right", va="top",
                )  # fmt: skip
                if index % across:
                    ax.set_ylabel("")
                if index + across < len(panels):
                    ax.set_xlabel("")
            for ax in list(grid.flat)[len(panels) :]:
                ax.set_visible(False)
            figure.suptitle(self._mode(), fontsize="small")
        return figure

    def _draw(self, ax: Axes, rows: pd.DataFrame) -> None:
        style = method_style(rows["method"].iloc[0])
        x, density = rows["grid"].to_numpy(), rows["density"].to_numpy().clip(_FLOOR)
        ax.fill_between(x, _FLOOR, density, color=style.color, alpha=0.25, lw=0)
        ax.plot(x, density, color=style.edge, ls=style.linestyle, lw=1)
        for end in ("lambda_min", "lambda_max"):
            ax.axvline(rows[end].iloc[0], ymax=0.76, color=style.edge, lw=0.7, ls=":")  # below the words
        ax.set_yscale("log")
        ax.set_ylim(_FLOOR, 10 ** np.ceil(np.log10(self.data["density"].max()) + 0.3))
        ax.set_xlabel("Eigenvalue")
        ax.set_ylabel("Density")

    def _panels(self) -> list[pd.DataFrame]:
        keys = ["method", "seed", "epoch", "class"]
        return [rows for _, rows in self.data.groupby(keys, sort=False)]

    def _name(self, rows: pd.DataFrame) -> str:
        seed = f" (seed {rows['seed'].iloc[0]})" if self.data["seed"].nunique() > 1 else ""
        return f"{method_label(rows['method'].iloc[0])}{seed}, {class_name(rows['name'].iloc[0])}"

    def _label(self, rows: pd.DataFrame) -> str:
        ends = f"{short(rows['lambda_min'].iloc[0])} to {short(rows['lambda_max'].iloc[0])}"
        return f"{self._name(rows)}: {ends}"

    def _mode(self) -> str:
        return f"BatchNorm in {listed(sorted(self.data['mode'].unique()))} mode"
