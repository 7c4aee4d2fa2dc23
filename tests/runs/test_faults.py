"""Faults in training: whatever call to the disk fails, one sentence says so, and the run goes on to the same bits."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from equal_runs import assert_equal_runs
from faults import ERRORS, Disk, failing
from forked import Forked
from moments import ended_within, goes_on, random_delays, set_clock
from tried import tried
from waiting import ended

import rdr_core
from rdr_core import RdrError, Run
from rdr_core.training.visits import Visits

REQUEST = {"imbalance_factor": 20, "epochs": 2, "seed": 3, "batch_size": 64, "method": "rdr", "device": "cpu"}


def train(folder: Path, **more) -> Run:
    return rdr_core.train("digits", runs=folder, **{"progress": False} | REQUEST | more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Run:
    """The run, never disturbed."""
    return train(tmp_path_factory.mktemp("whole"))


def left_over(folder: Path) -> list[str]:
    """Files that no finished run has."""
    names = [path.name for path in folder.rglob("*") if path.is_file()]
    return [name for name in names if (name.startswith(".") and name != ".lock") or name.startswith("checkpoint")]


def disturbed(folder: Path, at: int, error: int, whole: Run) -> None:
    """Train on a disk that fails once, then again on one that does not."""
    said = None
    with failing(Disk(folder, at, error)) as disk:
        try:
            train(folder)
        except RdrError as raised:
            said = str(raised)
    if said is not None:  # some faults harm nothing, as that of a file that nobody needs any more
        assert "\n" not in said
        assert os.strerror(error) in said
        assert str(folder) in said
    assert len(disk.done) > at, "the fault never came"
    assert_equal_runs(train(folder), whole)
    assert left_over(folder) == [], disk.done[at]
    tried("Faults", "single failed calls to the disk in training", 1)


def calls(folder: Path) -> int:
    with failing(Disk(folder)) as disk:
        train(folder)
    assert {name.split()[0] for name in disk.done} >= {"open", "fsync", "replace", "save", "mkdir"}
    return len(disk.done)


def test_some_calls_that_fail(whole, tmp_path):
    for at in range(3, calls(tmp_path / "counted"), 20):
        disturbed(tmp_path / str(at), at, ERRORS[at % 3], whole)


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(len(ERRORS) if "RDR_STRESS" in os.environ else 1))
def test_every_call_that_fails(turn, whole, tmp_path):
    """Each with one of the errors in turn; `make stress` tries each with every error."""
    for at in range(calls(tmp_path / "counted")):
        disturbed(tmp_path / str(at), at, ERRORS[(at + turn) % len(ERRORS)], whole)


#: Trains until it is killed from outside, or to the end.
TRAINS = f"""
import sys

