"""k epochs, a kill, and a resume equal N epochs bit for bit on the CPU, wherever the kill falls."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from forked import Forked
from tasks import digits
from train_states import train
from waiting import ended, wait_for

import rdr_core
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.training.state import TrainingState

EPOCHS = 4
REQUEST = {"imbalance_factor": 20, "epochs": EPOCHS, "seed": 3, "batch_size": 64, "device": "cpu"}

#: Trains in a process of its own, which kills itself at the chosen place as `kill -9` would.
KILLED = """
import os, signal, sys
import rdr_core
from rdr_core.runs import folder
from rdr_core.runs.folder import RunFolder
from rdr_core.training.visits import Visits

where, count, method, runs = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
def die(function):
    calls = 0
    def counted(*args):
        nonlocal calls
        calls += 1
        if calls == count and where != "after":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args)
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return counted
if where == "step":
    Visits.write = die(Visits.write)
elif where == "publish":  # the checkpoint is written, history.csv and the rest are not
    RunFolder.publish = die(RunFolder.publish)
elif where == "finish":
    RunFolder.finish = die(RunFolder.finish)
else:
    where = "after"
    RunFolder.checkpoint = die(RunFolder.checkpoint)
rdr_core.train("digits", method=method, runs=runs, progress=False, **REQUEST)
""".replace("**REQUEST", ", ".join(f"{k}={v!r}" for k, v in REQUEST.items()))


def assert_equal_runs(one: rdr_core.Run, other: rdr_core.Run) -> None:
    pd.testing.assert_frame_equal(one.history.drop(columns="seconds"), other.history.drop(columns="seconds"),
                                  check_exact=True)  # fmt: skip
    pd.testing.assert_frame_equal(one.classes, other.classes, check_exact=True)
    assert one.metrics == other.metrics
    weights, others = one.model().state_dict(), other.model().state_dict()
    assert all(torch.equal(weights[name], others[name]) for name in weights)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same run, never stopped, by method."""
    folder = tmp_path_factory.mktemp("whole")
    made: dict[str, rdr_core.Run] = {}

    def get(method: str) -> rdr_core.Run:
        if method not in made:
            made[method] = rdr_core.train("digits", method=method, runs=folder, progress=False, **REQUEST)
        return made[method]

    return get


def run_killed(where: str, count: int, method: str, folder: Path) -> None:
    done = ended(Forked(KILLED, where, count, method, folder))
    assert done.returncode == -signal.SIGKILL, done.stderr


STEPS = 7  # an epoch of 64 images a batch has more steps than this


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "count", "method"),
    [
        ("step", 3, "rdr"),  # before any epoch is finished
        ("step", STEPS * 2 + 3, "rdr"),  # in the middle of an epoch
        ("after", 2, "rdr"),  # at the end of an epoch
        ("publish", 3, "rdr"),  # between the files of an epoch
        ("publish", EPOCHS, "rdr"),  # the same after the last epoch
        ("finish", 1, "rdr"),  # trained, not yet marked as done
        ("after", 1, "rdr:update=epoch,start=zero+la"),
        ("step", STEPS * 3 + 1, "focal+cb"),
    ],
)
def test_killed_and_resumed_equals_never_stopped(where, count, method, tmp_path, whole):
    run_killed(where, count, method, tmp_path)
    (path,) = tmp_path.iterdir()
    assert not (path / "done.json").exists()
    assert_equal_runs(rdr_core.resume(path, progress=False), whole(method))


@pytest.mark.slow
def test_asking_for_a_killed_run_again_goes_on_with_it(tmp_path, whole):
    run_killed("after", 3, "rdr", tmp_path)
    (path,) = tmp_path.iterdir()
    assert rdr_core.Run.open(path).epochs_done == 3
    assert_equal_runs(rdr_core.train("digits", method="rdr", runs=tmp_path, progress=False, **REQUEST), whole("rdr"))


