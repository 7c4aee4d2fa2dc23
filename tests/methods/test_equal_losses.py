"""Inverse loss reweighting against its public code's steps written out, and against what it is for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from rdr_core.methods.equal_losses import EqualLosses, equalising
from rdr_core.methods.replaced import INFINITE


def batch(seed: int, size: int = 12, classes: int = 5):
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(size, 4, generator=draw, dtype=torch.float64)
    classifier = torch.randn(classes, 4, generator=draw, dtype=torch.float64)
    return features, classifier, torch.randint(classes, (size,), generator=draw)


@given(loss=st.floats(0.01, 20), target=st.floats(0.01, 20), alpha=st.floats(0, 10))
def test_a_weight_is_the_minimiser_that_it_is_said_to_be(loss, target, alpha):
    found = equalising(torch.tensor([loss], dtype=torch.float64), torch.tensor(target, dtype=torch.float64), alpha)
    best = minimize_scalar(lambda w: (w * loss - target) ** 2 + alpha * (w - 1) ** 2)
    assert found.item() == pytest.approx(best.x, rel=1e-3, abs=1e-3)


@given(seed=st.integers(0, 1000), alpha=st.sampled_from([0.0, 0.3]), gamma=st.sampled_from([0.0, 0.5, 1.0]))
def test_over_epochs_weights_are_those_of_the_public_code_scaled_to_mean_1(seed, alpha, gamma):
    _, classifier, _ = batch(seed)
    weighting = EqualLosses(5, lambda h: h @ classifier.T, alpha, gamma)
    seen, macro = np.zeros(5), np.ones(5)
    for epoch in range(3):
        weighting.start_epoch(epoch)
        if epoch:
            macro = np.maximum(seen, 1) ** -gamma
            macro /= macro.mean()
        for step in range(2):
            features, _, labels = batch(1000 + 10 * epoch + step + seed)
            found = weighting(features, labels).numpy()
            ce = F.cross_entropy(features @ classifier.T, labels, reduction="none").numpy()
            y, mean = labels.numpy(), np.zeros(5)
            for c in np.unique(y):
                mean[c] = ce[y == c].mean()
                seen[c] += 1
            target = mean[np.unique(y)].mean()
            raw = np.clip((target * mean + alpha) / (mean**2 + alpha + 1e-8) * macro, 0, 10)[y]
            np.testing.assert_allclose(found, raw / raw.mean(), rtol=1e-5)


def test_weighted_classes_lose_the_same():
    features, classifier, labels = batch(7)
    weights = EqualLosses(5, lambda h: h @ classifier.T, most=1e6)(features, labels).double()
    losses = weights * F.cross_entropy(features @ classifier.T, labels, reduction="none")
    of_class = torch.stack([losses[labels == c].mean() for c in labels.unique()])
    torch.testing.assert_close(of_class, of_class.mean().expand_as(of_class), rtol=1e-4, atol=0)


def test_a_class_in_fewer_batches_counts_more_from_the_second_epoch_on():
    weighting = EqualLosses(2, lambda h: torch.zeros(len(h), 2))
    for labels in ([0, 0], [0, 1], [0, 0], [0, 0]):
        assert weighting(torch.zeros(2, 1), torch.tensor(labels)).tolist() == [1, 1]
    weighting.start_epoch(1)
    assert weighting(torch.zeros(2, 1), torch.tensor([0, 1])).tolist() == pytest.approx([0.4, 1.6])
    weighting.eval()
    before = weighting.batches.clone()
    weighting(torch.zeros(2, 1), torch.tensor([0, 1]))
    assert torch.equal(weighting.batches, before)


def test_no_weight_is_above_the_most_before_scaling():
    logits = torch.tensor([[9.0, 0.0], [0.0, 9.0], [0.0, 9.0]])  # one is surely right, two surely wrong
    labels = torch.tensor([0, 0, 1])
    losses = F.cross_entropy(logits, labels, reduction="none")
    common, rare = losses[:2].mean(), losses[2]  # the rare class is fitted, so its weight would be in the thousands
    raw = torch.stack([(common + rare) / 2 / common] * 2 + [torch.tensor(3.0)])
    found = EqualLosses(2, lambda _: logits, most=3.0)(torch.zeros(3, 1), labels)
    torch.testing.assert_close(found, raw / raw.mean())


def test_a_broken_feature_has_its_class_weight_and_spoils_no_other():
    features, classifier, labels = batch(3)
    weighting = EqualLosses(5, lambda h: h @ classifier.T)
    others = weighting(features[1:], labels[1:])
    features[0, 2] = torch.nan
    weighed = weighting.weigh(features, labels)
    assert weighed.replaced.tolist() == [INFINITE, *[0] * 11]
    torch.testing.assert_close(weighed.weights[1:] / weighed.weights[1], others / others[0])
