"""Losses against float64 references written from the formulas, and the identities between them."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.methods.label_aware_smoothing import label_aware_smoothing
from rdr_core.methods.losses import balanced_softmax, cross_entropy, focal, ldam, ldam_of_logits, logit_adjusted, vs

LOSSES = [cross_entropy, focal, logit_adjusted, balanced_softmax, vs, ldam, ldam_of_logits, label_aware_smoothing]


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


@given(
    seed=st.integers(0, 1000),
    gamma=st.floats(0, 1),
    tau=st.floats(0, 3),
    scale=st.floats(1, 40),
    margin=st.floats(0, 1),
)
def test_losses_with_counts_in_the_logits_follow_their_formulas(seed, gamma, tau, scale, margin):
    """n_y e^z_y / sum n_c e^z_c; z / D + tau log pi with D = (n_max / n)^gamma; s (cos - m_y) for the true class."""
    logits, labels, counts = batch(seed)
    n = counts.numpy().astype(np.float64)
    cosines = np.tanh(logits.numpy())
    found = {
        "bs": balanced_softmax(logits, labels, counts),
        "vs": vs(logits, labels, counts, gamma=gamma, tau=tau),
        "ldam": ldam(torch.tensor(cosines), labels, counts, scale=scale, max_margin=margin),
    }
    assert all(losses.dtype == torch.float64 for losses in found.values())
    for i, (z, y) in enumerate(zip(logits.numpy(), labels.tolist(), strict=True)):
        raw = n ** (-1 / 4)
        shifted = cosines[i].copy()
        shifted[y] -= (raw * margin / raw.max())[y]
        expected = {
            "bs": -math.log(n[y] * math.exp(z[y]) / (n * np.exp(z)).sum()),
            "vs": -math.log(softmax(z / (n.max() / n) ** gamma + tau * np.log(n / n.sum()))[y]),
            "ldam": -math.log(softmax(scale * shifted)[y]),
        }
        for name, value in expected.items():
            assert found[name][i].item() == pytest.approx(value, rel=1e-9, abs=1e-12), name


@given(seed=st.integers(0, 1000), tau=st.floats(0, 3))
def test_identities_between_losses(seed, tau):
    logits, labels, counts = batch(seed)
    adjusted = logit_adjusted(logits, labels, counts, tau=tau)
    plain = cross_entropy(logits, labels, counts)
    close = partial(torch.testing.assert_close, rtol=1e-9, atol=1e-12)
    close(balanced_softmax(logits, labels, counts), logit_adjusted(logits, labels, counts, tau=1))
    close(vs(logits, labels, counts, gamma=0, tau=tau), adjusted)
    close(ldam(logits, labels, counts, max_margin=0), cross_entropy(30 * logits, labels, counts))
    close(ldam_of_logits(30 * logits, labels, counts), ldam(logits, labels, counts))
    # CDT: a class must reach D times the logits for the same loss. LDAM: its cosine must be larger by the margin.
    larger = logits * (counts.max() / counts.double()) ** 0.3
    close(vs(larger, labels, counts, gamma=0.3, tau=0), plain)
    lead = 0.5 * (counts.min() / counts.double()[labels]) ** 0.25
    lifted = logits + 30 * lead[:, None] * torch.nn.functional.one_hot(labels, 5)
    close(ldam_of_logits(lifted, labels, counts), plain)


@pytest.mark.parametrize("loss", [logit_adjusted, balanced_softmax, vs])
def test_balanced_counts_change_nothing(loss):
    logits, labels, _ = batch(4)
    counts = torch.full((5,), 7)
    torch.testing.assert_close(loss(logits, labels, counts), cross_entropy(logits, labels, counts))


@pytest.mark.parametrize("loss", [logit_adjusted, balanced_softmax, vs, ldam_of_logits])
def test_the_same_logits_cost_more_in_a_rarer_class(loss):
    """What makes the network give rare classes larger logits."""
    counts = torch.tensor([1000, 100, 10, 1])
    losses = loss(5 * torch.eye(4, dtype=torch.float64), torch.arange(4), counts)
    assert (losses.diff() > 0).all()


def test_focal_with_gamma_zero_and_adjustment_with_tau_zero_are_cross_entropy():
    logits, labels, counts = batch(3)
    plain = cross_entropy(logits, labels, counts)
    torch.testing.assert_close(focal(logits, labels, counts, gamma=0), plain)
    torch.testing.assert_close(logit_adjusted(logits, labels, counts, tau=0), plain)


@pytest.mark.parametrize("loss", LOSSES)
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


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_agree_with_finite_differences(loss):
    logits, labels, counts = batch(7, size=4)
    assert torch.autograd.gradcheck(lambda z: loss(z, labels, counts), logits.requires_grad_())
