"""Two classes, one of them rare: what is found of it, and what the alarms are worth, at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.measures.rare_class import at_threshold, moved_threshold, threshold_curve
from rdr_viz.analysis.accuracy import refuse_unequal
from rdr_viz.analysis.priors import leaves_the_prior
from rdr_viz.analysis.rare_scores import rare_class, rare_scores
from rdr_viz.analysis.weights import in_order, method_columns
from rdr_viz.analysis.words import class_name, listed, number, percent
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_figure, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import data_of, figure_legend, in_methods_order, label_of, method_handles, seeds_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

#: The likelier of the two classes.
_EVEN = 0.5


@display("rare", place=235, in_galleries=False)
@dataclass(frozen=True)
class RareClass(Display):
    """Precision against recall at a prevalence, and recall against false alarms at any, with two thresholds marked.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``threshold``, ``recall`` and ``false_alarms`` (0..1), and
            ``precision`` at the prevalence.
        points: a row a run and marked threshold: ``method``, ``label``, ``seed``, ``threshold``, ``moved``, and the
            measures of :func:`rdr_core.measures.rare_class.at_threshold` in percent.
        setting: data set and imbalance factor.
        name: of the rare class.
        trained: its share of the training samples.
        prevalence: its share where the classifier is used.

    Example:
        >>> RareClass.from_runs(runs, prevalence=0.01).finding  # doctest: +SKIP
    """

    data: pd.DataFrame
    points: pd.DataFrame
    setting: str
    name: str
    trained: float
    prevalence: float

    title = "What is found of a rare class, and what are the alarms worth?"
    look = (
        "Filled markers are at the threshold 0.5; a hollow one is where both classes count alike, for a method that "
        "leaves the training share in its probabilities. The right panel is the same however rare the class is; the "
        "left one, the worth of alarms, is not."
    )

    @classmethod
    def from_run(cls, run: Run, *, prevalence: float | None = None, data: LongTailedData | None = None) -> RareClass:
        """One run alone."""
        return cls.from_runs([run], prevalence=prevalence, data=data)

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, prevalence: float | None = None, data: LongTailedData | None = None
    ) -> RareClass:
        """Follow the threshold of each run.

        Args:
            runs: finished runs of two classes that differ in method and seed alone.
            prevalence: share of the rare class where the classifier is used, in (0, 1); None (default): as in training.
            data: where the runs were trained on the user's own.

        Raises:
            RdrError: runs of more than two classes or that can't be compared, or no such share.
        """
        runs = in_order(runs)
        refuse_unequal(runs)
        rare = rare_class(runs[0])
        counts = np.asarray(runs[0].class_counts)
        trained = float(counts[rare] / counts.sum())
        share = trained if prevalence is None else prevalence
        moved = moved_threshold(trained, _EVEN)
        curves, points = [], []
        for run in runs:
            scores, labels = rare_scores(run, data=data)
            curve = threshold_curve(scores, labels, share)
            curves.append(method_columns(run, len(curve.threshold)).assign(**vars(curve)))
            marked = {False: _EVEN} | ({True: moved} if leaves_the_prior(run.config.method) else {})
            for is_moved, threshold in marked.items():
                found = at_threshold(scores, labels, threshold, share)
                points.append(method_columns(run, 1).assign(threshold=threshold, moved=is_moved, **found))
        return cls(
            pd.concat(curves, ignore_index=True), pd.concat(points, ignore_index=True), data_of(runs[0]),
            class_name(runs[0].class_names[rare]), trained, share,
        )  # fmt: skip

    def summary(self) -> pd.DataFrame:
        """Means over seeds, in percent: ``method``, ``moved``, ``recall``, ``precision``, ``roc_auc`` and others."""
        measured = self.points.columns.drop(["method", "label", "seed"])
        return self.points.groupby(["method", "moved"], sort=False)[[*measured.drop("moved")]].mean().reset_index()

    @property
    def alt(self) -> str:
        parts = []
        for row in self.summary().itertuples():
            where = f"{label_of(row.method)} at the threshold {row.threshold:.3g}"
            parts.append(f"{where} recall {number(row.recall)} %, precision {_precision(row.precision)}")
        return (
            f"Precision against recall, and recall against false alarms, of {self.name}, {self.setting}, "
            f"at a prevalence of {_share(self.prevalence)}, {seeds_words(self.data)}. {'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        table = self.summary()
        even = table[~table["moved"]].set_index("method")
        told = [
            f"{label_of(method)} raises no alarm" if np.isnan(row["precision"]) else
            f"{label_of(method)} finds {percent(row['recall'])} with {percent(row['precision'])} of its alarms right"
            for method, row in even.iterrows()
        ]  # fmt: skip
        areas = [
            f"{label_of(method)} {number(row['roc_auc'])} and {number(row['average_precision'])}"
            for method, row in even.iterrows()
        ]
        return (
            f"Where {_share(self.prevalence)} are {self.name}: at the threshold 0.5 {listed(told)}. Areas under the "
            f"curves, recall against false alarms and precision against recall: {'; '.join(areas)}; chance is 50 and "
            f"{number(100 * self.prevalence)}."
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw precision against recall on ``ax`` (default: a new figure's axes) and return it."""
        ax = new_figure(3.4, 3.2).subplots() if ax is None else ax
        with rdr_style():
            self._precision(ax)
            ax.set_title(f"{self.name}, {self.setting} ({seeds_words(self.data)})")
        return ax

    def figure(self) -> Figure:
        """Both panels."""
        figure = new_figure(TEXT_WIDTH, 3.1)
        with rdr_style():
            left, right = figure.subplots(1, 2)
            self._precision(left)
            self._alarms(right)
            figure_legend(figure, method_handles(self._methods()))
            figure.suptitle(
                f"{self.name} is {_share(self.trained)} of {self.setting} ({seeds_words(self.data)})", x=0.01, ha="left"
            )
        return figure

    def _methods(self) -> list[str]:
        return in_methods_order(self.data)

    def _precision(self, ax: Axes) -> None:
        ax.axhline(100 * self.prevalence, color="#888888", lw=0.8, ls="--", zorder=0)
        self._panel(ax, "recall", "precision")
        ax.set(xlabel="Recall: found of the rare class (%)", ylabel="Precision: right alarms (%)")
        ax.set_title(f"where {_share(self.prevalence)} are rare")

    def _alarms(self, ax: Axes) -> None:
        ax.plot([0, 100], [0, 100], color="#888888", lw=0.8, ls="--", zorder=0)
        self._panel(ax, "false_alarms", "recall")
        ax.set(xlabel="False alarms of the others (%)", ylabel="Recall (%)")
        ax.set_title("however rare the class is")

    def _panel(self, ax: Axes, x: str, y: str) -> None:
        points = self.summary()
        for method in self._methods():
            look, style = method_style(method).line(), method_style(method)
            own = self.data[self.data["method"] == method]
            for _, curve in own.groupby("seed"):
                ax.plot(100 * curve[x], 100 * curve[y], **(look | {"marker": "", "linewidth": 1.1, "alpha": 0.8}))
            for row in points[points["method"] == method].to_dict("records"):
                face = "white" if row["moved"] else style.color
                ax.plot(row[x], row[y], ls="none", marker=style.marker, ms=6, mfc=face, mec=style.edge, zorder=4)
        ax.set(xlim=(-2, 102), ylim=(-2, 104))


def _share(share: float) -> str:
    """``"5 %"``, ``"0.5 %"``."""
    return f"{100 * share:.2g} %"


def _precision(value: float) -> str:
    return "none" if np.isnan(value) else percent(value)
