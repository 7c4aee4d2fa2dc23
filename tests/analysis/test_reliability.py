"""Reliability of repeated measurements: loops, closed forms, invariance, and how often its intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rdr_core.errors import RdrError
from rdr_viz.analysis.reliability import interval_of_mean, reliability

tables = st.tuples(st.integers(2, 8), st.integers(2, 6), st.integers(0, 2**32 - 1))


def drawn(shape) -> np.ndarray:
    n, k, seed = shape
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1)) * rng.uniform(0, 3) + rng.normal(size=(n, k))


def by_loops(values: np.ndarray) -> tuple[float, float, float, float]:
    """Spread, ICC(1) and its ends by sums of squares, one value at a time, with scipy.stats' F."""
    n, k = values.shape
    grand = sum(sum(row) for row in values) / (n * k)
    between = within = 0.0
    for row in values:
        mean = sum(row) / k
        between += k * (mean - grand) ** 2
        for value in row:
            within += (value - mean) ** 2
    msb, msw = between / (n - 1), within / (n * (k - 1))
    lower = msb / msw / stats.f.ppf(0.975, n - 1, n * (k - 1))
    upper = msb / msw * stats.f.ppf(0.975, n * (k - 1), n - 1)  # as Shrout and Fleiss print it
    spread = ((msb - msw) / k + msw) ** 0.5
    return (spread, (msb - msw) / (msb + (k - 1) * msw),
            (lower - 1) / (lower + k - 1), (upper - 1) / (upper + k - 1))  # fmt: skip


@given(tables)
def test_it_is_that_of_loops(shape):
    values = drawn(shape)
    found = reliability(values)
    assert found.mean == pytest.approx(values.mean())
    assert found[1:] == pytest.approx(by_loops(values), rel=1e-9, abs=1e-12)
    assert -1 / (shape[1] - 1) <= found.low <= found.value <= found.high <= 1


def test_the_example_that_shrout_and_fleiss_print():
    """Six targets by four judges: ICC(1,1) = 0.17."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert reliability(ratings).value == pytest.approx(0.17, abs=0.005)


@given(tables, st.floats(-100, 100), st.sampled_from([-7.0, -0.01, 0.3, 40.0]))
def test_neither_shift_nor_scale_nor_order_changes_it(shape, shift, scale):
    values = drawn(shape)
    found, rng = reliability(values), np.random.default_rng(shape)
    moved = reliability(shift + scale * values)
    assert moved[2:] == pytest.approx(found[2:], rel=1e-6, abs=1e-9)
    assert moved.spread == pytest.approx(abs(scale) * found.spread, rel=1e-6)
    shuffled = rng.permuted(values, axis=1)[rng.permutation(len(values))]
    assert reliability(shuffled) == pytest.approx(found, rel=1e-9, abs=1e-12)


def test_where_all_variance_is_between_things_it_is_1():
    assert reliability([[1.0] * 4, [2.0] * 4, [5.0] * 4])[2:] == (1.0, 1.0, 1.0)


def test_where_all_variance_is_within_them_it_is_as_low_as_it_can_be():
    found = reliability([[0.0, 3.0, 6.0], [6.0, 0.0, 3.0]])
    assert found.value == found.low == pytest.approx(-1 / 2)


def test_of_noise_it_is_about_0_and_the_interval_says_so():
    found = reliability(np.random.default_rng(0).normal(size=(400, 8)))
    assert abs(found.value) < 0.02
    assert found.low < 0 < found.high


@pytest.mark.parametrize(
    "values", [[[1.0, 2.0, 4.0]], np.ones((5, 3)), np.ones((5, 3)) + 1e-9 * np.arange(3), [[1.0, np.nan], [2.0, 3.0]],
               [[1.0, np.inf], [2.0, 3.0]]], ids=["one thing", "constant", "but for rounding", "missing", "infinite"],
)  # fmt: skip
def test_what_has_no_share_has_none(values):
    found = reliability(values)
    assert np.isnan(found[1:]).all()
    assert np.isfinite(found.mean) == np.isfinite(values).all()


@pytest.mark.parametrize("values", [[1.0, 2.0], [[1.0], [2.0]], np.ones((0, 3))])
def test_other_shapes_are_refused(values):
    with pytest.raises(RdrError, match=r"needs values \(things, measurements\), two or more of these"):
        reliability(values)


@pytest.mark.parametrize(("share", "things", "passes"), [(0.1, 124, 8), (0.5, 10, 8), (0.9, 3, 8), (0.0, 30, 2)])
def test_the_interval_holds_the_truth_as_often_as_it_says_and_the_estimate_is_hardly_off(share, things, passes):
    """Of 2,000 simulations 95 % are expected; 1.8 points either way are three and a half standard errors and more."""
    rng = np.random.default_rng([things, passes])
    shape = (2000, things, passes)
    values = np.sqrt(share) * rng.normal(size=(*shape[:2], 1)) + np.sqrt(1 - share) * rng.normal(size=shape)
    found = np.array([reliability(table)[2:] for table in values])
    held = ((found[:, 1] <= share) & (share <= found[:, 2])).mean()
    assert held == pytest.approx(0.95, abs=0.018)
    bias = found[:, 0].mean() - share
    assert -0.4 / things < bias < 0.01  # never high; low where things are few


@given(tables)
def test_the_interval_of_one_tables_mean_is_its_own_and_repeats(shape):
    values = drawn(shape)
    found = interval_of_mean([values])
    assert found == pytest.approx(reliability(values)[3:], abs=0.01)
    assert interval_of_mean([values, values[:1], np.ones((3, 2))]) == found  # those without a share are left out
    assert np.isnan(interval_of_mean([values[:1]])).all()
    assert interval_of_mean([values, 5 - 2 * values]) == interval_of_mean([values, 5 - 2 * values])


@pytest.mark.parametrize(
    ("things", "shares", "least"),
    [((124, 80, 51, 33, 21), (0.05, 0.1, 0.4, 0.7, 0.9), 0.93), ((5, 3, 2), (0.6, 0.5, 0.9), 0.85),
     ((124, 80, 51, 33, 21, 14, 9, 5, 3, 2), (0.1, 0.1, 0.2, 0.1, 0.2, 0.2, 0.2, 0.6, 0.5, 0.9), 0.88)],
    ids=["large", "small", "long tail"],
)  # fmt: skip
def test_the_interval_of_a_mean_holds_it_as_often_as_it_is_said_to(things, shares, least):
    rng, held = np.random.default_rng(things), 0
    for _ in range(400):
        own = [np.sqrt(s) * rng.normal(size=(n, 1)) + np.sqrt(1 - s) * rng.normal(size=(n, 8))
               for n, s in zip(things, shares, strict=True)]  # fmt: skip
        low, high = interval_of_mean(own, draws=400)
        held += low <= np.mean(shares) <= high
    assert least <= held / 400 <= 0.985
