"""What papers print of a run, one number each, by name, as tables and claims ask for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rdr_core.errors import unknown_name
from rdr_viz.analysis import NotStored, only_stored
from rdr_viz.curvature.scale import scale_free
from rdr_viz.numbers.peeking import at_best_epoch
from rdr_viz.numbers.training import changes_by_class, correlations, weight_and_b_prime, weights_by_class
from rdr_viz.papers.analyses import analysis

if TYPE_CHECKING:
    from rdr_core.runs import Run


class Measure(NamedTuple):
    """A number of a run.

    Attributes:
        words: what a reader calls it.
        unit: after a number, or "".
        of: the number; NaN where the run has none.
        analyses: stored analyses that it is read from.
    """

    words: str
    unit: str
    of: Callable[[Run], float]
    analyses: tuple[str, ...] = ()


def measure(run: Run, name: str) -> float:
    """The number of that name; NaN where the run has none, or the analysis behind it is not stored.

    Args:
        run: a finished run.
        name: one of :data:`MEASURES`.

    Raises:
        RdrError: an unknown name.
    """
    if name not in MEASURES:
        raise unknown_name("measure", name, MEASURES)
    try:
        with only_stored():
            return MEASURES[name].of(run)
    except NotStored:
        return np.nan


def _accuracy(key: str, run: Run) -> float:
    value = run.metrics[key]
    return np.nan if value is None else value


def _seconds(run: Run) -> float:
    return run.seconds_in_all


def _few(column: str, run: Run) -> float:
    table = scale_free(analysis(run, _CURVATURE))
    return float(table.loc[table["class"].isin(run.groups.few), column].mean(skipna=False))


def _trace(klass: int, run: Run) -> float:
    table = analysis(run, _CURVATURE)
    return float(table.loc[table["class"] == klass, "trace"].mean())


def _smallest(column: str, run: Run) -> float:
    return float(analysis(run, _DENSITY)[column].iloc[0])


def _correlation(group: str, run: Run) -> float:
    return correlations(weight_and_b_prime(run), drift=False).get(group, np.nan)


def _change(column: str, group: str, run: Run) -> float:
    """The mean over a group's classes of the change in percent of each one; NaN for a group without classes."""
    changes = changes_by_class(weights_by_class(run), column)
    return float(changes.loc[changes["group"] == group, "change"].mean())


def at_best(group: str) -> str:
    """The measure's name of a group's accuracy at the best epoch on the test set, which one must not report.

    Example:
        >>> at_best("few") in MEASURES
        True
    """
    return f"{group} at the best epoch"


_CURVATURE, _DENSITY = "curvature of the four smallest classes", "density of the smallest class"
_AND_LOSS = (_CURVATURE, "training loss of the four smallest classes")

#: By name. Curvature is that of the mean cross-entropy over a class's training images, after the last epoch.
MEASURES: dict[str, Measure] = {
    "all": Measure("accuracy over all classes", "points", partial(_accuracy, "top1")),
    "many": Measure("accuracy on Many", "points", partial(_accuracy, "many")),
    "medium": Measure("accuracy on Medium", "points", partial(_accuracy, "medium")),
    "few": Measure("accuracy on Few", "points", partial(_accuracy, "few")),
    **{
        at_best(group): Measure(
            f"accuracy {words} at the best epoch on the test set", "points", partial(at_best_epoch, group=group)
        )
        for group, words in (
            ("all", "over all classes"), ("many", "on Many"), ("medium", "on Medium"), ("few", "on Few")
        )
    },
    "seconds": Measure("seconds of training", "s", _seconds),
    "lambda_max": Measure("largest eigenvalue, mean over Few", "", partial(_few, "lambda_max"), (_CURVATURE,)),
    "lambda_min": Measure("smallest eigenvalue, mean over Few", "", partial(_few, "lambda_min"), (_CURVATURE,)),
    "trace_few": Measure("trace, mean over Few", "", partial(_few, "trace"), (_CURVATURE,)),
    "lambda_min / lambda_max on Few": Measure(
        "smallest over largest eigenvalue, mean over Few", "", partial(_few, "lambda_ratio"), (_CURVATURE,)
    ),
    "lambda_max over loss on Few": Measure(
        "largest eigenvalue over training loss, mean over Few", "", partial(_few, "lambda_max_per_loss"), _AND_LOSS
    ),
    "trace over loss on Few": Measure(
        "trace over training loss, mean over Few", "", partial(_few, "trace_per_loss"), _AND_LOSS
    ),
    **{
        f"trace_class{c}": Measure(f"trace, class {c}", "", partial(_trace, c), (_CURVATURE,))
        for c in range(6, 10)
    },
    "lambda_max_smallest": Measure(
        "largest eigenvalue, smallest class", "", partial(_smallest, "lambda_max"), (_DENSITY,)
    ),
    "lambda_min_smallest": Measure(
        "smallest eigenvalue, smallest class", "", partial(_smallest, "lambda_min"), (_DENSITY,)
    ),
    **{
        f"correlation of weight and B' on {group.lower()}": Measure(
            f"Spearman's correlation over the epochs of weight and B′ without their drift, {group}", "",
            partial(_correlation, group),
        )
        for group in ("Many", "Medium", "Few")
    },
    **{
        f"change of the {column} of {group.lower()}": Measure(
            f"change of the {words} of {group}", "%", partial(_change, column, group)
        )
        for column, words in (("weight", "class weights"), ("ratio", "raw ratios"))
        for group in ("Many", "Medium", "Few")
    },
}  # fmt: skip
