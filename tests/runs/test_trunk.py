"""Runs that go on from a shared beginning equal the same runs from nothing bit for bit, whatever happens on the way."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from equal_runs import assert_equal_runs
from forked import Forked
from waiting import ended

import rdr_core
from rdr_core.files.trees import load_tree
from rdr_core.methods.fork import kept_paths
from rdr_core.runs import branching
from rdr_core.training.interrupt import TrainingStopped
from rdr_core.training.visits import Visits
from rdr_viz.analysis.times import training_seconds

REQUEST = {"imbalance_factor": 50, "epochs": 5, "device": "cpu", "progress": False}
#: Weights from the last of 5 epochs on; of each kind one, with what goes beside weights.
BRANCHES = [
    "inverse+drw", "cb+drw", "rdr:preset=released", "rdr:preset=text,warmup=0.8", "rdr:warmup=0.8", "rdr+drw",
    "rdr:gamma=0.5,preset=released", "rdr:preset=released,ratio=matched", "ce",
]  # fmt: skip


def assert_equal(one: rdr_core.Run, other: rdr_core.Run) -> None:
    """The weights kept on the way too."""
    assert_equal_runs(one, other)
    assert one.kept == other.kept
    for epoch in one.kept:
        mine, theirs = (load_tree(run.weights_file(epoch))["model"] for run in (one, other))
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same run from nothing, by method."""
    folder = tmp_path_factory.mktemp("whole")

    def get(method: str) -> rdr_core.Run:
        return rdr_core.train("digits", method=method, runs=folder, trunk=False, **REQUEST)

    return get


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder of runs with a trunk."""
    folder = tmp_path_factory.mktemp("shared")
    rdr_core.train("digits", method="inverse:gamma=0.5+drw", runs=folder, **REQUEST)
    return folder


@pytest.mark.parametrize("method", BRANCHES)
def test_a_branch_is_the_run_from_nothing(method, whole, shared):
    run = rdr_core.train("digits", method=method, runs=shared, **REQUEST)
    trunk, epoch, seconds = run.inherited
    assert (epoch, trunk.partition("/")[0][:16]) == (4, "digits-if50-ce-s")
    assert seconds == pytest.approx(run.history.seconds[:4].sum())
    assert whole(method).inherited is None
    assert_equal(run, whole(method))


@pytest.mark.parametrize("method", ["inverse+la+drw+sam", "rdr:preset=released+sam"])
def test_so_it_is_beside_another_loss_and_optimizer(method, whole, tmp_path):
    run = rdr_core.train("digits", method=method, runs=tmp_path, **REQUEST)
    assert run.inherited[1] == 4
    assert_equal(run, whole(method))


@pytest.mark.slow
def test_so_it_is_on_small_cifar_with_the_authors_recipe(tmp_path, cifar_root):
    whole = rdr_core.load_data("cifar10:8-9", imbalance_factor=10, root=cifar_root)
    some = torch.cat([torch.arange(500), torch.arange(len(whole.train) - 50, len(whole.train))])  # class by class
    data = rdr_core.from_arrays(
        whole.train.inputs[some], whole.train.labels[some], whole.test.inputs[::10], whole.test.labels[::10],
        name="small-cifar", mean=whole.mean, std=whole.std,
    )  # fmt: skip
    assert data.class_counts.tolist() == [500, 50]
    request = {"epochs": 5, "model": "small", "recipe": "authors", "augmentation": "authors", "device": "cpu",
               "progress": False}  # fmt: skip
    for method in ("inverse+drw", "rdr:preset=released", "rdr:warmup=0.8"):  # the first makes the trunk
        shared, alone = (
            rdr_core.train(data, method=method, runs=tmp_path / name, trunk=name == "shared", **request)
            for name in ("shared", "alone")
        )
        assert shared.inherited[1] == 4
        assert_equal(shared, alone)


@pytest.mark.parametrize(
    "method", ["rdr", "inverse", "rdr:momentum=0.7,warmup=0.8", "inverse+drw:start=0.4", "rdr:ratio=matched+drw"]
)
def test_what_has_no_share_worth_it_neither_makes_nor_takes_a_trunk(method, tmp_path):
    run = rdr_core.train("digits", method=method, runs=tmp_path, **REQUEST)
    assert run.inherited is None
    assert not (tmp_path / "trunks").exists()


def test_a_run_without_weights_makes_no_trunk(tmp_path):
    assert rdr_core.train("digits", method="ce", runs=tmp_path, **REQUEST).inherited is None
    assert not (tmp_path / "trunks").exists()


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"imbalance_factor": 20}, {"epochs": 10}, {"schedule": "step"}, {"batch_size": 16}, {"data_seed": 1}],
    ids=str,
)
def test_a_trunk_of_another_setting_is_not_used(change, shared, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(branching, "make_trunk", lambda folder, *_, **__: made.append(folder))
    copied = tmp_path / "trunks"
    shutil.copytree(shared / "trunks", copied)
    rdr_core.train("digits", method="cb+drw", runs=tmp_path, **REQUEST | change)
    assert len(made) == 1


def test_a_later_fork_goes_on_with_the_trunk_of_an_earlier_one(whole, tmp_path):
    request = REQUEST | {"epochs": 10}
    first = rdr_core.train("digits", method="cb+drw:start=0.5", runs=tmp_path, **request)
    second = rdr_core.train("digits", method="cb+drw", runs=tmp_path, **request)
    assert (first.inherited[1], second.inherited[1]) == (5, 8)
    (folder,) = (tmp_path / "trunks").glob("*/*/")
    assert sorted(path.name for path in folder.glob("epoch-*")) == ["epoch-0005.safetensors", "epoch-0008.safetensors"]
    assert_equal(second, rdr_core.train("digits", method="cb+drw", runs=tmp_path / "alone", trunk=False, **request))


def test_a_fork_before_the_trunks_last_epoch_without_a_state_starts_from_nothing(tmp_path, capfd):
    request = REQUEST | {"epochs": 10}
    rdr_core.train("digits", method="cb+drw", runs=tmp_path, **request)
    run = rdr_core.train("digits", method="cb+drw:start=0.5", runs=tmp_path, **request)
    assert run.inherited is None
    assert "is past epoch 5 and keeps no state" in capfd.readouterr().err


def damage(folder: Path) -> None:
    (state,) = folder.glob("epoch-*.safetensors")
    state.write_bytes(state.read_bytes()[:1000])


def test_a_damaged_trunk_is_not_used_and_that_is_said_in_a_line(tmp_path, whole, capfd):
    rdr_core.train("digits", method="cb+drw", runs=tmp_path, **REQUEST)
    (folder,) = (tmp_path / "trunks").glob("*/*/")
    damage(folder)
    run = rdr_core.train("digits", method="inverse+drw", runs=tmp_path, **REQUEST)
    (said,) = capfd.readouterr().err.strip().splitlines()
    assert said.startswith("rdr: A trunk is damaged, so the run starts from scratch: ")
    assert run.inherited is None
    assert_equal(run, whole("inverse+drw"))


def test_a_trunk_of_another_torch_or_machine_is_not_used_and_that_is_said_in_a_line(tmp_path, whole, capfd):
    rdr_core.train("digits", method="cb+drw", runs=tmp_path, **REQUEST)
    (folder,) = (tmp_path / "trunks").glob("*/*/")
    folder.rename(folder.with_name("torch-1.0-of-old"))
    run = rdr_core.train("digits", method="inverse+drw", runs=tmp_path, **REQUEST)
    (said,) = capfd.readouterr().err.strip().splitlines()
    assert "was made with torch-1.0-of-old, not with torch-" in said
    assert run.inherited[0].endswith(folder.name)
    assert_equal(run, whole("inverse+drw"))


def test_while_another_process_makes_the_trunk_a_run_starts_from_nothing(tmp_path, whole, capfd):
    from rdr_core.runs.folder import RunFolder

    rdr_core.train("digits", method="cb+drw", runs=tmp_path, **REQUEST)
    (folder,) = (tmp_path / "trunks").glob("*/*/")
    (state,) = folder.glob("epoch-*.safetensors")
    state.unlink()
    with RunFolder(folder).locked():
        run = rdr_core.train("digits", method="inverse+drw", runs=tmp_path, **REQUEST)
    assert "is being trained by another process" in capfd.readouterr().err
    assert_equal(run, whole("inverse+drw"))


def test_stopped_within_the_trunk_the_run_goes_on_there(tmp_path, whole, monkeypatch):
    write, calls = Visits.write, 0

    def interrupt(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == 20:
            os.kill(os.getpid(), signal.SIGINT)
        write(self, *arguments)

    monkeypatch.setattr(Visits, "write", interrupt)
    with pytest.raises(TrainingStopped, match=r"Continue with: rdr resume .*inverse"):
        rdr_core.train("digits", method="inverse+drw", runs=tmp_path, **REQUEST)
    monkeypatch.setattr(Visits, "write", write)
    (folder,) = (tmp_path / "trunks").glob("*/*/")
    assert load_tree(folder / "checkpoint.safetensors")["batch"] > 0
    run = rdr_core.train("digits", method="inverse+drw", runs=tmp_path, **REQUEST)
    assert run.inherited[1] == 4
    assert_equal(run, whole("inverse+drw"))


#: Trains a branch in a process that kills itself where it is told to, as `kill -9` would.
KILLED = """
import os, signal, sys
import rdr_core
from rdr_core.runs.folder import RunFolder
from rdr_core.training.visits import Visits

