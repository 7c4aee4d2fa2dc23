"""Correlations and their moving-block bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from rdr_core.errors import RdrError
from rdr_viz.analysis.bootstrap import block_length, correlation, moving_blocks


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 9, 30).astype(float)  # ties
    return x, 0.5 * x + rng.integers(0, 5, 30)


@pytest.mark.parametrize(("coefficient", "oracle"), [("spearman", spearmanr), ("pearson", pearsonr)])
def test_the_value_is_scipys(pair, coefficient, oracle):
    found = correlation(*pair, coefficient=coefficient)
    assert found.value == pytest.approx(oracle(*pair).statistic, abs=1e-12)
    assert -1 <= found.low < found.value < found.high <= 1
    assert found.pairs == 30


def test_blocks_are_runs_of_neighbours():
    drawn = moving_blocks(10, 4, 500, np.random.default_rng(0))
    assert drawn.shape == (500, 10)
    steps = np.diff(drawn, axis=1)
    assert (np.delete(steps, [3, 7], axis=1) == 1).all()  # only at the seams may it jump
    assert set(drawn[:, 0]) == set(range(7))  # every start at which a block fits


def test_the_interval_repeats_and_follows_its_seed(pair):
    state = np.random.get_state()[1].copy()
    assert correlation(*pair) == correlation(*pair)
    assert correlation(*pair).low != correlation(*pair, seed=1).low
    assert (np.random.get_state()[1] == state).all()


def test_the_interval_by_hand(pair):
    from scipy.stats import t

    drawn = moving_blocks(30, 5, 200, np.random.default_rng(3))
    resampled = [pearsonr(pair[0][row], pair[1][row]).statistic for row in drawn]
    half = t.ppf(0.95, 5) * np.arctanh(resampled).std(ddof=1)
    found = correlation(*pair, coefficient="pearson", block=5, resamples=200, confidence=0.9, seed=3)
    assert found.low == pytest.approx(np.tanh(np.arctanh(found.value) - half), abs=1e-10)
    assert found.high == pytest.approx(np.tanh(np.arctanh(found.value) + half), abs=1e-10)


def test_missing_pairs_are_left_out(pair):
    x, y = (np.append(values, np.nan) for values in pair)
    y[-1] = 3.0
    assert correlation(x, y) == correlation(*pair)


@pytest.mark.parametrize("series", [([1, 1, 1, 1], [1, 2, 3, 4]), ([1, 2], [2, 1])], ids=["constant", "two"])
def test_nothing_to_correlate(series):
    found = correlation(*series)
    assert np.isnan([found.value, found.low, found.high]).all()


def test_few_pairs_have_a_value_and_no_interval():
    found = correlation([1, 2, 3, 4, 5], [1, 3, 2, 4, 5])
    assert found.value == pytest.approx(0.9)
    assert np.isnan(found.low)


def test_a_perfect_relation_stays_within_one():
    found = correlation(range(30), range(30))
    assert found.value == pytest.approx(1)
    assert found.high <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"coefficient": "kendall"}, "correlation named"), ({"block": 0}, "from 1 to 15"), ({"block": 16}, "from 1")],
)
def test_what_is_refused(pair, arguments, words):
    with pytest.raises(RdrError, match=words):
        correlation(*pair, **arguments)


def test_longer_memory_asks_for_longer_blocks():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=200)
    slow = noise.copy()
    for t in range(1, 200):
        slow[t] += 0.8 * slow[t - 1]
    assert block_length(noise) < block_length(slow) <= 50
    assert block_length(np.arange(20.0)) == 5  # never more than a quarter


@pytest.mark.parametrize("memory", [0.0, 0.6])
def test_coverage_of_dependent_series(memory):
    """95 % intervals of two correlated autoregressions hold the truth in 90 to 99 of 100 cases."""
    rng, truth, hits, cases = np.random.default_rng(7), 0.6, 0, 150
    for case in range(cases):
        noise = rng.normal(size=(160, 2))
        noise[:, 1] = truth * noise[:, 0] + np.sqrt(1 - truth**2) * noise[:, 1]
        series = noise.copy()
        for t in range(1, len(series)):
            series[t] += memory * series[t - 1]
        found = correlation(*series[100:].T, coefficient="pearson", resamples=200, seed=case)
        hits += found.low <= truth <= found.high
    assert 0.88 <= hits / cases <= 0.99
