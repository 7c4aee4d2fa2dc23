"""What mixup and Remix draw for an epoch: partners within the batch, shares of images, shares of labels."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.methods.mixing import Mixup, Remix, image_shares, partners, remix_shares
from rdr_core.training.randomness import generator


@given(visits=st.integers(1, 70), size=st.integers(1, 20), seed=st.integers(0, 100))
def test_partners_are_an_order_of_the_batch(visits, size, seed):
    found = partners(visits, size, torch.Generator().manual_seed(seed))
    for start in range(0, visits, size):
        batch = range(start, min(start + size, visits))
        assert sorted(found[start : start + size].tolist()) == list(batch)


def test_every_order_of_a_batch_is_as_likely():
    draw = torch.Generator().manual_seed(0)
    seen = partners(3 * 6000, 3, draw).view(-1, 3) % 3
    _, times = torch.unique(seen, dim=0, return_counts=True)
    assert len(times) == 6
    assert ((times - 1000).abs() < 5 * 1000**0.5).all()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_one_draw_of_a_beta_distribution_a_batch(alpha):
    """Its larger part, whose mean is 1/2 and Beta's mean distance from 1/2, known in closed form."""
    shares = image_shares(8 * 20_000, 8, alpha, torch.Generator().manual_seed(0)).view(-1, 8)
    assert (shares == shares[:, :1]).all()
    assert shares.min() >= 0.5
    beta = math.gamma(alpha) ** 2 / math.gamma(2 * alpha)
    expected = 0.5 + 2 / (beta * 2 ** (2 * alpha + 1) * alpha)
    assert shares[:, 0].double().mean().item() == pytest.approx(expected, abs=0.004)


@given(seed=st.integers(0, 1000), kappa=st.floats(1.01, 10), tau=st.floats(0, 1))
def test_remix_by_its_three_cases(seed, kappa, tau):
    draw = torch.Generator().manual_seed(seed)
    shares = torch.rand(9, generator=draw)
    own, other = (torch.randint(1, 60, (9,), generator=draw) for _ in range(2))
    found = remix_shares(shares, own, other, kappa, tau)
    for share, n_i, n_j, label in zip(shares.tolist(), own.tolist(), other.tolist(), found.tolist(), strict=True):
        if n_i / n_j >= kappa and share < tau:
            assert label == 0
        elif n_i / n_j <= 1 / kappa and 1 - share < tau:
            assert label == 1
        else:
            assert label == pytest.approx(share)


@given(share=st.floats(0, 1), n_i=st.integers(1, 99), n_j=st.integers(1, 99), tau=st.floats(0, 1))
def test_which_of_the_two_is_called_the_own_one_plays_no_part(share, n_i, n_j, tau):
    """So that images may take the larger share without loss."""
    if n_i == n_j or 1 - (1 - share) != share:  # a tie, or a share that rounding moves over tau
        return
    one = remix_shares(torch.tensor([share]).double(), torch.tensor([n_i]), torch.tensor([n_j]), 3.0, tau)
    other = remix_shares(torch.tensor([1 - share]).double(), torch.tensor([n_j]), torch.tensor([n_i]), 3.0, tau)
    assert one.item() == pytest.approx(1 - other.item())


def test_draws_are_a_function_of_seed_and_epoch():
    labels = torch.arange(100) % 3
    counts = torch.tensor([90, 20, 4])

    def drawn(seed, epoch):
        mixes = Remix(1.0, partial(generator, seed), counts, 3.0, 0.5).mixes(epoch, labels, 32)
        return [mixes.partner.tolist(), mixes.share.tolist(), mixes.label_share.tolist()]

    assert drawn(0, 4) == drawn(0, 4)
    assert drawn(0, 4) != drawn(0, 5)
    assert drawn(0, 4) != drawn(1, 4)


def test_remix_mixes_images_as_mixup_and_gives_labels_to_rare_classes():
    labels = torch.tensor([0, 1, 2] * 40)
    counts = torch.tensor([90, 20, 4])
    draw = partial(generator, 0)
    plain, remixed = Mixup(1.0, draw).mixes(0, labels, 24), Remix(1.0, draw, counts, 3.0, 0.5).mixes(0, labels, 24)
    assert torch.equal(plain.partner, remixed.partner)
    assert torch.equal(plain.share, remixed.share)
    theirs = labels[plain.partner]
    rarer = (labels > theirs) & (plain.share > 0.5)
    assert (remixed.label_share[rarer] == 1).all(), "each class is more than 3 times as large as the next"
    assert torch.equal(remixed.label_share[labels <= theirs], plain.share[labels <= theirs])
