"""What pictures over epochs share: a whole-number axis and the shaded warm-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def epoch_axis(ax: Axes, epochs: pd.Series, *, label: bool = True) -> None:
    """Whole epochs from the first to the last; one epoch alone gets some room around it."""
    first, last = int(epochs.min()), int(epochs.max())
    ax.set_xlim(first - (first == last), last + (first == last))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    if label:
        ax.set_xlabel("Epoch")


def shade_warm_up(ax: Axes, data: pd.DataFrame, words: str = "warm-up") -> None:
    """A grey band over the epochs that ``data["warm_up"]`` marks, with ``words`` written upwards in it."""
    warm = data.loc[data["warm_up"], "epoch"]
    if warm.empty:
        return
    ax.axvspan(data["epoch"].min(), warm.max(), color="#EFEFEF", lw=0, zorder=0)
    ax.annotate(
        words,
        ((data["epoch"].min() + warm.max()) / 2, 0.04),
        xycoords=("data", "axes fraction"),
        rotation=90,
        ha="center",
        va="bottom",
        color="#666666",
    )
