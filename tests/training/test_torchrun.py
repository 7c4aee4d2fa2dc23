"""Runs that torchrun starts in several processes, through the command line: the same as in one, and none lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import waiting

import rdr_core
from rdr_core.runs import Run, list_runs

pytestmark = pytest.mark.slow

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120"}


def torchrun(ranks: int, *command: str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks), *command]


def finish(command: list[str]) -> subprocess.CompletedProcess[str]:
    return waiting.run(command, env=ENV)


def assert_same_but_for_rounding(run: Run, alone: Run) -> None:
    """Weights to 1e-5, history to 1e-4."""
    weights, expected = run.model().state_dict(), alone.model().state_dict()
    for name in expected:
        torch.testing.assert_close(
            weights[name], expected[name], rtol=1e-5, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )
    columns = [name for name in alone.history if name != "seconds"]
    pd.testing.assert_frame_equal(run.history[columns], alone.history[columns], rtol=1e-4, atol=1e-4)
    pd.testing.assert_frame_equal(run.classes, alone.classes, rtol=1e-4, atol=1e-4)
    assert run.metrics["per_class"] == alone.metrics["per_class"]


def test_two_processes_give_the_run_of_one(tmp_path):
    alone = rdr_core.train("digits", imbalance_factor=50, method="rdr", epochs=2, runs=tmp_path / "one", progress=False)
    ask = ["train", "digits", "-i", "50", "-m", "rdr", "--epochs", "2", "--runs", str(tmp_path / "two")]
    shared = finish(torchrun(2, "-m", "rdr_core", *ask))
    assert shared.returncode == 0, shared.stderr
    assert shared.stdout.count("Many") == 1, "one rank prints"
    assert_same_but_for_rounding(Run.open(tmp_path / "two" / alone.name), alone)


@pytest.mark.parametrize(
    ("size", "methods"),
    [
        (2, ["rdr+sam", "ccsam", "imbsam", "rdr:update=epoch+drw:start=0.5", "rdr+mixup", "ib+sqrt_sampling+focalsam"]),
        (3, ["cdb:images=2+ldam", "ce+crt:epochs=2", "inverse+remix", "ce+lws:epochs=2"]),
    ],
)
def test_every_kind_of_method_shares_its_batches(tmp_path, size, methods):
    """One after another in the same processes; of three, one has less of the last batch."""
    script = str(Path(__file__).parents[1] / "support" / "train_methods.py")
    shared = finish(torchrun(size, script, str(tmp_path / "many"), *methods))
    assert shared.returncode == 0, shared.stderr
    for method in methods:
        alone = rdr_core.train(
            "digits", imbalance_factor=50, method=method, epochs=2, runs=tmp_path / "one", progress=False
        )
        assert_same_but_for_rounding(Run.open(tmp_path / "many" / alone.name), alone)


def workers(process: subprocess.Popen[str]) -> dict[str, int]:
    """Process number of each rank."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    found = {}
    for child in children:
        environment = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        rank = next((item[5:].decode() for item in environment if item.startswith(b"RANK=")), None)
        if rank is not None:
            found[rank] = int(child)
    return found


def test_a_lost_rank_ends_the_job_and_the_run_goes_on_with_another_number(tmp_path):
    ask = ["train", "digits", "-i", "50", "-m", "rdr", "--epochs", "12", "--runs", str(tmp_path)]
    command = torchrun(2, "-m", "rdr_core", *ask)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as job:
        waiting.wait_for(
            lambda: list(tmp_path.glob("*/checkpoint.safetensors")) or job.poll() is not None, "a first checkpoint"
        )
        assert job.poll() is None, job.communicate()
        os.kill(workers(job)["1"], signal.SIGKILL)
        said = waiting.ended(job).stderr
    assert job.returncode
    told = re.search(
        r"rdr: rank 0 of 2 lost another one .* by: torchrun --nproc-per-node 2 -m rdr_core resume (\S+)", said
    )
    assert told, said
    (run,) = list_runs(tmp_path)
    assert str(run.path) == told[1]
    assert not run.done
    before = run.history
    assert 0 < len(before) < 12
    resumed = finish(torchrun(3, "-m", "rdr_core", "resume", told[1]))
    assert resumed.returncode == 0, resumed.stderr
    assert run.done
    assert len(run.history) == 12
    pd.testing.assert_frame_equal(run.history.iloc[: len(before)], before, check_exact=True)


def test_a_mistake_is_told_once(tmp_path):
    wrong = finish(torchrun(2, "-m", "rdr_core", "train", "digits", "-m", "rdrr", "--runs", str(tmp_path)))
    assert wrong.returncode
    assert wrong.stderr.count("rdr: There is no part of a method named 'rdrr'") == 1
