"""SADE: its losses, its experts' network, and the shares that test images decide, each against plain references."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from equal_runs import assert_equal_runs
from hypothesis import given
from hypothesis import strategies as st
from stopped import stopped_after_an_epoch
from torch import nn

import rdr_core
from rdr_core.data import load_data
from rdr_core.errors import Damaged, RdrError
from rdr_core.files.trees import save_tree
from rdr_core.methods.grammar import parse
from rdr_core.methods.sade import agreement_shares, reversed_prior, sade
from rdr_core.models import ExpertNetwork, build_model
from rdr_core.models.pretrained import start_from
from rdr_core.runs.trained_network import trained_network
from rdr_core.training.classifier_stage import SecondStageState
from rdr_core.training.views import logits_of_views

COUNTS = torch.tensor([60, 25, 25, 3])
REQUEST = {"imbalance_factor": 50, "epochs": 2, "progress": False, "device": "cpu"}


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=12))
def test_the_prior_is_reversed_by_rank(values):
    prior = np.array(values)
    order, expected = np.argsort(prior, kind="stable"), np.empty_like(prior)
    for rank, place in enumerate(order):
        expected[place] = np.sort(prior)[len(prior) - 1 - rank]
    assert reversed_prior(torch.tensor(values, dtype=torch.float64)).tolist() == expected.tolist()


@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0, 2.0, 3.0]))
def test_it_is_the_sum_of_three_cross_entropies(seed, tau):
    random = np.random.default_rng(seed)
    logits, labels = random.normal(size=(6, 3, 4)) * 3, random.integers(0, 4, 6)
    prior = COUNTS.numpy() / COUNTS.sum().item()
    reverse = np.array([prior[3], prior[1], prior[2], prior[0]])
    shifts = [np.zeros(4), np.log(prior), np.log(prior) - tau * np.log(reverse)]
    expected = np.zeros(6)
    for expert, shift in enumerate(shifts):
        scores = logits[:, expert] + shift
        expected += np.log(np.exp(scores).sum(1)) - scores[np.arange(6), labels]
    found = sade(torch.tensor(logits), torch.tensor(labels), COUNTS, tau=tau)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


def test_with_infinite_data_the_mean_is_what_its_notes_say():
    """Found by descent on the expected loss at a point, whose classes have these likelihoods."""
    likelihood, prior = torch.tensor([0.2, 0.5, 0.1, 0.9], dtype=torch.float64), COUNTS.double() / COUNTS.sum()
    posterior = likelihood * prior / (likelihood * prior).sum()
    logits = torch.zeros(1, 3, 4, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([logits], max_iter=500, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def expected():
        descent.zero_grad()
        loss = (posterior * sade(logits.expand(4, 3, 4), torch.arange(4), COUNTS)).sum()
        loss.backward()
        return loss

    descent.step(expected)
    found = logits.detach().mean((0, 1))
    told = likelihood.log() + (prior.log() + 2 * reversed_prior(prior).log()) / 3
    torch.testing.assert_close(found - found.mean(), told - told.mean(), atol=1e-4, rtol=0)


def test_of_one_experts_logits_all_three_have_the_same():
    logits, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 3])
    each = logits[:, None].repeat(1, 3, 1)
    assert torch.equal(sade(logits, labels, COUNTS), sade(each, labels, COUNTS))


def test_experts_are_networks_that_share_their_first_layers():
    """Each gives what a network of its own would that has the first one's shared layers and its own last ones."""
    torch.manual_seed(3)
    network = build_model("small", num_classes=4, channels=1, experts=3).eval()
    torch.manual_seed(3)
    alone = [build_model("small", num_classes=4, channels=1).eval() for _ in range(3)]
    images = torch.rand(5, 1, 8, 8)
    features, logits = network.features_and_logits(images)
    each = network.judged(features, logits)
    for expert, single in enumerate(alone):
        single.body[:6].load_state_dict(alone[0].body[:6].state_dict())
        torch.testing.assert_close(each[:, expert], single(images))
    torch.testing.assert_close(logits, each.mean(1))
    torch.testing.assert_close(logits, F.linear(features, network.classifier.weight, network.classifier.bias))
    shared, own = 1 * 16 * 9 + 2 * 16 + 16 * 32 * 9 + 2 * 32, 32 * 64 * 9 + 2 * 64 + 64 * 4 + 4
    assert sum(p.numel() for p in network.parameters()) == shared + 3 * own


