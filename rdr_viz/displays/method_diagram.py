"""How does RDR weight a batch? A diagram of the method: the question of the paper's figure 6, drawn anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rdr_viz.displays.base import Display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT, method_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT = 3.1  # inches; places below are inches too, from the lower left
_INK, _PALE = "#444444", "#F3F3F3"

#: Where the pictured batch's features lie in the feature space, by group: as many as its squares.
_FEATURES = {
    "Many": ((0.30, 1.08), (0.44, 1.22), (0.72, 1.33), (0.62, 1.06), (0.40, 0.92), (0.56, 0.86), (0.75, 1.18)),
    "Medium": ((1.04, 0.82), (1.20, 0.70), (1.26, 0.93)),
    "Few": ((1.62, 1.24), (1.78, 1.04)),
}
_PROTOTYPES = {"Many": (0.55, 1.17), "Medium": (1.12, 0.94), "Few": (1.60, 1.02)}
_NAMES = {"Many": (0.20, 1.37), "Medium": (1.00, 0.50), "Few": (1.62, 1.37)}


def _steps() -> pd.DataFrame:
    """What happens to a batch, in order; sources are the paper's."""
    columns = ("step", "formula", "note", "source")
    rows = (
        ("features", "z = f(x)", "detached: no gradient passes through the weights", "Algorithm 1"),
        ("density ratio", "r_y = b_y (Φ_yᵀ Φ_y)⁻¹ Φ_yᵀ F_y", "least squares, class by class", "eq. 3-5 and 10-12"),
        ("weight", "w = (r / π_y)^γ", "scaled to mean 1 over the batch; 1 before step T₀", "eq. 1, section 3.5"),
        ("loss", "mean of w ℓ", "SAM's second pass takes the same weights", "eq. 1, Algorithm 2"),
        ("prototype", "F_y ← m F_y + (1 − m) mean of z in y", "from the first pass alone", "eq. 6"),
    )
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class MethodDiagram(Display):
    """The way of a batch through the network, and beside it that of its weights. It shows the method, not a run.

    Attributes:
        data: ``step``, ``formula``, ``note``, ``source``: what the diagram says, in order.

    Example:
        >>> MethodDiagram().data["step"].tolist()
        ['features', 'density ratio', 'weight', 'loss', 'prototype']
    """

    data: pd.DataFrame = field(default_factory=_steps)

    title = "How does RDR weight a batch?"
    look = "Follow the upper row, ordinary training, then the lower one, where the batch's features become its weights."

    @property
    def alt(self) -> str:
        steps = "; ".join(f"{row.step}: {row.formula} ({row.note})" for row in self.data.itertuples())
        return (
            "Diagram in two rows. Above, a batch goes through the network to features, the classifier and the weighted "
            f"loss. Below, the features and a running prototype of each class give the weights. {steps}."
        )

    @property
    def finding(self) -> str:
        return (
            "RDR needs a batch's features and labels, and one prototype for each class. Large classes get small "
            "weights through 1/π; the ratio r is 1 where the class's mean in the batch is its prototype, and moves the "
            "weights where it is not."
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw on ``ax`` (default: a new figure's axes, 5.5 by 3.1 inches) and return it."""
        ax = new_axes(TEXT_WIDTH, _HEIGHT) if ax is None else ax
        with rdr_style():
            ax.set(xlim=(0, 5.4), ylim=(0, 3.0))
            ax.set_axis_off()
            self._training(ax)
            self._weights(ax)
        return ax

    def _training(self, ax: Axes) -> None:
        """The upper row."""
        squares = [group for group, places in _FEATURES.items() for _ in places]
        for at, group in enumerate(squares):
            x, y = 0.08 + 0.14 * (at % 4), 2.35 - 0.14 * (at // 4)
            _box(ax, x, y, 0.10, 0.10, color=GROUP_COLORS[group], face=GROUP_COLORS[group], radius=0.01)
        ax.text(0.34, 1.96, "batch", ha="center", va="top", color=_INK)
        for x, width, words in (
            (0.86, 0.66, "network\n$f$"), (1.74, 0.66, "features\n$z$"), (2.62, 0.92, "classifier,\nloss $\\ell$"),
        ):  # fmt: skip
            _box(ax, x, 2.02, width, 0.50)
            ax.text(x + width / 2, 2.27, words, ha="center", va="center", color=_INK, linespacing=1.3)
        rdr = method_style("rdr")
        _box(ax, 4.20, 2.02, 1.12, 0.50, color=rdr.color)
        ax.text(4.76, 2.27, "mean of $w\\,\\ell$", ha="center", va="center", color=_INK)
        for start, end in ((0.66, 0.86), (1.52, 1.74), (2.40, 2.62), (3.54, 4.20)):
            _arrow(ax, (start, 2.27), (end, 2.27))
        # The step goes back over the row.
        ax.plot([4.76, 4.76, 1.19], [2.52, 2.74, 2.74], color=_INK, lw=0.9, solid_joinstyle="miter")
        _arrow(ax, (1.19, 2.74), (1.19, 2.52))
        ax.text(2.98, 2.79, "gradient step; SAM's second pass reuses $w$", ha="center", va="bottom", color=_INK)

    def _weights(self, ax: Axes) -> None:
        """The lower row, in RDR's colour."""
        rdr = method_style("rdr")
        _box(ax, 0.03, 0.03, 5.36, 1.60, color="#DDDDDD", face=_PALE, radius=0.06)
        _box(ax, 0.14, 0.42, 2.08, 1.10)
        for group, places in _FEATURES.items():
            ax.plot(*zip(*places, strict=True), linestyle="none", marker="o", markersize=4.2, color=GROUP_COLORS[group])
            ax.text(*_NAMES[group], group, color=GROUP_TEXT[group], weight="bold", va="center")
        star: dict[str, Any] = {
            "linestyle": "none",
            "marker": "*",
            "markersize": 10,
            "color": rdr.color,
            "markeredgecolor": "white",
        }
        ax.plot(*zip(*_PROTOTYPES.values(), strict=True), markeredgewidth=0.7, **star)
        ax.plot(0.24, 0.22, markeredgewidth=0, **star)
        follow = r"$F_y \leftarrow m\,F_y + (1-m)\,\overline{z}_y$ after each batch"
        ax.text(0.36, 0.22, f"prototype {follow}", va="center", color=_INK)
        symbols = r"class $y$: $b_y$ features $\Phi_y$, share $\pi_y$"
        ax.text(5.30, 0.22, symbols, ha="right", va="center", color=_INK)
        for x, width, head, formula in (
            (2.46, 1.54, "density ratio", r"$r = b_y(\Phi_y^\top\Phi_y)^{-1}\Phi_y^\top F_y$"),
            (4.20, 1.12, "weight", r"$w = (r/\pi_y)^\gamma$"),
        ):
            _box(ax, x, 0.62, width, 0.70, color=rdr.color)
            ax.text(x + width / 2, 1.14, head, ha="center", va="center", color=_INK, weight="bold")
            ax.text(x + width / 2, 0.84, formula, ha="center", va="center", color=_INK)
        ax.text(4.76, 0.48, "batch mean 1", ha="center", va="center", color=_INK)
        _arrow(ax, (1.95, 2.02), (1.95, 1.52), color=rdr.color, dashed=True)
        ax.text(2.04, 1.80, "detached", va="center", color=_INK)
        _arrow(ax, (2.22, 0.97), (2.46, 0.97), color=rdr.color)
        _arrow(ax, (4.00, 0.97), (4.20, 0.97), color=rdr.color)
        _arrow(ax, (4.76, 1.32), (4.76, 2.02), color=rdr.color)
        ax.text(4.68, 1.80, "$w = 1$ before step $T_0$", ha="right", va="center", color=_INK)


def _box(
    ax: Axes, x: float, y: float, width: float, height: float, *,
    color: str = _INK, face: str = "white", radius: float = 0.05,
) -> None:  # fmt: skip
    from matplotlib.patches import FancyBboxPatch

    shape = f"round,pad=0,rounding_size={radius}"
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=shape, facecolor=face, edgecolor=color, lw=1))


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], *, color: str = _INK, dashed: bool = False
) -> None:
    from matplotlib.patches import FancyArrowPatch

    line = (0, (3, 2)) if dashed else "-"
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=8, shrinkA=0, shrinkB=0, lw=1, color=color, linestyle=line
        )
    )
