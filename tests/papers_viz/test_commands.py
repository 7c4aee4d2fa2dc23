"""The commands around a paper: what a user types, and what a slip gets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rdr_core import Run

RDR = [str(Path(sys.executable).with_name("rdr")), "paper"]


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
    assert "Nothing lacks" in said
    assert not (tmp_path / "runs").exists()


def test_a_plan_tells_runs_and_time_in_a_terminal_of_usual_width(rdr, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, said, _ = rdr("paper", "plan", "--grid", "digits,cdb", "--seeds", "4", "--runs", str(tmp_path))
    assert code == 0
    assert "digits (cdb): CDB-loss on digits" in said
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "part data methods seeds runs made time left" in lines
    # A method, four seeds, eight runs of which six are shipped.
    row = next(line for line in lines if line.startswith("cdb digits IF 10, 50 1 4 8 6 "))
    assert row.endswith((" s", " min"))


@pytest.mark.slow
def test_two_commands_side_by_side_share_the_work_and_a_killed_one_is_taken_over(tmp_path):
    command = [*RDR, "run", "--grid", "digits,cdb", "--seeds", "5", "--runs", str(tmp_path)]
    quiet = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
        "text": True,
        "env": os.environ | {"OMP_NUM_THREADS": "1"},
    }
    killed = subprocess.Popen(command, **quiet)
    while not list(tmp_path.glob("*/history.csv")):  # in the middle of its first run
        assert killed.poll() is None
    killed.kill()
    killed.communicate()
    left = next(path.parent for path in tmp_path.glob("*/history.csv"))
    before = Run.open(left).epochs_done
    assert before >= 1
    both = [subprocess.Popen(command, **quiet) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    runs = [Run.open(path.parent) for path in tmp_path.glob("*/config.json")]
    assert len(runs) == 4  # seeds 3 and 4 at two factors; the others are shipped
    assert all(run.done for run in runs)
    made = [int(text.split(" made")[0].rpartition("\n")[2]) if " made" in text else 0 for text in said]
    assert sum(made) == 4
    assert len(Run.open(left).history) == 60


def test_a_machine_with_little_more_than_torch_can_make_runs(tmp_path):
    """No command line, pictures or bars: what a lent GPU has. Digits come from scikit-learn, so nothing is trained."""
    code = f"""
import sys
for name in ("matplotlib", "seaborn", "rich", "typer", "tqdm", "sklearn", "jinja2"):
    sys.modules[name] = None
from rdr_viz.papers.work import make_missing
outcome = make_missing("cifar,figure1", seeds=1, runs={str(tmp_path)!r}, root={str(tmp_path)!r}, budget=60)
assert len(outcome.failed) == 1 and "cifar" in outcome.failed[0].sentence, outcome
"""
    offline = os.environ | {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=offline)
    assert done.returncode == 0, done.stderr
