"""Accuracy at the best epoch on the test set, which one must not report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rdr_viz.analysis.best_epoch import at_best_epoch
from rdr_viz.analysis.measures.measure import measure

if TYPE_CHECKING:
    from rdr_core.runs import Run


def at_best(group: str) -> str:
    """The measure's name of a group's accuracy at the best epoch on the test set.

    Args:
        group: "all", "many", "medium" or "few".

    Example:
        >>> from rdr_viz.analysis.measures.measure import MEASURES
        >>> MEASURES[at_best("few")].words
        'accuracy on Few at the best epoch on the test set'
    """
    return f"{group} at the best epoch"


def _accuracy(group: str) -> Callable[[Run], float]:
    return lambda run: at_best_epoch(run, group)


for _group, _where in {"all": "over all classes", "many": "on Many", "medium": "on Medium", "few": "on Few"}.items():
    measure(at_best(_group), words=f"accuracy {_where} at the best epoch on the test set", unit="points")(
        _accuracy(_group)
    )