where, count, runs = sys.argv[1], int(sys.argv[2]), sys.argv[3]
owner, name = {"step": (Visits, "write"), "take over": (RunFolder, "begin_at"), "finish": (RunFolder, "finish")}[where]
function, calls = getattr(owner, name), 0
def die(*args):
    global calls
    calls += 1
    if calls == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*args)
setattr(owner, name, die)
rdr_core.train("digits", method="rdr:preset=released", runs=runs, **REQUEST)
""".replace("**REQUEST", ", ".join(f"{k}={v!r}" for k, v in REQUEST.items()))


@pytest.mark.slow
@pytest.mark.parametrize(("where", "count"), [("take over", 1), ("step", 3), ("step", 20), ("finish", 1)])
def test_killed_in_a_branch_it_goes_on_as_if_it_had_not_been(where, count, tmp_path, whole):
    rdr_core.train("digits", method="cb+drw", runs=tmp_path, **REQUEST)
    done = ended(Forked(KILLED, where, count, tmp_path))
    if (where, count) != ("step", 20):  # a branch has 11 steps of its own
        assert done.returncode == -signal.SIGKILL, done.stderr
    run = rdr_core.train("digits", method="rdr:preset=released", runs=tmp_path, **REQUEST)
    assert run.inherited[1] == 4
    assert_equal(run, whole("rdr:preset=released"))


@pytest.mark.slow
def test_two_branches_fork_at_once(tmp_path, whole):
    """Whoever comes second takes the trunk if it is there, and starts from nothing if it is not."""
    script = f"""
