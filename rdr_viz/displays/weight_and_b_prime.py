"""Does the class weight move inversely to B'? The claim of the paper's figure 1, per group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError, unknown_name
from rdr_core.methods.names import method_label
from rdr_viz.analysis.accuracy import refuse_unequal
from rdr_viz.analysis.over_epochs import READINGS, correlations, weight_and_b_prime
from rdr_viz.analysis.words import listed, number, plural, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.epochs import epoch_axis, shade_warm_up
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT
from rdr_viz.displays.shared import chosen_groups, rows_of_groups, seeds_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.runs import Run

_CLEAR = 0.5  # |Spearman| from which a relation is called one
_B_PRIME = {"color": "#8C6D1F"}  # brown: no method's and no group's colour


@display("b-prime", place=40)
@dataclass(frozen=True)
class WeightAndBPrime(Display):
    """Per group and epoch, the mean class weight and the mean B', with their rank correlations over the epochs.

    B'_y = sqrt(pi_y) (1 - softmax(B_y)), with B_y the smallest prediction for the true class over class y's training
    samples (theorem 1). The paper claims that RDR's weights move inversely to it.

    Attributes:
        data: ``seed``, ``epoch``, ``group``, ``classes``, ``weight``, ``b_prime``, ``warm_up``; see
            :func:`rdr_viz.analysis.over_epochs.weight_and_b_prime`.
        method: Canonical method name.
        reading: Which B_y, a key of :data:`rdr_viz.analysis.over_epochs.READINGS`.
        correlations: Spearman's correlation of weight and B' over the epochs after the warm-up, per group; NaN where a
            series is constant or shorter than three epochs. With several seeds, the mean over them.
        without_drift: The same of the series without their drift (:func:`rdr_viz.analysis.over_epochs.correlations`).
        groups: Those shown and spoken of; the paper's figure 1 has Many and Few.

    Example:
        >>> WeightAndBPrime.from_run(run, reading="b_prime_batch").correlations  # doctest: +SKIP
        {'Many': -0.41, 'Medium': 0.12, 'Few': 0.87}
    """

    data: pd.DataFrame
    method: str
    reading: str
    correlations: dict[str, float]
    without_drift: dict[str, float]
    groups: tuple[str, ...] = GROUPS

    title = "Does the weight move inversely to B′?"
    look = (
        "B′ is high while a class's worst training image is still misclassified; compare the upper and the lower curve "
        "of each group: where one rises the paper expects the other to fall. Two series that drift always have a large "
        "Spearman's ρ in magnitude; a ρ near −1 without drift too would mean that the weight follows B′ from epoch to "
        "epoch."
    )

    @classmethod
    def from_run(cls, run: Run, *, reading: str = "b_prime", groups: Sequence[str] = GROUPS) -> WeightAndBPrime:
        """Average weight and B' of ``run`` by group.

        Args:
            run: A stored run.
            reading: ``"b_prime"`` (default, the paper read strictly: the sample with the smallest true-class logit),
                ``"b_prime_probability"``, ``"b_prime_batch"`` or ``"b_prime_quantile"``.
            groups: Which to show, of ``"Many"``, ``"Medium"`` and ``"Few"`` (default: all).

        Raises:
            RdrError: for another reading or group, no group, or only such as have no class.
        """
        return cls.from_seeds([run], reading=reading, groups=groups)

    @classmethod
    def from_seeds(cls, runs: Sequence[Run], *, reading: str = "b_prime", groups: Sequence[str] = GROUPS):
        """The same of the runs of several seeds: means over them, with a band from the least seed to the largest.

        Args:
            runs: Stored runs that differ in their seed only.
            reading, groups: As for :meth:`from_run`.

        Raises:
            RdrError: as there; for no run, or runs that differ in more than the seed.
        """
        import pandas as pd

        refuse_unequal(runs)
        methods = list(dict.fromkeys(run.config.method for run in runs))
        if len(methods) > 1:
            raise RdrError(f"B′ and weights are drawn for one method, not for {listed(methods)}; choose runs of one.")
        shown = chosen_groups(groups, GROUPS)
        tables, rhos, bumps = [], [], []
        for run in sorted(runs, key=lambda run: run.config.seed):
            table = rows_of_groups(weight_and_b_prime(run, reading), shown)
            rhos.append(correlations(table, drift=True))
            bumps.append(correlations(table, drift=False))
            table.insert(0, "seed", run.config.seed)
            tables.append(table)
        rho, bump = (pd.DataFrame(each).mean().to_dict() for each in (rhos, bumps))  # of the seeds that have one
        return cls(pd.concat(tables, ignore_index=True), methods[0], reading, rho, bump, shown)

    @property
    def alt(self) -> str:
        parts = []
        for group in self.groups:
            rows = self._rows(group)
            if rows.empty:
                parts.append(f"{group}: no class in this group")
                continue
            first, last = rows.iloc[0], rows.iloc[-1]
            parts.append(
                f"{group}: weight {short(first['weight'])} to {short(last['weight'])}, B′ {short(first['b_prime'])} to "
                f"{short(last['b_prime'])}, Spearman's ρ {number(self.correlations[group], 2)}, without drift "
                f"{number(self.without_drift[group], 2)}"
            )
        first, last = self.data["epoch"].min(), self.data["epoch"].max()
        return (
            f"Line charts of mean class weight and mean B′ ({READINGS[self.reading]}) by group for "
            f"{method_label(self.method)}, epochs {first} to {last}, {seeds_words(self._of_method())}. "
            f"{'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        known = {group: rho for group, rho in self.without_drift.items() if rho == rho}
        inverse = sum(rho <= -_CLEAR for rho in known.values())
        parts = [f"{number(rho, 2)} for {group}" for group, rho in known.items()]
        levels = [f"{number(self.correlations[group], 2)} for {group}" for group in known]
        constant = [group for group, rho in self.without_drift.items() if rho != rho]
        missing = [group for group in self.groups if group not in self.correlations]
        label = method_label(self.method)
        sentences = []
        if parts:
            sentences.append(
                f"For {label} the weight followed B′ inversely from epoch to epoch (ρ without drift of −{_CLEAR} or "
                f"less) in {inverse or 'none'} of {plural(len(parts), 'group')}: that ρ was {listed(parts)} "
                f"({seeds_words(self._of_method())}). With their drift it was {listed(levels)}."
            )
        if constant:
            sentences.append(
                f"{listed(constant)}: no correlation, since the weight or B′ did not change or too few epochs were run."
            )
        if missing:
            sentences.append(f"{listed(missing)}: no class in this group.")
        return " ".join(sentences)

    def plot(self, ax: Axes | None = None, *, group: str | None = None) -> Axes:
        """Draw one group: the weight on ``ax`` (left), B' on a twin axis (right), as in the paper's figure 1.

        Args:
            ax: Default: a new figure's axes, 3.4 by 2.4 inches.
            group: One of :attr:`groups` (default: the first, Many).

        Returns:
            The axes of the weight; a group without classes says so in words.

        Raises:
            RdrError: for another group.
        """
        group = self.groups[0] if group is None else group
        if group not in self.groups:
            raise unknown_name("group", group, self.groups)
        ax = new_axes(3.4, 2.4) if ax is None else ax
        with rdr_style():
            rows = self._rows(group)
            ax.set_title(self._heading(group), color=GROUP_TEXT[group])
            if rows.empty:
                _say_missing(ax)
                return ax
            twin = ax.twinx()
            for axes, column, label, look in (
                (ax, "weight", "Class weight", {"color": GROUP_COLORS[group]}),
                (twin, "b_prime", "Mean B′", _B_PRIME),
            ):
                self._line(axes, group, column, linestyle="-" if axes is ax else "--", **look)
                axes.set_ylabel(label, color=look["color"])
                axes.tick_params(axis="y", labelcolor=look["color"])
                _few_ticks([axes])
            twin.grid(False)
            twin.spines["right"].set(visible=True, color="#888888")
            shade_warm_up(ax, rows)
            epoch_axis(ax, rows["epoch"])
        return ax

    def figure(self) -> Figure:
        """A column for each group, the weight above, B' below, each on one scale for all groups."""
        figure = new_figure(TEXT_WIDTH, 3.5)
        with rdr_style():
            panels = figure.subplots(2, len(self.groups), sharex="col", squeeze=False)
            for column, group in enumerate(self.groups):
                self._column(panels[:, column], group)
            for row in panels:
                _few_ticks([panel for panel in row if panel.has_data()])
            panels[0, 0].set_ylabel("Class weight")
            panels[1, 0].set_ylabel("Mean B′")
            figure.align_ylabels(panels[:, 0])
            figure.suptitle(
                f"{method_label(self.method)}: class weight and B′ ({READINGS[self.reading]})", x=0.01, ha="left"
            )
            several = self.data["seed"].nunique() > 1
            band = "; bands: from the least seed to the largest" if several else ""
            note = (
                "Epoch\nρ: Spearman's correlation over the epochs; in brackets without drift, of what each epoch\nis "
                f"above its neighbours' mean. {seeds_words(self._of_method()).capitalize()}{band}"
            )
            figure.supxlabel(note, fontsize=8, color="#444444")
        return figure

    def _column(self, panels: np.ndarray, group: str) -> None:
        rows = self._rows(group)
        panels[0].set_title(self._heading(group), color=GROUP_TEXT[group], fontsize=8.5, pad=5)
        if rows.empty:
            _say_missing(panels[0])
            panels[1].set_axis_off()
            return
        for panel, column, look in (
            (panels[0], "weight", {"color": GROUP_COLORS[group]}),
            (panels[1], "b_prime", _B_PRIME),
        ):
            self._line(panel, group, column, linewidth=1.2, **look)
            shade_warm_up(panel, rows)
        epoch_axis(panels[1], rows["epoch"], label=False)

    def _heading(self, group: str) -> str:
        if group not in self.correlations:
            return group
        levels, bumps = (number(found[group], 2) for found in (self.correlations, self.without_drift))
        return f"{group}\nρ {levels} ({bumps})"

    def _rows(self, group: str) -> pd.DataFrame:
        """The group's means over seeds, an epoch a row."""
        rows = self.data[self.data["group"] == group]
        columns = {"weight": "mean", "b_prime": "mean", "warm_up": "max"}
        return rows.groupby("epoch", as_index=False).agg(columns)

    def _line(self, ax: Axes, group: str, column: str, **look: Any) -> None:
        """The mean over seeds, with a band from the least to the largest where there are several.

        Weights go without the warm-up's, which are 1 and would flatten all that follows.
        """
        rows = self.data[self.data["group"] == group]
        values = rows[column].mask(rows["warm_up"]) if column == "weight" else rows[column]
        by_epoch = values.groupby(rows["epoch"]).agg(["mean", "min", "max"])
        ax.plot(by_epoch.index, by_epoch["mean"], **look)
        if self.data["seed"].nunique() > 1:
            ax.fill_between(by_epoch.index, by_epoch["min"], by_epoch["max"], color=look["color"], alpha=0.18, lw=0)

    def _of_method(self) -> pd.DataFrame:
        return self.data.assign(method=self.method)


def _few_ticks(panels: Sequence[Axes]) -> None:
    """One scale for all of them with at most four ticks and no offset; what hardly moves is not blown up to fill it."""
    ends = [end for ax in panels for end in ax.dataLim.intervaly if np.isfinite(end)]
    for ax in panels:
        if ends:
            low, high = min(ends), max(ends)
            middle, least = (low + high) / 2, 0.02 * max(abs(low), abs(high), 1e-6)
            half = max((high - low) / 2 * 1.1, least)
            ax.set_ylim(middle - half, middle + half)
        ax.locator_params(axis="y", nbins=4)
        ax.ticklabel_format(axis="y", useOffset=False, style="plain")


def _say_missing(ax: Axes) -> None:
    ax.text(0.5, 0.5, "no class in\nthis group", transform=ax.transAxes, ha="center", va="center", color="#666666")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
