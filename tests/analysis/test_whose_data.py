"""A stored number is of the run's own data, or says of which: other data are never answered for, and never answer."""

from __future__ import annotations

import dataclasses
import inspect
import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from older import drop_checksum

import rdr_core
from rdr_core.data import Split
from rdr_core.errors import RdrError
from rdr_core.files.whole import read_json, write_json
from rdr_core.measures.predictions import measures
from rdr_viz.analysis import catalogue, geometry, groups, predictions, surface, weights
from rdr_viz.analysis import replayed_ratios as ratio_reliability
from rdr_viz.analysis.catalogue import analyse, analyses
from rdr_viz.analysis.curvature import class_curvature, class_density

ASK = {"imbalance_factor": 20, "epochs": 2, "device": "cpu", "progress": False}
ASKED = {"imbalance_factor": 20}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> rdr_core.Run:
    return rdr_core.train("digits:7-9", method="rdr", runs=tmp_path_factory.mktemp("runs"), **ASK)


@pytest.fixture(scope="module")
def own() -> rdr_core.LongTailedData:
    return rdr_core.load_data("digits:7-9", **ASKED)


@pytest.fixture
def fresh(run, tmp_path) -> rdr_core.Run:
    """The run without a stored number."""
    shutil.copytree(run.path, tmp_path / run.name, ignore=shutil.ignore_patterns("analysis", "evaluations"))
    return rdr_core.Run.open(tmp_path / run.name)


#: Everything that takes ``data=``, asked for as little as it has.
TAKE = {
    "predictions": lambda run, data: predictions.predictions(run, data=data),
    "confusion": lambda run, data: groups.confusion(run, data=data),
    "calibration": lambda run, data: groups.calibration(run, data=data),
    "accuracy": lambda run, data: groups.accuracy_with_intervals([run], data=data),
    "visits": lambda run, data: weights.replayed_visits(run, data=data),
    "shares": lambda run, data: weights.shares(run, data=data),
    "ratios": lambda run, data: ratio_reliability.ratio_reliability(run, passes=2, data=data),
    "ratios of methods": lambda run, data: ratio_reliability.reliability_of_methods([run], passes=2, data=data),
    "sizes": lambda run, data: weights.effective_sizes(run, data=data),
    "features": lambda run, data: geometry.features(run, data=data),
    "collapse": lambda run, data: geometry.neural_collapse([run], epochs=[2], data=data),
    "norms": lambda run, data: geometry.norms_and_angles([run], data=data),
    "drift": lambda run, data: geometry.mean_drift(run, data=data),
    "surface": lambda run, data: surface.loss_surface(run, points=3, data=data),
    "curvature": lambda run, data: class_curvature(run, classes=[1], epochs=[2], relative_error=0.9, data=data,
                                                   progress=False),
    "density": lambda run, data: class_density(run, classes=[1], probes=2, steps=4, data=data, progress=False),
    "analyse": lambda run, data: analyse(run, "groups", data, progress=False),
}  # fmt: skip


def test_nothing_that_takes_data_is_left_out_here():
    taking = set()
    for module in (predictions, groups, weights, ratio_reliability, geometry, surface, catalogue):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and "data" in inspect.signature(function).parameters and "run" in str(inspect.signature(function)):
                taking.add(name)
    named = {"predictions", "confusion", "calibration", "accuracy_with_intervals", "replayed_visits", "shares",
             "ratio_reliability", "reliability_of_methods", "effective_sizes", "features", "neural_collapse",
             "norms_and_angles", "mean_drift", "loss_surface", "analyse", "confusion_and_calibration",
             "geometry"}  # fmt: skip
    assert taking == named | {"state_at"}  # with which they compute, once their data are compared


