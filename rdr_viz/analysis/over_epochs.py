"""Class weights and B' over the epochs, averaged by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rdr_core.data.groups import GROUPS
from rdr_core.errors import unknown_name
from rdr_viz.analysis.correlation import is_constant, spearman, without_drift

if TYPE_CHECKING:
    from rdr_core.runs import Run

#: The readings of B' and how a picture names them; the first is the paper's, read strictly.
READINGS = {
    "b_prime": "smallest true-class logit",
    "b_prime_probability": "smallest true-class probability",
    "b_prime_batch": "smallest in each batch, averaged",
    "b_prime_quantile": "low quantile",
}


def weights_by_class(run: Run) -> pd.DataFrame:
    """Each class's weight and raw ratio over the epochs.

    Returns:
        ``epoch``, ``class``, ``name``, ``count``, ``group``; ``weight``, the class's mean over the epoch's visits,
        scaled by :func:`mean_one_over_classes`, and ``ratio``, its mean raw density ratio, before clamp and scaling,
        both NaN where the class was never visited, ratios of a method that has none too; ``warm_up``, the first epochs,
        in which some class still had weight 1 (:func:`warm_up_epochs`).
    """
    data = run.classes.loc[:, ["epoch", "class", "count", "group", "weight", "ratio"]]
    data = data.astype({"weight": float, "ratio": float})  # stored in single precision, whose means round
    data["group"] = data["group"].astype(str)
    names = {i: str(name) for i, name in enumerate(run.class_names)}
    data.insert(2, "name", data["class"].map(names))
    data["warm_up"] = data["epoch"] <= warm_up_epochs(data)
    data["weight"] = mean_one_over_classes(data)
    return data.sort_values(["epoch", "class"], kind="stable").reset_index(drop=True)


def mean_one_over_classes(classes: pd.DataFrame) -> pd.Series:
    """The column ``weight`` with mean 1 over the classes in each epoch: the scale of the paper's figure 7.

    In training each batch's weights have mean 1, so a batch with more rare images pushes the weights of all classes
    down together. That common factor says nothing of the method (it moves 1/n's weights too) and is taken out here.

    Args:
        classes: Columns ``epoch`` and ``weight``.

    Example:
        >>> mean_one_over_classes(pd.DataFrame({"epoch": [1, 1, 2, 2], "weight": [1.0, 3.0, 2.0, 6.0]})).tolist()
        [0.5, 1.5, 0.5, 1.5]
    """
    return classes["weight"] / classes.groupby("epoch")["weight"].transform("mean")


def warm_up_epochs(classes: pd.DataFrame, tolerance: float = 1e-5) -> int:
    """The last epoch before every class's weight had left 1; 0 where there is no such start.

    A weight that never leaves 1 (all of CE's) is not waited for. RDR starts a class once it has a prototype, so small
    classes may start an epoch later than large ones.

    Args:
        classes: Columns ``epoch``, ``class`` and ``weight``.
        tolerance: How far from 1 a weight still counts as 1.
    """
    moved = classes[(classes["weight"] - 1).abs() > tolerance]
    if moved.empty:
        return 0
    last_start = moved.groupby("class")["epoch"].min().max()
    before = classes.loc[classes["epoch"] < last_start, "epoch"]
    return 0 if before.empty else int(before.max())


def first_and_last(data: pd.DataFrame, share: float = 0.2) -> tuple[list[int], list[int]]:
    """The first and the last epochs after the warm-up, a fifth of them each (at least one), to compare without noise.

    Args:
        data: Columns ``epoch`` and ``warm_up``.
        share: Of the epochs after the warm-up.
    """
    epochs = sorted(data.loc[~data["warm_up"], "epoch"].unique().tolist())
    size = max(1, int(share * len(epochs)))
    return epochs[:size], epochs[-size:]


def changes_by_class(data: pd.DataFrame, column: str) -> pd.DataFrame:
    """How far training moved a number of each class.

    Args:
        data: Columns ``epoch``, ``class``, ``name``, ``group``, ``warm_up`` and that of the number.
        column: ``"weight"`` or ``"ratio"``, of :func:`weights_by_class`.

    Returns:
        ``class``, ``name``, ``group``; ``first`` and ``last``, means over the epochs of :func:`first_and_last`;
        ``change``, from one to the other in percent (NaN where the first is not above 0).
    """
    classes = data[["class", "name", "group"]].drop_duplicates("class").set_index("class")
    for name, epochs in zip(("first", "last"), first_and_last(data), strict=True):
        classes[name] = data[data["epoch"].isin(epochs)].groupby("class")[column].mean()
    classes["change"] = 100 * (classes["last"] / classes["first"].where(classes["first"] > 0) - 1)
    return classes.reset_index()


def weight_and_b_prime(run: Run, reading: str = "b_prime") -> pd.DataFrame:
    """A row per epoch and group that has classes: epoch, group, classes, weight, b_prime, warm_up.

    ``weight`` and ``b_prime`` are means over the group's classes (each class counts once, classes without a number
    are left out), the weights with mean 1 over all classes (:func:`mean_one_over_classes`); ``classes`` is how many
    the group has.

    Raises:
        RdrError: if ``reading`` is not one of :data:`READINGS`.
    """
    if reading not in READINGS:
        raise unknown_name("reading of B'", reading, READINGS)
    classes = run.classes
    warm_up = warm_up_epochs(classes)
    classes = classes.assign(group=classes["group"].astype(str), weight=mean_one_over_classes(classes))
    data = classes.groupby(["epoch", "group"], as_index=False, sort=False).agg(
        classes=("class", "nunique"), weight=("weight", "mean"), b_prime=(reading, "mean")
    )
    data["warm_up"] = data["epoch"] <= warm_up
    place = data["group"].map({name: i for i, name in enumerate(GROUPS)})
    order = data.assign(place=place).sort_values(["place", "epoch"], kind="stable").index
    return data.loc[order].reset_index(drop=True)


def correlations(data: pd.DataFrame, *, drift: bool) -> dict[str, float]:
    """Spearman's correlation over epochs of weight and B', per group, warm-up left out.

    Args:
        data: As :func:`weight_and_b_prime` returns it.
        drift: Whether the series keep their drift, as figure 1 shows them, which alone makes them correlate; without,
            see :func:`rdr_viz.analysis.correlation.without_drift`.

    Returns:
        A number for each group in ``data``; NaN where a series is constant or too short for three pairs.
    """
    after = data[~data["warm_up"]]
    found = {}
    for group in dict.fromkeys(data["group"]):
        series = [after.loc[after["group"] == group, column].to_numpy() for column in ("weight", "b_prime")]
        moves = len(series[0]) > 2 and not any(map(is_constant, series))
        found[group] = spearman(*(series if drift else map(without_drift, series))) if moves else float("nan")
    return found
