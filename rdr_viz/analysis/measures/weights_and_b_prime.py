"""Class weights and raw ratios through training, and how weights go with B'."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.data.groups import GROUPS
from rdr_viz.analysis.measures.measure import measure
from rdr_viz.analysis.over_epochs import changes_by_class, correlations, weight_and_b_prime, weights_by_class

if TYPE_CHECKING:
    from rdr_core.runs import Run


def _correlation(group: str) -> Callable[[Run], float]:
    return lambda run: correlations(weight_and_b_prime(run), drift=False).get(group, np.nan)


def _change(column: str, group: str) -> Callable[[Run], float]:
    """The mean over a group's classes of the change in percent of each one; NaN for a group without classes."""

    def of(run: Run) -> float:
        changes = changes_by_class(weights_by_class(run), column)
        return float(changes.loc[changes["group"] == group, "change"].mean())

    return of


for _group in GROUPS:
    measure(
        f"correlation of weight and B' on {_group.lower()}",
        words=f"Spearman's correlation over the epochs of weight and B′ without their drift, {_group}",
    )(_correlation(_group))
    for _column, _words in {"weight": "class weights", "ratio": "raw ratios"}.items():
        measure(f"change of the {_column} of {_group.lower()}", words=f"change of the {_words} of {_group}", unit="%")(
            _change(_column, _group)
        )
