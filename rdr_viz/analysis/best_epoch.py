"""What picking the best epoch by the test set would add: a number that one must not report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_viz.analysis.weights import in_order, method_columns
from rdr_viz.analysis.words import dataset_name

if TYPE_CHECKING:
    from rdr_core.runs import Run

#: Columns of a history that are accuracies in percent, and the names of groups of classes.
ACCURACIES = {"all": "accuracy", "many": "many", "medium": "medium", "few": "few"}


def best_epoch(history: pd.DataFrame) -> int:
    """The epoch with the highest accuracy over all classes on the test set, from 1; of equals the first.

    Args:
        history: of a run (:attr:`rdr_core.Run.history`), with an epoch at least.

    Example:
        >>> best_epoch(pd.DataFrame({"epoch": [1, 2, 3, 4], "accuracy": [50.0, 70.0, 70.0, 60.0]}))
        2
    """
    return int(history["epoch"].iloc[int(np.argmax(history["accuracy"].to_numpy(dtype=float)))])


def at_best_epoch(run: Run, group: str) -> float:
    """Accuracy on a group at :func:`best_epoch`, in percent; NaN for a group without classes.

    Args:
        run: with a finished epoch at least.
        group: of :data:`ACCURACIES`.
    """
    history = run.history.set_index("epoch", drop=False)
    return float(history.at[best_epoch(history), ACCURACIES[group]])


def peeking(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per run: accuracy over all classes at the last epoch and at the best one on the test set.

    Args:
        runs: finished.

    Returns:
        ``method``, ``label``, ``seed``, ``setting`` (data set and imbalance factor), ``last`` and ``best`` (percent),
        ``best_epoch``, ``epochs``, and ``gain``: best - last, 0 or more, what choosing by the test set would add.

    Raises:
        RdrError: without runs, or a method that has a seed twice in one setting.

    Example:
        >>> from rdr_core.runs.archive import shipped
        >>> from rdr_core.runs import Run
        >>> table = peeking([Run.open(next(shipped().glob("digits-if50-ce-s0-*")))])
        >>> float(table["gain"].min()) >= 0
        True
    """
    tables = []
    for run in sorted(in_order(runs), key=_place):
        history = run.history.set_index("epoch", drop=False)
        chosen = best_epoch(history)
        last, best = float(history["accuracy"].iloc[-1]), float(history.at[chosen, "accuracy"])
        tables.append(
            method_columns(run, 1).assign(
                setting=_setting(run), last=last, best=best, best_epoch=chosen, epochs=len(history),
                gain=best - last,
            )
        )  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    twice = table[table.duplicated(["setting", "method", "seed"])]
    if len(twice):
        row = twice.iloc[0]
        raise RdrError(
            f"{row['label']} has seed {row['seed']} twice on {row['setting']}; give runs that differ in method, seed, "
            "data set, imbalance factor and label noise alone."
        )
    return table


def _place(run: Run) -> tuple[str, float, float]:
    factor = run.config.imbalance_factor
    return dataset_name(run.config.dataset), np.inf if factor is None else factor, run.config.noise_rate


def _setting(run: Run) -> str:
    factor, noise = run.config.imbalance_factor, run.config.noise_rate
    words = [dataset_name(run.config.dataset)]
    words += [] if factor is None else [f"IF {factor:g}"]
    words += [f"{100 * noise:g} % label noise"] if noise else []
    return ", ".join(words)
