"""Accuracy with intervals, confusion and calibration: by class, by group and over all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError
from rdr_core.measures import predictions as measures
from rdr_core.measures.predictions import BINS
from rdr_viz.analysis.accuracy import accuracy_by_group
from rdr_viz.analysis.catalogue import analysis
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.predictions import predictions

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run


def t_interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of a mean over few independent values, as seeds; NaN for fewer than two.

    Example:
        >>> [round(end, 3) for end in t_interval(np.array([1.0, 2.0, 3.0]))]
        [-0.484, 4.484]
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return np.nan, np.nan
    from scipy.special import stdtrit  # Student's t quantile; a quarter of a second to import

    half = stdtrit(len(values) - 1, (1 + confidence) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def resampled_interval(values: np.ndarray, train: int, test: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a mean over draws that split one data set anew each time; NaN for fewer than two.

    Such draws share most of their samples, so Student's interval is too narrow, the more so the more draws there are.
    This one takes the variance of the mean as (1/k + test/train) s^2 (Nadeau and Bengio 2003, "Inference for the
    generalization error").

    Args:
        values: of each draw, such as the difference of two methods.
        train, test: samples of each part, as many in each draw.
        confidence: default 0.95.

    Example:
        >>> [round(end, 3) for end in resampled_interval(np.array([1.0, 2.0, 3.0]), train=80, test=20)]
        [-1.286, 5.286]
    """
    low, high = t_interval(values, confidence)
    middle, wider = (low + high) / 2, np.sqrt(1 + len(values) * test / train)
    return float(middle + wider * (low - middle)), float(middle + wider * (high - middle))


