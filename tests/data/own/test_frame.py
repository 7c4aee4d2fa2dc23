"""Tables of pandas, against a plain reader that loops over cells; and what no table of samples is."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError, from_frame

PETS = pd.DataFrame({
    "size": [1.5, 2, 3, 4, 5, 6], "colour": ["red", "blue", "red", "red", "blue", "red"],
    "kind": ["cat", "dog", "cat", "dog", "cat", "dog"],
})  # fmt: skip


def plainly(train: list[dict], test: list[dict], label: str) -> tuple[list[list[float]], list[list[float]], list[str]]:
    """Rows as numbers, and the classes, as the documentation says, cell by cell."""
    columns = [name for name in train[0] if name != label]
    made: tuple[list[list[float]], list[list[float]]] = ([], [])
    for name in columns:
        values = [row[name] for row in train]
        if len(set(values)) < 2:
            continue
        words = sorted(set(values)) if isinstance(values[0], str) else [None]
        for word in words:
            for part, rows in zip(made, (train, test), strict=True):
                part.append([float(row[name]) if word is None else float(row[name] == word) for row in rows])
    return (*([list(row) for row in zip(*part, strict=True)] for part in made), sorted({row[label] for row in train}))


@st.composite
def tables(draw) -> tuple[list[dict], list[dict]]:
    columns = draw(st.lists(st.sampled_from(["number", "word", "one"]), min_size=1, max_size=4))
    cell = {
        "number": st.floats(-1e6, 1e6, width=32).map(lambda value: value + 0.0),
        "word": st.sampled_from(["red", "green", "deep blue", "зелёный"]),
        "one": st.just(7.0),
    }

    def rows(classes: list[str]) -> list[dict]:
        return [{"y": name} | {f"{kind} {at}": draw(cell[kind]) for at, kind in enumerate(columns)} for name in classes]

    classes = draw(st.lists(st.sampled_from("ab"), min_size=2, max_size=12))
    return rows(["a", "b", *classes]), rows(["b", "a"])


@given(tables())
def test_random_tables_are_read_as_a_plain_reader_reads_them(made):
    train, test = made
    inputs, tests, names = plainly(train, test, "y")
    frames = pd.DataFrame(train), pd.DataFrame(test)
    if not inputs:
        with pytest.raises(RdrError, match="two different values to learn from"):
            from_frame(frames[0], "y", test=frames[1])
        return
    data = from_frame(frames[0], "y", test=frames[1])
    assert list(data.class_names) == names
    assert [names[c] for c in data.train.labels] == [row["y"] for row in train]
    assert [names[c] for c in data.test.labels] == ["b", "a"]
    found = torch.cat([data.train.inputs, data.test.inputs]).double().numpy()
    expected = np.array(inputs + tests)
    assert found.shape == expected.shape
    # Numbers close together and far from zero are moved and scaled, by the training rows.
    for column, mine in zip(expected.T, found.T, strict=True):
        of_train = column[: len(train)]
        if not np.allclose(mine, column, rtol=1e-6, atol=1e-30):
            mine = mine * of_train.std() + of_train.mean()
            assert np.allclose(mine, column, rtol=1e-6, atol=1e-5 * of_train.std())
    assert data.mean == pytest.approx(found[: len(train)].mean(0), rel=1e-5, abs=1e-6)


def test_numbers_that_float32_cannot_tell_apart_or_hold():
    days = 1.7e9 + 86400.0 * np.arange(40)
    table = pd.DataFrame(
        {"time": days, "huge": 1e60 * np.arange(40), "tiny": 1e-60 * np.arange(40), "y": ["a", "b"] * 20}
    )
    data = from_frame(table, "y", test=table)
    for column in data.train.inputs.T.double():
        assert len(column.unique()) == 40
        assert column.isfinite().all()
        scaled = (column - column.mean()) / column.std(correction=0)
        assert torch.allclose(scaled, torch.from_numpy((np.arange(40) - 19.5) / np.arange(40).std()), atol=1e-5)
    far = table.assign(time=1e100)
    assert from_frame(table, "y", test=far).test.inputs.isfinite().all()


def test_scaling_and_words_come_from_training_rows_alone():
    train = pd.DataFrame({"w": [1.0, 3.0, 1.0, 3.0], "c": ["x", "z", "x", "z"], "y": list("aabb")})
    test = pd.DataFrame({"w": [1000.0, 5.0], "c": ["unseen", "z"], "y": list("ab")})
    data = from_frame(train, "y", test=test)
    assert data.mean == (2, 0.5, 0.5)
    assert data.test.inputs.tolist() == [[1000, 0, 0], [5, 0, 1]]


def test_a_tail_is_drawn_and_rows_keep_their_labels():
    table = pd.DataFrame({"n": np.arange(300), "y": np.repeat(["a", "b", "c"], 100)})
    data = from_frame(table, "y", imbalance_factor=10, seed=np.int64(3))
    assert data.class_counts.tolist() == [80, 25, 8]
    for row, c in zip(data.train.inputs[:, 0], data.train.labels, strict=True):
        assert table["y"][int(row)] == data.class_names[c]


@pytest.mark.parametrize("dtype", ["Int64", "float32", "category", "string", "boolean", "object"])
def test_types_of_pandas(dtype):
    values = pd.Series([1, 0, 1, 1, 0, 1]).astype("bool" if dtype == "boolean" else "int64")
    table = PETS.assign(
        more=values.astype("string").astype(dtype) if dtype in ("string", "category") else values.astype(dtype)
    )
    assert len(from_frame(table, "kind").train) == 4


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (PETS.assign(size=[1, None, 3, np.inf, 5, 6]),
         r"3 of 6 rows of the table can't be used: 2 have no finite number in column 'size' \(1, 3\); 1 are the only"),
        (PETS.assign(size=pd.Series([1, None, 3, 4, 5, 6], dtype="Int64")), r"1 have no finite number .* \(1\)"),
        (PETS.assign(kind=["cat", None, "cat", "dog", "cat", "dog"]), r"1 have no label \(1\)"),
        (PETS.assign(kind=[0.5, 1, 1, 2, 2, 1]), "holds 0.5 .sample 0., a number that is not whole"),
        (PETS.assign(kind="cat"), "has one class only .cat."),
        (PETS.assign(kind=["cat"] * 5 + ["dog"]), r"1 are the only one of their class \(5\)"),
        (PETS.assign(size=pd.date_range("2020-01-01", periods=6)), "Column 'size' holds dates or times; make numbers"),
        (PETS.assign(size=pd.to_timedelta(range(6), unit="h")), "Column 'size' holds dates or times"),
        (pd.concat([PETS] * 40, ignore_index=True).assign(colour=[f"name {n}" for n in range(240)]),
         "Column 'colour' holds 192 different words .* more than 100"),
        (PETS.assign(size=1, colour="red"), "No column of 'size', 'colour' has two different values"),
        (PETS[["kind"]], "has no column but the label's"),
        (PETS[:0], "table has no rows"),
        (PETS.set_axis(["size", "size", "kind"], axis=1), "has two columns named 'size'"),
        (PETS.rename(columns={"kind": "sort"}), "no column in table named 'kind'"),
        (PETS.to_dict(), "table is a dict; give a pandas table"),
        (PETS.to_numpy(), "table is a ndarray; give a pandas table"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_samples_is_one_sentence(table, sentence):
    with pytest.raises(RdrError, match=sentence) as refused:
        from_frame(table, "kind")
    assert "\n" not in str(refused.value)


def test_test_rows_of_other_columns_types_or_classes():
    for test, sentence in (
        (PETS.drop(columns="size"), "no column in test named 'size'"),
        (PETS.assign(size=["small"] * 6), "numbers for training and words for tests"),
        (PETS.assign(kind=["cat", "dog", "cow"] * 2), "2 are of classes without a training sample"),
        (PETS.assign(size=[1, 2, 3, 4, 5, math.nan]), "1 of 6 rows of the table for tests can't be used"),
    ):
        with pytest.raises(RdrError, match=sentence):
            from_frame(PETS, "kind", test=test)


def test_rows_without_a_number_are_left_out_on_request(capsys):
    data = from_frame(PETS.assign(size=[1, None, 3, 4, 5, 6]), "kind", leave_out=True)
    assert len(data.train) + len(data.test) == 5
    assert "1 of 6 rows of the table can't be used and are left out" in capsys.readouterr().err


def test_constant_and_mixed_columns_are_told(capsys):
    data = from_frame(PETS.assign(one=7, colour=["1", "2", "x", "1", "2", "x"]), "kind")
    assert data.channels == 4
    said = capsys.readouterr().err
    assert "1 columns have one value only and are left out: 'one'." in said
    assert "Column 'colour' holds numbers (1) and words (x), so each is taken for a word" in said


def test_a_setting_that_is_none():
    with pytest.raises(
        RdrError, match="no setting of a long-tailed set named 'imbalance'; did you mean 'imbalance_factor'"
    ):
        from_frame(PETS, "kind", imbalance=10)
    with pytest.raises(RdrError, match="no column in table named 'weight'"):
        from_frame(PETS, "kind", columns=["weight"])
