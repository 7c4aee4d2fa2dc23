"""Whether two runs are one and the same."""

from __future__ import annotations

import pandas as pd
import torch

from rdr_core import Run


def assert_equal_runs(one: Run, other: Run) -> None:
    """Bit for bit, but for the seconds that they took."""
    pd.testing.assert_frame_equal(
        one.history.drop(columns="seconds"), other.history.drop(columns="seconds"), check_exact=True
    )
    pd.testing.assert_frame_equal(one.classes, other.classes, check_exact=True)
    assert one.metrics == other.metrics
    weights, others = one.model().state_dict(), other.model().state_dict()
    assert all(torch.equal(weights[name], others[name]) for name in weights)
