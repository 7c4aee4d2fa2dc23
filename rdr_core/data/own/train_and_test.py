"""Training and test samples with labels in words: told apart here where no test samples are given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rdr_core.data.own.labels import (
    class_names,
    note_classes_of_one_part,
    note_unlabelled,
    numbered,
    refuse_one_class,
)
from rdr_core.data.own.unusable import Unusable
from rdr_core.data.subsets import random_state
from rdr_core.errors import RdrError
from rdr_core.shapes import Int

#: Of the random draws of which samples are for tests, unlike those of subsets and noise.
_STREAM = 3


class Parts(NamedTuple):
    """Which samples are used for what, and their classes.

    Attributes:
        train, test: indices of samples; of the test samples where they were given apart, else of the same ones.
        train_labels, test_labels: their classes, 0..d-1.
        names: d names.
    """

    train: Int[np.ndarray, "N"]
    test: Int[np.ndarray, "M"]
    train_labels: Int[np.ndarray, "N"]
    test_labels: Int[np.ndarray, "M"]
    names: tuple[str, ...]


def two_parts(
    train: Sequence[str | None], test: Sequence[str | None], in_train: Unusable, in_test: Unusable, leave_out: bool
) -> Parts:
    """Parts of samples whose test samples are given.

    Args:
        train, test: labels in words, None where missing.
        in_train, in_test: what can't be used of each for other reasons.
        leave_out: whether to go on without what can't be used.

    Raises:
        RdrError: what can't be used is not to be left out, or fewer than two classes remain.

    Example:
        >>> labels, tests = ["a", "b", "a"], ["b", "a"]
        >>> where = [Unusable("row", "train", range(3)), Unusable("row", "test", range(2))]
        >>> two_parts(labels, tests, *where, leave_out=False).test_labels.tolist()
        [1, 0]
    """
    for labels, unusable in ((train, in_train), (test, in_test)):
        note_unlabelled(labels, unusable)
    note_classes_of_one_part(train, test, in_train, in_test)
    for unusable in (in_train, in_test):
        unusable.settle(leave_out)
    names = class_names([train[at] for at in in_train.usable])
    refuse_one_class(names, in_train.where)
    return Parts(
        in_train.usable, in_test.usable, numbered([train[at] for at in in_train.usable], names),
        numbered([test[at] for at in in_test.usable], names), names,
    )  # fmt: skip


def split_off(
    labels: Sequence[str | None], unusable: Unusable, leave_out: bool, share: float = 0.2, seed: int = 0
) -> Parts:
    """Parts of samples of which some are drawn for tests: the same share of each class, one at least.

    Args:
        labels: in words, None where missing.
        unusable: what can't be used for other reasons.
        leave_out: whether to go on without what can't be used.
        share: for tests, in (0, 1); default a fifth.
        seed: of the draw.

    Raises:
        RdrError: as :func:`two_parts`; or a share that is none.

    Example:
        >>> parts = split_off(["a"] * 10 + ["b"] * 5, Unusable("row", "table", range(15)), leave_out=False)
        >>> len(parts.train), np.bincount(parts.test_labels).tolist()
        (12, [2, 1])
    """
    if not 0 < share < 1:
        raise RdrError(f"test_share is {share:g}; it must be above 0 and below 1, such as 0.2.")
    note_unlabelled(labels, unusable)
    times = Counter(label for label, out in zip(labels, unusable.out, strict=True) if not out)
    single = {name for name, number in times.items() if number == 1}
    unusable.add("are the only one of their class", np.array([label in single for label in labels], dtype=bool))
    unusable.settle(leave_out)
    kept = [labels[at] for at in unusable.usable]
    names = class_names(kept)
    refuse_one_class(names, unusable.where)
    classes, draw, tested = numbered(kept, names), random_state(seed, _STREAM), []
    for c in range(len(names)):
        of_class = np.flatnonzero(classes == c)
        draw.shuffle(of_class)
        tested.append(of_class[: min(len(of_class) - 1, max(1, round(share * len(of_class))))])
    test = np.sort(np.concatenate(tested))
    train = np.setdiff1d(np.arange(len(kept)), test)
    return Parts(unusable.usable[train], unusable.usable[test], classes[train], classes[test], names)
