"""Accuracy where the test classes are as frequent as n^t: reversed, balanced, as in training, and all between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_core.measures import predictions as measures
from rdr_core.methods.names import method_label
from rdr_core.shapes import Float, Int
from rdr_viz.analysis.accuracy import refuse_unequal
from rdr_viz.analysis.weights import in_order, method_columns

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

#: t of the test prior n^t: -1 is the training prior reversed, 0 balanced, 1 the training prior.
POWERS = np.round(np.linspace(-1, 1, 41), 2)


def accuracy_under(
    per_class: Float[np.ndarray, "d"], class_counts: Int[np.ndarray, "d"], powers: Float[np.ndarray, "T"]
) -> Float[np.ndarray, "T"]:
    """Accuracy on test images of which a share ~ n_c^t is of class c, for each t.

    It is what a test set drawn by that prior gives on average, without the noise of a draw: each image of the test
    set at hand counts by how frequent its class is there. Classes without test images are passed over.

    Args:
        per_class: accuracy on each class, in percent; NaN where it has no test images.
        class_counts: training images of each class, n.
        powers: t.

    Returns:
        Percent.

    Example:
        >>> accuracy_under(np.array([100.0, 50.0]), np.array([9, 1]), np.array([-1, 0, 1])).round(9).tolist()
        [55.0, 75.0, 95.0]
    """
    seen = ~np.isnan(per_class)
    logs = np.asarray(powers, dtype=float)[:, None] * np.log(np.asarray(class_counts, dtype=float)[seen])
    shares = np.exp(logs - logs.max(1, keepdims=True))
    return (shares / shares.sum(1, keepdims=True)) @ per_class[seen]


def accuracy_following(
    logits: Float[np.ndarray, "N d"],
    labels: Int[np.ndarray, "N"],
    class_counts: Int[np.ndarray, "d"],
    powers: Float[np.ndarray, "T"],
) -> Float[np.ndarray, "T"]:
    """The same of argmax_c z_c - (1 - t) log n_c: post-hoc thresholds that follow the test prior, which they must know.

    Logits that hold the log-posterior under the training prior hold that under n^t after the shift (Menon et al. 2021,
    section 4.1, where t = 0). Nothing is trained for it.

    Args:
        logits: of a network trained without weights and without the prior in its loss.
        labels: true classes.
        class_counts: training images of each class.
        powers: t.

    Returns:
        Percent.

    Example:
        >>> logits = np.array([[1.0, 0.0], [1.0, 0.0]])  # class 1 is ahead once log 9 leaves class 0
        >>> accuracy_following(logits, np.array([0, 1]), np.array([9, 1]), np.array([0, 1])).round(9).tolist()
        [50.0, 90.0]
    """
    log_counts = np.log(np.asarray(class_counts, dtype=float))
    found = []
    for t in np.asarray(powers, dtype=float):
        predicted = (logits - (1 - t) * log_counts).argmax(1)
        right, total = measures.accuracy_counts(predicted, labels, len(log_counts), np.ones(len(labels)))
        with np.errstate(invalid="ignore"):
            found.append(accuracy_under(100 * right / total, class_counts, np.array([t]))[0])
    return np.array(found)


def following(run: Run, *, data: LongTailedData | None = None) -> pd.DataFrame:
    """:func:`accuracy_following` of a run's last network over :data:`POWERS`; stored.

    Args:
        run: a finished run.
        data: what it was trained on, where those are arrays of the user's own.

    Returns:
        ``power`` (t) and ``accuracy`` (percent).

    Raises:
        RdrError: its method moves the prior in training or after it, it is unfinished, or network or data are missing.
    """
    from rdr_viz.analysis.stored import stored

    def compute() -> pd.DataFrame:
        if not leaves_the_prior(run.config.method):
            raise RdrError(
                f"{run.config.method!r} moves the class prior itself; post-hoc thresholds follow a test prior from "
                "logits that hold the training prior, as those of 'ce'."
            )
        from rdr_core.training.inference import Inputs, features_and_logits

        own = run.data(data)
        labels, (_, logits) = own.test.labels, features_and_logits(run.model(), Inputs.of(own, "test"))
        found = accuracy_following(logits.double().numpy(), labels.numpy(), np.asarray(run.class_counts), POWERS)
        return pd.DataFrame({"power": POWERS, "accuracy": found})

    return stored(run, "test-priors", {"steps": len(POWERS)}, compute, data=data)


def leaves_the_prior(method: str) -> bool:
    """Whether a method neither weights nor adjusts, so that its logits hold the training prior.

    Example:
        >>> [leaves_the_prior(method) for method in ("ce", "ce+sam", "la", "inverse", "ce+posthoc")]
        [True, True, False, False, False]
    """
    from rdr_core.methods.grammar import parse  # loads torch

    spec = parse(method)
    return not (spec.prior_in_loss or spec.get("weighting") or spec.get("second stage"))


def prior_shift(runs: Sequence[Run], *, data: LongTailedData | None = None) -> pd.DataFrame:
    """Accuracy of each run over :data:`POWERS`, and of post-hoc thresholds on the runs that leave the prior alone.

    Thresholds stand in rows of their own, as the method ``ce+posthoc``, where the networks of all of a method's runs
    are at hand or their thresholds are stored.

    Args:
        runs: finished runs that differ in method and seed alone.
        data: where they were trained on the user's own arrays.

    Returns:
        ``method``, ``label``, ``seed``, ``power`` (t), ``accuracy`` (percent).

    Raises:
        RdrError: runs that cannot be compared (:func:`rdr_viz.analysis.accuracy.refuse_unequal`).
    """
    runs = in_order(runs)
    refuse_unequal(runs)
    tables: dict[str, list[pd.DataFrame]] = {}
    for run in runs:
        per_class = np.array(run.metrics["per_class"], dtype=float)  # None is NaN
        found = accuracy_under(per_class, run.class_counts, POWERS)
        tables.setdefault(run.config.method, []).append(_rows(run, found))
    for method in list(tables):
        own = [run for run in runs if run.config.method == method]
        there = [table for run in own if (table := _following_if_there(run, data)) is not None]
        if len(there) == len(own):
            name = f"{method}+posthoc"
            thresholds = [_rows(run, table["accuracy"]) for run, table in zip(own, there, strict=True)]
            tables[method] += [rows.assign(method=name, label=method_label(name)) for rows in thresholds]
    return pd.concat([rows for own in tables.values() for rows in own], ignore_index=True)


def _rows(run: Run, accuracy: Float[np.ndarray, "T"]) -> pd.DataFrame:
    return method_columns(run, len(POWERS)).assign(power=POWERS, accuracy=np.asarray(accuracy))


def _following_if_there(run: Run, data: LongTailedData | None) -> pd.DataFrame | None:
    """What is stored; else computed, unless it makes no sense, or there is no network, or only stored ones are wanted.

    What is stored comes first, so that looking at runs needs no torch.
    """
    from rdr_viz.analysis.stored import NotStored

    try:
        return following(run.as_stored, data=data)
    except NotStored:
        pass
    if not (run.has_weights and leaves_the_prior(run.config.method)):
        return None
    try:
        return following(run, data=data)
    except NotStored:
        return None