import rdr_core
rdr_core.train("digits", runs=sys.argv[1], progress=False, **{REQUEST | {"epochs": 12}!r})
"""


def kill_until_done(folder: Path, seed: int, most: int, whole: Run) -> int:
    """Start the training and kill it at a random moment, again and again; then to the end. How often it was killed."""
    kills = 0
    for delay in random_delays(seed, most):
        process = Forked(TRAINS, folder)
        if ended_within(process, delay):
            assert process.returncode == 0, process.communicate()[1]
            break
        process.kill()
        ended(process)
        kills += process.returncode == -signal.SIGKILL
        for path in folder.glob("*/config.json"):  # whenever it was: what is there is whole
            run = Run.open(path.parent)
            done = run.epochs_done
            assert run.history.equals(whole.history.iloc[:done].assign(seconds=run.history.seconds))
    assert_equal_runs(train(folder, epochs=12), whole)
    assert left_over(folder) == []
    return kills


@pytest.fixture(scope="module")
def whole_of_12(tmp_path_factory) -> Run:
    return train(tmp_path_factory.mktemp("whole"), epochs=12)


@pytest.mark.slow
def test_killed_at_random_moments_again_and_again(whole_of_12, tmp_path):
    """At least 40 times, or for the seconds that `make stress` gives."""
    kills, seed = 0, int(os.environ.get("RDR_STRESS_SEED", "0"))
    for left in goes_on(float(os.environ.get("RDR_STRESS", "0"))):
        if kills >= 40 and not left:
            break
        seed += 1
        kills += kill_until_done(tmp_path / str(seed), seed, 12, whole_of_12)
    tried("Faults", "SIGKILL at random moments of training", kills)
    print(f"{kills} kills")
    assert kills >= 40


def stopped(folder: Path, monkeypatch, at: int, numbers: list[int]) -> BaseException:
    """Train, and get these signals one after the other at that step."""
    write, made = Visits.write, 0

    def signalled(self, *arguments):
        nonlocal made
        made += 1
        for number in numbers if made == at else ():
            os.kill(os.getpid(), number)
        write(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Visits, "write", signalled)
        with pytest.raises(KeyboardInterrupt) as caught:
            train(folder)
    return caught.value


@pytest.mark.parametrize("at", [1, 6, 7, 8, 13])
@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 2, [signal.SIGTERM] * 2, [signal.SIGTERM, signal.SIGINT]],
    ids=lambda numbers: "+".join(number.name for number in numbers),
)
def test_signals_once_and_twice(numbers, at, whole, tmp_path, monkeypatch):
    """Once is saved within the epoch; a second one at once ends it, and the epoch under way is all that is lost."""
    error = stopped(tmp_path, monkeypatch, at, numbers)
    assert isinstance(error, rdr_core.TrainingStopped) == (len(numbers) == 1)
    steps = -(-int(whole.class_counts.sum()) // 64)
    (path,) = tmp_path.iterdir()
    assert Run.open(path).epochs_done >= (at - 1) // steps
    assert_equal_runs(train(tmp_path), whole)
    assert left_over(tmp_path) == []
    tried("Faults", "SIGINT and SIGTERM in training", len(numbers))


@pytest.mark.parametrize("jump", [-1e6, -86_400.0, 1e9])
def test_a_clock_that_is_set_anew_changes_nothing(jump, whole, tmp_path, monkeypatch):
    """The wall's clock, within an epoch and between two."""
    write, made = Visits.write, 0

    def later(self, *arguments):
        nonlocal made
        made += 1
        if made in (3, 9):
            set_clock(monkeypatch, made * jump)
        write(self, *arguments)

    monkeypatch.setattr(Visits, "write", later)
    assert_equal_runs(train(tmp_path), whole)
    assert (Run.open(next(tmp_path.iterdir())).history.seconds >= 0).all()
    tried("Faults", "clocks set anew in training", 2)


#: Trains by the command line with less of something than it takes.
LIMITED = """
import resource, sys
from rdr_viz.cli import main
which, limit, runs = sys.argv[1], int(sys.argv[2]), sys.argv[3]
import torch, rdr_core.training.loop, rdr_core.runs.requests
from rdr_core.training import loop
close = loop.close_epoch
def tighten(state):
    close(state)
    if which == "memory":
        pages = int(open("/proc/self/statm").read().split()[0])
        limit_now = pages * 4096 + limit
        resource.setrlimit(resource.RLIMIT_AS, (limit_now, limit_now))
        state.hoard = [torch.ones(2**18) for _ in range(10**6)]
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
if which != "none":
    loop.close_epoch = tighten
sys.argv = ["rdr", "train", "digits", *sys.argv[4:], "--runs", runs, "--device", "cpu"]
main()
"""
OPTIONS = ["-i", "20", "--epochs", "2", "--seed", "3", "--batch-size", "64", "-m", "rdr"]


@pytest.mark.parametrize(
    ("which", "limit", "said"), [("files", 3, "Too many open files"), ("memory", 2**26, "not enough memory")]
)
def test_too_little_of_something_is_one_sentence_and_goes_on(which, limit, said, whole, tmp_path):
    process = Forked(LIMITED, which, limit, tmp_path, *OPTIONS)
    done = ended(process)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("rdr: ")
    assert said in last
    assert_equal_runs(train(tmp_path), whole)
    tried("Faults", "limits of memory and open files", 1)
