"""Curvature of the smallest classes: that of the mean cross-entropy over a class's training images, last epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rdr_viz.analysis.curvature.scale import scale_free
from rdr_viz.analysis.curvature.smallest import CURVATURE, DENSITY, LOSS, curvature_of_smallest, density_of_smallest
from rdr_viz.analysis.measures.measure import measure

if TYPE_CHECKING:
    from rdr_core.runs import Run


def _on_few(column: str) -> Callable[[Run], float]:
    """The mean over the Few classes; NaN where one of them has no number."""

    def of(run: Run) -> float:
        table = scale_free(curvature_of_smallest(run, progress=False))
        return float(table.loc[table["class"].isin(run.groups.few), column].mean(skipna=False))

    return of


def _trace(klass: int) -> Callable[[Run], float]:
    def of(run: Run) -> float:
        table = curvature_of_smallest(run, progress=False)
        return float(table.loc[table["class"] == klass, "trace"].mean())

    return of


def _of_smallest(column: str) -> Callable[[Run], float]:
    return lambda run: float(density_of_smallest(run, progress=False)[column].iloc[0])


for _name, _column, _words, _analyses in (
    ("lambda_max", "lambda_max", "largest eigenvalue", (CURVATURE,)),
    ("lambda_min", "lambda_min", "smallest eigenvalue", (CURVATURE,)),
    ("trace_few", "trace", "trace", (CURVATURE,)),
    ("lambda_min / lambda_max on Few", "lambda_ratio", "smallest over largest eigenvalue", (CURVATURE,)),
    ("lambda_max over loss on Few", "lambda_max_per_loss", "largest eigenvalue over training loss", (CURVATURE, LOSS)),
    ("trace over loss on Few", "trace_per_loss", "trace over training loss", (CURVATURE, LOSS)),
):
    measure(_name, words=f"{_words}, mean over Few", analyses=_analyses)(_on_few(_column))

for _class in range(6, 10):
    measure(f"trace_class{_class}", words=f"trace, class {_class}", analyses=(CURVATURE,))(_trace(_class))

for _column, _words in {"lambda_max": "largest eigenvalue", "lambda_min": "smallest eigenvalue"}.items():
    measure(f"{_column}_smallest", words=f"{_words}, smallest class", analyses=(DENSITY,))(_of_smallest(_column))