@pytest.mark.parametrize("method", ["rdr", "rdr:update=epoch"])
@pytest.mark.parametrize("stop_after", [1, 4, 13])
def test_stopped_by_ctrl_c_within_an_epoch_and_resumed(stop_after, method, tmp_path, whole, monkeypatch):
    from rdr_core.training.visits import Visits

    write, calls = Visits.write, 0

    def interrupt(self, start, outcome, ranks):
        nonlocal calls
        calls += 1
        if calls == stop_after:
            os.kill(os.getpid(), signal.SIGINT)
        write(self, start, outcome, ranks)

    monkeypatch.setattr(Visits, "write", interrupt)
    with pytest.raises(rdr_core.TrainingStopped, match=r"saved\. Continue with: rdr resume ") as stopped:
        rdr_core.train("digits", method=method, runs=tmp_path, progress=False, **REQUEST)
    path = Path(shlex.split(str(stopped.value).split("rdr resume ")[1])[0])
    saved = load_tree(path / "checkpoint.safetensors")
    assert saved["epoch"] * STEPS + saved["batch"] <= stop_after <= (saved["epoch"] + 1) * 12
    monkeypatch.setattr(Visits, "write", write)
    resumed = rdr_core.resume(path, progress=False)
    assert_equal_runs(resumed, whole(method))
    assert not (path / "checkpoint.safetensors").exists(), "a finished run keeps no optimizer state"


@pytest.mark.slow
def test_ctrl_c_on_the_command_line_prints_the_command_that_goes_on(tmp_path, whole):
    command = [sys.executable, "-m", "rdr_core"]
    options = ["-i", "20", "--epochs", "400", "--runs", str(tmp_path), "--device", "cpu"]
    process = subprocess.Popen([*command, "train", "digits", *options], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list(tmp_path.glob("*/history.csv")) or process.poll() is not None, "a first epoch")
    process.send_signal(signal.SIGINT)
    said = ended(process).stderr
    assert process.returncode == 130
    (path,) = tmp_path.iterdir()
    assert said.strip().splitlines()[-1].endswith(f"saved. Continue with: rdr resume {path} --device cpu")
    assert "Traceback" not in said


def test_what_an_optimizer_keeps_lies_in_memory_as_its_weights_do(tmp_path):
    """After a file too, which knows no order but its own; a fused step refuses weights and momenta that differ."""
    data = rdr_core.load_data("digits", imbalance_factor=20)
    made = train(TrainingState(digits("rdr"), data, torch.device("cpu")), 1)
    save_tree(tmp_path / "saved.safetensors", made.tree())
    restored = TrainingState(digits("rdr"), data, torch.device("cpu"))
    restored.restore(load_tree(tmp_path / "saved.safetensors"))
    for one, other in zip(*(state.step.optimizer.state.items() for state in (made, restored)), strict=True):
        (_, kept), (weight, again) = one, other
        assert again["momentum_buffer"].stride() == weight.stride()
        assert torch.equal(again["momentum_buffer"], kept["momentum_buffer"])
    assert any(weight.stride() != weight.contiguous().stride() for weight in restored.step.optimizer.state)


def test_training_leaves_the_global_random_states_alone(tmp_path):
    """NumPy's and torch's; Python's is drawn from by the tests' own shape checks, and tested by `isolated`."""
    np.random.seed(1), torch.manual_seed(1)
    expected = np.random.rand(), torch.rand(1)
    np.random.seed(1), torch.manual_seed(1)
    rdr_core.train("digits", runs=tmp_path, progress=False, **REQUEST | {"epochs": 1})
    assert (np.random.rand(), torch.rand(1)) == expected


def test_the_users_random_state_does_not_change_the_run(tmp_path, whole):
    torch.manual_seed(987)
    torch.rand(100)
    again = rdr_core.train("digits", method="rdr", runs=tmp_path, progress=False, **REQUEST)
    assert_equal_runs(again, whole("rdr"))


def test_another_seed_gives_another_run(tmp_path, whole):
    other = rdr_core.train("digits", method="rdr", runs=tmp_path, progress=False, **REQUEST | {"seed": 4})
    assert other.history.loss.iloc[0] != whole("rdr").history.loss.iloc[0]


@pytest.mark.slow
def test_two_processes_do_not_train_into_one_folder(tmp_path):
    script = textwrap.dedent(
        f"""
        import rdr_core, sys
        try:
            rdr_core.train("digits", imbalance_factor=20, epochs=60, runs={str(tmp_path)!r}, progress=False)
        except rdr_core.RdrError as error:
            sys.exit(str(error))
        """
    )
    both = [Forked(script) for _ in range(2)]
    said = [ended(process).stderr for process in both]
    assert sorted(process.returncode for process in both) in ([0, 0], [0, 1])
    for process, text in zip(both, said, strict=True):
        assert process.returncode == 0 or "is being trained by another process" in text
    (path,) = tmp_path.iterdir()
    assert rdr_core.Run.open(path).done
