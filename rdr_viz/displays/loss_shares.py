"""Which group drives the training? Shares of weight, loss and gradient of each group against its share of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError, unknown_name
from rdr_viz.analysis.weights import in_order, method_columns, shares
from rdr_viz.analysis.words import number, percent
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_COLORS
from rdr_viz.displays.shared import in_methods_order, label_of, seeds_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

QUANTITIES = {"weight": "Weight", "loss": "Weighted loss", "gradient": "Gradient norm"}


@display("shares", place=130)
@dataclass(frozen=True)
class LossShares(Display):
    """Bars of 100 %: what part of the weight, the weighted loss and the gradient's norm belongs to each group.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``epoch`` and the columns of :func:`rdr_viz.analysis.weights.shares`,
            which says how they are replayed.

    Example:
        >>> LossShares.from_runs(runs, epoch=50).finding  # doctest: +SKIP
    """

    data: pd.DataFrame

    title = "Which group drives the training?"
    look = (
        "The bar at the top of each panel is the share of the images. A group whose part is wider below counts for "
        "more than its images. Weights set the first panel; what is not learnt yet sets the others."
    )

    @classmethod
    def from_run(cls, run: Run, *, epoch: int | None = None, data: LongTailedData | None = None) -> LossShares:
        """One run alone."""
        return cls.from_runs([run], epoch=epoch, data=data)

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, epoch: int | None = None, data: LongTailedData | None = None
    ) -> LossShares:
        """Replay an epoch of each run.

        Args:
            runs: finished runs on one data set.
            epoch: kept by all; None (default) is the middle one of those kept by all, since at the end everything is
                fitted and gradients are noise.
            data: where the runs were trained on the user's own arrays.

        Raises:
            RdrError: the runs keep no epoch in common, or not that one.
        """
        runs = in_order(runs)
        if epoch is None:
            common = sorted(set.intersection(*(set(run.milestones) for run in runs)))
            if not common:
                raise RdrError("These runs keep the weights of no epoch in common; choose runs of one length.")
            epoch = common[(len(common) - 1) // 2]
        tables = []
        for run in runs:
            found = shares(run, epoch=epoch, data=data)
            tables.append(pd.concat([method_columns(run, len(found)).assign(epoch=epoch), found], axis=1))
        return cls(pd.concat(tables, ignore_index=True))

    @property
    def alt(self) -> str:
        images = [f"{group} {percent(value)}" for group, value in self._means("", "images").items()]
        parts = []
        for method in in_methods_order(self.data):
            values = [
                f"{words.lower()} {', '.join(f'{g} {percent(v)}' for g, v in self._means(method, key).items())}"
                for key, words in QUANTITIES.items()
            ]
            parts.append(f"{label_of(method)}: {'; '.join(values)}")
        return (
            f"Stacked bars of each group's share after epoch {self._epoch}, {seeds_words(self.data)}. Images: "
            f"{', '.join(images)}. {'. '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        group = [group for group in GROUPS if group in set(self.data["group"])][-1]
        images = self._means("", "images")[group]
        parts = []
        for method in in_methods_order(self.data):
            weight, loss, gradient = (percent(self._means(method, quantity)[group]) for quantity in QUANTITIES)
            said = f"{weight} of the weight, {loss} of the loss and {gradient} of the gradient"
            parts.append(f"{said} with {label_of(method)}")
        return f"{group} has {percent(images)} of the images; after epoch {self._epoch} it had {'; '.join(parts)}."

    def plot(self, ax: Axes | None = None, *, quantity: str = "loss") -> Axes:
        """Draw one quantity's bars, a row per method, on ``ax`` and return it.

        Args:
            ax: default: a new figure's axes.
            quantity: ``"weight"``, ``"loss"`` (default) or ``"gradient"``.

        Raises:
            RdrError: another quantity.
        """
        if quantity not in QUANTITIES:
            raise unknown_name("share", quantity, QUANTITIES)
        ax = new_axes(TEXT_WIDTH, self._height) if ax is None else ax
        with rdr_style():
            self._bars(ax, quantity)
            ax.set_yticks(*self._ticks())
            ax.set_title(f"Share of the {QUANTITIES[quantity].lower()} ({self._how})", pad=20)
            self._legend(ax)
        return ax

    def figure(self) -> Figure:
        """A panel for each quantity."""
        figure = new_figure(TEXT_WIDTH, self._height + 0.2)
        with rdr_style():
            panels = figure.subplots(1, len(QUANTITIES), sharey=True)
            for panel, quantity in zip(panels, QUANTITIES, strict=True):
                self._bars(panel, quantity)
                panel.set_title(QUANTITIES[quantity], fontsize=8.5, pad=5)
            panels[0].set_yticks(*self._ticks())
            from matplotlib.patches import Patch

            shown = [group for group in GROUPS if group in set(self.data["group"])]
            figure.legend(
                handles=[Patch(color=GROUP_COLORS[group], label=group) for group in shown],
                loc="outside lower center", ncols=len(shown), fontsize=8,
            )  # fmt: skip
            figure.suptitle(f"Each group's share, % ({self._how})", x=0.01, ha="left")
        return figure

    @property
    def _height(self) -> float:
        return 1.15 + 0.26 * (1 + self.data["method"].nunique())

    @property
    def _epoch(self) -> int:
        return int(self.data["epoch"].iloc[0])

    @property
    def _how(self) -> str:
        return f"after epoch {self._epoch}, {seeds_words(self.data)}"

    def _means(self, method: str, quantity: str) -> dict[str, float]:
        """Mean share over seeds of each group; images are the same for every method."""
        rows = self.data if quantity == "images" else self.data[self.data["method"] == method]
        means = rows.groupby("group")[quantity].mean()
        return {group: float(means[group]) for group in GROUPS if group in means}

    def _ticks(self) -> tuple[list[float], list[str]]:
        methods = in_methods_order(self.data)
        return [0.0, *(1.35 + at for at in range(len(methods)))], ["Images", *map(label_of, methods)]

    def _bars(self, ax: Axes, quantity: str) -> None:
        places, _ = self._ticks()
        rows = [("", "images"), *((method, quantity) for method in in_methods_order(self.data))]
        for place, (method, key) in zip(places, rows, strict=True):
            left = 0.0
            for group, value in self._means(method, key).items():
                ax.barh(place, value, left=left, height=0.78, color=GROUP_COLORS[group], edgecolor="white", lw=0.6)
                if value >= 9:
                    color = "#222222" if group == "Many" else "white"
                    ax.text(left + value / 2, place, number(value, 0), ha="center", va="center", color=color)
                left += value
        ax.set(xlim=(0, 100), ylim=(places[-1] + 0.55, -0.55))
        ax.set_xticks([])
        ax.tick_params(axis="y", length=0)
        ax.grid(False)
        ax.spines[:].set_visible(False)

    def _legend(self, ax: Axes) -> None:
        from matplotlib.patches import Patch

        shown = [group for group in GROUPS if group in set(self.data["group"])]
        ax.legend(
            handles=[Patch(color=GROUP_COLORS[group], label=group) for group in shown], loc="lower left",
            bbox_to_anchor=(0, 1.0), ncols=len(shown), borderaxespad=0.3,
        )  # fmt: skip
