"""Which method is best where? Accuracy by method, a panel for each setting: the paper's figures 5, 8 and 9."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rdr_core.errors import RdrError, unknown_name
from rdr_core.methods.names import method_order
from rdr_viz.analysis.accuracy import ALL_AND_GROUPS
from rdr_viz.analysis.settings import SETTING, accuracy_by_setting
from rdr_viz.analysis.words import dataset_name, listed, number, percent, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import chosen_groups, figure_legend, label_of, method_handles, rows_of_groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.runs import Run

_POINTS_PER_VALUE = 8.5  # width that a mean's value, written upwards, needs
_LEAST_RANGE = 4.0  # percentage points that the axis spans at least
_LEVEL = 0.05  # percentage points below which two means print as the same number


@display("panels", place=250, in_galleries=False)
@dataclass(frozen=True)
class AccuracyPanels(Display):
    """Dots of the mean test accuracy over seeds, a panel for each setting; mean ± sd as an interval, a dot per seed.

    A setting is a data set with an imbalance factor and label noise; with ``by_optimizer`` also SGD or SAM.

    Attributes:
        data: ``dataset``, ``noise``, ``optimizer``, ``imbalance_factor``, ``method``, ``label``, ``seed``, ``group``,
            ``accuracy`` (percent), ``compared``; see :func:`rdr_viz.analysis.settings.accuracy_by_setting`.
        groups: Those shown, of All, Many, Medium and Few.

    Example:
        >>> AccuracyPanels.from_runs(runs, groups=("All",)).save("figure-5")  # doctest: +SKIP
        >>> AccuracyPanels.from_runs(runs, by_optimizer=True).save("figure-8")  # doctest: +SKIP
    """

    data: pd.DataFrame
    groups: tuple[str, ...]

    title = "Which method is best in which setting?"
    look = (
        "Compare the order of the methods from panel to panel: one that leads everywhere is a better bet than one that "
        "leads once. All panels share one scale, which does not begin at 0: look at distances, not at heights."
    )

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, groups: Sequence[str] = ALL_AND_GROUPS, by_optimizer: bool = False
    ) -> AccuracyPanels:
        """Collect the last epoch's accuracies of ``runs``.

        Args:
            runs: Finished runs that differ in method, seed, data set, imbalance factor and label noise only.
            groups: What each panel shows: any of ``"All"``, ``"Many"``, ``"Medium"`` and ``"Few"`` (default: all
                four; figure 5 shows All alone).
            by_optimizer: Whether methods with SAM or its kin have panels of their own (figure 8), rather than bars
                beside the others (default, as figure 5).

        Raises:
            RdrError: an unknown group, none, or only such as have no class; no runs, runs of one setting that differ
                in more than method and seed, or a method that has a seed twice in one setting.
        """
        shown = chosen_groups(groups, ALL_AND_GROUPS)
        data = rows_of_groups(accuracy_by_setting(runs, by_optimizer=by_optimizer), shown)
        if data["accuracy"].isna().all():
            raise RdrError(f"None of these runs has a class in {listed(shown)}; choose another group.")
        return cls(data, shown)

    @property
    def panels(self) -> tuple[str, ...]:
        """The panels' names, in order: what the settings differ in."""
        return tuple(name for name, _ in self._panels())

    def summary(self) -> pd.DataFrame:
        """A row per panel, method and group: ``panel``, ``compared``, ``group``, ``mean``, ``sd``, ``seeds``."""
        return pd.concat(
            [
                rows.groupby(["compared", "group"], as_index=False, sort=False)
                .agg(mean=("accuracy", "mean"), sd=("accuracy", "std"), seeds=("seed", "nunique"))
                .assign(panel=name)
                for name, rows in self._panels()
            ],
            ignore_index=True,
        )

    @property
    def alt(self) -> str:
        parts = []
        for panel, means in self.summary().groupby("panel", sort=False):
            groups = []
            for group in self.groups:
                rows = means[(means["group"] == group) & means["mean"].notna()]
                values = [f"{label_of(row.compared)} {number(row.mean)}{_spread(row)}" for row in rows.itertuples()]
                groups.append(f"{group}: {', '.join(values) or 'no class in this group'}")
            parts.append(f"{panel}: {'; '.join(groups)}." if panel else f"{'; '.join(groups)}.")
        return f"Dot charts of test accuracy in percent, {self._shared()}. {' '.join(parts)}"

    @property
    def finding(self) -> str:
        sentences = []
        group = self.groups[0]
        place = "over all classes" if group == "All" else f"on {group}"
        for panel, means in self.summary().groupby("panel", sort=False):
            ranks = means[(means["group"] == group) & means["mean"].notna()].sort_values("mean", ascending=False)
            at = f"{panel}: " if panel else ""
            if ranks.empty:
                sentences.append(f"{at}{group} has no class here.")
                continue
            top = ranks["mean"].iloc[0]
            best = ranks[ranks["mean"] > top - _LEVEL]
            names = " and ".join(map(label_of, best["compared"]))
            rest = ranks[ranks["mean"] <= top - _LEVEL]
            if len(ranks) == 1:
                sentences.append(f"{at}{names} had {percent(top)} {place}.")
                continue
            lead = (
                f", {number(top - rest['mean'].iloc[0])} points ahead of {label_of(rest['compared'].iloc[0])}"
                if len(rest)
                else ""
            )
            sentences.append(f"{at}{names} led {place} with {percent(top)}{lead}.")
        if self.summary()["seeds"].max() == 1:
            sentences.append("This is one seed, so a few points either way may be chance.")
        return " ".join(sentences)

    def plot(self, ax: Axes | None = None, *, panel: str | None = None) -> Axes:
        """Draw one panel on ``ax`` (default: a new figure's axes, 2.75 by 2.2 inches) and return it.

        Args:
            ax: Where to.
            panel: One of :attr:`panels` (default: the first).

        Raises:
            RdrError: for another panel.
        """
        panel = self.panels[0] if panel is None else panel
        if panel not in self.panels:
            raise unknown_name("panel", panel, self.panels)
        ax = new_axes(TEXT_WIDTH / 2, 2.2) if ax is None else ax
        with rdr_style():
            self._dots(ax, panel)
            ax.set_title(panel)
            ax.set_ylabel("Test accuracy (%)")
        return ax

    def figure(self) -> Figure:
        """All panels on one scale, with one legend under them."""
        rows, columns = self._grid()
        figure = new_figure(TEXT_WIDTH, 0.75 + (1.6 if len(self.groups) == 1 else 1.75) * rows)
        with rdr_style():
            axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
            for ax in axes[len(self.panels) :]:
                ax.set_axis_off()
            for at, (ax, panel) in enumerate(zip(axes, self.panels, strict=False)):
                self.plot(ax, panel=panel)
                if at % columns:
                    ax.set_ylabel("")
            handles = method_handles(self._methods())
            for handle in handles:
                handle.set_linestyle("none")
            figure_legend(figure, handles, columns=5 if len(handles) <= 5 else 4)  # of 8, those with SAM in pairs
            figure.suptitle(self._shared(), x=0.01, ha="left")
        return figure

    def _dots(self, ax: Axes, panel: str) -> None:
        methods, summary = self._methods(), self.summary()
        summary = summary[summary["panel"] == panel].set_index(["compared", "group"])
        drawn = dict(self._panels())[panel]
        width = 0.84 / len(methods)
        columns = self._grid()[1]
        room = 72 * (TEXT_WIDTH / columns - 0.45) / len(self.groups) * width
        for at, group in enumerate(self.groups):
            if at:
                ax.axvline(at - 0.5, color="#E4E4E4", lw=0.6, zorder=0)
            if drawn.loc[drawn["group"] == group, "accuracy"].isna().all():
                ax.text(at, 0.03, "no class", transform=ax.get_xaxis_transform(), ha="center", va="bottom",
                        color="#666666")  # fmt: skip
                continue
            for place, method in enumerate(methods):
                if (method, group) not in summary.index:
                    continue
                mean, sd = summary.loc[(method, group), ["mean", "sd"]]
                x = at + (place - (len(methods) - 1) / 2) * width
                look = method_style(method).line() | {"linestyle": "none"}
                seeds = drawn.loc[(drawn["compared"] == method) & (drawn["group"] == group), "accuracy"]
                top = seeds.max()
                if len(seeds) > 1:
                    top = max(top, mean + sd)
                    ax.errorbar(x, mean, sd, color=look["markeredgecolor"], elinewidth=1.2)
                    ax.plot([x] * len(seeds), seeds, linestyle="none", marker="o", markersize=2, alpha=0.6,
                            color=look["color"], markeredgewidth=0)  # fmt: skip
                ax.plot(x, mean, markersize=5, gid="mean", **look)
                if room >= _POINTS_PER_VALUE:
                    upright = room >= 3 * _POINTS_PER_VALUE
                    ax.annotate(
                        "100" if round(mean, 1) == 100 else number(mean), (x, top), xytext=(0, 4),
                        textcoords="offset points", ha="center", va="bottom", rotation=0 if upright else 90,
                    )  # fmt: skip
        one = len(self.groups) == 1
        ax.set_xticks([] if one else range(len(self.groups)), [] if one else self.groups)
        ax.tick_params(axis="x", length=0)
        low, high = self._range()
        above = 0.34 if room >= _POINTS_PER_VALUE else 0.06  # room for the printed values
        ax.set(xlim=(-0.5, len(self.groups) - 0.5), ylim=(low - 0.06 * (high - low), high + above * (high - low)))
        ax.locator_params(axis="y", nbins=6)
        ax.set_yticks([tick for tick in ax.get_yticks() if low - 0.06 * (high - low) <= tick <= 100])

    def _range(self) -> tuple[float, float]:
        """The least and the largest number that any panel shows."""
        means, seeds = self.summary(), self.data["accuracy"]
        low = min(seeds.min(), (means["mean"] - means["sd"]).min())
        high = max(seeds.max(), (means["mean"] + means["sd"]).max())
        missing = max(0.0, _LEAST_RANGE - (high - low)) / 2
        return low - missing, high + missing

    def _panels(self) -> list[tuple[str, pd.DataFrame]]:
        """Name and rows of each panel; names say what the settings differ in."""
        differ = [column for column in SETTING if self.data[column].nunique(dropna=False) > 1]
        settings = self.data.groupby(list(SETTING), sort=False, dropna=False)
        return [(_setting_words(rows.iloc[0], differ), rows) for _, rows in settings]

    def _shared(self) -> str:
        """What all settings have in common, and the seeds."""
        first = self.data.iloc[0]
        alike = self.data.columns[self.data.nunique(dropna=False) == 1]
        same = [column for column in SETTING if column in alike and first[column] == first[column] != ""]
        seeds = self.summary()["seeds"]
        low, high = int(seeds.min()), int(seeds.max())
        words = plural(high, "seed") if low == high else f"{low} to {high} seeds"
        over = "one seed" if high == 1 else f"mean of {words}"
        common = _setting_words(first, same)
        return f"{common} ({over})" if common else over.capitalize()

    def _methods(self) -> list[str]:
        return sorted(self.data["compared"].unique(), key=method_order)

    def _grid(self) -> tuple[int, int]:
        """Rows and columns of panels: the innermost part of the setting in which they differ makes the columns."""
        count = len(self._panels())
        differ = [self.data[column].nunique(dropna=False) for column in SETTING]
        inner = next((values for values in reversed(differ) if values > 1), 1)
        columns = min(inner, count, 3) if inner != 4 else 2
        return -(-count // columns), columns


def _setting_words(row: pd.Series, columns: Sequence[str]) -> str:
    """Those parts of the setting in words: ``"digits, IF 10, 5 % label noise, SAM"``."""
    factor = row["imbalance_factor"]
    words = {
        "dataset": dataset_name(row["dataset"]),
        "imbalance_factor": "own class counts" if factor != factor else f"IF {factor:g}",
        "noise": row["noise"] or "no label noise",
        "optimizer": row["optimizer"],
    }
    return ", ".join(word for column, word in words.items() if column in columns)


def _spread(row: Any) -> str:
    return f" ± {number(row.sd)}" if row.seeds > 1 else ""
