from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.data.profiles import PROFILES, exponential, profile_counts, step
from rdr_core.errors import RdrError


@pytest.mark.parametrize(
    ("largest", "num_classes", "totals"),
    [(5000, 10, [20431, 13996, 12406, 11203]), (500, 100, [19573, 12608, 10847, 9502])],
    ids=["CIFAR-10", "CIFAR-100"],
)
def test_the_fields_totals(largest, num_classes, totals):
    assert [exponential(largest, num_classes, factor).sum() for factor in (10, 50, 100, 200)] == totals


@pytest.mark.parametrize(("largest", "num_classes"), [(5000, 10), (500, 100)])
@pytest.mark.parametrize("factor", [10, 20, 50, 100, 200, 256, 500])
def test_every_count_is_that_of_the_fields_own_formula(largest, num_classes, factor):
    ldam = [int(largest * ((1 / factor) ** (c / (num_classes - 1.0)))) for c in range(num_classes)]
    assert exponential(largest, num_classes, factor).tolist() == ldam


@given(st.integers(2, 60), st.integers(1, 5000), st.data())
def test_exponential_is_the_truncated_power_in_exact_arithmetic(num_classes, largest, data):
    factor = data.draw(st.integers(1, largest))
    for c, count in enumerate(exponential(largest, num_classes, factor).tolist()):
        # n <= largest * IF^(-c / (d - 1)) < n + 1, raised to the power d - 1.
        power = Fraction(largest) ** (num_classes - 1) / Fraction(factor) ** c
        assert count ** (num_classes - 1) <= power < (count + 1) ** (num_classes - 1)


@given(st.integers(1, 2000), st.integers(2, 50), st.sampled_from(sorted(PROFILES)), st.data())
def test_counts_fall_from_largest_to_the_truncated_ratio(largest, num_classes, profile, data):
    factor = data.draw(st.integers(1, largest))
    counts = profile_counts(profile, largest, num_classes, factor)
    assert counts.dtype == np.int64
    assert counts.shape == (num_classes,)
    assert (np.diff(counts) <= 0).all()
    assert counts[0] == largest
    assert counts[-1] == largest // factor


def test_a_float_just_below_an_integer_does_not_empty_a_class():
    assert int(49 * (1 / 49)) == 0
    for n in range(1, 1000):
        assert exponential(n, 2, n)[-1] == 1
        assert step(n, 2, n)[-1] == 1


def test_step_has_two_levels_with_the_middle_class_full():
    assert step(100, 4, 7).tolist() == [100, 100, 14, 14]
    assert step(100, 5, 7).tolist() == [100, 100, 100, 14, 14]


@pytest.mark.parametrize("profile", PROFILES)
def test_one_class_keeps_all_and_a_factor_of_1_is_balanced(profile):
    assert profile_counts(profile, 50, 1, 1000).tolist() == [50]
    assert profile_counts(profile, 50, 3, 1).tolist() == [50, 50, 50]


@pytest.mark.parametrize("factor", [0.99, 0, -3, float("inf"), float("nan")])
def test_a_factor_below_1_or_not_finite_is_an_error(factor):
    with pytest.raises(RdrError, match=r"^The imbalance factor is .*: give a finite number from 1 \(balanced\) on\.$"):
        exponential(100, 10, factor)


@pytest.mark.parametrize(("profile", "empty"), [("exponential", 8), ("step", 5)])
def test_a_factor_that_empties_a_class_names_it_and_the_largest_that_works(profile, empty):
    with pytest.raises(RdrError, match=rf"200 leaves class {empty} without an image.*that works is 100\.$"):
        profile_counts(profile, 100, 10, 200)
    assert profile_counts(profile, 100, 10, 100)[-1] == 1


def test_an_unknown_profile_is_told_with_the_nearest():
    with pytest.raises(RdrError, match="no profile named 'exponentail'; did you mean 'exponential'"):
        profile_counts("exponentail", 100, 10, 10)


@pytest.mark.parametrize(("largest", "num_classes"), [(0, 10), (10, 0)])
def test_nothing_to_count_is_an_error(largest, num_classes):
    with pytest.raises(RdrError, match="at least one class and one image"):
        exponential(largest, num_classes, 1)
