"""What more seeds would decide: Student's interval turned round, against SciPy's own and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rdr_viz.papers.claims import UNDECIDED, decide
from rdr_viz.papers.more_seeds import MOST, half_width, seeds_to_decide, spread_of_the_spread, standard_deviation

SOME_SEEDS = st.lists(st.floats(-50, 50), min_size=2, max_size=12).filter(lambda values: np.std(values) > 1e-3)


@given(SOME_SEEDS)
def test_the_half_width_is_scipys(values):
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    half = half_width(np.std(values, ddof=1), len(values))
    assert (np.mean(values) - half, np.mean(values) + half) == pytest.approx((interval.low, interval.high), rel=1e-9)


@given(SOME_SEEDS)
def test_the_standard_deviation_is_found_again_from_the_interval(values):
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    sd = standard_deviation(interval.low, interval.high, len(values))
    assert sd == pytest.approx(np.std(values, ddof=1), rel=1e-6)


@given(
    mean=st.floats(-3, 3), sd=st.floats(0.01, 3), ends=st.sampled_from([(0, np.inf), (-np.inf, 1), (-1, 1), (0.5, 2)])
)
def test_the_fewest_seeds_that_decide(mean, sd, ends):
    """Counted one by one, with an interval written out."""

    def decided(seeds):
        half = stats.t.ppf(0.975, seeds - 1) * sd / seeds**0.5
        return decide(mean - half, mean + half, ends) != UNDECIDED

    found = seeds_to_decide(mean, sd, ends, most=60)
    assert found == next((seeds for seeds in range(2, 61) if decided(seeds)), None)


def test_on_an_end_of_the_range_or_without_spread_no_number_of_seeds_decides():
    assert seeds_to_decide(0.0, 1.0, (0, np.inf)) is None
    assert seeds_to_decide(1.0, 0.0, (0, np.inf)) is None
    assert seeds_to_decide(1e-4, 1.0, (0, np.inf), most=MOST) is None


@pytest.mark.parametrize("seeds", [2, 3, 6, 20])
def test_the_true_spread_lies_between_the_factors_as_often_as_said(seeds):
    draws = np.random.default_rng(0).normal(size=(40_000, seeds)).std(axis=1, ddof=1)
    low, high = spread_of_the_spread(seeds)
    inside = ((draws * low < 1) & (draws * high > 1)).mean()
    assert inside == pytest.approx(0.95, abs=4 * (0.95 * 0.05 / 40_000) ** 0.5)
