"""Accuracy of runs that differ in their setting too: data set, imbalance factor, label noise and optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label
from rdr_viz.analysis.accuracy import accuracy_by_group

if TYPE_CHECKING:
    from rdr_core.runs import Run

#: What makes a setting, the outermost first: the order of panels.
SETTING = ("dataset", "noise", "optimizer", "imbalance_factor")


def accuracy_by_setting(runs: Sequence[Run], *, by_optimizer: bool = False) -> pd.DataFrame:
    """A row per run and group: the columns of :data:`SETTING`, then those of ``accuracy_by_group``, and ``compared``.

    ``noise`` is the share of flipped labels in words, ``""`` for none; ``imbalance_factor`` is NaN for data taken as
    they are. Settings are in order, within one :func:`rdr_viz.analysis.accuracy.accuracy_by_group` has its order.

    Args:
        runs: Finished runs that differ, within one setting, in method and seed only.
        by_optimizer: Whether SAM and its kin make a setting. ``compared``, the method as it is compared with others,
            then goes without them, and ``optimizer`` names them (``"SGD"`` for none); else it is the method's name
            and ``optimizer`` is ``""``.

    Raises:
        RdrError: without runs, or as ``accuracy_by_group`` says of the runs of one setting.
    """
    runs = list(runs)
    if not runs:
        raise RdrError("There is no run to compare; give at least one.")

    def setting(run: Run) -> tuple[str, str, str, float]:
        optimizer = split_optimizer(run.config.method)[1] if by_optimizer else ""
        factor = run.config.imbalance_factor
        return run.config.dataset, _noise(run), optimizer, float("nan") if factor is None else factor

    def order(run: Run) -> tuple:
        dataset, noise, optimizer, factor = setting(run)
        return (
            dataset,
            run.config.noise_rate,
            noise,
            optimizer not in ("", "SGD"),
            optimizer,
            str(factor) == "nan",
            factor,
        )

    tables = []
    for _, group in groupby(sorted(runs, key=order), key=order):
        alike = list(group)
        table = accuracy_by_group(alike)
        for at, (column, value) in enumerate(zip(SETTING, setting(alike[0]), strict=True)):
            table.insert(at, column, value)
        table["compared"] = [split_optimizer(name)[0] if by_optimizer else name for name in table["method"]]
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def split_optimizer(method: str) -> tuple[str, str]:
    """The method less its optimizer, and the optimizer's label.

    Example:
        >>> split_optimizer("rdr+sam"), split_optimizer("ce")
        (('rdr', 'SAM'), ('ce', 'SGD'))
    """
    from rdr_core.methods.grammar import parse

    spec = parse(method)
    optimizer = spec.get("optimizer")
    if optimizer is None:
        return spec.name, "SGD"
    rest = replace(spec, used=tuple(used for used in spec.used if used is not optimizer))
    return rest.name, method_label(str(optimizer))


def _noise(run: Run) -> str:
    config = run.config
    if not config.noise_rate:
        return ""
    kind = "" if config.noise == "symmetric" else f" ({config.noise})"
    return f"{100 * config.noise_rate:g}\N{NO-BREAK SPACE}% label noise{kind}"
