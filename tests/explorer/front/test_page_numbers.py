"""The numbers that the page draws from are the run's own."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from rdr_core.runs import list_runs
from rdr_core.runs.archive import shipped
from rdr_viz.analysis.groups import calibration
from rdr_viz.analysis.over_epochs import READINGS, warm_up_epochs, weights_by_class
from rdr_viz.analysis.predictions import predictions
from rdr_viz.explorer.arrays import ALIGNED, numbers_of

KINDS = {"f4": np.float32, "u1": np.uint8, "u2": np.uint16}


@pytest.fixture(scope="module")
def run():
    (found,) = list_runs(shipped(), dataset="digits", noise_rate=0, schedule="cosine", imbalance_factor=50,
                         method="rdr", seed=0)  # fmt: skip
    return found


@pytest.fixture(scope="module")
def numbers(run):
    return numbers_of(run)


def array(numbers, name):
    kind, shape, offset = numbers.layout["arrays"][name]
    return np.frombuffer(numbers.buffer, KINDS[kind], int(np.prod(shape)), offset).reshape(shape)


def test_series_are_those_of_the_run(run, numbers):
    classes, history = run.classes, run.history
    d, epochs = len(run.class_counts), len(history)
    np.testing.assert_array_equal(array(numbers, "loss"), history["loss"].astype(np.float32))
    groups = history[["accuracy", "many", "medium", "few"]].to_numpy(np.float32)
    np.testing.assert_array_equal(array(numbers, "groups"), groups)
    np.testing.assert_array_equal(array(numbers, "accuracy").ravel(), classes["accuracy"].astype(np.float32))
    weights = weights_by_class(run).sort_values(["epoch", "class"])["weight"].to_numpy(np.float32)
    # Shipped weights have 13 binary digits, and scaling them to mean 1 again rounds.
    np.testing.assert_allclose(array(numbers, "weight"), weights.reshape(epochs, d), rtol=3e-7)
    np.testing.assert_array_equal(array(numbers, "ratio").ravel(), classes["ratio"].astype(np.float32))
    for at, reading in enumerate(READINGS):
        np.testing.assert_array_equal(array(numbers, "b_prime")[at].ravel(), classes[reading].astype(np.float32))
    assert numbers.layout["warm_up"] == warm_up_epochs(classes)


def test_predictions_and_calibration_are_the_stored_ones(run, numbers):
    said, table = predictions(run), calibration(run)
    assert array(numbers, "labels").tolist() == said["label"].tolist()
    assert array(numbers, "predicted").tolist() == said["predicted"].tolist()
    assert numbers.layout["panels"] == list(table["group"].unique())
    for panel, group in enumerate(numbers.layout["panels"]):
        rows = table[table["group"] == group]
        np.testing.assert_array_equal(
            array(numbers, "reliability")[panel], rows[["images", "confidence", "accuracy"]].to_numpy(np.float32)
        )
        np.testing.assert_array_equal(
            array(numbers, "ece")[panel], rows[["ece", "overconfidence"]].to_numpy(np.float32)[0]
        )


def test_arrays_lie_one_after_the_other_and_the_layout_is_json(numbers):
    ends = sorted(
        (offset, offset + np.dtype(KINDS[kind]).itemsize * int(np.prod(shape)))
        for kind, shape, offset in numbers.layout["arrays"].values()
    )
    assert all(offset % ALIGNED == 0 for offset, _ in ends)
    assert all(end <= after < end + ALIGNED for (_, end), (after, _) in pairwise(ends))
    assert len(numbers.buffer) % ALIGNED == 0
    json.dumps(numbers.layout, allow_nan=False)


def test_a_run_that_nobody_analysed_has_its_training_alone(tmp_path):
    import rdr_core

    run = rdr_core.train("digits:7-9", imbalance_factor=20, epochs=1, runs=tmp_path, progress=False)
    assert set(numbers_of(run).layout) == {"arrays", "warm_up"}
    arrays = set(numbers_of(run).layout["arrays"])
    assert arrays == {"loss", "groups", "accuracy", "weight", "b_prime", "ratio"}
