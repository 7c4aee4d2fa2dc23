"""A training of somebody else's loop, recorded: its run says what was done, counted by other means, and opens."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import rdr_core
import rdr_viz
from rdr_core import RdrError, RDRWeights, Run, list_runs

EPOCHS, SIZE = 4, 32
THREE = torch.zeros(3, dtype=torch.int64)


def network(num_classes: int = 10) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, num_classes))


@pytest.fixture(scope="module")
def data():
    return rdr_core.load_data("digits", imbalance_factor=50)


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A loop with RDR's weights, recorded, and all that it saw kept by hand."""
    folder = tmp_path_factory.mktemp("recorded")
    torch.manual_seed(0)
    net, rdr = network(), RDRWeights(data.class_counts, feature_dim=16)
    mean, std = torch.tensor(data.mean), torch.tensor(data.std)
    images, labels = rdr_core.normalise(data.train.inputs, mean, std), data.train.labels
    tests = rdr_core.normalise(data.test.inputs, mean, std)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    seen = []
    with rdr_core.record(
        data, method="hers", model=network, epochs=EPOCHS, batch_size=SIZE, runs=folder, seed=3
    ) as recording:
        for _ in range(EPOCHS):
            of_epoch = []
            for rows in torch.randperm(len(labels)).split(SIZE):
                features = net[:3](images[rows])
                logits = net[3](features)
                found = rdr.weigh(features.detach(), labels[rows])
                losses = F.cross_entropy(logits, labels[rows], reduction="none")
                recording.step(labels[rows], logits, losses=losses, weights=found.weights, ratios=found.ratios)
                of_epoch.append((labels[rows], logits.detach(), losses.detach(), found.weights, found.ratios))
                optimizer.zero_grad()
                (found.weights * losses).mean().backward()
                optimizer.step()
            recording.epoch(net, learning_rate=0.1)
            with torch.no_grad():
                seen.append((of_epoch, net(tests).softmax(1)))
    return recording.run, net, seen


def test_history_is_what_was_done(trained, data):
    run, _, seen = trained
    assert run.done
    assert len(run.history) == EPOCHS
    for row, (steps, probabilities) in zip(run.history.itertuples(), seen, strict=True):
        labels, logits, losses, weights, ratios = (torch.cat(parts) for parts in zip(*steps, strict=True))
        assert row.loss == pytest.approx(float((weights * losses).mean()), rel=1e-5)
        assert row.train_accuracy == pytest.approx(100 * float((logits.argmax(1) == labels).float().mean()))
        assert row.negative_ratios == pytest.approx(float((ratios < 0).float().mean()))
        right = (probabilities.argmax(1) == data.test.labels).double()
        assert row.accuracy == pytest.approx(100 * float(right.mean()))
        few = [100 * float(right[data.test.labels == c].mean()) for c in data.groups.few]
        assert row.few == pytest.approx(np.mean(few))


def test_classes_are_means_over_their_visits(trained):
    run, _, seen = trained
    for epoch, (steps, _) in enumerate(seen, 1):
        labels, _, _, weights, ratios = (torch.cat(parts) for parts in zip(*steps, strict=True))
        of_epoch = run.classes[run.classes["epoch"] == epoch].set_index("class")
        for c in range(10):
            assert of_epoch.loc[c, "weight"] == pytest.approx(float(weights[labels == c].mean()), rel=1e-5)
            assert of_epoch.loc[c, "ratio"] == pytest.approx(float(ratios[labels == c].mean()), rel=1e-5)


def test_the_network_is_kept_and_opens_with_its_layers(trained, data):
    run, net, _ = trained
    opened = Run.open(run.path, model=network)
    assert opened.kept == opened.milestones == (1, 2, 3, 4)
    images = rdr_core.normalise(data.test.inputs, torch.tensor(data.mean), torch.tensor(data.std))
    with torch.no_grad():
        assert torch.equal(opened.model()(images), net(images))
    with pytest.raises(RdrError, match=r"network of your own \(own:network\), which only you have; open it with"):
        Run.open(run.path).model()
    with pytest.raises(RdrError, match=r"another network of yours \(own:network\) than the one given"):
        Run.open(run.path, model=nn.Linear(64, 10))


