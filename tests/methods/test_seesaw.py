"""Seesaw loss against its formula sample by sample, and what its two factors do apart."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.methods.losses import cross_entropy, logit_adjusted
from rdr_core.methods.seesaw import log_seesaw_factors, seesaw


def batch(seed: int, size: int = 9, d: int = 5):
    draw = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(size, d, generator=draw, dtype=torch.float64)
    return logits, torch.randint(d, (size,), generator=draw), torch.randint(1, 500, (d,), generator=draw)


def by_hand(z: list[float], y: int, n: list[int], p: float, q: float) -> float:
    """The paper's sums, class by class, with quotients as they are printed."""
    total = sum(math.exp(value) for value in z)
    sigma = [math.exp(value) / total for value in z]
    below = math.exp(z[y])
    for j in range(len(z)):
        if j != y:
            mitigation = (n[j] / n[y]) ** p if n[y] > n[j] else 1.0
            compensation = (sigma[j] / sigma[y]) ** q if sigma[j] > sigma[y] else 1.0
            below += mitigation * compensation * math.exp(z[j])
    return -math.log(math.exp(z[y]) / below)


@given(seed=st.integers(0, 1000), p=st.floats(0, 2), q=st.floats(0, 4))
def test_it_follows_its_formula_sample_by_sample(seed, p, q):
    logits, labels, counts = batch(seed)
    found = seesaw(logits, labels, counts, p=p, q=q)
    for z, y, loss in zip(logits.tolist(), labels.tolist(), found.tolist(), strict=True):
        assert loss == pytest.approx(by_hand(z, y, counts.tolist(), p, q), rel=1e-9, abs=1e-12)


def test_without_both_factors_it_is_cross_entropy():
    logits, labels, counts = batch(1)
    torch.testing.assert_close(seesaw(logits, labels, counts, p=0, q=0), cross_entropy(logits, labels, counts))


def test_mitigation_is_logit_adjustment_in_the_largest_class_and_nothing_in_the_smallest():
    logits, _, _ = batch(2)
    counts = torch.tensor([500, 120, 31, 5, 2])
    largest, smallest = torch.zeros(9, dtype=torch.int64), torch.full((9,), 4)
    close = torch.testing.assert_close
    close(seesaw(logits, largest, counts, p=0.8, q=0), logit_adjusted(logits, largest, counts, tau=0.8))
    close(seesaw(logits, smallest, counts, p=0.8, q=0), cross_entropy(logits, smallest, counts))


def test_the_factors_are_constants_to_the_gradient():
    """It is that of cross-entropy on the shifted logits, so never more than 1 in a logit."""
    logits, labels, counts = batch(3)
    logits.requires_grad_()
    (found,) = torch.autograd.grad(seesaw(logits, labels, counts).sum(), logits)
    shifted = logits.detach() + log_seesaw_factors(logits, labels, counts, 0.8, 2.0)
    torch.testing.assert_close(found, shifted.softmax(1) - F.one_hot(labels, 5))


def test_a_hopeless_sample_has_a_finite_loss_and_gradient():
    logits = torch.tensor([[-300.0, 300.0]], requires_grad=True)
    loss = seesaw(logits, torch.tensor([0]), torch.tensor([5, 5]))
    loss.sum().backward()
    assert loss.item() == pytest.approx(600 * (1 + 2.0))
    assert logits.grad.tolist() == [[-1.0, 1.0]]


def test_half_precision_logits_give_float32_losses():
    logits, labels, counts = batch(6)
    losses = seesaw(logits.bfloat16(), labels, counts)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, seesaw(logits.bfloat16().float(), labels, counts))
