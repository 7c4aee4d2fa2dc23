"""Difficulty weights: accuracy on held-out images after every epoch decides the next epoch's weights."""

from __future__ import annotations

import os
import re
import signal

import numpy as np
import pandas as pd
import pytest
import torch

import rdr_core
from rdr_core import RdrError
from rdr_core.files.trees import load_tree
from rdr_core.methods.difficulty import DifficultyWeights
from rdr_core.training.inference import accuracy_by_class


def train(method, folder, **more):
    request = {"imbalance_factor": 50, "epochs": 4} | more
    return rdr_core.train("digits", method=method, runs=folder, progress=False, **request)


def test_weights_are_one_in_the_first_epoch_and_follow_the_last_measure_after():
    accuracies = iter([torch.tensor([0.9, 0.5, 0.1]), torch.tensor([0.5, 0.5, 0.5])])
    weighting = DifficultyWeights(3, measure=lambda: next(accuracies), tau=1.0)
    labels, features = torch.tensor([0, 1, 2]), torch.zeros(3, 4)
    assert weighting(features, labels).tolist() == [1, 1, 1]
    weighting.finish_epoch(0)
    assert weighting(features, labels).tolist() == pytest.approx([0.2, 1.0, 1.8])
    weighting.finish_epoch(1)
    assert weighting(features, labels).tolist() == [1, 1, 1]


def test_the_class_that_the_network_knows_least_weighs_most(tmp_path):
    """The weights kept in a run are those of its network's accuracy on the images held out, counted one by one."""
    from rdr_core.runs.folder import RunFolder

    trees = []
    with pytest.MonkeyPatch.context() as patch:
        checkpoint = RunFolder.checkpoint

        def kept(self, tree):
            trees.append(tree)
            checkpoint(self, tree)

        patch.setattr(RunFolder, "checkpoint", kept)
        run = train("cdb:tau=1.5", tmp_path)
    data, model = run.data(), run.model()
    assert len(data.held_out) == 250
    right = np.zeros(10)
    mean, std = (torch.tensor(value)[:, None, None] for value in (data.mean, data.std))
    predicted = model((data.held_out.inputs / 255 - mean) / std).argmax(1)
    for found, label in zip(predicted.tolist(), data.held_out.labels.tolist(), strict=True):
        right[label] += found == label
    raw = (1 - right / 25) ** 1.5
    weights = trees[-1]["weighting"]["class_weights"].numpy()
    np.testing.assert_allclose(weights, raw / raw.mean(), rtol=1e-5)
    assert weights.argmax() == right.argmin()


def test_history_has_ones_first_and_other_weights_each_epoch(tmp_path):
    table = train("cdb", tmp_path).classes.pivot(index="epoch", columns="class", values="weight")
    assert (table.loc[1] == 1).all()
    assert (table.loc[2:].std(axis=1) > 0.1).all()
    assert len(table.drop_duplicates()) == 4


def test_with_power_0_it_is_cross_entropy_on_its_own_images(tmp_path):
    data = rdr_core.load_data("digits", imbalance_factor=20, held_out=25)
    control, ce = (
        rdr_core.train(data, method=method, epochs=3, runs=tmp_path, progress=False) for method in ("cdb:tau=0", "ce")
    )
    pd.testing.assert_frame_equal(control.history.drop(columns="seconds"), ce.history.drop(columns="seconds"))


@pytest.mark.parametrize("tau", ["code", 1.5])
def test_the_forms_of_the_power_are_different_runs(tau, tmp_path):
    assert train(f"cdb:tau={tau}", tmp_path).history.loss.iloc[-1] != train("cdb", tmp_path).history.loss.iloc[-1]


@pytest.mark.parametrize("method", ["cdb+la", "cdb+ldam+drw"])
def test_stopped_within_a_weighted_epoch_it_goes_on_bit_for_bit(method, tmp_path):
    from rdr_core.training.visits import Visits

    whole = train(method, tmp_path / "whole")
    write, calls = Visits.write, 0

    def interrupt(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == 3 * batches + 4:
            os.kill(os.getpid(), signal.SIGINT)
        write(self, *arguments)

    batches = -(-int(whole.class_counts.sum()) // whole.config.batch_size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Visits, "write", interrupt)
        with pytest.raises(rdr_core.TrainingStopped, match="Stopped in epoch 4 of 4"):
            train(method, tmp_path)
    resumed = train(method, tmp_path)
    one, other = (load_tree(run.path / "model.safetensors")["model"] for run in (whole, resumed))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert resumed.history.drop(columns="seconds").equals(whole.history.drop(columns="seconds"))


def arrays(held_out: int):
    draw = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    images = draw.integers(0, 256, (120, 1, 8, 8), dtype=np.uint8)
    return rdr_core.from_arrays(images, labels, images, labels, imbalance_factor=3, held_out=held_out)


@pytest.mark.parametrize(
    ("method", "held_out", "said"),
    [
        (
            "cdb",
            0,
            "25 held-out images of each class, but these data have 0; make them with from_arrays(..., held_out=25).",
        ),
        ("cdb", 10, "have 10; make them with from_arrays(..., held_out=25), or name the method cdb:images=10."),
        ("cdb:images=5+la", 10, "5 held-out images of each class, but these data have 10"),
    ],
)
def test_ones_own_arrays_need_the_images_that_the_method_names(method, held_out, said, tmp_path):
    with pytest.raises(RdrError, match=re.escape(said)):
        rdr_core.train(arrays(held_out), method=method, epochs=1, runs=tmp_path, progress=False)


def test_ones_own_arrays_with_held_out_images_train(tmp_path):
    run = rdr_core.train(arrays(10), method="cdb:images=10", epochs=2, runs=tmp_path, progress=False)
    assert run.class_counts.tolist() == [30, 17, 10]


def test_a_class_too_small_is_refused_before_training(tmp_path):
    with pytest.raises(RdrError, match=r"too few to hold 124 out and train on the rest; hold out 123 of each class"):
        train("cdb:images=124", tmp_path)
    with pytest.raises(RdrError, match="the largest factor that works is 99"):
        train("cdb", tmp_path, imbalance_factor=124)


def test_accuracy_of_all_right_and_all_wrong():
    labels = torch.tensor([0, 0, 1])
    right, total = accuracy_by_class(torch.tensor([0, 0, 0]), labels, 2)
    assert (right / total).tolist() == [1, 0]
