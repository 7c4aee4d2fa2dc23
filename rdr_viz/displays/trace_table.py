"""How sharp is the loss on each Few class, by method? The paper's table 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label, method_order
from rdr_viz.analysis.curvature.residuals import MARK, doubtful, told
from rdr_viz.analysis.words import class_name, listed, number, short
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_figure, rdr_style
from rdr_viz.displays.palette import method_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

#: Heads, and where on the axes each column ends (the first begins).
_COLUMNS = {
    "Method": 0.0, "Class": 0.265, "Images": 0.35, "λ min": 0.46, "λ max": 0.55, "Trace": 0.71, "λ min / max": 0.86,
    "Trace / loss": 1.0,
}  # fmt: skip
#: What a table of curvature says where its loss is not known.
NO_LOSS = "the training loss at these weights is not stored; `rdr analyse RUN --what curvature` adds it"


@display("traces", place=190)
@dataclass(frozen=True)
class TraceTable(Display):
    """lambda_min, lambda_max and trace of each Few class and method, and what is left of them without their scale.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``class``, ``name``, ``images``, ``lambda_min``, ``lambda_max``,
            ``trace``, ``trace_standard_error``, ``mean_loss``, ``mode``, and the columns of
            :func:`rdr_viz.analysis.curvature.scale_free`; a row for each run and class, of the last epoch.

    Example:
        >>> TraceTable.from_runs([ce, rdr]).data  # doctest: +SKIP
    """

    data: pd.DataFrame

    title = "How sharp is the loss on the Few classes?"
    look = (
        "Compare a class's trace and largest eigenvalue between methods: lower means flatter, or only a smaller loss; "
        "the last two columns do not depend on the loss. ± is one standard error."
    )

    @classmethod
    def from_runs(
        cls, runs: Sequence[Run], *, classes: Sequence[int] | None = None, data: LongTailedData | None = None,
        **options: Any,
    ) -> TraceTable:  # fmt: skip
        """Compute or read the curvature of the last epoch.

        Args:
            runs: in any order; listed in the methods' fixed order, then by seed.
            classes: to list (default: each run's Few classes).
            data: where the runs were trained on the user's own arrays.
            options: further ones of :func:`rdr_viz.analysis.curvature.class_curvature`.
        """
        import pandas as pd

        from rdr_viz.analysis.curvature import class_curvature, scale_free

        if not runs:
            raise RdrError("There is no run to list; give at least one.")
        tables = []
        for run in sorted(runs, key=lambda run: (*method_order(run.config.method), run.config.seed)):
            chosen = [int(c) for c in (run.groups.few if classes is None else classes)]
            if not chosen:
                raise RdrError(f"{run.path} has no Few class; name classes.")
            table = class_curvature(run, classes=chosen, epochs=run.milestones[-1:], data=data, **options)
            table = scale_free(table[table["rank"] == 1])
            table.insert(0, "method", run.config.method)
            table.insert(1, "label", method_label(run.config.method))
            table.insert(2, "seed", run.config.seed)
            table.insert(3, "name", [run.class_names[klass] for klass in table["class"]])
            tables.append(table)
        return cls(pd.concat(tables, ignore_index=True))

    @classmethod
    def from_run(cls, run: Run, *, data: LongTailedData | None = None, **options: Any) -> TraceTable:
        """Of one run, as :meth:`from_runs`."""
        return cls.from_runs([run], data=data, **options)

    @property
    def alt(self) -> str:
        rows = [
            f"{row['label']}, {class_name(str(row['name']))}: {short(row['lambda_min'])}, {short(row['lambda_max'])}, "
            f"{self._trace(row)}, {short(row['lambda_ratio'])}, {short(row['trace_per_loss'])}"
            for _, row in self.data.iterrows()
        ]
        return (
            f"Table of smallest and largest eigenvalue, trace, the eigenvalues' ratio and trace over training loss "
            f"({self._mode()}). {'; '.join(rows)}."
        )

    @property
    def finding(self) -> str:
        means = self.data.groupby("label", sort=False)[["trace", "trace_per_loss"]].mean()
        traces = [f"{label} {short(value)}" for label, value in means["trace"].items()]
        words = f"Mean trace over the classes listed: {listed(traces)}"
        marked = f" {told(self.data)}" if told(self.data) else ""
        known = means["trace_per_loss"].dropna()
        if known.empty:
            return f"{words} ({NO_LOSS}). {self._mode()}.{marked}"
        over = listed([f"{label} {short(value)}" for label, value in known.items()])
        return f"{words}; over the training loss {over}. {self._mode()}.{marked}"

    def cells(self) -> list[list[str]]:
        """The table as text, a list per row: Method, Class, Images, λ min, λ max, Trace, λ min / max, Trace / loss."""
        several = self.data["seed"].nunique() > 1
        return [
            [
                f"{row['label']}, seed {row['seed']}" if several else row["label"],
                str(row["name"]),
                f"{row['images']:,}",
                short(row["lambda_min"]) + MARK * doubtful_min,
                short(row["lambda_max"]) + MARK * doubtful_max,
                self._trace(row),
                short(row["lambda_ratio"]),
                short(row["trace_per_loss"]),
            ]
            for (_, row), doubtful_min, doubtful_max in zip(
                self.data.iterrows(), doubtful(self.data, "min"), doubtful(self.data, "max"), strict=True
            )
        ]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Set the table on ``ax`` (default: a new figure's, as high as the rows need) and return it."""
        cells = self.cells()
        if ax is None:
            ax = new_figure(TEXT_WIDTH, 0.62 + 0.21 * len(cells)).subplots()
        with rdr_style():
            ax.set_axis_off()
            ax.set_title(f"{self.title} ({self._mode()})", fontsize="medium")
            height = len(cells) + 1
            ax.set_ylim(height, 0)
            ax.set_xlim(0, 1)
            at = tuple(_COLUMNS.values())
            for words, x in _COLUMNS.items():
                ax.text(x, 0.5, words, weight="bold", ha="left" if x == 0 else "right", va="center", fontsize="small")
            ax.axhline(1, color="#444444", lw=0.8)
            before = None
            for index, row in enumerate(cells):
                if before is not None and row[0] != before:
                    ax.axhline(index + 1, color="#CCCCCC", lw=0.6)
                for column, (x, words) in enumerate(zip(at, row, strict=True)):
                    shown = "" if column == 0 and row[0] == before else words
                    color = method_style(self.data["method"].iloc[index]).edge if column == 0 else "#222222"
                    ax.text(x, index + 1.5, shown, ha="left" if x == 0 else "right", va="center", color=color,
                            fontsize="small")  # fmt: skip
                before = row[0]
        return ax

    def _trace(self, row: pd.Series) -> str:
        # Digits to the error's second, no further.
        error = row["trace_standard_error"]
        if not error > 0:
            return short(row["trace"])
        digits = max(0, 1 - int(np.floor(np.log10(error))))
        return f"{number(row['trace'], digits)} ± {number(error, digits)}"

    def _mode(self) -> str:
        return f"BatchNorm in {listed(sorted(self.data['mode'].unique()))} mode"
