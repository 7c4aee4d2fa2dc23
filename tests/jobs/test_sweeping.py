"""`rdr sweep`: the same runs as from a notebook, and a status that tells how it went."""

from __future__ import annotations

import re

import pytest
from equal_runs import assert_equal_runs
from typer.testing import CliRunner

import rdr_core
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
