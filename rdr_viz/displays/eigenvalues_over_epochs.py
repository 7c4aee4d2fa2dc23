"""How do the extreme eigenvalues of each class's Hessian move through training?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.methods.names import method_label
from rdr_viz.analysis.curvature.residuals import told
from rdr_viz.analysis.words import class_name, listed, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.epochs import epoch_axis, log_ticks
from rdr_viz.displays.figure import TEXT_WIDTH, new_figure, rdr_style
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT
from rdr_viz.displays.trace_table import NO_LOSS
from rdr_viz.displays.weights_by_class import apart

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

_MARKERS = ("o", "s", "D", "^", "v", "P", "X")
_WORDS = {
    "lambda_max": "Largest eigenvalue", "lambda_min": "Smallest eigenvalue",
    "lambda_max_per_loss": "Largest eigenvalue over training loss", "lambda_ratio": "Smallest over largest eigenvalue",
}  # fmt: skip


@display("eigenvalues", place=180)
@dataclass(frozen=True)
class EigenvaluesOverEpochs(Display):
    """lambda_max and lambda_min over the epochs whose weights were kept, a line per class or group.

    Attributes:
        data: of :func:`rdr_viz.analysis.curvature.class_curvature`, rank 1, with ``name`` (of the class or group) and
            what :func:`rdr_viz.analysis.curvature.scale_free` adds.
        method: canonical method name.
        relative: whether lambda_max is drawn over the training loss and lambda_min over lambda_max, neither of which
            falls because the loss does.

    Example:
        >>> EigenvaluesOverEpochs.from_run(run, by="group").figure()  # doctest: +SKIP
    """

    data: pd.DataFrame
    method: str
    relative: bool = False

    title = "How does the sharpest curvature change in training?"
    look = (
        "Above, the largest eigenvalue: lines that stay high are classes on which the loss stays sharp. Below, the "
        "smallest: the further below 0, the more of a saddle. Both shrink with the loss itself: before you call a "
        "method flatter, compare them divided by the training loss or by each other."
    )

    @classmethod
    def from_run(
        cls, run: Run, *, by: str = "group", relative: bool = False, data: LongTailedData | None = None, **options: Any
    ) -> EigenvaluesOverEpochs:
        """Compute or read the eigenvalues.

        Args:
            run: finished.
            by: a line per ``"class"`` or ``"group"``.
            relative: draw them over the training loss and over each other (default: as they are).
            data: where the run was trained on the user's own arrays.
            options: further ones of :func:`rdr_viz.analysis.curvature.class_curvature`.
        """
        from rdr_viz.analysis.curvature import class_curvature, scale_free

        table = class_curvature(run, by=by, data=data, **options)
        table = scale_free(table[table["rank"] == 1].reset_index(drop=True))
        names = [run.class_names[c] for c in table["class"]] if by == "class" else table["group"]
        return cls(table.assign(name=list(names)), run.config.method, relative)

    @property
    def alt(self) -> str:
        first, last = self.data["epoch"].min(), self.data["epoch"].max()
        lines = []
        for name, rows in self._lines():
            ends = rows[self._upper].dropna()
            if ends.empty:
                continue
            lines.append(f"{class_name(name)} from {short(ends.iloc[0])} to {short(ends.iloc[-1])}")
        return (
            f"Extreme eigenvalues of the Hessian for {method_label(self.method)}, epochs {first} to {last}, "
            f"{self._mode()}. {_WORDS[self._upper]}: {listed(lines or [NO_LOSS])}."
        )

    @property
    def finding(self) -> str:
        final = self.data[self.data["epoch"] == self.data["epoch"].max()]
        column = self._upper
        if final[column].isna().all():
            return f"Eigenvalues over each other alone: {NO_LOSS}. {self._mode()}."
        sharp, flat = final.loc[final[column].idxmax()], final.loc[final[column].idxmin()]
        what = _WORDS[column]
        words = (
            f"After epoch {sharp['epoch']} the {what[0].lower()}{what[1:]} is highest on "
            f"{class_name(str(sharp['name']))}, {short(sharp[column])}"
        )
        if len(final) > 1:
            words += f", and lowest on {class_name(str(flat['name']))}, {short(flat[column])}"
        marked = told(self.data)
        return f"{words}. {self._mode()}." + (f" {marked}" if marked else "")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the largest on ``ax`` (default: a new figure's) and return it; :meth:`figure` shows the smallest too."""
        if ax is None:
            ax = new_figure(TEXT_WIDTH, 2.6).subplots()
        with rdr_style():
            self._draw(ax, self._upper)
            ax.set_xlabel("Epoch")
            ax.set_title(f"{method_label(self.method)}: curvature over training ({self._mode()})")
        return ax

    def figure(self) -> Figure:
        """The largest above, the smallest below."""
        with rdr_style():
            figure = new_figure(TEXT_WIDTH, 4.2)
            upper, lower = figure.subplots(2, 1, sharex=True)
            self.plot(upper).set_xlabel("")
            self._draw(lower, "lambda_ratio" if self.relative else "lambda_min")
            lower.set_xlabel("Epoch")
        return figure

    @property
    def _upper(self) -> str:
        return "lambda_max_per_loss" if self.relative else "lambda_max"

    def _draw(self, ax: Axes, column: str) -> None:
        lines = self._lines()
        seen: dict[str, int] = {}
        for _, rows in lines:
            group = rows["group"].iloc[0]
            marker = _MARKERS[seen.get(group, 0) % len(_MARKERS)]
            seen[group] = seen.get(group, 0) + 1
            ax.plot(rows["epoch"], rows[column], marker=marker, color=GROUP_COLORS.get(group, "#888888"), lw=1.3, ms=4,
                    clip_on=False, zorder=3)  # fmt: skip
        values = self.data[column].dropna()
        ax.set_ylabel(_WORDS[column].replace(" over ", "\nover "))
        epoch_axis(ax, self.data["epoch"], label=False)
        if values.empty:
            ax.set_yticks([])
            ax.text(0.5, 0.5, "The training loss at these weights is not stored", transform=ax.transAxes, ha="center")
            return
        sizes = values.abs()
        if sizes.max() > 5 * sizes.min() > 0 and (values > 0).all():
            ax.set_yscale("log")
        elif sizes.max() > 5 * sizes.min() > 0 and (values < 0).all():
            # A log axis for negative numbers: its linear part lies beyond the data.
            ax.set_yscale("symlog", linthresh=float(sizes.min()) / 2)
        if ax.get_yscale() != "linear":
            log_ticks(ax.yaxis, values.min(), values.max())
        last = self.data["epoch"].max()
        final = [(name, rows[rows["epoch"] == last].iloc[0]) for name, rows in lines if (rows["epoch"] == last).any()]
        if not final:
            return
        to_axes = ax.transScale + ax.transLimits
        heights = [to_axes.transform((last, row[column]))[1] for _, row in final]
        for height, (name, row) in zip(apart(np.array(heights), 0.11), final, strict=True):
            ax.annotate(
                f"{class_name(name, 14)}: {short(row[column])}", (1, height), xycoords="axes fraction",
                xytext=(5, 0), textcoords="offset points", va="center",
                color=GROUP_TEXT.get(row["group"], "#444444"), annotation_clip=False,
            )  # fmt: skip

    def _lines(self) -> list[tuple[str, pd.DataFrame]]:
        return [(str(name), rows.sort_values("epoch")) for name, rows in self.data.groupby("name", sort=False)]

    def _mode(self) -> str:
        return f"BatchNorm in {listed(sorted(self.data['mode'].unique()))} mode"
