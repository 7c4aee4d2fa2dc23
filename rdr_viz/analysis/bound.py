"""Theorem 1's class terms over the epochs, and figure 1's claim as a number: how weight and B' move together.

The balanced risk is bounded by a training term plus ``C / (d pi_1) * sum_y w_y B'_y`` with
``B'_y = sqrt(pi_y) (1 - softmax(B_y))`` (paper, Theorem 1; B' and its readings: :mod:`rdr_core.measures.bound`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.errors import unknown_name
from rdr_viz.analysis.bootstrap import COEFFICIENTS, correlation
from rdr_viz.analysis.correlation import is_constant, without_drift
from rdr_viz.analysis.over_epochs import READINGS, mean_one_over_classes, warm_up_epochs

if TYPE_CHECKING:
    from rdr_core.runs import Run

#: What a weight's scale may be: mean 1 over the classes in each epoch, or as recorded, mean 1 over each batch.
SCALES = ("classes", "batch")


def bound_terms(run: Run, *, readings: Iterable[str] | None = None, scale: str = "classes") -> pd.DataFrame:
    """The class terms w_y B'_y of Theorem 1: a row for each reading of B', epoch and class.

    Args:
        run: a stored run.
        readings: keys of :data:`rdr_viz.analysis.over_epochs.READINGS`; None (default) is all four.
        scale: of the weights. "classes" (default): mean 1 over the classes in each epoch, the scale of the paper's
            figure 7, so that methods compare; "batch": as training used them, mean 1 over each batch, which is what
            the run's ``history.bound_terms`` adds up.

    Returns:
        ``reading``, ``epoch``, ``class``, ``name``, ``count``, ``group``, ``weight``, ``b_prime``, ``term``,
        ``warm_up`` (weights were still 1).

    Raises:
        RdrError: an unknown reading or scale.

    Example:
        >>> bound_terms(run, readings=["b_prime"]).groupby("epoch")["term"].sum()  # doctest: +SKIP
    """
    if scale not in SCALES:
        raise unknown_name("scale of weights", scale, SCALES)
    classes = run.classes
    weight = mean_one_over_classes(classes) if scale == "classes" else classes["weight"]
    names = {i: str(name) for i, name in enumerate(run.class_names)}
    common = pd.DataFrame(
        {
            "epoch": classes["epoch"],
            "class": classes["class"],
            "name": classes["class"].map(names),
            "count": classes["count"],
            "group": classes["group"].astype(str),
            "weight": weight,
        }
    )
    common["warm_up"] = common["epoch"] <= warm_up_epochs(classes)
    tables = []
    for reading in _readings(readings):
        table = common.copy()
        table.insert(0, "reading", reading)
        table.insert(7, "b_prime", classes[reading])
        table.insert(8, "term", table["weight"] * table["b_prime"])
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def bound_sums(run: Run, *, readings: Iterable[str] | None = None, scale: str = "classes") -> pd.DataFrame:
    """The sum of the class terms over all classes and over each group: a row for each reading, epoch and group.

    Args:
        run, readings, scale: as for :func:`bound_terms`.

    Returns:
        ``reading``, ``epoch``, ``group`` ("All" or a group's name), ``terms`` (sum of w_y B'_y; classes without a
        value are left out), ``scaled`` (``terms / (d pi_1)``, the bound's second part but for the factor C_S(M),
        which nobody knows; d is the number of classes, pi_1 the smallest proportion), ``warm_up``.
    """
    terms = bound_terms(run, readings=readings, scale=scale)
    keys = ["reading", "epoch", "warm_up"]
    whole = terms.groupby(keys, sort=False)["term"].sum().reset_index().assign(group="All")
    groups = terms.groupby([*keys, "group"], sort=False)["term"].sum().reset_index()
    data = pd.concat([whole, groups], ignore_index=True).rename(columns={"term": "terms"})
    counts = run.class_counts
    data["scaled"] = data["terms"] / (len(counts) * counts.min() / counts.sum())
    place = {name: i for i, name in enumerate(("All", *GROUPS))}
    order = data.assign(place=data["group"].map(place), at=data["reading"].map(list(READINGS).index))
    order = order.sort_values(["at", "place", "epoch"], kind="stable").index
    return data.loc[order, ["reading", "epoch", "group", "terms", "scaled", "warm_up"]].reset_index(drop=True)


def weight_b_prime_correlations(
    run: Run,
    *,
    readings: Iterable[str] | None = None,
    coefficients: Sequence[str] = COEFFICIENTS,
    levels: Sequence[str] = ("group", "class"),
    drift: bool = False,
    block: int | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlation over epochs of weight and B', of each class and of each group's means, with intervals.

    The warm-up, in which weights are 1, is left out. Weights have mean 1 over the classes in each epoch. A group's
    series are means over its classes, each counting once.

    Args:
        run: a stored run.
        readings: of B', keys of :data:`rdr_viz.analysis.over_epochs.READINGS`; None (default) is all four.
        coefficients: "spearman" and "pearson" (default: both).
        levels: "group" and "class" (default: both).
        drift: whether the series keep their drift, which alone makes them correlate (default: no;
            :func:`rdr_viz.analysis.correlation.without_drift`, which costs an epoch at either end).
        block, resamples, seed: of the moving-block bootstrap over epochs
            (:func:`rdr_viz.analysis.bootstrap.correlation`).

    Returns:
        ``level`` ("group" or "class"), ``class`` (-1 for a group), ``name`` (of the class, or the group), ``group``,
        ``reading``, ``coefficient``, ``value``, ``low``, ``high``, ``epochs`` (pairs used), ``block`` (epochs).
        NaN where a series does not move, as CE's weights; no interval below eight epochs.

    Raises:
        RdrError: an unknown reading or coefficient, or a block longer than the series.

    Example:
        >>> table = weight_b_prime_correlations(run, readings=["b_prime"])  # doctest: +SKIP
        >>> table[(table.level == "group") & (table.coefficient == "spearman")]  # doctest: +SKIP
    """
    rows = []
    for reading, terms in bound_terms(run, readings=readings).groupby("reading", sort=False):
        after = terms[~terms["warm_up"]]
        # Positions in the bootstrap are epochs in order: every series has a row each, missing values included.
        means = after.groupby(["group", "epoch"])[["weight", "b_prime"]].mean()
        present = [group for group in GROUPS if group in set(terms["group"])]
        series = [("group", -1, group, group, means.loc[group] if len(after) else after) for group in present]
        for klass, own in terms.groupby("class"):
            kept = own.loc[~own["warm_up"]].sort_values("epoch")
            series.append(("class", klass, own["name"].iloc[0], own["group"].iloc[0], kept))
        for level, klass, name, group, values in (one for one in series if one[0] in levels):
            pair = values[["weight", "b_prime"]].to_numpy(dtype=float).T
            if not drift:  # a series that does not move has rounding errors alone above its neighbours' mean
                pair = [without_drift(one) if len(one) > 2 and not is_constant(one) else one[1:-1] for one in pair]
            for coefficient in coefficients:
                found = correlation(
                    *pair, coefficient=coefficient, block=block,
                    resamples=resamples, seed=seed,
                )  # fmt: skip
                rows.append(
                    {
                        "level": level,
                        "class": klass,
                        "name": name,
                        "group": group,
                        "reading": reading,
                        "coefficient": coefficient,
                        "value": found.value,
                        "low": found.low,
                        "high": found.high,
                        "epochs": found.pairs,
                        "block": found.block,
                    }
                )
    return pd.DataFrame(rows)


def _readings(readings: Iterable[str] | None) -> list[str]:
    chosen = list(READINGS if readings is None else readings)
    for reading in chosen:
        if reading not in READINGS:
            raise unknown_name("reading of B'", reading, READINGS)
    return chosen
