"""Series of unequal lengths are filled up with NaN, and what is no series is a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError, from_series

LABELS = ["up", "up", "on", "on"]


@given(st.lists(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=7), min_size=4, max_size=9))
def test_series_keep_their_numbers_and_lengths(values):
    labels = ["a", "b"] * 2 + ["a"] * (len(values) - 4)
    data = from_series([np.array(one) for one in values], labels, values[:2], ["a", "b"])
    longest = max(map(len, values))
    assert data.train.inputs.shape == (len(values), 1, longest)
    for one, made in zip(values, data.train.inputs, strict=True):
        assert made[0, : len(one)].tolist() == one
        assert made[0, len(one) :].isnan().all()
    flat = np.concatenate(values).astype(np.float64)
    assert data.mean[0] == pytest.approx(flat.mean(), abs=1e-6)
    assert data.std[0] == pytest.approx(flat.std() if flat.min() < flat.max() else 1, abs=1e-6)


def test_arrays_tensors_and_lists_are_the_same():
    array = np.random.default_rng(0).normal(size=(8, 2, 5)).astype(np.float32)
    hashes = {from_series(given, LABELS * 2).content_hash
              for given in (array, torch.from_numpy(array), array.tolist(), list(array), iter(array))}  # fmt: skip
    assert len(hashes) == 1


def test_series_that_were_filled_up_already_are_the_same():
    short = [np.arange(n, dtype=np.float32) for n in (5, 9, 7, 3)] * 2
    filled = np.full((8, 1, 9), np.nan, np.float32)
    for at, one in enumerate(short):
        filled[at, 0, : len(one)] = one
    assert from_series(short, LABELS * 2).content_hash == from_series(filled, LABELS * 2).content_hash


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        ([[1.0, 2], [], [3.0, 4], [5.0]], r"2 of 4 series of the series can't be used: 1 are empty \(1\); 1 are"),
        ([[1.0, 2], [1.0, np.nan, 2], [3.0, 4], [5.0]], r"1 hold NaN or infinity \(1\)"),
        ([[1.0, 2], [np.inf], [3.0, 4], [5.0]], r"1 hold NaN or infinity \(1\)"),
        ([[1.0, 2], [1e300], [3.0, 4], [5.0]], r"1 hold NaN or infinity \(1\)"),
        ([[1.0, 2], [np.nan], [3.0, 4], [5.0]], r"1 hold nothing but NaN \(1\)"),
        ([[1.0, 2], np.ones((2, 3)), [3.0, 4], [5.0]], "Series have 1, 2 channels; give all of them as many"),
        ([[1.0, 2], np.ones((2, 3, 4)), [3.0, 4], [5.0]], r"series 1 has shape \(2, 3, 4\)"),
        ([[1.0, 2], ["low", "high"], [3.0, 4], [5.0]], "series 1 is no series of numbers"),
        ([[1.0, 2], [1 + 2j], [3.0, 4], [5.0]], "series 1 is no series of numbers"),
        ([[1.0, 2], [[1.0, 2], [3.0]], [3.0, 4], [5.0]], "series 1 is no series of numbers"),
        ([1.0, 2.0, 3.0, 4.0], r"series 0 has shape \(\)"),
        ([[1.0, 2]] * 5, "There are 5 of the series, but 4 labels"),
        ([], "series is empty; give two or more"),
        ("series.csv", "series is 'series.csv'; give a list of series"),
    ],
)  # fmt: skip
def test_what_is_no_series_is_one_sentence(series, sentence):
    with pytest.raises(RdrError, match=sentence) as refused:
        from_series(series, LABELS)
    assert "\n" not in str(refused.value)


def test_what_is_left_out_is_counted_and_the_rest_is_used(capsys):
    data = from_series([[1.0, 2], [], [np.inf], [3.0], [5.0], [6.0, 7], [1.0]], ["up"] * 4 + ["on"] * 3, leave_out=True)
    assert len(data.train) + len(data.test) == 5
    assert (
        "2 of 7 series of the series can't be used and are left out: 1 are empty (1); 1 hold" in capsys.readouterr().err
    )


def test_more_channels_than_steps_are_told(capsys):
    from_series(np.random.default_rng(0).normal(size=(4, 50, 3)), LABELS)
    assert "Series have 50 channels and at most 3 steps; if it is the other way, turn them" in capsys.readouterr().err
