"""Does the weight move inversely to B', and how sure is that? Figure 1's claim as a number with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.errors import unknown_name
from rdr_viz.analysis.bootstrap import COEFFICIENTS
from rdr_viz.analysis.bound import weight_b_prime_correlations
from rdr_viz.analysis.over_epochs import READINGS
from rdr_viz.analysis.weights import in_order, method_columns
from rdr_viz.analysis.words import listed, number, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.palette import GROUP_TEXT, method_style
from rdr_viz.displays.shared import in_methods_order, label_of, legend_above, method_handles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rdr_core.runs import Run

_NAMES = {"spearman": "Spearman's ρ", "pearson": "Pearson's r"}


@display("correlations", place=50)
@dataclass(frozen=True)
class Correlations(Display):
    """The correlation over epochs of weight and B' with its 95 % interval: a row per group, method and seed.

    Attributes:
        data: ``method``, ``label``, ``seed`` and the groups' rows of
            :func:`rdr_viz.analysis.bound.weight_b_prime_correlations`.
        reading: of B', a key of :data:`rdr_viz.analysis.over_epochs.READINGS`.
        coefficient: ``"spearman"`` or ``"pearson"``.
        drift: whether the series keep their drift.

    Example:
        >>> Correlations.from_runs(runs, reading="b_prime_batch").finding  # doctest: +SKIP
    """

    data: pd.DataFrame
    reading: str
    coefficient: str
    drift: bool = False

    title = "Does the weight move inversely to B′, and how sure is that?"
    look = (
        "Each dot is one run's correlation over its epochs between weight and B′, each relative to the mean of its "
        "neighbouring epochs, so that a common drift does not count; the paper's claim puts it left of 0. A bar that "
        "crosses 0 leaves the sign open, and so do seeds that disagree. 1/n, whose weights move only by which images "
        "share a batch, shows what chance looks like."
    )

    @classmethod
    def from_run(cls, run: Run, **options: Any) -> Correlations:
        """One run alone; options as for :meth:`from_runs`."""
        return cls.from_runs([run], **options)

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, reading: str = "b_prime", coefficient: str = "spearman", drift: bool = False
    ) -> Correlations:
        """Correlate weight and B' of each run's groups.

        Args:
            runs: one or more.
            reading: of B' (default: the paper read strictly).
            coefficient: ``"spearman"`` (default) or ``"pearson"``.
            drift: whether the series keep their drift, which by itself makes them correlate (default: no;
                :func:`rdr_viz.analysis.correlation.without_drift`).

        Raises:
            RdrError: without runs, or for another reading or coefficient.
        """
        if coefficient not in COEFFICIENTS:
            raise unknown_name("correlation", coefficient, COEFFICIENTS)
        tables = []
        for run in in_order(runs):
            found = weight_b_prime_correlations(
                run, readings=[reading], coefficients=[coefficient], levels=["group"], drift=drift
            )
            tables.append(pd.concat([method_columns(run, len(found)), found], axis=1))
        return cls(pd.concat(tables, ignore_index=True), reading, coefficient, drift)

    @property
    def alt(self) -> str:
        parts = []
        for group, rows in self.data.groupby("group", sort=False):
            values = [f"{row.label} seed {row.seed} {_with_interval(row)}" for row in self._known(rows).itertuples()]
            parts.append(f"{group}: {'; '.join(values)}" if values else f"{group}: no correlation")
        return (
            f"{_NAMES[self.coefficient]} over epochs of class weight and B′ ({READINGS[self.reading]}) "
            f"{self._which} with 95 % intervals. {'. '.join(parts)}.{self._constant()}"
        )

    @property
    def finding(self) -> str:
        known = self._known(self.data)
        if known.empty:
            return f"There is no correlation to show.{self._constant()}"
        sentences = []
        for method, rows in known.groupby("method", sort=False):
            below, above = int((rows["high"] < 0).sum()), int((rows["low"] > 0).sum())
            means = [
                f"{number(part['value'].mean(), 2)} for {group}" for group, part in rows.groupby("group", sort=False)
            ]
            sentences.append(
                f"{label_of(method)}: mean {listed(means)}; of {plural(len(rows), 'interval')} {below or 'none'} "
                f"{'lies' if below == 1 else 'lie'} below 0 and {above or 'none'} above."
            )
        block = sorted(known.loc[known["block"] > 0, "block"].unique())
        if block:
            span = f"{block[0]}" if len(block) == 1 else f"{block[0]} to {block[-1]}"
            sentences.append(f"Intervals resample blocks of {span} epochs and do not cover other seeds.")
        return " ".join(sentences) + self._constant()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw dots and intervals on ``ax`` (default: a new figure's axes, as high as the rows need); return it."""
        known = self._known(self.data)
        methods = in_methods_order(known)
        height = 1.25 + 0.13 * max(len(known), 3) + 0.2 * len(GROUPS)
        ax = new_axes(TEXT_WIDTH, height) if ax is None else ax
        with rdr_style():
            at, ticks = 0.0, []
            for group in [group for group in GROUPS if group in set(self.data["group"])]:
                rows = known[known["group"] == group]
                start = at
                for row in rows.itertuples():
                    style = method_style(row.method)
                    if row.low == row.low:
                        ax.plot([row.low, row.high], [at, at], color=style.edge, lw=1.2, solid_capstyle="butt")
                    look = {**style.line(), "linestyle": "none", "markersize": 4.5}
                    ax.plot(row.value, at, **look)
                    at += 1
                if rows.empty:
                    ax.text(0.03, at, "no correlation: a series does not change", va="center", color="#666666")
                    at += 1
                ticks.append((group, (start + at - 1) / 2))
                ax.axhline(at - 0.1, color="#E4E4E4", lw=0.6)
                at += 0.8
            ax.axvline(0, color="#888888", lw=0.8, zorder=0)
            ax.set(xlim=(-1.03, 1.03), ylim=(at - 0.9, -0.9))
            ax.set_yticks([place for _, place in ticks], [group for group, _ in ticks])
            for label, (group, _) in zip(ax.get_yticklabels(), ticks, strict=True):
                label.set(color=GROUP_TEXT[group], weight="bold")
            ax.grid(False, axis="y")
            ax.grid(True, axis="x")
            ax.spines["left"].set_visible(False)
            ax.set_xlabel(f"← inverse      {_NAMES[self.coefficient]} of weight and B′ {self._which}      together →")
            pad = legend_above(ax, method_handles(methods)) if methods else 8
            ax.set_title(f"Weight against B′ ({READINGS[self.reading]}), 95 % intervals", pad=pad)
        return ax

    @property
    def _which(self) -> str:
        return "with their drift" if self.drift else "without their drift"

    @staticmethod
    def _known(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["value"].notna()]

    def _constant(self) -> str:
        """Which methods have no number, in words."""
        gone = [label for label, rows in self.data.groupby("label", sort=False) if rows["value"].isna().all()]
        return f" {listed(gone)}: no correlation, since class weights do not change." if gone else ""


def _with_interval(row: Any) -> str:
    ends = f" ({number(row.low, 2)} to {number(row.high, 2)})" if row.low == row.low else " (no interval)"
    return number(row.value, 2) + ends
