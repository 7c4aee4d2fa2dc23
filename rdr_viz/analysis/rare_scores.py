"""Of a run that tells two classes apart: the probability of the rare one, of every test sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Int
from rdr_viz.analysis.predictions import predictions

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run


def rare_scores(run: Run, *, data: LongTailedData | None = None) -> tuple[Float[np.ndarray, "N"], Int[np.ndarray, "N"]]:
    """Probability of the class with fewest training samples, 0..1, and 1 where a test sample is of it.

    Args:
        run: a finished run of two classes.
        data: what it was trained on, where those are the user's own.

    Raises:
        RdrError: more than two classes, or what :func:`rdr_viz.predictions` refuses.

    Example:
        >>> scores, labels = rare_scores(run)  # doctest: +SKIP
    """
    rare = rare_class(run)
    table = predictions(run, data=data)
    labels, own = table["label"].to_numpy(), table["probability"].to_numpy()
    return np.where(labels == rare, own, 1 - own), (labels == rare).astype(np.int64)


def rare_class(run: Run) -> int:
    """The one of two classes that has fewer training samples.

    Raises:
        RdrError: the run tells more than two classes apart.
    """
    counts = run.class_counts
    if len(counts) != 2:
        raise RdrError(
            f"{run.path} tells {len(counts)} classes apart; precision and recall of one rare class need two, such as "
            "those of mnist:9-4."
        )
    return int(np.argmin(counts))