import rdr_core, sys
rdr_core.train("digits", method=sys.argv[1], runs={str(tmp_path)!r}, **{REQUEST!r})
"""
    methods = ["inverse+drw", "rdr:preset=released"]
    for _ in range(2):  # without a trunk, and with one
        both = [Forked(script, method) for method in methods]
        assert [ended(process).returncode for process in both] == [0, 0]
        for method in methods:
            assert_equal(rdr_core.train("digits", method=method, runs=tmp_path, **REQUEST), whole(method))
        methods = ["cb+drw", "rdr:warmup=0.8"]


def test_what_a_trunk_follows_is_each_preset_beside_the_run(shared):
    (folder,) = (shared / "trunks").glob("*/*/")
    kept = load_tree(folder / "epoch-0004.safetensors")["weighting"]
    for name in kept_paths():
        assert kept[f"rdrs.{name}.started"].all()
        assert kept[f"rdrs.{name}.steps"] == 44


def test_a_worker_stands_aside_while_another_makes_the_trunk(tmp_path):
    """So that it takes other runs first, and goes on from the trunk when it is there."""
    from rdr_core.errors import RunBusy
    from rdr_core.runs.folder import RunFolder
    from rdr_core.runs.requests import train_config

    made = rdr_core.train("digits", method="cb+drw", runs=tmp_path, **REQUEST)
    (folder,) = (tmp_path / "trunks").glob("*/*/")
    (state,) = folder.glob("epoch-*.safetensors")
    kept = state.rename(state.with_name("elsewhere"))
    config = replace(made.config, method="inverse+drw")
    with RunFolder(folder).locked(), pytest.raises(RunBusy):
        train_config(config, runs=tmp_path, device="cpu", progress=False)
    kept.rename(state)
    assert train_config(config, runs=tmp_path, device="cpu", progress=False).inherited[1] == 4


def test_seconds_of_a_branch_are_its_own(shared):
    """What its own epochs tell that all would take: the trunk's are another run's, and are slower."""
    run = rdr_core.train("digits", method="cb+drw", runs=shared, **REQUEST)
    assert run.seconds.tolist() == run.history.seconds[4:].tolist()
    assert run.seconds_in_all == pytest.approx(5 * run.history.seconds.iloc[4])
    (row,) = training_seconds([run]).itertuples()
    assert (row.epochs, row.total) == (5, run.seconds_in_all)
