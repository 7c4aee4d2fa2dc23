"""Bins of a quantity and their smoothed counts: against NumPy and SciPy, and what weights of them do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import convolve1d

from rdr_core import RdrError, RDRWeights, label_bins, smoothed_counts

VALUES = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=60).filter(lambda drawn: min(drawn) < max(drawn))


@given(VALUES, st.integers(2, 30))
def test_bins_are_numpy_s(values, bins):
    made = label_bins(torch.tensor(values, dtype=torch.float64), bins)
    edges = np.linspace(min(values), max(values), bins + 1)
    assert np.allclose(made.inner, edges[1:-1])
    of = made.of(torch.tensor(values, dtype=torch.float64))
    assert torch.equal(torch.bincount(of, minlength=bins), made.counts)
    assert int(made.counts.sum()) == len(values)
    inner = made.inner.numpy()
    assert all(
        (k == 0 or value >= inner[k - 1]) and (k == bins - 1 or value < inner[k])
        for value, k in zip(values, of.tolist(), strict=True)
    )


def test_values_beyond_the_training_range_are_of_the_bins_at_its_ends():
    made = label_bins(torch.tensor([0.0, 10.0]), bins=5)
    assert made.of(torch.tensor([-100.0, 100.0])).tolist() == [0, 4]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40), st.floats(0.3, 5), st.sampled_from([1, 3, 5, 9]))
def test_smoothed_counts_are_scipy_s(counts, sigma, width):
    half = width // 2
    window = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    by_scipy = convolve1d(np.array(counts, dtype=float), window / window.sum(), mode="constant")
    assert np.allclose(smoothed_counts(torch.tensor(counts), sigma, width), by_scipy)


def test_a_window_of_one_bin_changes_nothing():
    counts = torch.tensor([3, 0, 7])
    assert smoothed_counts(counts, width=1).tolist() == counts.tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: label_bins(torch.tensor([1.0, 1.0])), "not all the same"),
        (lambda: label_bins(torch.tensor([])), "finite"),
        (lambda: label_bins(torch.tensor([1.0, float("nan")])), "finite"),
        (lambda: label_bins(torch.tensor([1.0, 2.0]), bins=1), "bins is 1"),
        (lambda: smoothed_counts(torch.tensor([1, 2]), sigma=0), "sigma is 0"),
        (lambda: smoothed_counts(torch.tensor([1, 2]), width=4), "width 4"),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(RdrError, match=words):
        call()


def test_with_a_ratio_of_one_the_weights_are_those_of_the_density():
    """In its first batch RDR has no prototypes, so r = 1 and what is left is the smoothed density."""
    values = torch.cat([torch.zeros(30), torch.ones(6)])
    bins = label_bins(values, bins=2)
    density = smoothed_counts(bins.counts, width=1).float()
    ratio = RDRWeights(bins.counts, feature_dim=4, prior=0)
    of = bins.of(values)
    torch.testing.assert_close(ratio(torch.randn(36, 4), of), torch.ones(36))
    weights = ratio(torch.randn(36, 4), of) / density[of]
    assert weights[0] == pytest.approx(1 / 30, abs=0.1)
