"""What pictures over epochs share: a whole-number axis and the shaded warm-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


def epoch_axis(ax: Axes, epochs: pd.Series, *, label: bool = True) -> None:
    """Whole epochs from the first to the last; one epoch alone gets some room around it."""
    first, last = int(epochs.min()), int(epochs.max())
    ax.set_xlim(first - (first == last), last + (first == last))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    if label:
        ax.set_xlabel("Epoch")


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """1, 2 and 5 times powers of ten in plain digits between two positive values, or between two negative ones."""
    sign = -1 if high < 0 else 1
    near, far = sorted((abs(low), abs(high)))
    bases = (1, 2, 5) if far < 300 * near else (1,)
    ticks = [sign * base * 10.0**power for power in range(-9, 10) for base in bases]
    axis.set_ticks([tick for tick in ticks if near <= abs(tick) <= far])
    axis.set_ticks([], minor=True)
    axis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))


def shade_warm_up(ax: Axes, data: pd.DataFrame) -> None:
    """A grey band over the epochs that ``data["warm_up"]`` marks, with its name written upwards where it fits."""
    warm = data.loc[data["warm_up"], "epoch"]
    if warm.empty:
        return
    start, end = data["epoch"].min(), warm.max() + 0.5
    ax.axvspan(start, end, color="#EFEFEF", lw=0, zorder=0)
    if end - start < 0.1 * (data["epoch"].max() - start):
        return  # too narrow for words
    ax.annotate(
        "warm-up",
        ((start + end) / 2, 0.04),
        xycoords=("data", "axes fraction"),
        rotation=90,
        ha="center",
        va="bottom",
        color="#666666",
    )


def mark_epoch(figure: Figure, epoch: int) -> list[Line2D]:
    """A thin line at an epoch in every panel of a picture over epochs; returns the lines, so that they can be moved."""
    return [
        ax.axvline(epoch, color="#444444", lw=1, ls=(0, (2, 2)), zorder=4)
        for ax in figure.axes
        if ax.axison and ax.has_data()
    ]
