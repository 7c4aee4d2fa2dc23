"""Labels as people have them become classes with names, or a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.data.own.labels import class_names, numbered, read_labels
from rdr_core.errors import RdrError


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ([3, 3.0, "3", " 3 ", "3.0", np.int8(3), np.float32(3), torch.tensor(3)], ["3"] * 8),
        ([None, float("nan"), "", "  ", pd.NA, pd.NaT, np.nan], [None] * 7),
        ([-1, 1, "-1", "+1", "-1.0"], ["-1", "1", "-1", "1", "-1"]),
        (["03", "007", "v2", "1_000", "inf", "nan", "1.2.3"], ["03", "007", "v2", "1_000", "inf", "nan", "1.2.3"]),
        ([True, np.False_], ["True", "False"]),
        (["猫", "Ёж 🦔", "cats and dogs", "$10 # $20"], ["猫", "Ёж 🦔", "cats and dogs", "$10 # $20"]),
        (np.array([7, 90, 7], dtype=np.uint8), ["7", "90", "7"]),
        (torch.tensor([1.0, 2.0]), ["1", "2"]),
        (pd.Series(["a", None, "b"], dtype="category"), ["a", None, "b"]),
        (["0.5", "half"], ["0.5", "half"]),
    ],
)
def test_labels_are_read(given, read):
    assert read_labels(given) == read


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([0, 0.5], r"holds 0.5 \(sample 1\), a number that is not whole.* cut its range into classes"),
        (["1", "2.5", ""], r"holds '2.5' \(sample 1\), a number that is not whole"),
        ([1.0, float("inf")], r"holds inf \(sample 1\)"),
        ([["a", "b"]], "a list; labels are words or numbers"),
        (np.zeros((4, 3)), "has shape 4 x 3; give one label a sample"),
        ("cats", "give a list of labels"),
        (5, "give a list of labels"),
        (None, "give a list of labels"),
        ([pd.Timestamp("2020-01-01")], "a Timestamp; labels are words or numbers"),
    ],
)
def test_what_is_no_label_is_refused(given, sentence):
    with pytest.raises(RdrError, match=sentence):
        read_labels(given, "y")


def test_numbers_are_in_their_order_and_words_in_theirs():
    assert class_names(["10", "9", "-1", None, "10"]) == ("-1", "9", "10")
    assert class_names(["01", "1", "00"]) == ("00", "01", "1")
    assert class_names(["b", "10", "9"]) == ("10", "9", "b")


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
    st.integers(-5, 5).map(float), st.integers(-5, 5).map(str),
)  # fmt: skip


@given(st.lists(anything, max_size=12))
def test_any_labels_are_numbered_without_gaps_or_refused(labels):
    try:
        words = read_labels(labels)
    except RdrError:
        return
    names = class_names(words)
    assert sorted({word for word in words if word is not None}) == sorted(names)
    for label, word, number in zip(labels, words, numbered(words, names), strict=True):
        if label is None or label != label or (isinstance(label, str) and not label.strip()):
            assert word is None
            assert number == -1
            continue
        assert names[number] == word
        if isinstance(label, (int, float)) and not isinstance(label, bool):
            assert int(word) == label
        else:
            assert word == str(label).strip() or int(word) == float(label)
