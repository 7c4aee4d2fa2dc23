"""Seconds of training by method, from the runs' own clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_viz.analysis.weights import in_order, method_columns

if TYPE_CHECKING:
    from rdr_core.runs import Run


def of_one_device(runs: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """The runs made where most of them were, and the others: seconds of a CPU and of a GPU do not compare.

    A CPU with another number of threads is another device. Of two devices with as many runs the first is taken.

    Raises:
        RdrError: without runs.
    """
    made_on = [_device(run) for run in runs]
    if not made_on:
        raise RdrError("There is no run to compare; give at least one.")
    most = Counter(made_on).most_common(1)[0][0]
    here: list[Run] = []
    elsewhere: list[Run] = []
    for run, device in zip(runs, made_on, strict=True):
        (here if device == most else elsewhere).append(run)
    return here, elsewhere


def _device(run: Run) -> tuple[str, int | None]:
    made = run.environment
    return made["device"], made["threads"] if made["device"] == "cpu" else None


def training_seconds(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per run: how long its training took.

    Args:
        runs: with a finished epoch at least.

    Returns:
        ``method``, ``label``, ``seed``, ``epochs``, ``total`` (seconds of all epochs, their tests included; where the
        first ones are a trunk's, as the run's own tell: :attr:`rdr_core.Run.seconds_in_all`),
        ``epoch_median`` (seconds of the median epoch: what a busy machine or the first epoch's start-up disturbs
        least). Only runs of one machine, one after the other, compare (:func:`of_one_device`).

    Raises:
        RdrError: without runs.
    """
    tables = []
    for run in in_order(runs):
        seconds = run.seconds.to_numpy(dtype=float)
        tables.append(
            method_columns(run, 1).assign(
                epochs=run.epochs_done,
                total=run.seconds_in_all,
                epoch_median=np.median(seconds) if len(seconds) else np.nan,
            )
        )
    return pd.concat(tables, ignore_index=True)
