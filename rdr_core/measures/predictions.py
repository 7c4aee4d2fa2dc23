"""Measures of a classifier on a test set: pure functions of probabilities, labels and groups of classes.

All take an optional weight for each image, so that a test set can stand for another class distribution
(:mod:`rdr_core.runs.evaluation`), and all leave out classes without test images: what nothing was measured of
is missing, never 0. One pass over the sorted scores of a class gives its curves, with ties counted as
scikit-learn counts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rdr_core.shapes import Bool, Float, Int

if TYPE_CHECKING:
    from rdr_core.data import Groups

#: Equal-width bins of confidence (Guo et al. 2017).
BINS = 15


def measures(
    probabilities: Float[np.ndarray, "N d"],
    labels: Int[np.ndarray, "N"],
    groups: Groups,
    weights: Float[np.ndarray, "N"] | None = None,
) -> dict[str, Any]:
    """All measures, in percent; None for what has no class or no image.

    Args:
        probabilities: of each class for each image; the largest is the prediction.
        labels: true classes.
        groups: Many, Medium, Few.
        weights: of each image, above 0; None (default) counts each image once.

    Returns:
        ``top1`` (right answers among all images), ``many``, ``medium``, ``few`` (means over the group's classes),
        ``balanced_accuracy``, ``macro_f1``, ``roc_auc``, ``average_precision`` (means over all classes),
        ``calibration_error`` (expected, 15 bins) and ``per_class`` (right answers among a class's images).

    Example:
        >>> from rdr_core.data import Groups
        >>> groups = Groups(many=np.array([0]), medium=np.array([], int), few=np.array([1]))
        >>> found = measures(np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3]]), np.array([0, 0, 1]), groups)
        >>> found["many"], found["medium"], found["few"], found["balanced_accuracy"], found["roc_auc"]
        (100.0, None, 0.0, 50.0, 50.0)
    """
    predicted, d = probabilities.argmax(1), probabilities.shape[1]
    counted = np.ones(len(labels)) if weights is None else weights
    right, total = accuracy_counts(predicted, labels, d, counted)
    with np.errstate(invalid="ignore"):
        per_class = 100 * right / total
    found = accuracies(right, total, groups)
    found = {"top1": found.pop("accuracy"), **found}
    found["balanced_accuracy"] = _mean(per_class)
    found["macro_f1"] = 100 * _mean(f1_by_class(predicted, labels, d, counted))
    found["roc_auc"] = 100 * _mean(roc_auc_by_class(probabilities, labels, counted))
    found["average_precision"] = 100 * _mean(average_precision_by_class(probabilities, labels, counted))
    bins = reliability(probabilities.max(1), predicted == labels, weights=counted)
    found["calibration_error"] = 100 * calibration_error(bins)
    return {name: _or_none(value) for name, value in found.items()} | {"per_class": [*map(_or_none, per_class)]}


def accuracy_counts(
    predicted: Int[np.ndarray, "N"], labels: Int[np.ndarray, "N"], num_classes: int, weights: Float[np.ndarray, "N"]
) -> tuple[Float[np.ndarray, "d"], Float[np.ndarray, "d"]]:
    """Weight of the right answers and of all images of each class.

    Example:
        >>> right, total = accuracy_counts(np.array([0, 1]), np.array([0, 0]), 2, np.array([1.0, 3.0]))
        >>> right.tolist(), total.tolist()
        ([1.0, 0.0], [4.0, 0.0])
    """
    right = predicted == labels
    return np.bincount(labels[right], weights[right], num_classes), np.bincount(labels, weights, num_classes)


def accuracies(right: Float[np.ndarray, "d"], total: Float[np.ndarray, "d"], groups: Groups) -> dict[str, float]:
    """Top-1 over all images, and each group's mean over its classes, in percent; NaN for a group without images.

    Where classes have as many test images as each other, as in the field's test sets, that is also the share of the
    group's images. Where they have not, a class with many of them would stand for its group, which is what the groups
    are to prevent; public evaluations on ImageNet-LT take the mean over classes too. Classes without test images count
    in no mean.

    Args:
        right, total: right answers and images of each class.
        groups: Many, Medium, Few.

    Example:
        >>> from rdr_core.data import groups_by_count
        >>> accuracies(np.array([9.0, 3.0]), np.array([10.0, 10.0]), groups_by_count([500, 5]))
        {'accuracy': 60.0, 'many': 90.0, 'medium': nan, 'few': 30.0}
    """
    percent = {"accuracy": 100 * right.sum() / total.sum()}
    for name, classes in groups.items():
        seen = classes[total[classes] > 0]
        percent[name.lower()] = 100 * (right[seen] / total[seen]).mean() if len(seen) else float("nan")
    return {name: float(value) for name, value in percent.items()}


def f1_by_class(
    predicted: Int[np.ndarray, "N"], labels: Int[np.ndarray, "N"], num_classes: int, weights: Float[np.ndarray, "N"]
) -> Float[np.ndarray, "d"]:
    """Harmonic mean of precision and recall of each class, 2 TP / (2 TP + FP + FN); NaN without images.

    Example:
        >>> f1_by_class(np.array([0, 0]), np.array([0, 1]), 3, np.ones(2)).round(3).tolist()
        [0.667, 0.0, nan]
    """
    right, total = accuracy_counts(predicted, labels, num_classes, weights)
    asserted = np.bincount(predicted, weights, num_classes)
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, 2 * right / (asserted + total), np.nan)


def roc_auc_by_class(
    scores: Float[np.ndarray, "N d"], labels: Int[np.ndarray, "N"], weights: Float[np.ndarray, "N"]
) -> Float[np.ndarray, "d"]:
    """Area under the ROC curve of each class against the rest; NaN for a class with no image or with all.

    It is the chance that an image of the class has a larger score than one of another class, ties counting half.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
        >>> roc_auc_by_class(scores, np.array([0, 0, 1]), np.ones(3)).tolist()
        [0.5, 0.5]
    """
    areas = np.full(scores.shape[1], np.nan)
    for c in range(scores.shape[1]):
        hits, alarms = _curve(scores[:, c], labels == c, weights)
        if hits[-1] > 0 and alarms[-1] > 0:
            areas[c] = (np.diff(alarms) * (hits[1:] + hits[:-1])).sum() / (2 * hits[-1] * alarms[-1])
    return areas


def average_precision_by_class(
    scores: Float[np.ndarray, "N d"], labels: Int[np.ndarray, "N"], weights: Float[np.ndarray, "N"]
) -> Float[np.ndarray, "d"]:
    """Precision at each threshold, averaged by the recall it adds, of each class; NaN for a class without images.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
        >>> average_precision_by_class(scores, np.array([0, 0, 1]), np.ones(3)).round(3).tolist()
        [0.833, 0.5]
    """
    precision = np.full(scores.shape[1], np.nan)
    for c in range(scores.shape[1]):
        hits, alarms = _curve(scores[:, c], labels == c, weights)
        if hits[-1] > 0:
            precision[c] = (np.diff(hits) * hits[1:] / (hits[1:] + alarms[1:])).sum() / hits[-1]
    return precision


def reliability(
    confidence: Float[np.ndarray, "N"],
    correct: Bool[np.ndarray, "N"],
    *,
    bins: int = BINS,
    weights: Float[np.ndarray, "N"] | None = None,
) -> dict[str, Float[np.ndarray, "M"]]:
    """Mean confidence and accuracy in equal-width bins ((m-1)/M, m/M] of confidence; 0 falls into the first.

    Args:
        confidence: largest probability of each image, in 0..1.
        correct: whether it was right.
        bins: M (default 15: Guo et al. 2017).
        weights: of each image; None (default) counts each once.

    Returns:
        ``images`` (their number, or weight), ``confidence`` and ``accuracy`` (0..1; NaN in an empty bin).

    Example:
        >>> reliability(np.array([0.9, 0.8, 0.2]), np.array([True, False, False]), bins=2)["accuracy"].tolist()
        [0.0, 0.5]
    """
    edges = np.arange(bins + 1) / bins
    at = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    weights = np.ones(len(at)) if weights is None else weights
    images = np.bincount(at, weights, bins)
    with np.errstate(invalid="ignore"):
        return {
            "images": images,
            "confidence": np.bincount(at, weights * confidence, bins) / images,
            "accuracy": np.bincount(at, weights * correct, bins) / images,
        }


def calibration_error(bins: Mapping[str, Any]) -> float:
    """Expected calibration error: |accuracy - confidence| of the bins, averaged by their images, 0..1.

    Args:
        bins: columns of :func:`reliability`; NaN where none of them holds an image.

    Example:
        >>> calibration_error(reliability(np.array([0.9, 0.9]), np.array([True, False]), bins=1))
        0.4
    """
    images, confidence, accuracy = (np.asarray(bins[name]) for name in ("images", "confidence", "accuracy"))
    total = images.sum()
    return float(np.nansum(np.abs(accuracy - confidence) * images) / total) if total else float("nan")


def _curve(
    scores: Float[np.ndarray, "N"], positive: Bool[np.ndarray, "N"], weights: Float[np.ndarray, "N"]
) -> tuple[np.ndarray, np.ndarray]:
    """Weight of positives and of negatives at or above each distinct score, from the largest down, after a 0."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # the last of each run of equal scores
    mine = np.where(positive, weights, 0.0)[order]
    others = np.where(positive, 0.0, weights)[order]
    return np.append(0.0, np.cumsum(mine)[ends]), np.append(0.0, np.cumsum(others)[ends])


def _mean(by_class: Float[np.ndarray, "d"]) -> float:
    """Mean over the classes that have a number."""
    known = by_class[~np.isnan(by_class)]
    return known.mean() if len(known) else float("nan")


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