def changed(data: rdr_core.LongTailedData, how: str) -> rdr_core.LongTailedData:
    """The same data set but for something that decides a number."""
    test, train = data.test, data.train
    if how == "test images":
        return dataclasses.replace(data, test=Split(test.inputs // 2, test.labels))
    if how == "test labels":
        return dataclasses.replace(data, test=Split(test.inputs, test.labels.flip(0)))
    if how == "training images":
        return dataclasses.replace(data, train=Split(train.inputs.flip(3), train.labels))
    if how == "order":
        order = torch.arange(len(train)).flip(0)
        return dataclasses.replace(data, train=Split(train.inputs[order], train.labels[order]))
    if how == "normalisation":
        return dataclasses.replace(data, mean=tuple(value + 0.1 for value in data.mean))
    assert how == "another subset"
    return rdr_core.load_data("digits:7-9", imbalance_factor=10)


CHANGES = ("test images", "test labels", "training images", "order", "normalisation", "another subset")


@pytest.mark.parametrize("what", TAKE)
def test_other_data_are_refused_before_and_after_the_runs_own_are_stored(what, fresh, own):
    other = changed(own, "test images")
    for _ in range(2):
        with pytest.raises(RdrError, match="was trained on other data than those given"):
            TAKE[what](fresh, other)
        own_numbers = TAKE[what](fresh, own)
    assert own_numbers.equals(TAKE[what](fresh, None))


@pytest.mark.parametrize("how", CHANGES)
def test_whatever_is_changed_in_them(how, fresh, own):
    with pytest.raises(RdrError, match="other data than those given"):
        predictions.predictions(fresh, data=changed(own, how))
    for take in (rdr_core.resume, lambda path, data: rdr_core.refine(path, "taunorm", data=data, progress=False)):
        with pytest.raises(RdrError, match="other data than those given"):
            take(fresh.path, data=changed(own, how))


def test_a_second_stage_that_is_there_is_no_answer_for_other_data(fresh, own):
    refined = rdr_core.refine(fresh, "taunorm", data=own, progress=False)
    assert rdr_core.refine(fresh, "taunorm", progress=False).name == refined.name
    with pytest.raises(RdrError, match="other data than those given"):
        rdr_core.refine(fresh, "taunorm", data=changed(own, "training images"), progress=False)


@settings(max_examples=15)
@given(divisor=st.integers(2, 9), shift=st.integers(0, 2))
def test_an_evaluation_on_other_test_images_is_one_of_its_own(run, own, divisor, shift):
    """Beside a forward pass by hand; in any order, and as often as one asks."""
    images = (own.test.inputs // divisor).roll(shift, 3)
    other = dataclasses.replace(own, test=Split(images, own.test.labels))
    found = rdr_core.evaluate(run, data=other)
    assert rdr_core.evaluate(run)["top1"] == pytest.approx(run.metrics["top1"], abs=1e-9)
    assert "data_hash" not in rdr_core.evaluate(run)
    assert found["data_hash"] == other.content_hash
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (own.mean, own.std))
    with torch.no_grad():
        probabilities = run.model()((images / 255 - mean) / std).softmax(1).numpy()
    by_hand = measures(probabilities, own.test.labels.numpy(), run.groups)
    assert found["per_class"] == pytest.approx(by_hand["per_class"])
    assert rdr_core.evaluate(run, data=other) == found
    assert "data_hash" not in rdr_core.evaluate(run, data=own)


def test_other_images_are_normalised_as_the_network_learnt(run, own):
    """Their own mean and deviation, which from_arrays takes, would be another network's input."""
    dark = rdr_core.from_arrays(own.train.inputs // 4, own.train.labels, own.test.inputs // 4, own.test.labels)
    beside = dataclasses.replace(own, test=Split(own.test.inputs // 4, own.test.labels))
    assert dark.mean != own.mean
    assert rdr_core.evaluate(run, data=dark)["per_class"] == rdr_core.evaluate(run, data=beside)["per_class"]


def test_data_that_the_network_cannot_tell_apart_are_refused(run, own):
    with pytest.raises(RdrError, match=r"distinguishes 2 classes .* have 10 classes"):
        rdr_core.evaluate(run, data=rdr_core.load_data("digits", imbalance_factor=10))
    images = own.test.inputs.expand(-1, 3, -1, -1).contiguous()
    colour = rdr_core.from_arrays(images, own.test.labels, images, own.test.labels)
    with pytest.raises(RdrError, match=r"1 channel\(s\), .* 3 channel\(s\)"):
        rdr_core.evaluate(run, data=colour)


def as_of_old(run: rdr_core.Run) -> rdr_core.Run:
    """The folder as runs were stored before they noted their data's and weights' hashes."""
    facts = read_json(run.path / "data.json")
    for name in ("content_hash", "mean", "std"):
        del facts[name]
    (run.path / "data.json").write_text(json.dumps(facts))
    (run.path / "done.json").write_text('{"epochs": 2}')
    drop_checksum(run.path / "config.json")
    return rdr_core.Run.open(run.path)


def test_runs_stored_until_now_open_and_are_as_strict(fresh, own):
    before = predictions.predictions(fresh)
    old = as_of_old(fresh)
    assert predictions.predictions(old, data=own).equals(before)
    with pytest.raises(RdrError, match="other data than those given"):
        predictions.predictions(old, data=changed(own, "test images"))
    assert rdr_core.evaluate(old, data=changed(own, "test images"))["data_hash"]
    assert rdr_core.evaluate(old)["top1"] == pytest.approx(old.metrics["top1"])


def test_an_older_run_on_arrays_of_ones_own_is_evaluated_on_them(tmp_path, own):
    """It noted no normalisation, and its data can't be loaded again; they bring their own."""
    data = rdr_core.from_arrays(own.train.inputs, own.train.labels, own.test.inputs, own.test.labels)
    run = rdr_core.train(data, method="ce", epochs=2, runs=tmp_path, device="cpu", progress=False)
    old = as_of_old(run)
    assert rdr_core.evaluate(old, data=data)["top1"] == pytest.approx(run.metrics["top1"])
    with pytest.raises(RdrError, match="data of your own, which only you have"):
        rdr_core.evaluate(old, data=changed(data, "test images"))


def test_a_result_of_other_weights_is_not_read(fresh):
    predictions.predictions(fresh)
    done = read_json(fresh.path / "done.json")
    write_json(fresh.path / "done.json", done | {"weights": "0" * 16})
    with pytest.raises(RdrError, match="computed of another network than the run's; delete it"):
        predictions.predictions(rdr_core.Run.open(fresh.path))


def test_every_analysis_by_name_refuses_other_data(fresh, own):
    for what in analyses():
        with pytest.raises(RdrError, match="other data than those given"):
            analyse(fresh, what, changed(own, "test labels"), progress=False)
    assert not (fresh.path / "analysis").exists()


def test_the_smallest_inputs_that_were_wrong(tmp_path):
    """Both from the audit: 36.0 for the run's own test set; 12 images' curvature for those of two."""
    run = rdr_core.train(
        "digits", imbalance_factor=50, method="ce", epochs=1, runs=tmp_path, device="cpu", progress=False
    )
    data = rdr_core.load_data("digits", imbalance_factor=50)
    half = dataclasses.replace(data, test=Split(data.test.inputs // 2, data.test.labels))
    quarter = dataclasses.replace(data, test=Split(data.test.inputs // 4, data.test.labels))
    assert rdr_core.evaluate(run, data=half)["top1"] != run.metrics["top1"]
    assert rdr_core.evaluate(run, data=half)["per_class"] != rdr_core.evaluate(run, data=quarter)["per_class"]
    assert rdr_core.evaluate(run)["top1"] == pytest.approx(run.metrics["top1"])
    ask = {"classes": [9], "epochs": [1], "relative_error": 0.5, "progress": False}
    with pytest.raises(RdrError, match="other data"):
        class_curvature(run, data=rdr_core.load_data("digits", imbalance_factor=10), **ask)
    assert class_curvature(run, **ask)["images"].tolist() == [2]
    assert np.isfinite(class_curvature(run, **ask)["lambda_max"]).all()
