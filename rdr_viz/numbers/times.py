"""Seconds of training by method, from the runs' own clocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_viz.numbers.weights import in_order, method_columns

if TYPE_CHECKING:
    from rdr_core.runs import Run


def training_seconds(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per run: how long its training took.

    Args:
        runs: with a finished epoch at least.

    Returns:
        ``method``, ``label``, ``seed``, ``epochs``, ``total`` (seconds of all epochs, their tests included),
        ``epoch_median`` (seconds of the median epoch: what a busy machine or the first epoch's start-up disturbs
        least). Only runs of one machine, one after the other, compare.

    Raises:
        RdrError: without runs.
    """
    tables = []
    for run in in_order(runs):
        seconds = run.history["seconds"].to_numpy(dtype=float)
        tables.append(
            method_columns(run, 1).assign(
                epochs=len(seconds), total=seconds.sum(), epoch_median=np.median(seconds) if len(seconds) else np.nan
            )
        )
    return pd.concat(tables, ignore_index=True)
