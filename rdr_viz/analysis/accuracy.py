"""Test accuracy by group and method over runs that may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label, method_order
from rdr_core.runs import RunConfig

if TYPE_CHECKING:
    from rdr_core.runs import Run

ALL_AND_GROUPS = ("All", *GROUPS)
#: Of the groups, in their order, at the end and after each epoch.
_METRICS = ("top1", "many", "medium", "few")
_HISTORY = ["accuracy", "many", "medium", "few"]
#: Settings in words, where they are not those of :class:`rdr_core.runs.RunConfig`.
_WORDS = {
    "dataset": "data set", "data_hash": "data", "data_seed": "subset of the data", "class_order": "order of classes",
    "epochs": "number of epochs", "model": "network", "noise_rate": "label noise", "noise": "kind of label noise",
}  # fmt: skip
#: Settings of the data that a seed may draw: they may differ from seed to seed, but not within one.
_DRAWN = ("data_seed", "class_order")


def accuracy_by_group(runs: Sequence[Run], *, epoch: int | None = None) -> pd.DataFrame:
    """A row per run and group: ``method``, ``label``, ``seed``, ``group`` (All, Many, Medium, Few), ``accuracy``.

    ``accuracy`` is the test accuracy in percent; NaN where no class is in the group, never 0.
    Methods come in their fixed order (:func:`rdr_core.methods.names.method_order`), seeds rise.

    Args:
        runs: finished runs.
        epoch: after which; None (default) is the last.

    Raises:
        RdrError: without runs, if runs differ in more than method and seed (with its subset and order of classes, the
            same of each method, and of the same seeds), if one method has a seed twice, or if a run has no such epoch.
    """
    runs = list(runs)
    refuse_unequal(runs)
    runs.sort(key=lambda run: (method_order(run.config.method), run.config.seed))
    rows = [
        {
            "method": run.config.method,
            "label": method_label(run.config.method),
            "seed": run.config.seed,
            "group": group,
            "accuracy": value,
        }
        for run in runs
        for group, value in zip(ALL_AND_GROUPS, _accuracies(run, epoch), strict=True)
    ]
    return pd.DataFrame(rows)


def check_epoch(run: Run, epoch: int) -> None:
    """Raises RdrError where the run has no such epoch."""
    if not 1 <= epoch <= run.epochs_done:
        raise RdrError(f"{run.path} has no epoch {epoch}; give one of 1 to {run.epochs_done}.")


def _accuracies(run: Run, epoch: int | None) -> list[float]:
    if epoch is None:
        values = [run.metrics.get(name) for name in _METRICS]
        return [np.nan if value is None else float(value) for value in values]
    check_epoch(run, epoch)
    history = run.history
    return history.loc[history["epoch"] == epoch, _HISTORY].iloc[0].tolist()


def summarise(data: pd.DataFrame) -> pd.DataFrame:
    """Mean, sample standard deviation (n - 1) and number of seeds of each method and group.

    Args:
        data: As :func:`accuracy_by_group` returns it.

    Returns:
        ``method``, ``label``, ``group``, ``mean`` and ``sd`` in percentage points, ``seeds``; ``mean`` is NaN in a
        missing group, ``sd`` is NaN for one seed. Order as in ``data``.
    """
    return data.groupby(["method", "label", "group"], as_index=False, sort=False, dropna=False).agg(
        mean=("accuracy", "mean"), sd=("accuracy", "std"), seeds=("seed", "nunique")
    )


def refuse_unequal(runs: Sequence[Run]) -> None:
    """Raises RdrError for runs that differ in more than method and seed, the same one twice, or none."""
    if not runs:
        raise RdrError("There is no run to compare; give at least one.")
    for name in (field.name for field in fields(RunConfig) if field.name not in ("method", "seed", *_DRAWN)):
        values = sorted({str(getattr(run.config, name)) for run in runs})
        if len(values) > 1:
            words = _WORDS.get(name, name.replace("_", " "))
            raise RdrError(
                f"These runs cannot share a picture: they differ in their {words} ({', '.join(values)}); "
                "choose runs that differ only in method and seed."
            )
    _refuse_unpaired(runs)
    seen: set[tuple[str, int]] = set()
    for run in runs:
        key = (run.config.method, run.config.seed)
        if key in seen:
            raise RdrError(f"Method {key[0]!r} with seed {key[1]} is there twice; give each run once.")
        seen.add(key)


def _refuse_unpaired(runs: Sequence[Run]) -> None:
    """Where seeds draw the data, a seed stands for the same data with each method, and each method has all of them."""
    seeds: dict[str, set[int]] = {}
    for run in runs:
        seeds.setdefault(run.config.method, set()).add(run.config.seed)
    every = set().union(*seeds.values())
    for name in _DRAWN:
        for seed in sorted(every):
            values = sorted({str(getattr(run.config, name)) for run in runs if run.config.seed == seed})
            if len(values) > 1:
                raise RdrError(
                    f"These runs cannot share a picture: those of seed {seed} differ in their {_WORDS[name]} "
                    f"({', '.join(values)}); choose runs in which a seed stands for the same data with each method."
                )
        if len({getattr(run.config, name) for run in runs}) == 1:
            continue
        for method, of_method in seeds.items():
            if of_method != every:
                raise RdrError(
                    f"These runs cannot share a picture: each seed has another {_WORDS[name]}, and {method} has no run "
                    f"of seed {min(every - of_method)}; choose seeds that each method has."
                )
