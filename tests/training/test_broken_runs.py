"""Runs whose numbers break: stopped with step, class and method named; what is replaced is counted, kept and told."""

from __future__ import annotations

import math
import os
import signal

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from equal_runs import assert_equal_runs
from hypothesis import given
from hypothesis import strategies as st
from tried import tried

import rdr_core
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.methods.contract import Weighing, Weighting
from rdr_core.methods.difficulty import DifficultyWeights
from rdr_core.methods.parts import PARTS, part
from rdr_core.methods.replaced import KINDS, WEIGHTLESS
from rdr_core.runs.stand_ins import replaced as replaced_in
from rdr_core.training.sampling import Shuffled
from rdr_core.training.visits import Visits

REQUEST = {"imbalance_factor": 20, "seed": 1, "progress": False, "device": "cpu"}


@pytest.fixture
def made_of():
    """A method of a part that is there for one test: its kind and what makes it."""

    def make(kind: str, maker) -> str:
        part("broken_t", kind=kind, summary="", formula="", source="")(maker)
        return "broken_t"

    yield make
    PARTS.remove("broken_t")


WEIGHTS = {
    "not a number": lambda n: torch.where(n == n.max(), torch.nan, 1 / n),
    "infinite": lambda n: 1 / (n - n.min()),
    "below zero": lambda n: -1 / n,
    "all zero": lambda n: 0 * n,
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_class_weights_that_are_none_are_refused_before_the_first_step(kind, made_of, tmp_path):
    method = made_of("class weights", lambda class_counts: WEIGHTS[kind](class_counts.float()))
    with pytest.raises(rdr_core.RdrError, match=r"broken_t: .*class"):
        rdr_core.train("digits", method=method, epochs=1, runs=tmp_path, **REQUEST)
    assert not list(tmp_path.glob("*/history.csv"))


class Spoilt(Weighting):
    """Weights of 1 but for one sample of one step."""

    def __init__(self, step: int, value: float) -> None:
        super().__init__()
        self.step, self.value, self.taken = step, value, 0

    def weigh(self, features, labels):
        self.taken += 1
        weights = torch.ones(len(labels))
        if self.taken == self.step:
            weights[3] = self.value
        return Weighing(weights)


@pytest.mark.parametrize(
    ("value", "said"), [(math.nan, "not a number"), (math.inf, "infinite"), (-0.5, "-0.5, below 0,")]
)
@pytest.mark.parametrize("step", [2, 9])
def test_a_weight_that_is_none_stops_the_run_with_step_class_and_method(value, said, step, made_of, tmp_path):
    method = made_of("weighting", lambda context: Spoilt(step, value))
    data = rdr_core.load_data("digits", imbalance_factor=20)
    steps = -(-len(data.train.labels) // 64)
    epoch, at = divmod(step - 1, steps)
    order = Shuffled(len(data.train.labels), 1).order(epoch)
    label = int(data.train.labels[order[at * 64 + 3]])
    with pytest.raises(rdr_core.TrainingDiverged) as stopped:
        rdr_core.train("digits", method=method, epochs=3, batch_size=64, runs=tmp_path, **REQUEST)
    text = str(stopped.value)
    assert f"With method broken_t the weight of a sample is {said} at step {at + 1} of epoch {epoch + 1}; " in text
    assert text.endswith(f"The first image concerned is of class {label} ({label}).")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_spike_stops_the_run_with_step_class_and_method(value, made_of, tmp_path):
    """Of the first visit of class 9, the rarest."""

    def loss(logits, labels, class_counts):
        return F.cross_entropy(logits, labels, reduction="none") * torch.where(labels == 9, value, 1.0)

    with pytest.raises(
        rdr_core.TrainingDiverged, match=r"method broken_t the loss is .* at step \d+ of epoch 1; .*class 9 "
    ):
        rdr_core.train("digits", method=made_of("loss", loss), epochs=2, batch_size=16, runs=tmp_path, **REQUEST)


@pytest.mark.parametrize("method", ["inverse", "rdr:warmup=0", "cb+ldam", "rdr:warmup=0+sam"])
def test_features_that_overflow_stop_the_run(method, tmp_path, monkeypatch):
    from rdr_core.models import Network

    pass_, calls = Network.features_and_logits, 0

    def spoilt(self, images):
        nonlocal calls
        features, logits = pass_(self, images)
        calls += self.training
        if self.training and calls == 4:
            features = features.clone()
            features[0, 0] = torch.inf
            logits = self.classifier(features)
        return features, logits

    monkeypatch.setattr(Network, "features_and_logits", spoilt)
    with pytest.raises(rdr_core.TrainingDiverged, match=r"the (loss|weight) .* of epoch 1; .* of class \d"):
        rdr_core.train("digits", method=method, epochs=1, batch_size=32, runs=tmp_path, **REQUEST)


@pytest.mark.parametrize("accuracy", [math.nan, 71.8, -0.1])
def test_accuracies_that_are_none_stop_cdb(accuracy):
    weighting = DifficultyWeights(3, measure=lambda: torch.tensor([0.5, accuracy, 0.9]))
    with pytest.raises(rdr_core.TrainingDiverged, match=r"after epoch 5 that of class 1 is .*not in 0\.\.1"):
        weighting.finish_epoch(4)


def test_a_difficulty_that_none_has_is_counted():
    weighting = DifficultyWeights(2, measure=lambda: torch.ones(2))
    batch = torch.zeros(2, 3), torch.tensor([0, 1])
    assert weighting.weigh(*batch).replaced.tolist() == [0, 0]
    weighting.finish_epoch(0)
    weights, _, replaced = weighting.weigh(*batch)
    assert (weights.tolist(), replaced.tolist()) == ([1, 1], [WEIGHTLESS] * 2)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, math.nan])), min_size=1, max_size=20
    ),
    st.integers(1, 7),
)
def test_counts_are_those_of_a_plain_loop(rows, size):
    visits = Visits(torch.tensor([label for label, _ in rows]), size)
    visits["replaced"].copy_(torch.tensor([code for _, code in rows]))
    expected = dict.fromkeys(("visits", *KINDS), 0)
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        for label, code in batch:
            if math.isnan(code):
                continue
            expected["visits"] += 1
            expected["one_class"] += all(other == label for other, _ in batch)
            for name, (own, _) in KINDS.items():
                expected[name] += code == own
    assert {name: int(count) for name, count in visits.replaced().items()} == expected
    tried("Numbers", "epochs of replaced weights counted", 1)


