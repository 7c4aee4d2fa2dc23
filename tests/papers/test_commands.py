"""The commands around a paper: what a user types, and what a slip gets."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from waiting import LIMIT, ended, run

from rdr_core import Run
from rdr_core.jobs.machines import read_machine

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--grid", "digit"], "did you mean 'digits'"),
        (["run", "--grid", "digits,table9"], "There is no grid, table or figure named 'table9'"),
        (["run", "--grid", "digits", "--seeds", "9", "--budget", "soon"], "must be a time such as"),
        (["run", "--device", "gpu"], "device is 'gpu'"),
        (["plan", "--grid", "cifra"], "did you mean"),
        (["pack", "x.tar.xz", "--runs", "nowhere"], "nowhere holds no finished runs"),
        (["--readme", "notes.md"], "put these two lines into it"),
    ],
)
def test_a_slip_is_one_sentence(arguments, words, rdr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.md").write_text("nothing")
    code, _, errors = rdr("paper", *arguments)
    assert code == 2
    assert words in errors
    assert "Traceback" not in errors


def test_nothing_is_made_that_is_shipped(rdr, tmp_path):
    code, said, _ = rdr("paper", "run", "--grid", "digits", "--runs", str(tmp_path / "runs"))
    assert code == 0
    assert "Nothing is missing" in said
    assert not (tmp_path / "runs").exists()


def test_a_plan_tells_runs_and_time_in_a_terminal_of_usual_width(rdr, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, said, _ = rdr("paper", "plan", "--grid", "digits,cdb", "--seeds", "12", "--runs", str(tmp_path))
    assert code == 0
    assert "digits (cdb): CDB-loss on digits" in said
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "part data methods seeds runs made time left" in lines
    # A method, twelve seeds, 24 runs of which twenty are shipped.
    row = next(line for line in lines if line.startswith("cdb digits IF 10, 50 1 12 24 20 "))
    assert row.endswith((" s", " min"))


def test_a_plan_tells_of_another_machine_and_of_space(rdr, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    grids = ("--grid", "cifar,imagenet,cdb", "--runs", str(tmp_path))
    code, said, _ = rdr("paper", "plan", *grids, "--device", "xeon")
    assert code == 0
    words = " ".join(said.split())
    assert f"Times are on {read_machine('xeon').words}, one run after the other." in words
    assert re.search(r"What is missing takes about \d[\d.]* (GB|MB) of disk when it is finished\.", words)
    rows = [line.rstrip() for line in said.splitlines() if line.startswith("cdb ")]
    assert any("imagenet-lt" in row for row in rows)
    assert all(row.endswith(("days", " h")) for row in rows), "of photographs too, which are not measured here"


@pytest.mark.slow
def test_two_commands_side_by_side_share_the_work_and_a_killed_one_is_taken_over(longer_tiny, tmp_path):
    runs, notes = tmp_path / "runs", tmp_path / "notes"
    notes.mkdir()

    def command(how: str) -> subprocess.Popen:
        words = [longer_tiny, how, notes, "paper", "run", "--grid", "tiny", "--runs", runs]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "RDR_CHECK_SHAPES": "0"}
        return subprocess.Popen([sys.executable, SUPPORT / "tiny_paper.py", *map(str, words)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=environment)  # fmt: skip

    killed = ended(command("killed"))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    [left] = [path.parent for path in runs.glob("*/history.csv")]
    before = Run.open(left)
    saved = before.history
    assert (len(saved), before.done) == (1, False)  # in the middle of its first run
    both = [ended(process) for process in [command("beside") for _ in range(2)]]
    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    found = [Run.open(path.parent) for path in runs.glob("*/config.json")]
    assert len(found) == 4  # two methods, two seeds
    assert all(one.done for one in found)
    made = [int(done.stdout.split(" made")[0].rpartition("\n")[2]) for done in both]
    assert sum(made) == 4
    assert min(made) >= 1
    after = Run.open(left).history
    assert len(after) == 3
    pd.testing.assert_frame_equal(after[:1], saved, check_exact=True)  # its seconds too: not trained again


def test_a_machine_with_little_more_than_torch_can_make_runs(tmp_path):
    """No command line, pictures or bars: what a lent GPU has. Digits come from scikit-learn, so nothing is trained."""
    code = f"""
import sys
for name in ("matplotlib", "seaborn", "rich", "typer", "tqdm", "sklearn", "jinja2"):
    sys.modules[name] = None
from rdr_viz.papers.work import make_missing
outcome = make_missing("cifar,figure1", seeds=1, runs={str(tmp_path)!r}, root={str(tmp_path)!r}, budget={LIMIT})
assert len(outcome.failed) == 1 and "cifar" in outcome.failed[0].sentence, outcome
"""
    offline = os.environ | {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = run([sys.executable, "-c", code], env=offline)
    assert done.returncode == 0, done.stderr
