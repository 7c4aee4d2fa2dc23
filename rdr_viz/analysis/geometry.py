"""Geometry of the last layer: features, neural collapse on imbalanced sets, norms, angles, drift of class means.

The measures are pure functions of features (N, Z), labels (N,) and the classifier, in float64. So that imbalance does
not tilt them, every class counts once: the global mean is the mean of the class means, and the within-class covariance
is the mean of the classes' covariances. With equal counts these are Papyan, Han and Donoho's (2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_viz.analysis.catalogue import analysis
from rdr_viz.analysis.predictions import check_split, chosen_epoch
from rdr_viz.analysis.weights import in_order, method_columns

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

#: The measures of neural collapse, and what 0 means for each.
MEASURES = {
    "nc1": "within-class spread over between-class spread",
    "nc2_norm": "spread of the class means' norms",
    "nc2_angle": "distance of the class means' angles from those of a simplex",
    "nc3": "distance of the classifier from the class means",
    "nc4": "share of images on which classifier and nearest class mean differ",
}


@dataclass(frozen=True)
class Collapse:
    """Neural collapse; every measure is 0 at complete collapse.

    Attributes:
        nc1: tr(S_W S_B^+) / d.
        nc2_norm: standard deviation over mean of the norms of the centred class means.
        nc2_angle: mean over pairs of classes of |cos + 1 / (d - 1)|.
        nc3: || W / ||W||_F - M / ||M||_F ||_F of the centred classifier rows and class means.
        nc4: share (0..1) of samples whose largest logit is not the nearest class mean's.
    """

    nc1: float
    nc2_norm: float
    nc2_angle: float
    nc3: float
    nc4: float


def class_mean_features(features: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(d, Z) mean feature of each class, float64.

    Raises:
        RdrError: a class without a sample.

    Example:
        >>> class_mean_features(np.array([[0.0], [2.0], [5.0]]), np.array([0, 0, 1]), 2).ravel().tolist()
        [1.0, 5.0]
    """
    counts = np.bincount(labels, minlength=num_classes)
    if not counts.all():
        raise RdrError(f"class {int(counts.argmin())} has no sample here, so no mean feature.")
    total = np.zeros((num_classes, features.shape[1]))
    np.add.at(total, labels, np.asarray(features, dtype=np.float64))
    return total / counts[:, None]