def test_metrics_are_of_the_last_epoch(trained, data):
    run, _, seen = trained
    right = seen[-1][1].argmax(1) == data.test.labels
    assert run.metrics["top1"] == pytest.approx(100 * float(right.double().mean()))


def test_pictures_and_analyses_take_it(trained, data, tmp_path):
    run, _, _ = trained
    settings = {"epochs": EPOCHS, "batch_size": SIZE, "seed": 3, "augmentation": "none", "model": network}
    beside = rdr_core.train(data, method="ce", runs=tmp_path, progress=False, **settings)
    made = rdr_viz.GroupAccuracy.from_runs([run, beside])
    assert set(made.data["method"]) == {"hers", "ce"}
    assert "hers" in made.finding
    found = rdr_viz.class_curvature(run, classes=[9], epochs=[EPOCHS], data=data, progress=False)
    assert found["trace"].gt(0).all()
    assert [found.name for found in list_runs(run.path.parent)] == [run.name]


def test_every_file_is_checked_as_of_any_run(trained):
    from rdr_core.runs.checking import check_run

    assert check_run(trained[0].path).findings == []


def test_a_training_elsewhere_needs_no_network(data, tmp_path):
    """As of JAX: probabilities are told, and what needs the network says so."""
    draw = np.random.default_rng(0)
    with rdr_core.record(data, method="jax", epochs=1, runs=tmp_path) as recording:
        labels = data.train.labels
        recording.step(labels, torch.randn(len(labels), 10))
        recording.epoch(probabilities=draw.dirichlet(np.ones(10), len(data.test)))
    run = Run.open(recording.run.path)
    assert run.done
    assert run.classes["weight"].eq(1).all()
    assert not run.has_weights
    assert rdr_viz.GroupAccuracy.from_runs([run]).finding


def test_what_is_stopped_is_no_finished_run_and_can_be_recorded_again(data, tmp_path):
    asked = {"method": "mine", "model": network, "epochs": 2, "runs": tmp_path}
    with suppress(KeyboardInterrupt), rdr_core.record(data, **asked) as recording:
        recording.step(data.train.labels, torch.randn(len(data.train), 10))
        recording.epoch(network())
        raise KeyboardInterrupt
    assert not recording.run.done
    assert recording.run.epochs_done == 1
    for _ in range(2):
        with rdr_core.record(data, **asked) as recording:
            assert not recording.run.done
        assert not recording.run.done, "no epoch was told of"
    with rdr_core.record(data, **asked) as recording:
        for _ in range(2):
            recording.step(data.train.labels, torch.randn(len(data.train), 10))
            recording.epoch(network())
    assert recording.run.done
    with pytest.raises(RdrError, match="is recorded already; open it, remove it, or record under another"):
        rdr_core.record(data, **asked).__enter__()


@pytest.mark.parametrize(
    ("tell", "message"),
    [
        (lambda r, n: r.epoch(network()), "Epoch 1 has no step; tell of each batch"),
        (lambda r, n: r.step(THREE, torch.zeros(3, 4)), r"logits of shape \(3, 4\); give \(B,\) and \(B, 10\)"),
        (lambda r, n: r.step(THREE, torch.zeros(3, 10), weights=torch.ones(2)), r"shape \(2,\); give \(3,\)"),
        (lambda r, n: (n(r), r.epoch()), "An epoch needs the network that record"),
        (lambda r, n: (n(r), r.epoch(probabilities=np.ones((3, 10)))), r"have shape \(3, 10\); give \(500, 10\)"),
        (lambda r, n: (n(r), r.epoch(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))), "other layers than record"),
        (lambda r, n: [(n(r), r.epoch(network())) for _ in range(2)], "Epoch 2 is more than the 1 that were to come"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(data, tmp_path, tell, message):
    def step(recording):
        recording.step(data.train.labels, torch.randn(len(data.train), 10))

    with (
        pytest.raises(RdrError, match=message),
        rdr_core.record(data, method="mine", model=network, epochs=1, runs=tmp_path) as recording,
    ):
        tell(recording, step)
