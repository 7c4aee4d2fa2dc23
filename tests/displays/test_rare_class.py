"""The picture of one rare class: its curves and points are those of the network's own probabilities."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn import metrics

import rdr_core
from rdr_core import RdrError
from rdr_core.training.inference import Inputs, class_probabilities
from rdr_viz import RareClass, make_display
from rdr_viz.cli import main
from rdr_viz.displays.kinds import kinds

METHODS = ("ce", "rdr")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Threes, and a twentieth of them eights."""
    folder = tmp_path_factory.mktemp("runs")
    return [
        rdr_core.train("digits:3-8", imbalance_factor=20, method=method, epochs=4, runs=folder, progress=False)
        for method in METHODS
    ]


def probabilities(run):
    """Of an eight, for each test image, by the network itself."""
    data = run.data()
    return class_probabilities(run.model(), Inputs.of(data, "test"))[:, 1].numpy(), data.test.labels.numpy()


def test_its_points_and_curves_are_the_networks(runs):
    made = RareClass.from_runs(runs, prevalence=0.1)
    assert (made.name, made.prevalence) == ("class 8", 0.1)
    counts = runs[0].class_counts
    assert made.trained == pytest.approx(counts[1] / counts.sum())
    for run in runs:
        scores, labels = probabilities(run)
        own = made.points[(made.points["method"] == run.config.method) & ~made.points["moved"]].iloc[0]
        assert own["recall"] == pytest.approx(100 * metrics.recall_score(labels, scores >= 0.5))
        assert own["roc_auc"] == pytest.approx(100 * metrics.roc_auc_score(labels, scores), abs=1e-6)
        weights = np.where(labels == 1, 0.1 / labels.mean(), 0.9 / (1 - labels.mean()))
        by_scikit = metrics.average_precision_score(labels, scores, sample_weight=weights)
        assert own["average_precision"] == pytest.approx(100 * by_scikit, abs=1e-6)
        curve = made.data[made.data["method"] == run.config.method]
        assert metrics.auc(curve["false_alarms"], curve["recall"]) == pytest.approx(own["roc_auc"] / 100)


def test_the_threshold_moves_only_for_a_method_that_leaves_the_prior(runs):
    points = RareClass.from_runs(runs).points
    assert points.groupby("method")["moved"].any().to_dict() == {"ce": True, "rdr": False}
    moved = points[points["moved"]].iloc[0]
    assert moved["threshold"] == pytest.approx(RareClass.from_runs(runs).trained)
    even = points[(points["method"] == "ce") & ~points["moved"]].iloc[0]
    assert moved["recall"] >= even["recall"]


def test_of_two_classes_alike_both_thresholds_are_one_half(tmp_path):
    run = rdr_core.train("digits:3-8", imbalance_factor=1, method="ce", epochs=1, runs=tmp_path, progress=False)
    made = RareClass.from_run(run)
    assert made.trained == 0.5
    assert made.points["threshold"].tolist() == [0.5, 0.5]
    assert made.points["moved"].tolist() == [False, True]
    assert "CE finds" in made.finding or "CE raises no alarm" in made.finding


def test_recall_and_its_area_do_not_depend_on_the_prevalence_and_precision_does(runs):
    rare, common = (RareClass.from_runs(runs, prevalence=share).summary() for share in (0.01, 0.5))
    for measure in ("recall", "false_alarms", "roc_auc"):
        assert np.allclose(rare[measure], common[measure])
    assert (rare["average_precision"] < common["average_precision"]).all()


def test_words_have_the_numbers(runs):
    made = RareClass.from_runs(runs, prevalence=0.01)
    row = made.summary().query("method == 'rdr'").iloc[0]
    assert "CE raises no alarm" in made.finding
    assert f"RDR finds {row['recall']:.1f}\N{NO-BREAK SPACE}%" in made.finding
    assert "Where 1 % are class 8: " in made.finding
    assert f"recall {row['recall']:.1f} %" in made.alt


def test_it_is_drawn_by_name_and_in_no_gallery(runs, tmp_path, monkeypatch):
    assert "rare" not in kinds()
    assert "rare" in kinds(in_galleries=False)
    asked = ["rdr", "plot", *(str(run.path) for run in runs), "--kind", "rare", "--out", str(tmp_path / "rare")]
    monkeypatch.setattr(sys, "argv", asked)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    assert any(path.suffix == ".png" for path in tmp_path.rglob("*"))


def test_ten_classes_are_refused(tmp_path):
    run = rdr_core.train("digits", imbalance_factor=50, epochs=1, runs=tmp_path, progress=False)
    with pytest.raises(RdrError, match=r"tells 10 classes apart; .* need two, such as those of mnist:9-4"):
        make_display("rare", [run])


@pytest.mark.parametrize("share", [0, 1, -0.5, float("nan")])
def test_a_share_that_is_none_is_refused(runs, share):
    with pytest.raises(RdrError, match="above 0 and below 1"):
        RareClass.from_runs(runs, prevalence=share)
