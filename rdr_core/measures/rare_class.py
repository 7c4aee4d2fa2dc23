"""One rare class against the rest: what a threshold on its probability finds, and what its alarms are worth.

Recall and the rate of false alarms are of the rare and of the other samples each by themselves, so they and the area
under the ROC curve are the same however rare the class is where the classifier is used. Precision is not: it is asked
for at a prevalence, the share of the rare class there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.measures.predictions import average_precision_by_class, roc_auc_by_class
from rdr_core.shapes import Float, Int


@dataclass(frozen=True, eq=False)
class ThresholdCurve:
    """What each threshold does, from the highest, which raises no alarm, to the lowest, at which all are alarms.

    Attributes:
        threshold: (T,) a sample at or above it is taken for one of the rare class; the first is infinite.
        recall: (T,) share of the rare class that is found, 0..1.
        false_alarms: (T,) share of the others that are taken for it, 0..1.
        precision: (T,) share of the alarms that are right, 0..1, at the prevalence; NaN without alarms.
    """

    threshold: Float[np.ndarray, "T"]
    recall: Float[np.ndarray, "T"]
    false_alarms: Float[np.ndarray, "T"]
    precision: Float[np.ndarray, "T"]


def threshold_curve(
    scores: Float[np.ndarray, "N"], labels: Int[np.ndarray, "N"], prevalence: float | None = None
) -> ThresholdCurve:
    """Recall, false alarms and precision at every threshold that makes a difference.

    Args:
        scores: probability of the rare class, or any score that grows with it.
        labels: 1 of the rare class, 0 of the others.
        prevalence: share of the rare class where precision is asked for, in (0, 1); None (default): as in ``labels``.

    Raises:
        RdrError: scores or labels that are none, a class without samples, or a prevalence that is none.

    Example:
        >>> curve = threshold_curve(np.array([0.9, 0.6, 0.4, 0.2]), np.array([1, 0, 1, 0]))
        >>> curve.recall.tolist(), curve.precision[1:].round(2).tolist()
        ([0.0, 0.5, 0.5, 1.0, 1.0], [1.0, 0.5, 0.67, 0.5])
    """
    scores, labels, share = _checked_samples(scores, labels, prevalence)
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # the last of each run of equal scores
    rare = labels[order] == 1
    recall = np.append(0.0, np.cumsum(rare)[ends] / rare.sum())
    false_alarms = np.append(0.0, np.cumsum(~rare)[ends] / (~rare).sum())
    threshold = np.append(np.inf, scores[order][ends])
    return ThresholdCurve(threshold, recall, false_alarms, precision_at(recall, false_alarms, share))


def precision_at(
    recall: Float[np.ndarray, "T"], false_alarms: Float[np.ndarray, "T"], prevalence: float
) -> Float[np.ndarray, "T"]:
    """Share of right alarms, p R / (p R + (1 - p) F); NaN without alarms.

    Example:
        >>> precision_at(np.array([0.9]), np.array([0.1]), 0.5).round(3), precision_at(np.array([0.9]),
        ...     np.array([0.1]), 0.01).round(3)
        (array([0.9]), array([0.083]))
    """
    right, wrong = prevalence * np.asarray(recall), (1 - prevalence) * np.asarray(false_alarms)
    with np.errstate(invalid="ignore"):
        return right / (right + wrong)


def at_threshold(
    scores: Float[np.ndarray, "N"], labels: Int[np.ndarray, "N"], threshold: float = 0.5,
    prevalence: float | None = None,
) -> dict[str, float]:  # fmt: skip
    """What one threshold does, and both areas, in percent.

    Args:
        scores: probability of the rare class.
        labels: 1 of the rare class, 0 of the others.
        threshold: a sample at or above it is taken for one of the rare class (default 0.5, the likelier of the two).
        prevalence: share of the rare class where precision, F1 and average precision are asked for; None (default): as
            in ``labels``.

    Returns:
        ``recall``, ``false_alarms``, ``precision`` (NaN without alarms), ``f1``, ``balanced_accuracy``, and of all
        thresholds together ``roc_auc`` and ``average_precision``; without any skill these are 50 and the prevalence.

    Raises:
        RdrError: scores or labels that are none, a class without samples, or a prevalence that is none.

    Example:
        >>> found = at_threshold(np.array([0.9, 0.6, 0.4, 0.2]), np.array([1, 0, 1, 0]))
        >>> found["recall"], found["precision"], found["roc_auc"]
        (50.0, 50.0, 75.0)
    """
    scores, labels, share = _checked_samples(scores, labels, prevalence)
    rare, alarm = labels == 1, scores >= threshold
    recall, false_alarms = float(alarm[rare].mean()), float(alarm[~rare].mean())
    precision = float(precision_at(np.array([recall]), np.array([false_alarms]), share)[0])
    asserted = share * recall + (1 - share) * false_alarms
    both = np.stack([-scores, scores], 1)
    weights = np.where(rare, share / rare.mean(), (1 - share) / (1 - rare.mean()))
    found = {
        "recall": recall, "false_alarms": false_alarms, "precision": precision,
        "f1": 2 * share * recall / (asserted + share), "balanced_accuracy": (recall + 1 - false_alarms) / 2,
        "roc_auc": float(roc_auc_by_class(both, labels, weights)[1]),
        "average_precision": float(average_precision_by_class(both, labels, weights)[1]),
    }  # fmt: skip
    return {name: 100 * value for name, value in found.items()}


def moved_threshold(trained: float, prevalence: float) -> float:
    """The threshold at which both classes are as likely where the rare class has another share than in training.

    Probabilities that hold the training share are moved to the other one by Bayes' rule (Elkan 2001, theorem 2); at the
    prevalence of 1/2, by which both classes count alike, the threshold is the training share itself.

    Args:
        trained: share of the rare class in training, in (0, 1).
        prevalence: its share where the classifier is used, in (0, 1).

    Raises:
        RdrError: a share that is none.

    Example:
        >>> round(moved_threshold(0.05, 0.5), 3), round(moved_threshold(0.05, 0.05), 3)
        (0.05, 0.5)
    """
    odds = _checked(trained, "trained") / (1 - trained) * (1 - _checked(prevalence, "prevalence")) / prevalence
    return odds / (1 + odds)


def _checked_samples(
    scores: Float[np.ndarray, "N"], labels: Int[np.ndarray, "N"], prevalence: float | None
) -> tuple[Float[np.ndarray, "N"], Int[np.ndarray, "N"], float]:
    """Scores and labels that can be measured, and the prevalence that is asked for."""
    scores, labels = np.asarray(scores, dtype=float), np.asarray(labels)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise RdrError(f"scores have shape {scores.shape} and labels {labels.shape}; give one of each a sample.")
    if np.isnan(scores).any() or not np.isin(labels, (0, 1)).all():
        raise RdrError("scores must be numbers, and labels 1 of the rare class and 0 of the others.")
    rare = int((labels == 1).sum())
    if not 0 < rare < len(labels):
        raise RdrError(f"{rare} of {len(labels)} samples are of the rare class; give samples of both classes.")
    return scores, labels, rare / len(labels) if prevalence is None else _checked(prevalence, "prevalence")


def _checked(share: float, name: str) -> float:
    if not 0 < share < 1:
        raise RdrError(f"{name} is {share:g}; it must be a share above 0 and below 1, such as 0.05.")
    return share
