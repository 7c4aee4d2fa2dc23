"""`rdr sweep`: the same runs as from a notebook, and a status that tells how it went."""

from __future__ import annotations

import re

import pytest
from equal_runs import assert_equal_runs
from typer.testing import CliRunner

import rdr_core
from rdr_core.jobs.machines import Machine, read_machine
from rdr_core.runs import list_runs
from rdr_viz.cli import commands

GRID = {"dataset": "digits", "imbalance_factor": 50, "method": ["ce", "rdr"], "seed": [0, 1], "epochs": 1}


@pytest.fixture
def rdr(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RDR_CHECK_SHAPES", "0")
    (tmp_path / "grid.toml").write_text("\n".join(f"{name} = {value!r}" for name, value in GRID.items()))
    return lambda *words: CliRunner().invoke(commands(), ["sweep", *words])


def test_a_command_and_a_notebook_make_the_same_runs(rdr, tmp_path):
    told = rdr("grid.toml", "--dry-run")
    assert told.exit_code == 0, told.output
    assert "4 runs: 4 waiting." in told.output
    assert re.search(r"What is left takes about \d+ s on this machine, one after the other", told.output)
    assert not (tmp_path / "runs").exists()

    done = rdr("grid.toml", "--parallel", "2")
    assert done.exit_code == 0, done.output
    assert "4 made, 0 left, in runs. `rdr runs runs` lists them." in done.output
    assert "4 runs: 4 finished." in rdr("grid.toml", "--dry-run").output
    assert "0 made, 0 left" in rdr("grid.toml").output

    rdr_core.sweep(GRID, runs=tmp_path / "notebook", parallel=1, progress=False)
    ones, others = list_runs(tmp_path / "runs"), list_runs(tmp_path / "notebook")
    assert [run.name for run in ones] == [run.name for run in others]
    for one, other in zip(ones, others, strict=True):
        assert_equal_runs(one, other)


def test_time_elsewhere_and_space_are_told_beforehand(rdr, tmp_path):
    told = " ".join(rdr("grid.toml", "--dry-run", "--device", "xeon").output.split())
    there = read_machine("xeon")
    assert f"on {there.words}, one after the other." in told
    assert "GPU hours" not in told
    assert re.search(r"Finished, these runs take about 1\.\d MB of disk\.", told)
    assert not (tmp_path / "runs").exists()
    hours = " ".join(rdr("grid.toml", "--dry-run", "--device", "xeon", "--parallel", "4").output.split())
    assert "with 4 side by side at best" in hours
    for words in (["--dry-run", "--device", "xenon"], ["--device", "xeon"]):  # no machine, and none to train on
        assert "device is 'xe" in str(rdr("grid.toml", *words).exception)


def test_a_gpus_time_is_told_in_gpu_hours(rdr, monkeypatch):
    there = read_machine("xeon")
    gpu = Machine("xeon", "a GPU that is none", True, there.points)
    for module in ("rdr_core.jobs.machines", "rdr_core.jobs.cost"):
        monkeypatch.setattr(f"{module}.read_machine", lambda name: gpu)
    told = " ".join(rdr("grid.toml", "--dry-run", "--device", "xeon").output.split())
    assert re.search(r"on a GPU that is none, one after the other\. That is 0\.\d GPU hours\.", told)


def test_mistakes_end_with_a_status_and_a_reason(rdr, tmp_path):
    (tmp_path / "bad.toml").write_text('dataset = "digits"\nlearning_rate = 1e30\nepochs = 1')
    failed = rdr("bad.toml", "--parallel", "1")
    assert failed.exit_code == 2
    assert "1 can't be made: " in failed.output
    for again in (rdr("bad.toml", "--dry-run"), CliRunner().invoke(commands(), ["runs", "--sweep", "bad.toml"])):
        assert "1 run: 1 failed." in again.output
        assert "Try a lower learning rate" in again.output


def test_a_papers_grid_goes_by_its_name(rdr):
    told = rdr("digits", "--dry-run")
    assert told.exit_code == 0, told.output
    assert "0 runs: nothing to do." in told.output  # all are shipped
