"""Losses against float64 references written from the formulas, and the identities between them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.methods.losses import cross_entropy, focal, logit_adjusted


def batch(seed: int, size: int = 9, d: int = 5):
    draw = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(size, d, generator=draw, dtype=torch.float64)
    labels = torch.randint(d, (size,), generator=draw)
    counts = torch.randint(1, 500, (d,), generator=draw)
    return logits, labels, counts


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    return e / e.sum()


@given(seed=st.integers(0, 1000), gamma=st.floats(0, 5), tau=st.floats(0, 3))
def test_losses_follow_their_formulas_sample_by_sample(seed, gamma, tau):
    logits, labels, counts = batch(seed)
    prior = counts.numpy() / counts.sum().item()
    for i, (z, y) in enumerate(zip(logits.numpy(), labels.tolist(), strict=True)):
        p = softmax(z)[y]
        assert cross_entropy(logits, labels, counts)[i].item() == pytest.approx(-math.log(p), rel=1e-9, abs=1e-12)
        expected = -((1 - p) ** gamma) * math.log(p)
        assert focal(logits, labels, counts, gamma=gamma)[i].item() == pytest.approx(expected, rel=1e-6, abs=1e-9)
        expected = -math.log(softmax(z + tau * np.log(prior))[y])
        assert logit_adjusted(logits, labels, counts, tau=tau)[i].item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_focal_with_gamma_zero_and_adjustment_with_tau_zero_are_cross_entropy():
    logits, labels, counts = batch(3)
    plain = cross_entropy(logits, labels, counts)
    torch.testing.assert_close(focal(logits, labels, counts, gamma=0), plain)
    torch.testing.assert_close(logit_adjusted(logits, labels, counts, tau=0), plain)


def test_adjustment_changes_nothing_when_classes_are_balanced():
    logits, labels, _ = batch(4)
    counts = torch.full((5,), 7)
    torch.testing.assert_close(logit_adjusted(logits, labels, counts), cross_entropy(logits, labels, counts))


def test_adjustment_with_tau_one_is_balanced_softmax():
    logits, labels, counts = batch(5)
    log_counts = counts.double().log()
    balanced = torch.nn.functional.cross_entropy(logits + log_counts, labels, reduction="none")
    torch.testing.assert_close(logit_adjusted(logits, labels, counts), balanced)


@pytest.mark.parametrize("loss", [cross_entropy, focal, logit_adjusted])
def test_half_precision_logits_give_float32_losses(loss):
    logits, labels, counts = batch(6)
    losses = loss(logits.bfloat16(), labels, counts)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, loss(logits.bfloat16().float(), labels, counts))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_gradient_is_finite_where_the_sample_is_surely_right(gamma):
    logits = torch.tensor([[200.0, 0.0], [-200.0, 0.0]], requires_grad=True)
    focal(logits, torch.tensor([0, 0]), torch.tensor([3, 1]), gamma=gamma).sum().backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("loss", [cross_entropy, focal, logit_adjusted])
def test_gradients_agree_with_finite_differences(loss):
    logits, labels, counts = batch(7, size=4)
    assert torch.autograd.gradcheck(lambda z: loss(z, labels, counts), logits.requires_grad_())
