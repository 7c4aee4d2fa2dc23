"""Samplers: how often each class and each image is visited, counted; and what that does to the mean of a loss."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.methods.control import control_of
from rdr_core.methods.explain import prior_in_words
from rdr_core.methods.grammar import parse
from rdr_core.methods.samplers import (
    ByShares,
    OverSampled,
    UnderSampled,
    power_shares,
    progressive_shares,
    quotas,
)
from rdr_core.methods.weights import inverse_frequency
from rdr_core.training.randomness import generator

draw = partial(generator, 3)
COUNTS = torch.tensor([60, 25, 9, 1])
LABELS = torch.arange(4).repeat_interleave(COUNTS)[torch.randperm(95, generator=generator(0, "labels"))]


def visited(order: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Visits of each class and of each image."""
    return LABELS[order].bincount(minlength=4), order.bincount(minlength=95)


@given(seed=st.integers(0, 1000), visits=st.integers(1, 500))
def test_quotas_are_their_means_rounded_down_or_up_and_add_up(seed, visits):
    draws = torch.Generator().manual_seed(seed)
    shares = torch.rand(7, generator=draws, dtype=torch.float64)
    shares /= shares.sum()
    found = quotas(shares, visits, draws)
    assert found.sum() == visits
    assert ((found - visits * shares).abs() < 1 + 1e-6).all()


def test_quotas_are_right_on_average():
    shares = torch.tensor([0.61, 0.29, 0.1], dtype=torch.float64)
    draws = torch.Generator().manual_seed(0)
    mean = torch.stack([quotas(shares, 4, draws) for _ in range(4000)]).double().mean(0)
    np.testing.assert_allclose(mean, 4 * shares, atol=0.04)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_classes_are_visited_by_a_power_of_their_counts_and_images_of_a_class_alike(power):
    shares = power_shares(COUNTS, power)
    expected = COUNTS.double() ** power
    torch.testing.assert_close(shares, expected / expected.sum())
    sampler = ByShares(LABELS, lambda epoch: shares, draw)
    assert sampler.visits == 95
    by_class, by_image = visited(sampler.order(4))
    assert ((by_class - 95 * shares).abs() < 1 + 1e-6).all()
    for c in range(4):
        times = by_image[c == LABELS]
        assert times.max() - times.min() <= 1
    if power == 1:
        assert (by_image == 1).all(), "every image once, as without a sampler"


def test_progressive_shares_go_from_the_training_sets_to_equal_ones():
    torch.testing.assert_close(progressive_shares(COUNTS, 0, 10), COUNTS.double() / 95)
    last = progressive_shares(COUNTS, 9, 10)
    torch.testing.assert_close(last, 0.1 * COUNTS.double() / 95 + 0.9 / 4)


def test_over_sampling_makes_every_class_as_large_as_the_largest():
    sampler = OverSampled(LABELS, COUNTS, draw)
    by_class, by_image = visited(sampler.order(0))
    assert by_class.tolist() == [60] * 4
    assert sampler.visits == 240
    assert by_image[LABELS == 0].tolist() == [1] * 60
    assert sorted(by_image[LABELS == 2].tolist()) == [6] * 3 + [7] * 6


def test_under_sampling_keeps_the_same_images_in_every_epoch():
    counts = torch.tensor([60, 25, 10])
    labels = torch.arange(3).repeat_interleave(counts)
    sampler = UnderSampled(labels, counts, draw)
    orders = [sampler.order(epoch) for epoch in range(3)]
    assert labels[orders[0]].bincount().tolist() == [10] * 3
    assert orders[0].tolist() != orders[1].tolist()
    assert {tuple(order.sort().values.tolist()) for order in orders} == {tuple(orders[0].unique().tolist())}
    other = UnderSampled(labels, counts, partial(generator, 4))
    assert set(other.kept.tolist()) != set(sampler.kept.tolist()), "another seed keeps others"


@pytest.mark.parametrize("make", [
    lambda d: ByShares(LABELS, lambda epoch: progressive_shares(COUNTS, epoch, 9), d),
    lambda d: OverSampled(LABELS, COUNTS, d),
    lambda d: UnderSampled(LABELS, COUNTS, d),
])  # fmt: skip
def test_an_order_is_a_function_of_seed_and_epoch(make):
    """So that a run stopped within an epoch goes on with the same visits."""
    orders = [make(partial(generator, seed)).order(epoch).tolist() for seed, epoch in ((0, 5), (0, 5), (0, 6), (1, 5))]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert orders[0] != orders[3]


@given(s=st.floats(0, 1), seed=st.integers(0, 100))
def test_visits_change_the_mean_loss_as_weights_do(s, seed):
    """Shares ~ n^(1 - s) and weights ~ n^-s, up to a factor: why a sampler's power is counted with the weights'."""
    losses = torch.rand(4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)  # of each class
    by_visits = (power_shares(COUNTS, 1 - s) * losses).sum()
    weights = inverse_frequency(COUNTS, s).double()
    by_weights = (COUNTS * weights * losses).sum() / (COUNTS * weights).sum()
    assert by_visits.item() == pytest.approx(by_weights.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("balanced_sampling", "The sampler (balanced_sampling) carries s = 1. That is 1, as"),
        ("sqrt_sampling", "carries s = 0.5. That is less than 1, so a part of the imbalance stays"),
        ("inverse:gamma=0.5+sqrt_sampling", "That is 1 in sum, as Fisher consistency"),
        ("inverse+balanced_sampling", "That is 2 in sum, so the prior is corrected more than once: Fisher-consistent "
                                      "would be s + v + tau = 1"),
        ("la+oversampling", "carries s = 1 and the loss (la) carries tau = 1. That is 2 in sum"),
        ("rdr+balanced_sampling", "The sampler (balanced_sampling) carries s = 1. That is 1, as"),
        ("cb+balanced_sampling", "do not follow a power of the prior, so they correct a second time"),
    ],
)  # fmt: skip
def test_who_carries_the_prior(method, said):
    assert said in prior_in_words(parse(method))


def test_rdr_is_asked_for_what_the_sampler_leaves():
    assert parse("rdr+sqrt_sampling").prior_asked == 0.5
    assert parse("rdr+balanced_sampling").prior_asked == 0
    assert parse("rdr:prior=1+balanced_sampling").prior_asked == 1
    assert control_of("rdr+balanced_sampling") == "ce+balanced_sampling"
    assert control_of("rdr+sqrt_sampling") == "inverse:gamma=0.5+sqrt_sampling"
