from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.data.subsets import choose_subset, indices_hash, random_state
from rdr_core.errors import RdrError

LABELS = np.random.RandomState(7).randint(0, 5, size=400)


@given(st.lists(st.integers(0, 50), min_size=5, max_size=5), st.integers(0, 2**32 - 1))
def test_each_class_supplies_its_count_once_in_order(counts, seed):
    chosen = choose_subset(LABELS, counts, seed)
    assert chosen.dtype == np.int64
    assert LABELS[chosen].tolist() == np.repeat(np.arange(5), counts).tolist()
    assert len(set(chosen.tolist())) == sum(counts)


@pytest.mark.usefixtures("global_generators_untouched")
def test_the_draw_is_private_and_repeats_by_seed():
    counts = np.array([9, 8, 7, 6, 5])
    first = choose_subset(LABELS, counts, seed=3)
    assert np.array_equal(first, choose_subset(LABELS, counts, seed=3))
    assert not np.array_equal(first, choose_subset(LABELS, counts, seed=4))


def test_too_few_images_is_an_error():
    with pytest.raises(RdrError, match=r"^Class 1 has 1 images, fewer than the 2 wanted"):
        choose_subset(np.array([0, 0, 1]), [2, 2])


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_the_generator_cannot_take_is_an_error(seed):
    with pytest.raises(RdrError, match=r"^The seed is .* takes 0 to 4294967295"):
        choose_subset(LABELS, [1], seed)


def test_streams_of_one_seed_differ():
    assert random_state(5).randint(1 << 30) == np.random.RandomState(5).randint(1 << 30)
    assert random_state(5, stream=1).randint(1 << 30) != random_state(5).randint(1 << 30)


@given(st.lists(st.integers(0, 2**62)))
def test_the_hash_is_that_of_little_endian_int64(indices):
    expected = hashlib.sha256(struct.pack(f"<{len(indices)}q", *indices)).hexdigest()[:16]
    assert indices_hash(indices) == expected
    assert indices_hash(np.asarray(indices, dtype=">i8")) == expected
