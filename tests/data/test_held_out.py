"""Images held out of training: as many of each class, taken before the imbalance, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError, from_arrays, load_data
from rdr_core.data.subsets import choose_subset, hold_out


def numbered(per_class: int = 30, d: int = 3):
    """Images whose pixels tell which they are."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(d), per_class))
    images = np.zeros((len(labels), 1, 2, 2), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(len(labels))
    return images, labels


@given(
    held_out=st.integers(1, 20),
    factor=st.sampled_from([None, 1, 4]),
    seed=st.integers(0, 99),
    noise=st.sampled_from([0, 0.2]),
)
def test_held_out_images_are_balanced_true_and_never_trained_on(held_out, factor, seed, noise):
    images, labels = numbered()
    data = from_arrays(
        images, labels, images, labels, imbalance_factor=factor, seed=seed, noise_rate=noise, held_out=held_out
    )
    apart = data.held_out.inputs[:, 0, 0, 0].numpy()
    assert np.bincount(data.held_out.labels).tolist() == [held_out] * 3
    assert np.array_equal(data.held_out.labels.numpy(), labels[apart]), "true labels, also beside noise"
    assert not set(apart) & set(data.indices)
    assert np.array_equal(data.train.inputs[:, 0, 0, 0].numpy(), data.indices), "positions are the source's"
    assert len(data.train) == (90 - 3 * held_out if factor is None else data.clean_class_counts.sum())
    if factor:
        assert data.clean_class_counts[0] == 30 - held_out


def test_without_any_the_data_are_what_they_were():
    plain, asked = load_data("digits", imbalance_factor=10), load_data("digits", imbalance_factor=10, held_out=0)
    assert plain.held_out is None
    assert asked.indices_hash == plain.indices_hash == "bd533122ec5dd7e0"
    assert asked.content_hash == plain.content_hash


def test_the_draw_is_the_seeds_and_not_the_subsets():
    labels = numbered()[1]
    first = hold_out(labels, 3, 5, seed=1)
    assert np.array_equal(first, hold_out(labels, 3, 5, seed=1))
    assert not np.array_equal(first, hold_out(labels, 3, 5, seed=2))
    assert not np.array_equal(first, choose_subset(labels, [5, 5, 5], seed=1))


def test_the_content_hash_sees_them():
    images, labels = numbered()
    hashes = {from_arrays(images, labels, images, labels, held_out=n).content_hash for n in (0, 1, 2)}
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("held_out", "said"),
    [
        (30, "Class 0 has 30 images, too few to hold 30 out and train on the rest; hold out 29 of each class at most"),
        (-1, "held_out is -1; it is a number of images of each class, 0 or larger"),
    ],
)
def test_what_cannot_be_held_out_is_refused(held_out, said):
    images, labels = numbered()
    with pytest.raises(RdrError, match=said):
        from_arrays(images, labels, images, labels, held_out=held_out)
