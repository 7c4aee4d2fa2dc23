"""Curvature of a run by class and group: tidy, stored, read back, and the run's own loss."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from waiting import run as run_process

from rdr_core.errors import RdrError
from rdr_core.runs import Run
from rdr_core.training.normalise import normalise
from rdr_viz.analysis.curvature import Hessian, class_curvature, class_density, request
from rdr_viz.analysis.curvature.by_class import how_far
from rdr_viz.analysis.pieces import Pieces


def hessian_of(run, classes, **options):
    data = run.data()
    chosen = torch.isin(data.train.labels, torch.tensor(classes))
    images = normalise(data.train.inputs[chosen], torch.tensor(data.mean), torch.tensor(data.std))
    return Hessian(run.model(), images, data.train.labels[chosen], **options)


def test_rows_are_the_hessians_of_each_class_and_are_read_back(finished_run, monkeypatch):
    ask = {"classes": [8, 9], "epochs": [2, 4], "relative_error": 0.1, "progress": False}
    table = class_curvature(finished_run, **ask)
    assert table[["epoch", "class", "group", "images"]].to_numpy().tolist() == [
        [2, 8, "Few", 3], [2, 9, "Few", 2], [4, 8, "Few", 3], [4, 9, "Few", 2],
    ]  # fmt: skip
    values = hessian_of(finished_run, [8]).eigenvalues(which="both").values
    row = table[(table["epoch"] == 4) & (table["class"] == 8)].iloc[0]
    assert (row["lambda_max"], row["lambda_min"]) == pytest.approx(tuple(values), rel=1e-5)
    assert (table["trace_standard_error"] <= 0.1 * table["trace"].abs()).all()
    assert set(table["mode"]) == {"eval"}
    assert set(table["parameters"]) == {24058}
    assert table["converged"].all()

    def refuse(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(request.Request, "table", refuse)
    pd.testing.assert_frame_equal(class_curvature(finished_run, **ask), table)
    with pytest.raises(AssertionError, match="computed again"):
        class_curvature(finished_run, **{**ask, "mode": "train"})


def test_what_was_stopped_goes_on_to_the_same_table(finished_run, tmp_path, monkeypatch):
    shutil.copytree(finished_run.path, tmp_path / "run", ignore=shutil.ignore_patterns("analysis"))
    run = Run.open(tmp_path / "run")
    ask = {"classes": [7, 8, 9], "epochs": [2, 4], "relative_error": 0.1, "progress": False}

    def far() -> tuple[int, int]:
        return how_far(class_curvature, run, **ask)[:2]

    assert far() == (0, 6)
    traces = []

    def trace(self, relative_error, deflate=None):
        if len(traces) == 4:
            raise KeyboardInterrupt
        traces.append(self)
        return whole_trace(self, relative_error, deflate=deflate)

    whole_trace = Hessian.trace
    monkeypatch.setattr(Hessian, "trace", trace)
    with pytest.raises(KeyboardInterrupt):
        class_curvature(run, **ask)
    assert far() == (4, 6)
    monkeypatch.undo()
    more = []
    monkeypatch.setattr(
        Hessian, "trace", lambda self, error, **ask: more.append(self) or whole_trace(self, error, **ask)
    )
    table = class_curvature(run, **ask)
    assert len(more) == 2
    assert far() == (6, 6)
    left = sorted(path.name.rpartition("-")[0] + path.suffix for path in (run.path / "analysis").iterdir())
    assert left == ["class-loss.csv", "class-loss.json", "curvature.csv", "curvature.json"]  # no pieces
    timed = ["seconds"]
    pd.testing.assert_frame_equal(
        table.drop(columns=timed), class_curvature(finished_run, **ask).drop(columns=timed), check_exact=True
    )


def test_pieces_that_another_process_drops_meanwhile_are_none(tmp_path, monkeypatch):
    pieces = Pieces(tmp_path / "curvature-0.csv")
    pieces.rows(0, lambda: [{"trace": 1.0}])
    assert pieces.done() == 1
    found = list((tmp_path / ".curvature-0").glob("*.json"))
    monkeypatch.setattr(Path, "glob", lambda self, pattern: pieces.drop() or iter(found))
    assert (pieces.done(), pieces.seconds_each()) == (0, None)


def test_groups_and_all_are_losses_over_their_images(finished_run):
    ask = {"epochs": [4], "relative_error": 0.3, "progress": False}
    groups = class_curvature(finished_run, by="group", classes=[7, 8, 9], **ask)
    assert groups[["group", "images"]].to_numpy().tolist() == [["Few", 10]]
    whole = class_curvature(finished_run, by="all", classes=[7, 8, 9], **ask)
    assert whole["lambda_max"].iloc[0] == pytest.approx(groups["lambda_max"].iloc[0], rel=1e-6)


def test_the_runs_own_loss(finished_run):
    own = request.own_loss(finished_run)
    logits, labels = torch.randn(3, 10), torch.tensor([0, 9, 5])
    prior = torch.tensor(finished_run.class_counts / finished_run.class_counts.sum()).float().log()
    expected = torch.nn.functional.cross_entropy(logits + prior, labels, reduction="none")
    torch.testing.assert_close(own(logits, labels), expected)
    table = class_curvature(finished_run, classes=[9], epochs=[4], loss="own", relative_error=0.5, progress=False)
    value = hessian_of(finished_run, [9], loss=own).eigenvalues().largest
    assert table["lambda_max"].iloc[0] == pytest.approx(value, rel=1e-5)


def test_density_of_a_class(finished_run):
    table = class_density(finished_run, classes=[9], probes=2, steps=20, progress=False)
    assert np.trapezoid(table["density"], table["grid"]) == pytest.approx(1, abs=1e-6)
    assert set(table["epoch"]) == {4}
    top = hessian_of(finished_run, [9]).eigenvalues().largest
    assert table["lambda_max"].iloc[0] == pytest.approx(top, rel=1e-4)
    assert table["grid"].max() > top


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": "image"}, "by='image'"),
        ({"epochs": [1, 7]}, "keeps no weights of epoch 7"),
        ({"classes": [10]}, "0 to 9"),
        ({"split": "all"}, "split='all'"),
        ({"backend": "pyhessian", "mode": "train"}, "evaluation mode"),
    ],
)
def test_wrong_options_are_told(finished_run, options, says):
    with pytest.raises(RdrError, match=says):
        class_curvature(finished_run, **options, progress=False)


def test_numbers_import_no_matplotlib():
    code = (
        "import sys, rdr_viz.analysis.curvature as c; [getattr(c, name) for name in c.__all__];"
        "sys.exit('matplotlib' in sys.modules)"
    )
    done = run_process([sys.executable, "-c", code])
    assert done.returncode == 0, done.stderr
