"""What papers print of a run: a measure of what is stored, since a page computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rdr_viz.analysis.measures.measure import MEASURES
from rdr_viz.analysis.stored import NotStored

if TYPE_CHECKING:
    from rdr_core.runs import Run


def measure(run: Run, name: str) -> float:
    """The number of that name; NaN where the run has none, or the analysis behind it is not stored.

    Args:
        run: a finished run.
        name: of :data:`rdr_viz.analysis.measures.measure.MEASURES`.

    Raises:
        RdrError: an unknown name.
    """
    try:
        return MEASURES[name].of(run.as_stored)
    except NotStored:
        return np.nan
