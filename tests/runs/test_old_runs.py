"""Runs and analyses that an earlier version wrote open with the numbers that it told, and what it stopped goes on.

`format-1.tar.xz` was written on 29 November 2026 by the version before the rooms: a finished run with analyses and an
evaluation, a second stage and its first, a run stopped after the first of two epochs, and `told.json`, what that
version said of them all. It stays as it is for good; a new format gets an archive of its own.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from tried import tried

import rdr_core
from rdr_core import RdrError, Run
from rdr_core.files.whole import read_json, write_json
from rdr_viz.analysis.curvature import class_curvature, class_density
from rdr_viz.analysis.geometry import norms_and_angles
from rdr_viz.analysis.predictions import predictions
from rdr_viz.analysis.replayed_ratios import ratio_reliability
from rdr_viz.analysis.surface import loss_surface
from rdr_viz.analysis.weights import shares

FINISHED = "digits-if50-rdr+la-s0-7db891c809"
#: How each stored analysis is asked for.
STORED = {
    "curvature": lambda run: class_curvature(run, classes=[8, 9], epochs=[3], progress=False),
    "density": lambda run: class_density(run, classes=[9], progress=False),
    "shares": shares,
    "surface": lambda run: loss_surface(run, points=3),
    "ratios": lambda run: ratio_reliability(run, passes=2),
    "norms": lambda run: norms_and_angles([run]),
}


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(Path(__file__).with_name("format-1.tar.xz")) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def told(old):
    return json.loads((old / "told.json").read_text())


def test_histories_classes_and_metrics_are_as_they_were(old, told):
    for name, said in told["runs"].items():
        if not (old / name).is_dir():
            continue
        run = Run.open(old / name)
        assert (run.config.method, run.config.name, run.weights_hash) == (said["method"], name, said["weights"])
        assert run.metrics == said["metrics"]
        history = run.history.drop(columns="seconds").astype(float).round(12).fillna(-1)
        assert history.to_numpy().tolist() == said["history"]
        sums = run.classes.select_dtypes("number").fillna(-1).to_numpy().sum(0)
        np.testing.assert_allclose(sums, said["classes"], rtol=1e-12)
        tried("Versions", "runs of format 1 opened", 1)


def test_evaluations_are_read(old, told):
    assert rdr_core.evaluate(Run.open(old / FINISHED), test="reversed") == told["evaluation"]
    tried("Versions", "evaluations of format 1 read", 1)


@pytest.mark.parametrize("what", STORED)
def test_analyses_are_read_and_never_computed(what, old, told):
    """What a table adds up to, and with the number of its row; words by their first letters."""
    table = STORED[what](Run.open(old / FINISHED).as_stored)
    for column, (rows, *sums) in told["tables"][what].items():
        found = table[column]
        assert len(found) == rows
        if isinstance(sums[0], str):
            assert "".join(map(str, found))[:80] == sums[0]
        else:
            values = found.to_numpy(float)
            adding = [np.nansum(values), np.nansum(values * np.arange(1, rows + 1))]
            np.testing.assert_allclose(adding, sums, rtol=1e-12)
    tried("Versions", "analyses of format 1 read", 1)


def test_the_network_answers_as_it_did(old, told):
    """Computed anew, on whatever processor this is."""
    run = Run.open(old / FINISHED)
    for path in (run.path / "analysis").glob("predictions-*"):
        path.unlink()
    found = predictions(run)
    rows, total, _ = told["tables"]["predictions"]["predicted"]
    assert found["predicted"].iloc[:rows].sum() == pytest.approx(total, abs=2)
    rows, total, _ = told["tables"]["predictions"]["confidence"]
    assert found["confidence"].iloc[:rows].sum() == pytest.approx(total, rel=1e-3)


def test_a_run_that_was_stopped_goes_on(old, told):
    said = told["resumed"]
    run = rdr_core.resume(old / said["name"], device="cpu", progress=False)
    assert run.done
    assert run.history["loss"].tolist() == pytest.approx(said["loss"], rel=1e-3)
    assert run.history["accuracy"].tolist() == pytest.approx(said["accuracy"], abs=2)
    tried("Versions", "runs of format 1 gone on with", 1)


@pytest.mark.parametrize("newer", [2, 99, 10**30, "1", "two", None, True, 1.5, [1]])
def test_a_newer_format_is_refused_in_a_sentence_and_hides_no_other_run(newer, old, tmp_path, rdr):
    for name in (FINISHED, "newer"):
        shutil.copytree(old / FINISHED, tmp_path / "runs" / name)
    config = tmp_path / "runs" / "newer" / "config.json"
    write_json(config, read_json(config) | {"format": newer})
    with pytest.raises(RdrError, match=r"is not a run of this version of the toolkit \(format 1\); train it again.$"):
        Run.open(config.parent)
    status, out, err = rdr("runs", "runs")
    assert status == 0
    assert FINISHED in out
    assert "passed over: runs/newer is not a run of this version" in err
    tried("Versions", "runs of other formats refused", 1)
