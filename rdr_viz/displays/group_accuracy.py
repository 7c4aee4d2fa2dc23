"""Which method serves which group? Test accuracy over all classes and by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rdr_core.methods.names import method_label
from rdr_core.visible import NAME, visible
from rdr_viz.analysis.accuracy import ALL_AND_GROUPS, accuracy_by_group, summarise
from rdr_viz.analysis.words import factor, listed, number, percent, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import method_handles, row_by_row

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from rdr_core.runs import Run

_LEGEND_COLUMNS = 4
_LEVEL = 0.05  # percentage points below which two means print as the same number


@display("accuracy", place=20)
@dataclass(frozen=True)
class GroupAccuracy(Display):
    """Bars of the mean test accuracy over seeds, by group and method; a dot per seed, mean ± sd as an interval.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``group``, ``accuracy`` (percent, NaN in a missing group); see
            :func:`rdr_viz.analysis.accuracy.accuracy_by_group`.
        dataset: The data set's name.
        imbalance_factor: Of the training set; None for data taken as they are.
        epoch: After which; None is the last.

    Example:
        >>> GroupAccuracy.from_runs([ce, inverse, rdr]).summary()  # doctest: +SKIP
    """

    data: pd.DataFrame
    dataset: str
    imbalance_factor: float | None
    epoch: int | None = None

    title = "Which method serves which group?"
    look = (
        "Compare the methods within a group: does one give up accuracy on Many to gain some on Few? All shows whether "
        "the exchange paid."
    )

    @classmethod
    def from_run(cls, run: Run) -> GroupAccuracy:
        """The accuracy of one run."""
        return cls.from_runs([run])

    @classmethod
    def from_runs(cls, runs: Sequence[Run], *, epoch: int | None = None) -> GroupAccuracy:
        """Collect the accuracies of ``runs``.

        Args:
            runs: That differ in method and seed alone.
            epoch: After which; None (default) is the last.

        Raises:
            RdrError: without runs, if they differ in more than method and seed, if one method has a seed twice, or
                if a run has no such epoch.
        """
        runs = list(runs)
        data = accuracy_by_group(runs, epoch=epoch)
        return cls(data, visible(runs[0].config.dataset, NAME), runs[0].config.imbalance_factor, epoch)

    def summary(self) -> pd.DataFrame:
        """Mean, sd and seeds of each method and group; see :func:`rdr_viz.analysis.accuracy.summarise`."""
        return summarise(self.data)

    @property
    def alt(self) -> str:
        parts = []
        for group in ALL_AND_GROUPS:
            rows = self._means(group)
            values = [f"{row.label} {number(row.mean)}{_spread(row)}" for row in rows.itertuples()]
            parts.append(f"{group}: {', '.join(values)}" if values else f"{group}: no class in this group")
        return (
            f"Bar chart of test accuracy in percent on {self.dataset} with "
            f"{factor(self.imbalance_factor)}, {self._when()}{self._seeds()}. {'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        sentences = []
        for group in ALL_AND_GROUPS:
            rows = self._means(group)
            if rows.empty:
                sentences.append(f"{group} has no class here.")
                continue
            top = rows["mean"].max()
            best = rows[rows["mean"] > top - _LEVEL]
            others = rows[rows["mean"] <= top - _LEVEL]
            place = "Over all classes" if group == "All" else f"On {group}"
            verb = "was best" if len(best) == 1 else "were level"
            rest = [f"{row.label} {number(row.mean)}" for row in others.itertuples()]
            against = f" (against {listed(rest)})" if rest else ""
            if len(rows) == 1:
                sentences.append(f"{place} {rows['label'].iloc[0]} had {percent(top)}.")
            else:
                sentences.append(f"{place} {listed(best['label'].tolist())} {verb} with {percent(top)}{against}.")
        if self.data["seed"].nunique() == 1:
            sentences.append("This is one seed, so a few points either way may be chance.")
        if self.epoch is not None:
            sentences.insert(0, f"After epoch {self.epoch}:")
        return " ".join(sentences)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the bars on ``ax`` (default: a new figure's axes, 5.5 by 3.1 inches) and return it."""
        import seaborn

        ax = new_axes(TEXT_WIDTH, 3.1) if ax is None else ax
        methods = list(dict.fromkeys(self.data["method"]))
        seeds = self.data.groupby("method")["seed"].nunique()
        with rdr_style():
            shared = {
                "data": self.data,
                "x": "group",
                "y": "accuracy",
                "hue": "method",
                "order": ALL_AND_GROUPS,
                "hue_order": methods,
                "ax": ax,
                "legend": False,
            }
            colors = {method: method_style(method).color for method in methods}
            seaborn.barplot(
                **shared,
                palette=colors,
                saturation=1,
                width=0.84,
                errorbar="sd" if seeds.max() > 1 else None,
                err_kws={"color": "#222222", "linewidth": 0.9},
            )
            if seeds.max() > 1:
                dots = {method: method_style(method).edge for method in methods}
                seaborn.stripplot(
                    **shared, palette=dots, dodge=True, jitter=False, size=3, edgecolor="white", linewidth=0.5
                )
            self._dress(ax, methods)
        return ax

    def _dress(self, ax: Axes, methods: list[str]) -> None:
        summary = self.summary().set_index(["method", "group"])
        width = 0.84 / len(methods)
        direct = len(methods) <= 4 and max(len(method_label(m)) for m in methods) <= 5
        roomy = len(methods) <= 3
        for container, method in zip(ax.containers, methods, strict=True):
            style = method_style(method)
            for bar in container:
                bar.set(facecolor=style.color, edgecolor=style.edge, linewidth=0.7, hatch=style.hatch)
        for at, group in enumerate(ALL_AND_GROUPS):
            if self._means(group).empty:
                ax.text(at, 2, "no class in\nthis group", ha="center", va="bottom", color="#666666")
                continue
            for place, method in enumerate(methods):
                row = summary.loc[(method, group)]
                if row["mean"] != row["mean"]:
                    continue
                x = at + (place - (len(methods) - 1) / 2) * width
                top = max(row["mean"] + (0 if row["sd"] != row["sd"] else row["sd"]), self._highest(method, group))
                ax.annotate(
                    "100" if round(row["mean"], 1) == 100 else number(row["mean"]),
                    (x, top),
                    xytext=(0, 3),
                    textcoords="offset points",
                    ha="center",
                    va="bottom",
                    rotation=0 if roomy else 90,
                )
                if direct:
                    ax.annotate(
                        method_label(method),
                        (x, 0),
                        xycoords=("data", "axes fraction"),
                        xytext=(0, -3),
                        textcoords="offset points",
                        ha="center",
                        va="top",
                        color="#444444",
                        annotation_clip=False,
                    )
        ax.set(xlabel="", ylabel="Test accuracy (%)", xlim=(-0.55, len(ALL_AND_GROUPS) - 0.45))
        ax.set_ylim(0, 106 if roomy else 118)  # room for the printed values
        ax.set_yticks(range(0, 101, 20))
        ax.tick_params(axis="x", length=0, pad=15 if direct else 4)
        for label in ax.get_xticklabels():
            label.set_fontweight("bold")
        ax.axvline(0.5, color="#BBBBBB", lw=0.6)
        if not direct:
            self._legend(ax, methods)
        ax.set_title(
            f"{self.dataset}, {factor(self.imbalance_factor)} ({self._when()}{self._seeds()})",
            pad=8 if direct else 10 + 14 * -(-len(methods) // _LEGEND_COLUMNS),
        )

    def _legend(self, ax: Axes, methods: list[str]) -> None:
        ax.legend(
            handles=row_by_row(method_handles(methods, line=False), _LEGEND_COLUMNS),
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=min(len(methods), _LEGEND_COLUMNS),
            borderaxespad=0.4,
            handlelength=1.2,
            columnspacing=1.2,
        )

    def _means(self, group: str) -> pd.DataFrame:
        summary = self.summary()
        return summary[(summary["group"] == group) & summary["mean"].notna()]

    def _highest(self, method: str, group: str) -> float:
        chosen = (self.data["method"] == method) & (self.data["group"] == group)
        return float(self.data.loc[chosen, "accuracy"].max())

    def _when(self) -> str:
        return "" if self.epoch is None else f"epoch {self.epoch}, "

    def _seeds(self) -> str:
        per_method = self.data.groupby("method")["seed"].nunique()
        if per_method.max() == 1:
            return "one seed"
        low, high = int(per_method.min()), int(per_method.max())
        return f"mean of {plural(high, 'seed')}" if low == high else f"mean of {low} to {high} seeds"


def _spread(row: Any) -> str:
    return f" ± {number(row.sd)}" if row.seeds > 1 else ""
