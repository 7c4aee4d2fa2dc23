"""LDAM's classifier: logits are scaled cosines, read by analyses as a linear layer, and rebuilt with a run's model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rdr_core
from rdr_core.methods.losses import margins
from rdr_core.models import CosineClassifier, build_model


@pytest.fixture
def classifier():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return CosineClassifier(feature_dim=5, num_classes=3, scale=30)


def features(seed: int = 1, size: int = 7) -> torch.Tensor:
    return torch.randn(size, 5, generator=torch.Generator().manual_seed(seed))


def test_logits_are_the_scaled_cosines(classifier):
    x, w = features().double().numpy(), classifier.directions.detach().double().numpy()
    expected = 30 * (x @ w.T) / np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(w, axis=1))
    np.testing.assert_allclose(classifier(features()).detach().numpy(), expected, atol=1e-4)


def test_neither_length_plays_a_part(classifier):
    logits = classifier(features())
    torch.testing.assert_close(classifier(100 * features()), logits)
    with torch.no_grad():
        classifier.directions.mul_(torch.tensor([[0.1], [1.0], [10.0]]))
    torch.testing.assert_close(classifier(features()), logits, rtol=1e-4, atol=1e-4)


def test_analyses_read_it_as_a_linear_layer_on_features_of_length_one(classifier):
    unit = features() / features().norm(dim=1, keepdim=True)
    expected = torch.nn.functional.linear(unit, classifier.weight, classifier.bias)
    torch.testing.assert_close(classifier(features()), expected)
    torch.testing.assert_close(classifier.weight.norm(dim=1), torch.full((3,), 30.0))


def test_half_precision_costs_no_digits_of_the_cosine(classifier):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = classifier(features().bfloat16())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, classifier(features().bfloat16().float()), rtol=0, atol=0)


def test_a_feature_of_zeros_has_a_finite_gradient(classifier):
    x = torch.zeros(1, 5, requires_grad=True)
    classifier(x).sum().backward()
    assert x.grad.isfinite().all()


def test_margins_by_the_papers_formula():
    counts = [500, 120, 31, 5]
    raw = np.array(counts, dtype=np.float64) ** -0.25
    np.testing.assert_allclose(margins(torch.tensor(counts), 0.5).numpy(), raw * (0.5 / raw.max()), rtol=1e-12)


def test_the_other_methods_networks_are_the_same_bit_for_bit():
    states = []
    for scale in (None, 30.0):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            states.append(build_model("small", num_classes=4, channels=1, cosine_scale=scale).state_dict())
    linear, cosine = states
    assert {"classifier.weight", "classifier.bias"} == set(linear) - set(cosine)
    assert all(torch.equal(linear[name], cosine[name]) for name in set(linear) & set(cosine))


def test_a_run_rebuilds_it_and_its_logits_give_the_runs_accuracy(tmp_path):
    run = rdr_core.train("digits", imbalance_factor=20, method="ldam:scale=20", epochs=2, runs=tmp_path, progress=False)
    model, data = run.model(), run.data()
    assert isinstance(model.classifier, CosineClassifier)
    assert float(model.classifier.scale) == 20
    pixels = data.test.inputs / 255
    logits = model((pixels - torch.tensor(data.mean)[:, None, None]) / torch.tensor(data.std)[:, None, None])
    assert logits.abs().max() <= 20 * (1 + 1e-5)
    assert 100 * (logits.argmax(1) == data.test.labels).double().mean() == pytest.approx(run.metrics["top1"])