def test_an_experts_loss_moves_its_own_layers_and_the_shared_ones():
    network = build_model("small", num_classes=4, channels=1, experts=3)
    features, logits = network.features_and_logits(torch.rand(8, 1, 8, 8))
    network.judged(features, logits)[:, 1].square().sum().backward()
    moved = [any(p.grad is not None and p.grad.any() for p in part.parameters()) for part in network.body.own]
    assert moved == [False, True, False]
    assert network.classifier.rows.grad.flatten(1).any(1).tolist() == [False, True, False]
    assert all(p.grad.any() for p in network.body.shared.parameters())


@pytest.mark.parametrize("name", ["resnet32", "resnet10", "lenet", "mlp", "conv1d", "embedding_bag"])
def test_every_kind_of_network_can_be_of_experts(name):
    channels = {"lenet": 1, "mlp": 9, "conv1d": 2, "embedding_bag": 50}.get(name, 3)
    inputs = {
        "lenet": torch.rand(2, 1, 28, 28), "mlp": torch.rand(2, 9), "conv1d": torch.rand(2, 2, 11),
        "embedding_bag": torch.randint(1, 50, (2, 7)),
    }.get(name, torch.rand(2, 3, 32, 32))  # fmt: skip
    single = build_model(name, num_classes=5, channels=channels)
    network = build_model(name, num_classes=5, channels=channels, experts=3)
    features, logits = network.features_and_logits(inputs)
    assert features.shape == (2, 3 * single.feature_dim)
    assert logits.shape == (2, 5)
    if name.startswith("resnet"):  # what is shared is there once
        size = [sum(p.numel() for p in one.parameters()) for one in (single, network)]
        assert 2 < size[1] / size[0] < 3


def test_all_experts_start_from_weights_that_are_given():
    torch.manual_seed(0)
    weights = build_model("resnet50", num_classes=5, channels=3).body.state_dict()
    network = build_model("resnet50", num_classes=5, channels=3, experts=2)
    start_from(network, weights, "resnet50-imagenet")
    assert torch.equal(network.body.shared.conv1.weight, weights["conv1.weight"])
    for own in network.body.own:
        assert torch.equal(own.layer4[2].conv3.weight, weights["layer4.2.conv3.weight"])
    del weights["layer1.0.conv1.weight"]
    with pytest.raises(RdrError, match="are not resnet50's"):
        start_from(network, weights, "resnet50-imagenet")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def trained(runs):
    return rdr_core.train("digits", method="sade", runs=runs, **REQUEST)


def test_a_run_opens_as_what_it_was(trained, tmp_path):
    network = trained.model()
    assert isinstance(network, ExpertNetwork)
    assert network.classifier.shares.tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("shares", [torch.tensor(0.5), torch.ones(1), torch.ones(10**6), torch.ones(2)])
