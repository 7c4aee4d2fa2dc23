"""What would each method do with infinite data? A problem on a line, solved, not trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_viz.analysis.consistency import population_minimiser
from rdr_viz.analysis.words import listed, number, percent
from rdr_viz.displays.base import Display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT, method_style
from rdr_viz.displays.shared import figure_legend, in_methods_order, label_of, method_handles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: A remedy of each kind, and two together.
METHODS = ("ce", "focal", "inverse", "la", "rdr", "inverse+la")
#: Where the two classes lie, each normal with standard deviation 1; what is drawn of the line; and whole images of the
#: rare class, of which infinite data are a multiple.
_COMMON, _RARE = -1.0, 1.0
_LINE = np.linspace(-4.5, 4.5, 451)
_IMAGES = 1000
_SAME = 5e-3  # of the line: closer boundaries are one in a sentence
_BEST = "#222222"


@dataclass(frozen=True)
class FisherConsistency(Display):
    """Two normal classes on a line, one rare in training: the probability of the rare class that each method ends with.

    A method is Fisher-consistent for the balanced error if its infinite-data answer decides where both classes are
    equally dense. It shows methods, not runs, and nothing is trained. So if consistent methods differ in runs, finite
    data and networks are the reason.

    Attributes:
        data: ``method``, ``label``, ``x``, ``probability`` (of the rare class, 0..1).
        imbalance_factor: common over rare images in training.
        ratio: RDR's r of the rare class; that of the common one is 1.

    Example:
        >>> shown = FisherConsistency.of(["ce", "la"], imbalance_factor=100)
        >>> shown.boundaries()["boundary"].round(2).tolist()  # log 100 / 2, and 0
        [2.3, 0.0]
    """

    data: pd.DataFrame
    imbalance_factor: float
    ratio: float

    title = "What would each method do with infinite data?"
    look = (
        "Lines on top of each other are methods that infinite data would not tell apart. The dashed line is the best "
        "boundary if both classes count equally: more data will not fix a method that misses it."
    )

    @classmethod
    def of(
        cls, methods: Sequence[str] = METHODS, *, imbalance_factor: float = 100.0, ratio: float = 1.0
    ) -> FisherConsistency:
        """Solve for each method.

        Args:
            methods: of those that :func:`rdr_viz.analysis.consistency.population_minimiser` knows (default: a remedy of
                each kind, and two together).
            imbalance_factor: common over rare images in training, 1 to 1,000 (default 100).
            ratio: RDR's r of the rare class, above 0 (default 1; in runs it is below, as a rare class is often alone in
                its batch).

        Raises:
            RdrError: another method, or a number out of range.
        """
        if not 1 <= imbalance_factor <= 1000:
            raise RdrError(f"imbalance_factor is {imbalance_factor:g}; it must be 1 to 1,000 here (default 100).")
        if not 0 < ratio < np.inf:
            raise RdrError(f"ratio is {ratio:g}; it must be above 0 (default 1).")
        counts = np.array([round(_IMAGES * imbalance_factor), _IMAGES])
        posteriors = _densities() * counts
        posteriors /= posteriors.sum(1, keepdims=True)
        tables = []
        for method in dict.fromkeys(methods):
            found = population_minimiser(posteriors, counts, method, ratios=np.array([1.0, ratio]))
            columns = {"method": method, "label": label_of(method), "x": _LINE, "probability": found[:, 1]}
            tables.append(pd.DataFrame(columns))
        if not tables:
            raise RdrError("There is no method to show; name one or more.")
        return cls(pd.concat(tables, ignore_index=True), float(imbalance_factor), float(ratio))

    def boundaries(self) -> pd.DataFrame:
        """A row a method: ``method``, ``boundary`` (where the rare class has probability 1/2), and what it finds of
        each class, ``common``, ``rare`` and their mean ``balanced``, in percent."""
        rows = []
        for method, curve in self.data.groupby("method", sort=False):
            p = curve["probability"].to_numpy()
            at = float(np.interp(0, np.log(p) - np.log1p(-p), curve["x"]))  # their difference is all but straight
            common, rare = 100 * _below(at - _COMMON), 100 * _below(_RARE - at)
            rows.append(
                {"method": method, "boundary": at, "common": common, "rare": rare, "balanced": (common + rare) / 2}
            )
        return pd.DataFrame(rows)

    @property
    def alt(self) -> str:
        parts = [
            f"{label_of(row.method)} at {number(row.boundary, 2)}, finding {percent(row.common)} of the common class "
            f"and {percent(row.rare)} of the rare one"
            for row in self.boundaries().itertuples()
        ]
        return (
            f"Two normal classes on a line, {self.imbalance_factor:g} to 1 in training, whose means are "
            f"{number(_COMMON, 0)} and {number(_RARE, 0)}, and below them the probability of the rare class by method. "
            f"Boundaries: {'; '.join(parts)}. The best balanced boundary is at 0."
        )

    @property
    def finding(self) -> str:
        table = self.boundaries().sort_values("boundary", key=lambda at: at.round(4), kind="stable")
        together = (table["boundary"].diff() > _SAME).cumsum()
        said = []
        for _, rows in table.groupby(together):
            row = rows.iloc[0]
            names = listed([label_of(method) for method in rows["method"]])
            where = f"at x = {number(row['boundary'], 2)}" + (
                ", the best place" if abs(row["boundary"]) < _SAME else ""
            )
            verb = "decides" if len(rows) == 1 else "decide"
            said.append(f"{names} {verb} {where} ({percent(row['rare'])} of the rare class found, balanced accuracy "
                        f"{percent(row['balanced'])})")  # fmt: skip
        return f"With infinite data at imbalance factor {self.imbalance_factor:g}: {'; '.join(said)}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the probabilities on ``ax`` (default: a new figure's axes) and return it."""
        ax = new_axes(TEXT_WIDTH, 2.6) if ax is None else ax
        curves = self.data.pivot(index="x", columns="method", values="probability")
        with rdr_style():
            ax.axhline(0.5, color="#BBBBBB", lw=0.8, zorder=0)
            self._best(ax)
            for method, width in self._widths(curves).items():
                style = method_style(method)
                ax.plot(curves.index, curves[method], color=style.color, lw=width, solid_capstyle="butt")
            marks = self.boundaries().set_index("method")["boundary"]
            for method, size in self._widths(curves).items():
                if -4.5 < marks[method] < 4.5:
                    look = method_style(method).line() | {"linestyle": "none", "markersize": 4 + 1.1 * size}
                    ax.plot(marks[method], 0.5, **look)
            ax.set(xlim=(-4.5, 4.5), ylim=(-0.02, 1.02), xlabel="x", ylabel="Probability of rare")
            ax.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
            ax.xaxis.set_major_formatter("{x:g}")
        return ax

    def figure(self) -> Figure:
        """The classes as training has them, the probabilities below."""
        figure = new_figure(TEXT_WIDTH, 4.1)
        with rdr_style():
            classes, curves = figure.subplots(2, 1, sharex=True, height_ratios=[2, 3])
            self._classes(classes)
            self.plot(curves)
            figure_legend(figure, method_handles(in_methods_order(self.data)), columns=6)
            figure.suptitle(f"Infinite data, imbalance factor {self.imbalance_factor:g}", x=0.01, ha="left")
        return figure

    def _classes(self, ax: Axes) -> None:
        """Densities, by how often training sees each class, on a scale on which both can be seen."""
        shares = np.array([self.imbalance_factor, 1]) / (1 + self.imbalance_factor)
        for at, (group, words, mean) in enumerate((("Many", "common", _COMMON), ("Few", "rare", _RARE))):
            ax.fill_between(
                _LINE, np.sqrt(_densities()[:, at] * shares[at]), color=GROUP_COLORS[group], alpha=0.35, lw=0
            )
            ax.plot(_LINE, np.sqrt(_densities()[:, at]), color=GROUP_COLORS[group], lw=1, ls="--")
            ax.annotate(words, (mean, 0.66), ha="center", va="bottom", color=GROUP_TEXT[group], weight="bold")
        small: dict[str, Any] = {"xycoords": "axes fraction", "va": "top", "color": "#666666", "fontsize": 8}
        ax.annotate("filled: as in training\ndashed: both alike", (0.01, 0.97), **small)
        ax.annotate("upright: the best boundary\nwhere both count alike", (0.99, 0.97), ha="right", **small)
        self._best(ax)
        ax.set(ylim=(0, 0.78), ylabel="√density")
        ax.set_yticks([])
        ax.tick_params(labelbottom=False)

    @staticmethod
    def _best(ax: Axes) -> None:
        ax.axvline(0, color=_BEST, lw=0.9, ls="--", zorder=0)

    @staticmethod
    def _widths(curves: pd.DataFrame) -> dict[str, float]:
        """Widths of lines, wide ones first, so that of curves on top of each other each is seen."""
        widths: dict[str, float] = {}
        methods = list(curves)
        for at, method in enumerate(methods):
            above = sum(np.abs(curves[method] - curves[other]).max() < 1e-3 for other in methods[at + 1 :])
            widths[method] = 1.8 + 2.4 * above
        return dict(sorted(widths.items(), key=lambda item: -item[1]))


def _densities() -> np.ndarray:
    """(points, 2) densities of the common and of the rare class."""
    return np.exp(-((_LINE[:, None] - np.array([_COMMON, _RARE])) ** 2) / 2) / np.sqrt(2 * np.pi)


def _below(z: float) -> float:
    """The standard normal's distribution function."""
    from scipy.special import ndtr

    return float(ndtr(z))
