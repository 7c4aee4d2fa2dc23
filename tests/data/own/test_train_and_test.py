"""Samples for training and for tests are told apart by class, and what only one of them has is no silence."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.data.own.train_and_test import split_off, two_parts
from rdr_core.data.own.unusable import Unusable
from rdr_core.errors import RdrError

labels_of_two_classes = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=40)


@given(labels_of_two_classes, st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_each_class_gives_its_share_to_tests(labels, share, seed):
    times = Counter(label for label in labels if label is not None)
    usable = {name: number for name, number in times.items() if number > 1}
    unusable = Unusable("row", "here", range(len(labels)))
    if len(usable) < 2:
        with pytest.raises(RdrError, match=r"None of the|one class only"):
            split_off(labels, unusable, leave_out=True, share=share, seed=seed)
        return
    parts = split_off(labels, unusable, leave_out=True, share=share, seed=seed)
    assert not set(parts.train) & set(parts.test)
    assert sorted([*parts.train, *parts.test]) == [at for at, label in enumerate(labels) if label in usable]
    assert [parts.names[c] for c in parts.train_labels] == [labels[at] for at in parts.train]
    assert [parts.names[c] for c in parts.test_labels] == [labels[at] for at in parts.test]
    tested = Counter(labels[at] for at in parts.test)
    assert tested == {name: min(n - 1, max(1, round(share * n))) for name, n in usable.items()}


def test_another_seed_draws_others():
    labels = ["a"] * 30 + ["b"] * 20
    draws = {tuple(split_off(labels, Unusable("row", "here", range(50)), False, seed=seed).test) for seed in range(9)}
    assert len(draws) == 9


@pytest.mark.parametrize("share", [0, 1, -0.1, 2, float("nan")])
def test_a_share_must_be_one(share):
    with pytest.raises(RdrError, match="test_share is"):
        split_off(["a", "a", "b", "b"], Unusable("row", "here", range(4)), False, share)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (["a", "a", "b"], r"1 of 3 rows of pets can't be used: 1 are the only one of their class \(12\)"),
        (["a", "a", None, "b", "b"], r"1 have no label \(12\)"),
        (["a", "a", "a"], r"pets has one class only \(a\); give samples of two or more"),
        ([None, None], "None of the 2 rows of pets can be used: 2 have no label"),
        (["a", "b", "c"], "None of the 3 rows of pets can be used: 3 are the only one of their class"),
    ],
)
def test_what_cannot_be_told_apart_is_a_sentence(labels, sentence):
    unusable = Unusable("row", "pets", range(10, 10 + len(labels)))
    with pytest.raises(RdrError, match=sentence):
        split_off(labels, unusable, leave_out=False)


@given(labels_of_two_classes, labels_of_two_classes)
def test_only_classes_of_both_parts_are_kept(train, test):
    both = {label for label in train if label} & {label for label in test if label}
    parts = Unusable("row", "train", range(len(train))), Unusable("row", "test", range(len(test)))
    if len(both) < 2:
        with pytest.raises(RdrError):
            two_parts(train, test, *parts, leave_out=True)
        return
    made = two_parts(train, test, *parts, leave_out=True)
    assert made.names == tuple(sorted(both))
    assert made.train.tolist() == [at for at, label in enumerate(train) if label in both]
    assert made.test.tolist() == [at for at, label in enumerate(test) if label in both]
    assert np.bincount(made.train_labels).min() > 0
    assert np.bincount(made.test_labels).min() > 0


def test_classes_of_one_part_are_named():
    def parts():
        return Unusable("row", "own.csv", range(3)), Unusable("row", "own.csv for tests", range(3))

    with pytest.raises(RdrError, match=r"1 of 3 rows of own.csv can't be used: 1 are of classes without a test sample"):
        two_parts(["a", "b", "c"], ["a", "b", "a"], *parts(), leave_out=False)
    with pytest.raises(RdrError, match=r"of own.csv for tests can't be used: 1 are of classes without a training sam"):
        two_parts(["a", "b", "a"], ["a", "b", "d"], *parts(), leave_out=False)


def test_what_is_left_out_is_counted_and_named(capsys):
    two_parts(["a", "b", "c"], ["a", "b", "d"], Unusable("row", "train", range(3)), Unusable("row", "test", range(3)),
              leave_out=True)  # fmt: skip
    said = capsys.readouterr().err
    assert "1 of 3 rows of train can't be used and are left out: 1 are of classes without a test sample (2)." in said
    assert "1 of 3 rows of test can't be used and are left out" in said
