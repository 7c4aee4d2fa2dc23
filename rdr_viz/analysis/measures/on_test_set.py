"""Of the last epoch's network on the test set, in percent: accuracy and what says more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rdr_viz.analysis.measures.measure import measure

if TYPE_CHECKING:
    from rdr_core.runs import Run


def _metric(key: str) -> Callable[[Run], float]:
    """A number of :attr:`rdr_core.Run.metrics`; NaN for a group without classes."""

    def of(run: Run) -> float:
        value = run.metrics[key]
        return np.nan if value is None else value

    return of


measure("all", words="accuracy over all classes", unit="points")(_metric("top1"))
measure("many", words="accuracy on Many", unit="points")(_metric("many"))
measure("medium", words="accuracy on Medium", unit="points")(_metric("medium"))
measure("few", words="accuracy on Few", unit="points")(_metric("few"))
measure("balanced_accuracy", words="mean accuracy of the classes", unit="points")(_metric("balanced_accuracy"))
measure("macro_f1", words="macro F1", unit="points")(_metric("macro_f1"))
measure("roc_auc", words="ROC AUC of a class against the rest, mean over classes", unit="points")(_metric("roc_auc"))
measure(
    "average_precision", words="average precision of a class against the rest, mean over classes", unit="points"
)(_metric("average_precision"))  # fmt: skip
measure("calibration_error", words="expected calibration error", unit="points")(_metric("calibration_error"))
