from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.data.noise import NOISES, flip_labels
from rdr_core.errors import RdrError

CLEAN = np.repeat([0, 1, 2, 3], [4000, 2000, 1000, 500])


@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=80).filter(lambda labels: len(set(labels)) > 1),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(sorted(NOISES)),
    st.integers(0, 2**32 - 1),
)
def test_exactly_the_rate_changes_and_never_to_itself(labels, rate, noise, seed):
    clean = np.array(labels)
    noisy = flip_labels(clean, num_classes=6, rate=rate, noise=noise, seed=seed)
    assert (noisy != clean).sum() == int(rate * len(clean))
    assert noisy.dtype == np.int64
    assert ((noisy >= 0) & (noisy < 6)).all()
    assert clean.tolist() == labels
    if noise == "prior":
        assert set(noisy) <= set(labels)


def test_symmetric_noise_is_uniform_over_the_other_classes():
    noisy = flip_labels(CLEAN, num_classes=4, rate=0.8)
    for c in range(4):
        new = noisy[(c == CLEAN) & (noisy != c)]
        share = np.bincount(new, minlength=4) / len(new)
        # Four standard errors of a third.
        assert np.abs(np.delete(share, c) - 1 / 3).max() < 4 * np.sqrt(2 / 9 / len(new))


def test_prior_noise_is_in_proportion_to_the_other_counts():
    noisy = flip_labels(CLEAN, num_classes=4, rate=0.8, noise="prior")
    counts = np.bincount(CLEAN)
    for c in range(4):
        new = noisy[(c == CLEAN) & (noisy != c)]
        share = np.bincount(new, minlength=4) / len(new)
        expected = np.where(np.arange(4) == c, 0, counts) / (len(CLEAN) - counts[c])
        assert np.abs(share - expected).max() < 4 * np.sqrt(0.25 / len(new))


def test_the_flipped_are_spread_over_all_samples():
    noisy = flip_labels(CLEAN, num_classes=4, rate=0.1)
    flipped = noisy != CLEAN
    by_class = np.bincount(CLEAN[flipped], minlength=4) / np.bincount(CLEAN)
    assert np.abs(by_class - 0.1).max() < 4 * np.sqrt(0.09 / 500)


@pytest.mark.usefixtures("global_generators_untouched")
@pytest.mark.parametrize("noise", NOISES)
def test_the_draw_is_private_and_repeats_by_seed(noise):
    first = flip_labels(CLEAN, 4, 0.05, noise, seed=1)
    assert np.array_equal(first, flip_labels(CLEAN, 4, 0.05, noise, seed=1))
    assert not np.array_equal(first, flip_labels(CLEAN, 4, 0.05, noise, seed=2))


@pytest.mark.parametrize(
    ("noise", "pinned"), [("symmetric", [1, 1, 0, 0, 1, 0, 1, 1, 0, 1]), ("prior", [1, 1, 0, 0, 1, 0, 1, 1, 0, 1])]
)
def test_seed_0_is_pinned(noise, pinned):
    assert flip_labels(np.repeat([0, 1, 2], [6, 3, 1]), 3, 0.5, noise, seed=0).tolist() == pinned


@pytest.mark.parametrize("rate", [1, -0.1, 1.5, float("nan")])
def test_a_rate_outside_0_to_1_is_an_error(rate):
    with pytest.raises(RdrError, match=r"^The noise rate is .*: give one in \[0, 1\)\.$"):
        flip_labels(CLEAN, 4, rate)


def test_an_unknown_noise_is_told_with_the_nearest():
    with pytest.raises(RdrError, match="no label noise named 'symetric'; did you mean 'symmetric'"):
        flip_labels(CLEAN, 4, 0.1, "symetric")


def test_a_single_class_has_nothing_to_flip_to():
    one = np.zeros(10, dtype=np.int64)
    with pytest.raises(RdrError, match="needs a second class"):
        flip_labels(one, num_classes=1, rate=0.1)
    with pytest.raises(RdrError, match="at least two classes"):
        flip_labels(one, num_classes=2, rate=0.5, noise="prior")
    assert flip_labels(one, num_classes=1, rate=0).tolist() == one.tolist()
