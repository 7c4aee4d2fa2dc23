"""Influence-balanced weights: the influence is the size of a gradient, and weights undo it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.methods.influence import EPSILON, InfluenceBalanced, influence
from rdr_core.methods.replaced import INFINITE


def batch(seed: int):
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(7, 4, generator=draw, dtype=torch.float64)
    classifier = torch.randn(5, 4, generator=draw, dtype=torch.float64)
    return features, classifier, torch.randint(5, (7,), generator=draw)


@given(seed=st.integers(0, 1000))
def test_it_is_the_sum_of_the_sizes_of_the_samples_gradient_by_the_classifier(seed):
    features, classifier, labels = batch(seed)
    found = influence(features, features @ classifier.T, labels)
    for i in range(7):
        weight = classifier.clone().requires_grad_()
        F.cross_entropy(features[i : i + 1] @ weight.T, labels[i : i + 1]).backward()
        assert found[i].item() == pytest.approx(weight.grad.abs().sum().item(), rel=1e-9)


@given(seed=st.integers(0, 1000))
def test_weights_follow_the_formula_and_have_mean_1(seed):
    features, classifier, labels = batch(seed)
    counts = torch.tensor([500, 120, 31, 5, 1])
    weighting = InfluenceBalanced(counts, lambda h: h @ classifier.T)
    found = weighting(features, labels)
    z, h, y = (features @ classifier.T).numpy(), features.numpy(), labels.numpy()
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    raw = (1 / counts.numpy()[y]) / (np.abs(p - np.eye(5)[y]).sum(1) * np.abs(h).sum(1) + EPSILON)
    np.testing.assert_allclose(found.numpy(), raw / raw.mean(), rtol=1e-5)


def test_a_sample_that_is_surely_right_or_has_no_features_keeps_a_finite_weight():
    weighting = InfluenceBalanced(torch.tensor([3, 1]), lambda h: torch.tensor([[300.0, 0.0], [0.0, 0.0]]))
    weights = weighting(torch.tensor([[1.0], [0.0]]), torch.tensor([0, 1]))
    assert weights.tolist() == pytest.approx([0.5, 1.5])


def test_a_broken_feature_has_its_class_weight_and_spoils_no_other():
    features, classifier, labels = batch(3)
    weighting = InfluenceBalanced(torch.tensor([9, 7, 5, 3, 1]), lambda h: h @ classifier.T)
    others = weighting(features[1:], labels[1:])
    features[0, 2] = torch.nan
    weighed = weighting.weigh(features, labels)
    assert weighed.replaced.tolist() == [INFINITE, *[0] * 6]
    torch.testing.assert_close(weighed.weights[1:] / weighed.weights[1], others / others[0])
    assert weighed.weights.isfinite().all()


def test_half_precision_features_are_computed_in_float32():
    features, classifier, labels = batch(2)
    half = features.bfloat16()
    weighting = InfluenceBalanced(torch.tensor([9, 7, 5, 3, 1]), lambda h: h.float() @ classifier.float().T)
    assert weighting(half, labels).dtype == torch.float32
    torch.testing.assert_close(weighting(half, labels), weighting(half.float(), labels))


def test_the_networks_classifier_is_no_part_of_the_state():
    layer = torch.nn.Linear(4, 5)
    assert set(InfluenceBalanced(torch.ones(5).long(), lambda h: layer(h)).state_dict()) == {"class_weights"}