def collapse(features: np.ndarray, labels: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> Collapse:
    """NC1 to NC4 of features and a linear classifier.

    Both classifier and class means are centred over the classes before NC3: adding one vector to all rows of W changes
    no prediction.

    Args:
        features: (N, Z).
        labels: (N,) with every class of 0..d-1 present; d at least 2.
        weight: (d, Z) of the classifier.
        bias: (d,); None is 0.

    Raises:
        RdrError: a class without a sample, or fewer than two classes.

    Example:
        >>> simplex = np.eye(3) - 1 / 3
        >>> round(collapse(simplex, np.arange(3), 2 * simplex).nc3, 12)
        0.0
    """
    d = len(weight)
    if d < 2:
        raise RdrError("Neural collapse needs two classes at least.")
    features, weight = np.asarray(features, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    means = class_mean_features(features, labels, d)
    centred = means - means.mean(0)
    within = features - means[labels]
    # Each class's covariance counts once, whatever its count.
    share = 1 / (d * np.bincount(labels, minlength=d)[labels])
    s_within = (within * share[:, None]).T @ within
    nc1 = np.trace(s_within @ np.linalg.pinv(centred.T @ centred / d, hermitian=True, rcond=1e-10)) / d
    norms = np.linalg.norm(centred, axis=1)
    cosines = _cosines(centred)
    pairs = cosines[~np.eye(d, dtype=bool)]
    rows = weight - weight.mean(0)
    nc3 = np.linalg.norm(rows / np.linalg.norm(rows) - centred / np.linalg.norm(centred))
    logits = features @ weight.T + (0 if bias is None else np.asarray(bias, dtype=np.float64))
    # Nearest mean: ||z||^2 is the same for every class.
    nearest = (2 * features @ means.T - (means**2).sum(1)).argmax(1)
    return Collapse(
        nc1=float(nc1),
        nc2_norm=float(norms.std() / norms.mean()),
        nc2_angle=float(np.abs(pairs + 1 / (d - 1)).mean()),
        nc3=float(nc3),
        nc4=float((logits.argmax(1) != nearest).mean()),
    )


def features(
    run: Run, *, epoch: int | None = None, split: str = "train", data: LongTailedData | None = None
) -> pd.DataFrame:
    """Penultimate features of a run's images, without augmentation, in evaluation mode; stored.

    Args:
        run: a finished run.
        epoch: one of ``run.kept``; None (default) is the last.
        split: "train" (default) or "test".
        data: where the run was trained on the user's own arrays.

    Returns:
        ``image`` (position in the split), ``label``, ``f0`` .. ``f{Z-1}``.

    Raises:
        RdrError: an epoch not kept, another split, an unfinished run, or data that are not there.
    """
    split, epoch = check_split(split), chosen_epoch(run, epoch)

    def compute() -> pd.DataFrame:
        from rdr_core.training.inference import Inputs, features_and_logits

        own = run.data(data)
        labels, found = getattr(own, split).labels, features_and_logits(run.model(epoch), Inputs.of(own, split))[0]
        table = pd.DataFrame(found.numpy(), columns=[f"f{i}" for i in range(found.shape[1])])
        table.insert(0, "label", labels.numpy())
        table.insert(0, "image", np.arange(len(labels)))
        return table

    from rdr_viz.analysis.stored import stored  # loads torch

    return stored(run, "features", {"epoch": epoch, "split": split}, compute, data=data)


def as_arrays(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, Z) float64 and labels (N,) of a table of :func:`features`."""
    return table.iloc[:, 2:].to_numpy(dtype=np.float64), table["label"].to_numpy()


def neural_collapse(
    runs: Sequence[Run],
    *,
    epochs: Iterable[int] | None = None,
    split: str = "train",
    data: LongTailedData | None = None,
) -> pd.DataFrame:
    """NC1 to NC4 of runs at their kept epochs; stored.

    Args:
        runs: finished runs.
        epochs: of ``run.milestones``; None (default) is all of them.
        split: whose features: "train" (default: collapse is about the training set) or "test".
        data: where the runs were trained on the user's own arrays.

    Returns:
        ``method``, ``label``, ``seed``, ``epoch``, and the columns of :data:`MEASURES`, each 0 at complete collapse
        (``nc4`` in 0..1). A class with one image has no spread of its own and lowers ``nc1``.
    """
    from rdr_viz.analysis.stored import stored  # loads torch

    tables = []
    for run in in_order(runs):
        _check_classes(run)
        chosen = [int(epoch) for epoch in (run.milestones if epochs is None else epochs)]
        made = {"epochs": chosen, "split": check_split(split)}
        found = stored(run, "neural-collapse", made, partial(_collapse_at, run, chosen, split, data), data=data)
        tables.append(pd.concat([method_columns(run, len(found)), found], axis=1))
    return pd.concat(tables, ignore_index=True)


def _collapse_at(run: Run, epochs: Sequence[int], split: str, data: LongTailedData | None) -> pd.DataFrame:
    rows = []
    for epoch in epochs:
        values, labels = as_arrays(features(run, epoch=epoch, split=split, data=data))
        rows.append({"epoch": epoch, **asdict(collapse(values, labels, *_classifier(run, epoch)))})
    return pd.DataFrame(rows, columns=["epoch", *MEASURES])


def norms_and_angles(
    runs: Sequence[Run], *, epoch: int | None = None, data: LongTailedData | None = None
) -> pd.DataFrame:
    """Norms of classifier rows and features, and angles, of each class at a kept epoch; stored.

    Args:
        runs: finished runs.
        epoch: kept by all of them; None (default) is each one's last.
        data: where the runs were trained on the user's own arrays.

    Returns:
        ``method``, ``label``, ``seed``, ``class``, ``name``, ``count``, ``group``, ``classifier_norm`` (of the row of
        W), ``bias``, ``feature_norm`` and ``test_feature_norm`` (mean norm of the class's training and test features),
        ``mean_norm`` (of its centred training mean), ``angle`` (degrees between its centred row of W and its centred
        mean; 0 at self-duality), ``nearest_angle`` (degrees to the nearest other class's centred mean; about 96 for
        ten classes at collapse), ``test_shift`` (degrees between its centred training and test means: how far the
        test images of the class lie off, as seen from the training set's middle).
    """
    from rdr_viz.analysis.stored import stored  # loads torch

    tables = []
    for run in in_order(runs):
        _check_classes(run)
        at = chosen_epoch(run, epoch)
        found = stored(run, "norms", {"epoch": at}, partial(_norms_at, run, at, data), data=data)
        tables.append(pd.concat([method_columns(run, len(found)), found], axis=1))
    return pd.concat(tables, ignore_index=True)


def _norms_at(run: Run, epoch: int, data: LongTailedData | None) -> pd.DataFrame:
    (train, labels), (test, test_labels) = (
        as_arrays(features(run, epoch=epoch, split=split, data=data)) for split in ("train", "test")
    )
    weight, bias = _classifier(run, epoch)
    d = len(weight)
    means = class_mean_features(train, labels, d)
    centred, rows = means - means.mean(0), weight - weight.mean(0)
    own = _cosines(centred)
    np.fill_diagonal(own, -np.inf)
    seen = np.bincount(test_labels, minlength=d)
    test_sum = np.zeros_like(means)
    np.add.at(test_sum, test_labels, test)
    with np.errstate(invalid="ignore"):
        test_means = test_sum / seen[:, None] - means.mean(0)
        test_norm = np.bincount(test_labels, np.linalg.norm(test, axis=1), d) / seen
    table = pd.DataFrame({"class": np.arange(d)})
    table["name"] = [str(name) for name in run.class_names]
    table["count"] = run.class_counts
    table["group"] = run.groups.of_class.astype(str)
    table["classifier_norm"] = np.linalg.norm(weight, axis=1)
    table["bias"] = bias
    table["feature_norm"] = np.bincount(labels, np.linalg.norm(train, axis=1), d) / np.bincount(labels, minlength=d)
    table["test_feature_norm"] = test_norm
    table["mean_norm"] = np.linalg.norm(centred, axis=1)
    table["angle"] = _angles(centred, rows)
    table["nearest_angle"] = np.degrees(np.arccos(np.clip(own.max(1), -1, 1)))
    table["test_shift"] = _angles(centred, test_means)
    return table


@analysis("geometry", "features, their norms and angles, neural collapse through training",
          results=("neural-collapse", "norms"), place=50)  # fmt: skip
def geometry(run: Run, *, data: LongTailedData | None = None) -> pd.DataFrame:
    """Store :func:`norms_and_angles` after the last epoch and :func:`neural_collapse` at all kept ones: the table."""
    norms_and_angles([run], data=data)
    return neural_collapse([run], data=data)


def mean_drift(run: Run, *, data: LongTailedData | None = None) -> pd.DataFrame:
    """How far each class's mean feature, which RDR's prototype follows, moves from one kept epoch to the next; stored.

    Args:
        run: a finished run that keeps two epochs at least.
        data: where the run was trained on the user's own arrays.

    Returns:
        ``class``, ``name``, ``count``, ``group``, ``start``, ``end`` (epochs), ``distance`` (of the two means),
        ``relative`` (the distance over the root mean square norm of the centred class means at ``start``: 1 is as far
        as classes lie from their middle), ``angle`` (degrees between the centred means).

    Raises:
        RdrError: fewer than two kept epochs.
    """
    _check_classes(run)
    if len(run.milestones) < 2:
        raise RdrError(f"{run.path} keeps the weights of fewer than two epochs, so no drift can be seen.")
    from rdr_viz.analysis.stored import stored  # loads torch

    made = {"epochs": list(run.milestones)}
    return stored(run, "mean-drift", made, partial(_drift_through, run, run.milestones, data), data=data)


def _drift_through(run: Run, epochs: Sequence[int], data: LongTailedData | None) -> pd.DataFrame:
    d = len(run.class_counts)
    means = [class_mean_features(*as_arrays(features(run, epoch=epoch, data=data)), d) for epoch in epochs]
    tables = []
    for at in range(len(means) - 1):
        before, after = means[at : at + 2]
        distance = np.linalg.norm(after - before, axis=1)
        centred = before - before.mean(0)
        tables.append(
            pd.DataFrame(
                {
                    "class": np.arange(d),
                    "name": [str(name) for name in run.class_names],
                    "count": run.class_counts,
                    "group": run.groups.of_class.astype(str),
                    "start": epochs[at],
                    "end": epochs[at + 1],
                    "distance": distance,
                    "relative": distance / np.sqrt((centred**2).sum(1).mean()),
                    "angle": _angles(centred, after - after.mean(0)),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _check_classes(run: Run) -> None:
    if len(run.class_counts) < 2:
        raise RdrError(f"{run.path} has one class, so there are no classes whose means could be set beside each other.")


def _classifier(run: Run, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    layer = run.model(epoch).classifier
    return layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()


def _cosines(rows: np.ndarray) -> np.ndarray:
    """(d, d) cosines between rows."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


def _angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between rows of the same number; NaN against a missing or a zero row."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))
