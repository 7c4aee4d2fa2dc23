"""Series that share nothing but a drift must not be found related: what figure 1's number is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_viz.analysis.bootstrap import correlation
from rdr_viz.analysis.correlation import spearman, without_drift
from rdr_viz.analysis.over_epochs import correlations
from rdr_viz.analysis.several import p_value

EPOCHS, SEEDS, FAMILIES = 58, 10, 300
TIME = np.arange(EPOCHS) / EPOCHS


def noise(rng, size):
    return size * rng.normal(size=EPOCHS)


def walk(rng, size):
    return noise(rng, size).cumsum()


#: Pairs of series with nothing in common, or nothing but that both drift: one rises, the other falls.
NULLS = {
    "walks": lambda rng: (walk(rng, 1), walk(rng, 1)),
    "a line and noise": lambda rng: (TIME + noise(rng, 0.1), -TIME + noise(rng, 0.1)),
    "a line and a walk": lambda rng: (TIME + walk(rng, 0.04), -TIME + walk(rng, 0.04)),
    "fading, much noise": lambda rng: (np.exp(-4 * TIME) + noise(rng, 0.1), -np.exp(-4 * TIME) + noise(rng, 0.1)),
    "fading, little noise": lambda rng: (np.exp(-4 * TIME) + noise(rng, 0.01), -np.exp(-4 * TIME) + noise(rng, 0.01)),
    "fading and a walk": lambda rng: (np.exp(-4 * TIME) + walk(rng, 0.02), -np.exp(-4 * TIME) + walk(rng, 0.02)),
}


def false_alarms(make, taken) -> float:
    """Share of families of seeds in which the mean correlation differs from 0 at 5 %."""
    rng = np.random.default_rng(1)
    found = [
        p_value([spearman(*map(taken, make(rng))) for _ in range(SEEDS)], (0, np.inf)) <= 0.05
        for _ in range(FAMILIES)
    ]  # fmt: skip
    return float(np.mean(found))


@pytest.mark.slow
@pytest.mark.parametrize("name", NULLS)
def test_a_common_drift_is_no_relation(name):
    # 0.05 and two standard errors of a share over 300 families: 0.075.
    assert false_alarms(NULLS[name], without_drift) <= 0.08


@pytest.mark.slow
def test_levels_and_first_differences_mistake_a_drift_for_a_relation():
    fading = NULLS["fading, little noise"]
    assert false_alarms(fading, np.asarray) == 1
    assert false_alarms(fading, np.diff) == 1


@pytest.mark.slow
def test_a_relation_from_epoch_to_epoch_is_found():
    def make(rng):
        common = noise(rng, 0.01)
        return np.exp(-4 * TIME) + common + noise(rng, 0.01), -np.exp(-4 * TIME) - common + noise(rng, 0.01)

    assert false_alarms(make, without_drift) == 1  # here no false alarm, but power


@pytest.mark.slow
@pytest.mark.parametrize("name", ["walks", "fading, little noise", "fading and a walk"])
def test_the_interval_of_one_run_keeps_its_level_too(name):
    rng = np.random.default_rng(2)
    out = 0
    for _ in range(FAMILIES):
        found = correlation(*map(without_drift, NULLS[name](rng)), resamples=300)
        out += found.low > 0 or found.high < 0
    assert out / FAMILIES <= 0.08


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=20), st.floats(-10, 10), st.floats(-10, 10))
def test_a_line_leaves_nothing(values, start, slope):
    line = start + slope * np.arange(len(values))
    assert without_drift(line) == pytest.approx(np.zeros(len(values) - 2), abs=1e-9)
    assert without_drift(values + line) == pytest.approx(without_drift(values), abs=1e-9)


def test_by_a_loop():
    values = np.random.default_rng(0).normal(size=9)
    by_hand = [values[t] - (values[t - 1] + values[t + 1]) / 2 for t in range(1, 8)]
    assert without_drift(values) == pytest.approx(by_hand, abs=1e-15)


def test_a_series_that_does_not_move_has_no_correlation_either_way():
    table = pd.DataFrame({"group": "Few", "warm_up": False, "weight": 1 / 3, "b_prime": np.arange(9.0) ** 2})
    for drift in (True, False):
        assert np.isnan(correlations(table, drift=drift)["Few"])