def wilson_interval(right: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion, in 0..1: right also near 0 and 1, where the normal one is not.

    It says what chance in the choice of the test images leaves open, nothing about another seed. NaN without images.

    Args:
        right, total: right answers, and images; of a mean over classes, as many as would tell it as well.
        confidence: default 0.95.

    Example:
        >>> [round(end, 3) for end in wilson_interval(8, 10)]
        [0.49, 0.943]
    """
    if not total:
        return np.nan, np.nan
    from scipy.special import ndtri  # the normal quantile

    z = ndtri((1 + confidence) / 2)
    share, spread = right / total, z**2 / total
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * np.sqrt(share * (1 - share) / total + spread / (4 * total))
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def accuracy_with_intervals(
    runs: Sequence[Run], *, confidence: float = 0.95, epoch: int | None = None, data: LongTailedData | None = None
) -> pd.DataFrame:
    """Test accuracy of each method over all classes, by group and by class, with an interval.

    With two seeds or more the interval is Student's over the seeds; with one it is Wilson's over the test images of
    that run (from its stored predictions), and ``interval`` says which. The two answer different questions: what
    another seed would give, and what other test images would give. Predictions of earlier epochs are not stored, so
    one seed has no interval there.

    Args:
        runs: that differ in method and seed alone.
        confidence: default 0.95.
        epoch: after which; None (default) is the last.
        data: what they were trained on, where those are arrays of the user's own.

    Returns:
        ``method``, ``label``, ``level`` ("all", "group" or "class"), ``class`` (-1 but for a class), ``name``,
        ``count`` (training images), ``group`` ("All" at the top), ``accuracy``, ``low``, ``high`` and ``sd`` in
        percent, cut to 0..100 (NaN in a group without classes or without an interval), ``seeds``, ``interval``
        ("t over seeds", "Wilson over test images" or "none").

    Raises:
        RdrError: runs that cannot be compared (:func:`rdr_viz.analysis.accuracy.accuracy_by_group`).
    """
    runs = list(runs)
    groups = accuracy_by_group(runs, epoch=epoch)  # refuses what cannot be compared, and settles the order
    classes = class_table(*runs)
    counts = {name: int(rows["count"].sum()) for name, rows in classes.groupby("group")}
    counts["All"] = int(classes["count"].sum())
    tables = []
    for (method, label), rows in groups.groupby(["method", "label"], sort=False):
        own = [run for run in runs if run.config.method == method]
        by_class = np.array([_by_class(run, epoch) for run in own])
        units = [("group" if g != "All" else "all", -1, g, counts.get(g, 0), g) for g in ("All", *GROUPS)]
        units += [("class", *row) for row in classes[["class", "name", "count", "group"]].itertuples(index=False)]
        table = pd.DataFrame(units, columns=["level", "class", "name", "count", "group"])
        values = [
            by_class[:, unit[1]] if unit[0] == "class" else rows.loc[rows["group"] == unit[4], "accuracy"].to_numpy()
            for unit in units
        ]
        table["accuracy"] = [value.mean() for value in values]
        if len(own) > 1:
            ends = [t_interval(value, confidence) for value in values]
            table["sd"] = [value.std(ddof=1) for value in values]
        elif epoch is not None:
            ends = [(np.nan, np.nan)] * len(units)
            table["sd"] = np.nan
        else:
            said = predictions(own[0], data=data)
            ends = [_wilson_percent(said, unit, own[0], confidence) for unit in units]
            table["sd"] = np.nan
        table["low"], table["high"] = np.clip(np.array(ends).T, 0, 100)
        table["seeds"] = len(own)
        one = "Wilson over test images" if epoch is None else "none"
        table["interval"] = "t over seeds" if len(own) > 1 else one
        table.insert(0, "label", label)
        table.insert(0, "method", method)
        tables.append(table)
    order = ["method", "label", "level", "class", "name", "count", "group", "accuracy", "low", "high", "sd", "seeds"]
    return pd.concat(tables, ignore_index=True)[[*order, "interval"]]


def confusion_counts(labels: np.ndarray, predicted: np.ndarray, size: int) -> np.ndarray:
    """(size, size) int64 images of each true class (row) predicted as each class (column).

    Example:
        >>> confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    return np.bincount(np.asarray(labels) * size + np.asarray(predicted), minlength=size * size).reshape(size, size)


def confusion(
    run: Run, *, by: str = "class", epoch: int | None = None, data: LongTailedData | None = None
) -> pd.DataFrame:
    """Where the test images of each class or group go: a row for each pair of true and predicted.

    Args:
        run: a finished run.
        by: "class" (default) or "group" (an image counts as right if the predicted class is in the group of its own).
        epoch: one of ``run.kept``; None (default) is the last.
        data: where the run was trained on the user's own arrays.

    Returns:
        ``true``, ``predicted`` (class numbers, or groups' names), ``images``, ``percent`` (of the images of ``true``:
        a row's add up to 100; NaN for a class without test images).

    Raises:
        RdrError: ``by`` is neither.
    """
    if by not in ("class", "group"):
        raise RdrError(f"by is {by!r}; confusion is counted by 'class' or by 'group'.")
    said = predictions(run, epoch=epoch, data=data)
    d = len(run.class_counts)
    names: list = list(range(d))
    counts = confusion_counts(said["label"].to_numpy(), said["predicted"].to_numpy(), d)
    if by == "group":
        names = [name for name, classes in run.groups.items() if len(classes)]
        member = np.array([[group == name for group in run.groups.of_class] for name in names], dtype=np.int64)
        counts = member @ counts @ member.T
    totals = counts.sum(1)
    with np.errstate(invalid="ignore"):
        percent = 100 * counts / totals[:, None]
    return pd.DataFrame(
        {
            "true": np.repeat(names, len(names)),
            "predicted": np.tile(names, len(names)),
            "images": counts.ravel(),
            "percent": percent.ravel(),
        }
    )


def reliability(confidence: np.ndarray, correct: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Mean confidence and accuracy in equal-width bins ((m-1)/M, m/M] of confidence; 0 falls into the first.

    Args:
        confidence: (N,) in 0..1.
        correct: (N,) booleans.
        bins: M (default 15: Guo et al. 2017).

    Returns:
        ``bin``, ``from``, ``to``, ``images``, ``confidence``, ``accuracy`` (0..1; NaN in an empty bin): M rows.

    Example:
        >>> reliability(np.array([0.9, 0.8, 0.2]), np.array([True, False, False]), bins=2)["accuracy"].tolist()
        [0.0, 0.5]
    """
    found = measures.reliability(np.asarray(confidence, dtype=float), np.asarray(correct, dtype=bool), bins=bins)
    edges = np.arange(bins + 1) / bins
    table = pd.DataFrame({"bin": np.arange(bins), "from": edges[:-1], "to": edges[1:], **found})
    return table.astype({"images": np.int64})


def calibration(
    run: Run, *, bins: int = BINS, epoch: int | None = None, data: LongTailedData | None = None
) -> pd.DataFrame:
    """Reliability bins of all test images and of each group's, with their expected calibration error.

    A group holds the images whose true class is in it. Since the network does not know the true class, a network that
    is calibrated over all images need not be so within a group: on imbalanced data it is not.

    Args:
        run, epoch, data: as for :func:`confusion`.
        bins: default 15, of equal width.

    Returns:
        The columns of :func:`reliability` after ``group`` ("All" or a group), and ``ece`` and ``overconfidence`` (mean
        confidence minus accuracy) of the whole group in every row, 0..1.
    """
    said = predictions(run, epoch=epoch, data=data)
    group = run.groups.of_class[said["label"]]
    right = (said["label"] == said["predicted"]).to_numpy()
    tables = []
    for name in ("All", *GROUPS):
        chosen = np.full(len(said), True) if name == "All" else group == name
        if not chosen.any():
            continue
        confidence = said["confidence"].to_numpy()[chosen]
        table = reliability(confidence, right[chosen], bins)
        table.insert(0, "group", name)
        table["ece"] = measures.calibration_error(table)
        table["overconfidence"] = confidence.mean() - right[chosen].mean()
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


@analysis("groups", "predictions, confusion and calibration by group", results=("predictions",), place=20)
def confusion_and_calibration(run: Run, *, data: LongTailedData | None = None) -> pd.DataFrame:
    """Store the predictions that both are told of, after the last epoch; the table is :func:`confusion`'s."""
    calibration(run, data=data)
    return confusion(run, data=data)


def _by_class(run: Run, epoch: int | None) -> np.ndarray:
    classes = run.classes
    rows = classes[classes["epoch"] == (classes["epoch"].max() if epoch is None else epoch)]
    return rows.sort_values("class")["accuracy"].to_numpy(dtype=float)


def _wilson_percent(said: pd.DataFrame, unit: tuple, run: Run, confidence: float) -> tuple[float, float]:
    level, klass, _, _, group = unit
    d = len(run.class_counts)
    labels, predicted = said["label"].to_numpy(), said["predicted"].to_numpy()
    right, images = measures.accuracy_counts(predicted, labels, d, np.ones(len(said)))
    if level == "all":
        low, high = wilson_interval(right.sum(), images.sum(), confidence)
    else:  # a class, or the mean over a group's: its variance is that of so many images of one class
        chosen = np.array([klass]) if level == "class" else np.flatnonzero(run.groups.of_class == group)
        seen = chosen[images[chosen] > 0]
        total = len(seen) ** 2 / (1 / images[seen]).sum() if len(seen) else 0
        low, high = wilson_interval((right[seen] / images[seen]).mean() * total if len(seen) else 0, total, confidence)
    return 100 * low, 100 * high
