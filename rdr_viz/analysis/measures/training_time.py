"""What a run took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_viz.analysis.measures.measure import measure

if TYPE_CHECKING:
    from rdr_core.runs import Run


@measure("seconds", words="seconds of training", unit="s")
def seconds(run: Run) -> float:
    """Of all its epochs (:attr:`rdr_core.Run.seconds_in_all`)."""
    return run.seconds_in_all