def test_damaged_shares_are_refused(shares, trained, tmp_path):
    weights = trained.model().state_dict() | {"classifier.shares": shares}
    save_tree(tmp_path / "weights.safetensors", {"model": weights})
    with pytest.raises(Damaged):
        trained_network(tmp_path / "weights.safetensors", "small", 10, 1)


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path, monkeypatch):
    whole = rdr_core.train("digits", method="sade+agreement", runs=tmp_path / "whole", **REQUEST)
    stopped_after_an_epoch(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        rdr_core.train("digits", method="sade+agreement", runs=tmp_path / "half", **REQUEST)
    again = rdr_core.train("digits", method="sade+agreement", runs=tmp_path / "half", **REQUEST)
    assert_equal_runs(again, whole)
    assert torch.equal(again.model().classifier.shares, whole.model().classifier.shares)


def test_shares_are_what_the_code_of_the_paper_makes_of_the_same_views():
    """Its steps written out, in float64: Nesterov's momentum with weight decay on the logarithms of the shares."""
    random = torch.Generator().manual_seed(5)
    views = [(torch.randn(300, 3, 4, generator=random), torch.randn(300, 3, 4, generator=random)) for _ in range(3)]
    logs, velocity = np.full(3, 1 / 3), np.zeros(3)

    def mean_cosine(at, one, other):
        shares = np.exp(at) / np.exp(at).sum()
        p, q = (np.exp(np.einsum("e,nec->nc", shares, logits.double().numpy())) for logits in (one, other))
        p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
        return ((p * q).sum(1) / np.linalg.norm(p, axis=1) / np.linalg.norm(q, axis=1)).mean()

    for first, second in views:
        for start in range(0, 300, 128):
            batch = first[start : start + 128], second[start : start + 128]
            slope = [(mean_cosine(logs + h, *batch) - mean_cosine(logs - h, *batch)) / 2e-6 for h in 1e-6 * np.eye(3)]
            gradient = -np.array(slope) + 5e-4 * logs
            velocity = 0.9 * velocity + gradient
            logs = logs - 0.1 * (gradient + 0.9 * velocity)
    expected = np.exp(logs) / np.exp(logs).sum()
    np.testing.assert_allclose(agreement_shares(iter(views)).numpy(), expected, atol=1e-5)


def test_experts_that_say_the_same_keep_equal_shares_and_a_steady_one_ends_it_early():
    same = torch.randn(256, 1, 4).repeat(1, 3, 1)
    assert agreement_shares([(same, same + 0.1)]).tolist() == pytest.approx([1 / 3] * 3, abs=1e-3)
    steady = 8 * torch.randn(256, 1, 4)
    asked = []

    def views():
        for number in range(500):
            asked.append(number)
            yield tuple(torch.cat([steady, 8 * torch.randn(256, 2, 4)], 1) for _ in range(2))

    shares = agreement_shares(views())
    assert shares.argmax() == 0
    assert shares.min() < 0.05
    assert len(asked) < 500


def test_views_are_augmented_test_images_and_no_label_is_looked_at(trained):
    data = load_data("digits", imbalance_factor=50)
    blind = copy.deepcopy(data)
    blind.test.labels.fill_(0)
    network = trained.model()
    pairs = [[*logits_of_views(network, given, trained.config, 2)] for given in (data, blind)]
    for one, other in zip(*pairs, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    (first, second), (third, _) = pairs[0]
    assert first.shape == (500, 3, 10)
    assert not torch.equal(first, second)
    assert not torch.equal(first.sort(0).values, third.sort(0).values)
    plain = replace(trained.config, augmentation="none")
    (same, again), *_ = logits_of_views(network, data, plain, 1)
    assert torch.equal(same, again)
    features, logits = network.features_and_logits((data.test.inputs / 255 - data.mean[0]) / data.std[0])
    expected = network.judged(features, logits)
    torch.testing.assert_close(same.sort(0).values, expected.sort(0).values, atol=1e-4, rtol=1e-4)


def test_its_second_stage_changes_the_shares_alone(trained, runs):
    refined = rdr_core.refine(trained, "agreement", progress=False, device="cpu")
    before, after = trained.model().state_dict(), refined.model().state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["classifier.shares"]
    assert after["classifier.shares"].sum().item() == pytest.approx(1, abs=1e-6)
    assert "transductive" in rdr_core.method_label("sade+agreement")


def test_views_that_are_all_alike_are_refused_before_the_first_stage(tmp_path):
    with pytest.raises(RdrError, match="compares augmented views of test images, which are all alike"):
        rdr_core.train("digits", method="sade+agreement", augmentation="none", runs=tmp_path, **REQUEST)
    assert not [*tmp_path.glob("*/config.json")]


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("sade+crt", "crt changes one classifier, but sade trains 3 experts"),
        ("sade+ccsam", "ccsam changes one classifier, but sade trains 3 experts"),
        ("agreement", "agreement weighs 3 experts, and ce trains one network; write 'sade\\+agreement'"),
        ("la+agreement", "agreement weighs 3 experts, and la trains one network"),
    ],
)
def test_what_is_not_for_experts_is_refused(method, message):
    with pytest.raises(RdrError, match=message):
        parse(method)


def test_a_network_of_ones_own(tmp_path):
    class Own(nn.Module):
        def __init__(self, num_classes):
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU())
            self.last = nn.Linear(16, num_classes, bias=False)

        def forward(self, images):
            return self.last(self.body(images))

    run = rdr_core.train("digits", method="sade", model=Own, runs=tmp_path, **REQUEST)
    assert rdr_core.Run.open(run.path, model=Own).model().classifier.rows.shape == (3, 10, 16)

    class Apart(Own):
        def forward(self, images):
            features = self.body(images)
            return self.last(features) * 2, features

    with pytest.raises(RdrError, match="can't be looked at or changed"):
        rdr_core.train("digits", method="sade", model=Apart, runs=tmp_path, **REQUEST)


def test_a_second_stage_needs_the_experts_that_were_trained(trained):
    config = replace(trained.config, method="sade+agreement")
    state = SecondStageState(config, load_data("digits", imbalance_factor=50), torch.device("cpu"), trained.model())
    assert isinstance(state.model, ExpertNetwork)
