"""The loss beside a class's curvature: of the same weights, images and mode; stored, read back, and told where gone."""

from __future__ import annotations

import re
import shutil
from functools import partialmethod

import networks
import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

import rdr_core
from rdr_core.runs import Run
from rdr_core.training.normalise import normalise
from rdr_viz.analysis.catalogue import analyse
from rdr_viz.analysis.curvature import Hessian, class_curvature, class_loss
from rdr_viz.analysis.stored import NotStored
from rdr_viz.analysis.surface import loss_surface

ASK = {"classes": [8, 9], "epochs": [2, 4]}


@pytest.fixture(autouse=True)
def rough_traces(monkeypatch):
    """Traces of few probes: how exact they are is tested elsewhere."""
    monkeypatch.setattr(Hessian, "trace", partialmethod(Hessian.trace, maximum=2))


@pytest.fixture
def run(finished_run, tmp_path) -> Run:
    """A copy without analyses."""
    shutil.copytree(finished_run.path, tmp_path / "run", ignore=shutil.ignore_patterns("analysis"))
    return Run.open(tmp_path / "run")


def curvature(run: Run, **ask) -> pd.DataFrame:
    return class_curvature(run, progress=False, **{**ASK, **ask})


def without_weights(run: Run) -> Run:
    (run.path / "model.safetensors").unlink()
    shutil.rmtree(run.path / "weights", ignore_errors=True)
    return Run.open(run.path)


def forget_losses(run: Run) -> None:
    for path in (run.path / "analysis").glob("class-loss-*"):
        path.unlink()


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("batch_size", [500, 4])
def test_the_mean_loss_is_that_of_the_mode_and_of_uneven_batches(train, batch_size):
    model, x, y = networks.with_batch_norm()
    hessian = Hessian(model, x, y, mode="train" if train else "eval", batch_size=batch_size, dtype=torch.float64)
    model = model.double().train(train)
    batches = zip(x.split(batch_size), y.split(batch_size), strict=True)
    with torch.no_grad():
        expected = sum(float(F.cross_entropy(model(xs), ys, reduction="sum")) for xs, ys in batches) / len(y)
    assert hessian.mean_loss() == pytest.approx(expected, rel=1e-12)
    assert hessian.mean_loss() == pytest.approx(expected, rel=1e-12)  # running statistics have no part in it


def test_labels_that_do_not_count_are_left_out():
    model, x, y = networks.plain()
    some = y.clone()
    some[::2] = -100
    whole = Hessian(model, x[1::2], y[1::2], dtype=torch.float64).mean_loss()
    assert Hessian(model, x, some, dtype=torch.float64).mean_loss() == pytest.approx(whole, rel=1e-12)


def test_losses_are_cross_entropies_in_float64_of_each_class_and_epoch(run):
    table = class_loss(run, **ASK)
    assert table[["epoch", "class", "group", "images"]].to_numpy().tolist() == [
        [2, 8, "Few", 3], [2, 9, "Few", 2], [4, 8, "Few", 3], [4, 9, "Few", 2],
    ]  # fmt: skip
    data = run.data()
    mean, std = torch.tensor(data.mean), torch.tensor(data.std)
    for row in table.itertuples():
        chosen = data.train.labels == table.loc[row.Index, "class"]
        images = normalise(data.train.inputs[chosen], mean, std).double()
        logits = run.model(row.epoch).double().eval()(images)
        expected = float(F.cross_entropy(logits, data.train.labels[chosen]).detach())
        assert row.mean_loss == pytest.approx(expected, rel=1e-10)
    own = class_loss(run, classes=[9], epochs=[4], loss="own")["mean_loss"].iloc[0]
    assert own != pytest.approx(table["mean_loss"].iloc[-1], rel=0.01)  # its priors are in it


def test_a_groups_loss_is_the_mean_over_its_images(run):
    of_class = class_loss(run, epochs=[4])
    groups = class_loss(run, by="group", epochs=[4]).set_index("group")["mean_loss"]
    for group, rows in of_class.groupby("group"):
        assert groups[group] == pytest.approx(np.average(rows["mean_loss"], weights=rows["images"]), rel=1e-10)


def test_curvature_comes_with_its_loss_and_keeps_it_without_weights(run):
    table = curvature(run)
    assert table["mean_loss"].tolist() == class_loss(run, **ASK)["mean_loss"].tolist()
    bare = without_weights(run)
    pd.testing.assert_frame_equal(curvature(bare), table)
    pd.testing.assert_frame_equal(class_loss(bare, **ASK), class_loss(run, **ASK))


def test_curvature_stored_without_its_loss_opens_without_and_gets_it_when_asked(run):
    table = curvature(run)
    forget_losses(run)
    assert curvature(run)["mean_loss"].isna().all()
    assert not list((run.path / "analysis").glob("class-loss-*"))  # reading computes nothing
    class_loss(run, **ASK)
    pd.testing.assert_frame_equal(curvature(run), table)


def test_the_curvature_of_a_run_is_given_its_loss_by_the_analysis(tmp_path, monkeypatch):
    monkeypatch.setattr("rdr_viz.analysis.curvature.class_density", lambda *_, **__: None)
    run = rdr_core.train("digits:7-9", imbalance_factor=20, epochs=1, runs=tmp_path, progress=False)
    table = analyse(run, "curvature", progress=False)
    forget_losses(run)
    pd.testing.assert_frame_equal(analyse(run, "curvature", progress=False), table)
    assert table["mean_loss"].notna().all()
    forget_losses(run)
    assert analyse(without_weights(run), "curvature", progress=False)["mean_loss"].isna().all()


def test_a_network_that_is_gone_leaves_its_loss_in_the_loss_surface(run):
    known = class_loss(run, classes=[8, 9])
    table = curvature(run)
    loss_surface(run)
    forget_losses(run)
    bare = without_weights(run)
    found = class_loss(bare, classes=[8, 9])
    assert set(found["epoch"]) == {4}  # the surface is of the last
    columns = ["epoch", "class", "group", "images", "mode", "loss", "split"]
    last = known[known["epoch"] == 4].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[columns], last[columns])
    np.testing.assert_allclose(found["mean_loss"], last["mean_loss"], rtol=1e-5)
    merged = curvature(bare)
    assert merged["mean_loss"].isna().tolist() == [True, True, False, False]
    pd.testing.assert_frame_equal(merged.drop(columns="mean_loss"), table.drop(columns="mean_loss"))
    for other in ({"mode": "train"}, {"loss": "own"}, {"by": "group"}, {"epochs": [2]}, {"split": "test"}):
        with pytest.raises(NotStored):
            class_loss(bare, **other)


def test_a_loss_that_nothing_tells_is_told_with_the_command_that_trains_again(run):
    said = re.escape("was shipped without its weights; `rdr train digits -i 50 -m rdr+la --epochs 4")
    with pytest.raises(NotStored, match=said):
        class_loss(without_weights(run), **ASK)
