"""The peeking meter: best minus last epoch, by hand, and never below 0."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError
from rdr_core.data.kinds import IMAGES
from rdr_viz.analysis.best_epoch import at_best_epoch, best_epoch, peeking
from rdr_viz.displays.peeking import Peeking

percent = st.floats(0, 100, allow_nan=False)


def made_up(accuracy, *, few=None, method="ce", seed=0, **config) -> SimpleNamespace:
    """As much of a run as the meter reads."""
    accuracy = list(accuracy)
    history = pd.DataFrame({"epoch": range(1, len(accuracy) + 1), "accuracy": accuracy, "few": few or accuracy})
    values = {"dataset": "digits", "imbalance_factor": 50.0, "noise_rate": 0.0} | config
    return SimpleNamespace(history=history, kind=IMAGES, config=SimpleNamespace(method=method, seed=seed, **values))


def test_the_first_of_the_best_epochs_counts_for_every_group():
    run = made_up([50, 70, 70, 60], few=[1, 2, 30, 40])
    assert best_epoch(run.history) == 2
    assert at_best_epoch(run, "all") == 70
    assert at_best_epoch(run, "few") == 2  # of the epoch that is best over all classes, not the best of the group


@given(st.lists(percent, min_size=1, max_size=30))
def test_nothing_is_lost_by_peeking(accuracy):
    (row,) = peeking([made_up(accuracy)]).to_dict("records")
    assert row["gain"] == max(accuracy) - accuracy[-1] >= 0
    assert accuracy[row["best_epoch"] - 1] == row["best"]


def test_means_and_intervals_are_those_of_the_seeds():
    runs = [made_up([60 + gain, 60], seed=seed) for seed, gain in enumerate((1, 2, 3))]
    runs += [made_up([70, 70], method="rdr", seed=seed) for seed in range(3)]
    runs += [made_up([10, 5], imbalance_factor=10.0)]
    shown = Peeking.from_runs(runs)
    assert shown.panels == ("digits, IF 10", "digits, IF 50")
    table = shown.summary().set_index(["setting", "method"])
    ce = table.loc[("digits, IF 50", "ce")]
    assert ce["gain"] == 2
    assert ce["seeds"] == 3
    assert (ce["low"], ce["high"]) == pytest.approx((-0.484, 4.484), abs=1e-3)
    assert table.loc[("digits, IF 50", "rdr"), "gain"] == 0
    assert np.isnan(table.loc[("digits, IF 10", "ce"), "low"])
    assert "digits, IF 50: peeking adds 1.0 points on average, from 0.0 (RDR) to 2.0 (CE)." in shown.finding
    assert "CE 60.0 at the last epoch, 62.0 at the best" in shown.alt
    figure = shown.figure()
    drawn = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in drawn] == [
        "digits, IF 10\n1 seed", "digits, IF 50\n3 seeds",
    ]  # fmt: skip
    assert all(ax.get_xlim()[0] == 0 and ax.get_xlim()[1] > 4.484 for ax in drawn)


def test_a_seed_counts_once_and_a_panel_is_known():
    with pytest.raises(RdrError, match="CE has seed 0 twice on digits, IF 50; give runs that differ in method"):
        Peeking.from_runs([made_up([1, 2]), made_up([1, 3])])
    with pytest.raises(RdrError, match="no panel"):
        Peeking.from_runs([made_up([1, 2])]).plot(panel="digits, IF 5")
