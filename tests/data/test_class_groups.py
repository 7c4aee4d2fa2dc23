from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.data import Groups, groups_by_count, groups_by_rank
from rdr_core.data.profiles import exponential
from rdr_core.errors import RdrError

COUNTS = st.lists(st.integers(0, 300), min_size=1, max_size=120)


def sizes(groups: Groups) -> list[int]:
    return [len(classes) for _, classes in groups.items()]


@given(COUNTS, st.sampled_from([groups_by_rank, groups_by_count]))
def test_every_class_is_in_one_group_and_groups_are_sorted(counts, grouping):
    groups = grouping(counts)
    assert sorted(np.concatenate([groups.many, groups.medium, groups.few])) == list(range(len(counts)))
    for name, classes in groups.items():
        assert classes.dtype == np.int64
        assert (np.diff(classes) > 0).all()
        assert set(groups.of_class[classes]) <= {name}


@given(COUNTS)
def test_no_class_of_a_rarer_group_has_more_images(counts):
    for groups in (groups_by_rank(counts), groups_by_count(counts)):
        for above, below in (("many", "medium"), ("medium", "few"), ("many", "few")):
            larger, smaller = np.take(counts, getattr(groups, above)), np.take(counts, getattr(groups, below))
            if len(larger) and len(smaller):
                assert larger.min() >= smaller.max()


@pytest.mark.parametrize(
    ("num_classes", "expected"),
    [
        (10, [3, 4, 3]),
        (100, [35, 34, 31]),
        (1000, [390, 445, 165]),
        (365, [131, 157, 77]),
        (1, [0, 1, 0]),
        (2, [1, 0, 1]),
        (3, [1, 1, 1]),
        (20, [6, 8, 6]),
    ],
)
def test_sizes_by_rank(num_classes, expected):
    assert sizes(groups_by_rank(np.arange(num_classes))) == expected


def test_on_cifar_the_rank_is_the_class_index():
    groups = groups_by_rank(exponential(500, 100, 100))
    assert [classes.tolist() for _, classes in groups.items()] == [
        list(range(35)),
        list(range(35, 69)),
        list(range(69, 100)),
    ]


def test_elsewhere_the_rank_is_by_count_and_ties_by_index():
    groups = groups_by_rank([5, 9, 5, 9, 1], boundaries=(2, 3))
    assert [classes.tolist() for _, classes in groups.items()] == [[1, 3], [0], [2, 4]]


def test_count_limits_are_those_of_the_field():
    groups = groups_by_count([19, 20, 100, 101])
    assert groups.of_class.tolist() == ["Few", "Medium", "Medium", "Many"]


def test_cifar10_at_100_has_no_few_class_by_count():
    assert sizes(groups_by_count(exponential(5000, 10, 100))) == [8, 2, 0]


def test_counts_may_be_a_tensor_an_array_or_a_list():
    for counts in ([3, 200, 50], np.array([3, 200, 50]), torch.tensor([3, 200, 50])):
        assert groups_by_count(counts).of_class.tolist() == ["Few", "Many", "Medium"]
        assert groups_by_rank(counts).of_class.tolist() == ["Few", "Many", "Medium"]


@pytest.mark.parametrize("boundaries", [(2, 1), (-1, 2), (1, 4)])
def test_boundaries_that_are_no_ranks_are_an_error(boundaries):
    with pytest.raises(RdrError, match=r"0 <= a <= b <= 3\.$"):
        groups_by_rank([3, 2, 1], boundaries)


def test_overlapping_count_limits_are_an_error():
    with pytest.raises(RdrError, match="overlaps Many above 10: give 11 or less"):
        groups_by_count([3, 2, 1], many_above=10, few_below=12)


@pytest.mark.parametrize(
    ("many", "medium", "few", "wrong"),
    [([0], [0], [1], "class 0"), ([0], [], [2], "class 1"), ([1], [2], [], "class 0"), ([-1], [0], [], "class -1")],
)
def test_a_class_in_no_group_or_in_two_is_an_error(many, medium, few, wrong):
    arrays = [np.array(group, dtype=np.int64) for group in (many, medium, few)]
    with pytest.raises(RdrError, match=f"exactly once, but {wrong} is missing or twice"):
        Groups(*arrays)
