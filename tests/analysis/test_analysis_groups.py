"""Intervals, confusion and calibration against scikit-learn, SciPy, statsmodels' formula by hand, and loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, ttest_1samp
from sklearn.metrics import confusion_matrix

from rdr_core.errors import RdrError
from rdr_core.measures.predictions import calibration_error
from rdr_core.runs import Run
from rdr_viz.analysis.groups import (
    accuracy_with_intervals,
    calibration,
    confusion,
    confusion_counts,
    reliability,
    resampled_interval,
    t_interval,
    wilson_interval,
)
from rdr_viz.analysis.predictions import predictions
from rdr_viz.analysis.stored import result_path


@pytest.mark.parametrize(("right", "total"), [(0, 5), (5, 5), (3, 7), (140, 150)])
def test_wilson_is_scipys(right, total):
    for confidence in (0.9, 0.95):
        oracle = binomtest(right, total).proportion_ci(confidence, method="wilson")
        assert wilson_interval(right, total, confidence) == pytest.approx((oracle.low, oracle.high), abs=1e-12)
    assert np.isnan(wilson_interval(0, 0)).all()


def test_t_is_scipys():
    values = np.array([70.0, 74.5, 71.2, 73.3])
    oracle = ttest_1samp(values, 0).confidence_interval(0.95)
    assert t_interval(values) == pytest.approx((oracle.low, oracle.high), abs=1e-10)
    assert np.isnan(t_interval(values[:1])).all()


def test_predictions_are_the_networks_and_of_the_runs_accuracy(rdr_run):
    said = predictions(rdr_run)
    right = said["label"] == said["predicted"]
    assert 100 * right.mean() == pytest.approx(rdr_run.metrics["top1"])
    assert ((said["confidence"] >= said["probability"]) & (said["confidence"] <= 1)).all()
    np.testing.assert_array_equal(said["probability"][right], said["confidence"][right])
    assert len(predictions(rdr_run, split="train")) == rdr_run.class_counts.sum()
    with pytest.raises(RdrError, match="split"):
        predictions(rdr_run, split="val")


def test_stored_predictions_are_read(rdr_run, monkeypatch):
    first = predictions(rdr_run, epoch=5)
    assert result_path(rdr_run, "predictions", {"epoch": 5, "split": "test"}).is_file()
    monkeypatch.setattr(Run, "model", lambda *_: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(predictions(rdr_run, epoch=5), first)


def test_confusion_is_scikit_learns(rdr_run):
    said = predictions(rdr_run)
    oracle = confusion_matrix(said["label"], said["predicted"], labels=range(10))
    np.testing.assert_array_equal(confusion_counts(said["label"], said["predicted"], 10), oracle)
    table = confusion(rdr_run)
    np.testing.assert_array_equal(table["images"].to_numpy().reshape(10, 10), oracle)
    np.testing.assert_allclose(table.groupby("true")["percent"].sum(), 100)


def test_confusion_between_groups(rdr_run):
    said, of_class = predictions(rdr_run), rdr_run.groups.of_class
    table = confusion(rdr_run, by="group")
    names = ["Many", "Medium", "Few"]
    oracle = confusion_matrix(of_class[said["label"]], of_class[said["predicted"]], labels=names)
    np.testing.assert_array_equal(table["images"].to_numpy().reshape(3, 3), oracle)
    np.testing.assert_allclose(table.groupby("true")["percent"].sum(), 100)
    with pytest.raises(RdrError, match="'group'"):
        confusion(rdr_run, by="groups")


def test_calibration_error_of_a_hand_example():
    # Two bins: (0, 1/2] holds 0.2 and 0.4, one right; (1/2, 1] holds 0.6, 0.8 and 1, two right.
    table = reliability(np.array([0.2, 0.4, 0.6, 0.8, 1.0]), np.array([True, False, True, False, True]), bins=2)
    assert table["images"].tolist() == [2, 3]
    assert table["confidence"].tolist() == pytest.approx([0.3, 0.8])
    assert table["accuracy"].tolist() == pytest.approx([0.5, 2 / 3])
    assert calibration_error(table) == pytest.approx((2 * 0.2 + 3 * (0.8 - 2 / 3)) / 5)


def test_bins_hold_their_upper_edge():
    edges = np.arange(1, 16) / 15
    assert reliability(edges, np.ones(15, bool))["images"].tolist() == [1] * 15
    assert reliability(np.array([0.0]), np.array([True]))["images"][0] == 1


def test_calibration_by_loops(rdr_run):
    said, table = predictions(rdr_run), calibration(rdr_run)
    for group, rows in table.groupby("group"):
        chosen = [
            (c, label == guess)
            for label, guess, c in zip(said["label"], said["predicted"], said["confidence"], strict=True)
            if group in ("All", rdr_run.groups.of_class[label])
        ]
        error = 0.0
        for m in range(15):
            inside = [pair for pair in chosen if m / 15 < pair[0] <= (m + 1) / 15]
            if inside:
                gap = np.mean([right for _, right in inside]) - np.mean([c for c, _ in inside])
                error += len(inside) / len(chosen) * abs(gap)
        assert rows["ece"].iloc[0] == pytest.approx(error, abs=1e-12)
        assert rows["images"].sum() == len(chosen)
        gap = np.mean([c for c, _ in chosen]) - np.mean([right for _, right in chosen])
        assert rows["overconfidence"].iloc[0] == pytest.approx(gap)


def test_accuracy_over_seeds_and_of_one(trained):
    table = accuracy_with_intervals(trained)
    of = table.set_index(["method", "level", "name"])
    seeds = np.array([run.metrics["few"] for run in trained[2:]])
    few = of.loc[("rdr", "group", "Few")]
    assert few["accuracy"] == pytest.approx(seeds.mean())
    oracle = ttest_1samp(seeds, 0).confidence_interval(0.95)
    assert (few["low"], few["high"]) == pytest.approx(np.clip([oracle.low, oracle.high], 0, 100))
    assert (few["seeds"], few["interval"], few["count"]) == (2, "t over seeds", 10)
    ce = of.loc[("ce", "class", "9")]
    right = round(trained[0].metrics["per_class"][9] / 100 * 50)
    oracle = binomtest(right, 50).proportion_ci(method="wilson")
    assert (ce["low"], ce["high"]) == pytest.approx((100 * oracle.low, 100 * oracle.high))
    assert ce["accuracy"] == pytest.approx(trained[0].metrics["per_class"][9])
    assert ce["interval"] == "Wilson over test images"
    assert (table["low"].fillna(0) <= table["accuracy"]).all()


def test_the_interval_of_draws_that_split_one_set_anew_covers_what_it_should():
    """Two rules for the mean of a sample, compared on splits of 100 values drawn anew in each of 400 worlds.

    Student's interval takes the splits for independent and misses the difference half the time; the corrected one does
    not miss it more often than it may.
    """
    random = np.random.default_rng(0)
    draws, train, test = 10, 80, 20
    covered = {"student": 0, "resampled": 0}
    worlds = 400
    truth = 1.0  # expected squared error of predicting 1, less that of predicting 0, for values of mean 0
    for _ in range(worlds):
        values = random.normal(size=train + test)
        gains = []
        for _ in range(draws):
            tested = random.permutation(values)[:test]
            gains.append(((tested - 1) ** 2 - tested**2).mean())
        for name, (low, high) in {
            "student": t_interval(np.array(gains)), "resampled": resampled_interval(np.array(gains), train, test)
        }.items():  # fmt: skip
            covered[name] += low <= truth <= high
    assert covered["student"] < 0.8 * worlds
    assert covered["resampled"] > 0.92 * worlds