@pytest.mark.parametrize("method", ["inverse", "cb", "rdr:warmup=0", "inverse+drw:start=0", "cdb"])
def test_batches_of_one_are_counted_and_told(method, rdr, tmp_path):
    options = ["-i", "20", "--epochs", "1", "--batch-size", "1", "--device", "cpu"]
    status, out, _ = rdr("train", "digits", "-m", method, *options)
    (path,) = (tmp_path / "runs").iterdir()
    replaced = replaced_in(path)
    images = rdr_core.Run.open(path).class_counts.sum()
    assert status == 0
    assert replaced["visits"] == replaced["one_class"] == images
    assert f"Of {images} visits weighed: " in out
    assert f"{images} in batches of one class, among which weights tell no classes apart." in out
    _, out, _ = rdr("train", "digits", "-m", method, *options)
    assert "in batches of one class" in out, "a run that is opened says so too"
    rdr("train", "digits", "-m", "ce", "-i", "20", "--epochs", "1", "--device", "cpu")
    _, out, _ = rdr("runs")
    assert f"{path.name}: Of {images} visits weighed: " in out, "and so does a list"
    assert out.count("visits weighed") == 1


def test_nothing_is_told_where_nothing_is_replaced(rdr):
    for method in ("ce", "inverse"):
        status, out, _ = rdr("train", "digits", "-i", "20", "--epochs", "1", "-m", method, "--batch-size", "64")
        assert status == 0
        assert "visits weighed" not in out


@pytest.mark.parametrize("method", ["rdr:warmup=0", "rdr:warmup=0,update=epoch", "rdr:warmup=0.5", "rdr+drw"])
def test_visits_of_unseen_classes_are_counted(method, tmp_path):
    """By a loop over the epochs' orders: those in the first batch that has the class, or in the whole first epoch."""
    run = rdr_core.train("digits", method=method, epochs=2, batch_size=16, runs=tmp_path, trunk=False, **REQUEST)
    labels, seen, expected, weighed = run.data().train.labels, set(), 0, 0
    begins = {"rdr:warmup=0.5": 1, "rdr+drw": 1}.get(method, 0)
    for epoch in range(2):
        for batch in labels[Shuffled(len(labels), 1).order(epoch)].split(16):
            if epoch >= begins:
                weighed += len(batch)
                expected += sum(int(label) not in seen for label in batch)
            if "epoch" not in method:
                seen |= set(batch.tolist())
        seen |= set(labels.tolist())
    assert (expected > 0) == (begins == 0)
    found = replaced_in(run.path)  # the last batch of an epoch has one sample
    assert (found["visits"], found["one_class"], found.get("unseen", 0)) == (weighed, 2 - begins, expected)


def test_a_dead_network_is_counted(tmp_path, monkeypatch):
    from rdr_core.models import Network

    pass_ = Network.features_and_logits

    def dead(self, images):
        features, _ = pass_(self, images)
        return features * 0, self.classifier(features * 0)

    monkeypatch.setattr(Network, "features_and_logits", dead)
    run = rdr_core.train("digits", method="rdr:warmup=0", epochs=1, runs=tmp_path, **REQUEST)
    replaced = replaced_in(run.path)
    assert 0 < replaced["unseen"] < 64, "of the first batches, which counts first"
    assert replaced["featureless"] + replaced["unseen"] == replaced["visits"] == run.class_counts.sum()


def stop_after(calls: int, monkeypatch) -> None:
    write, made = Visits.write, 0

    def interrupt(self, *arguments):
        nonlocal made
        made += 1
        if made == calls:
            os.kill(os.getpid(), signal.SIGINT)
        write(self, *arguments)

    monkeypatch.setattr(Visits, "write", interrupt)


@pytest.mark.parametrize("before", [False, True], ids=["as it is", "by the version before"])
def test_counts_go_on_where_a_run_was_stopped_within_an_epoch(before, tmp_path, monkeypatch):
    request = REQUEST | {"method": "rdr:warmup=0", "epochs": 2, "batch_size": 16}
    whole = rdr_core.train("digits", runs=tmp_path / "whole", **request)
    with monkeypatch.context() as patch:
        stop_after(5, patch)
        with pytest.raises(rdr_core.TrainingStopped):
            rdr_core.train("digits", runs=tmp_path, **request)
    (saved,) = tmp_path.glob("digits*/checkpoint.safetensors")
    if before:  # which counted nothing, and kept a row less of each visit
        tree = load_tree(saved)
        del tree["replaced"]
        save_tree(saved, tree | {"visits": tree["visits"][:6]})
    resumed = rdr_core.train("digits", runs=tmp_path, **request)
    if not before:
        assert_equal_runs(resumed, whole)
        assert replaced_in(resumed.path) == replaced_in(whole.path) != {}
        return
    np.testing.assert_array_equal(resumed.history.drop(columns="seconds"), whole.history.drop(columns="seconds"))
    assert replaced_in(resumed.path).get("unseen", 0) < replaced_in(whole.path)["unseen"]
