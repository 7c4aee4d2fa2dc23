"""Many tasks by any number of processes: nothing is done twice, nothing that was done is lost."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from equal_runs import assert_equal_runs
from forked import Forked
from tasks import YEAR, Clocked, Counted, Killed, Written, digits, late_once_saved
from waiting import ended, wait_for

from rdr_core.errors import MissingData, RdrError, RunBusy
from rdr_core.files.trees import load_tree
from rdr_core.jobs.progress import shown
from rdr_core.jobs.task import Training
from rdr_core.jobs.work import work_through
from rdr_core.runs import Run
from rdr_core.runs.folder import RunFolder
from rdr_core.runs.requests import train_config
from rdr_core.training.interrupt import TrainingStopped


def work(tasks, **options):
    return work_through(tasks, progress=False, **options)


def python(script: str, *arguments: object, **options) -> subprocess.Popen:
    """A process that runs the script."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(process: subprocess.Popen | Forked) -> str:
    done = ended(process)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.strip()


def test_tasks_are_done_in_order_and_not_again(tmp_path):
    tasks = [Counted(digits(seed=seed), tmp_path) for seed in range(3)]
    names = tuple(task.name for task in tasks)
    outcome = work(tasks)
    assert outcome.finished == outcome.made_here == names
    assert (outcome.unfinished, outcome.busy, outcome.failed, outcome.lost, outcome.stopped_by) == ((), (), (), 0, None)
    made = [(tmp_path / name / "done.json").stat().st_mtime_ns for name in names]
    assert made == sorted(made)
    again = work(tasks)
    assert (again.finished, again.made_here) == (names, ())
    assert [len(task.began) for task in tasks] == [1, 1, 1]


#: Ends with what was made here. After its first run it waits until the other process has begun one too.
BESIDE = """
import sys
from pathlib import Path
from tasks import Patient, digits
from rdr_core.jobs.work import work_through

tasks = [Patient(digits(method, seed=seed), Path(sys.argv[1])) for method in ("ce", "rdr") for seed in range(3)]
print(*work_through(tasks, progress=False).made_here)
"""


@pytest.mark.slow
def test_two_commands_side_by_side_never_train_a_run_twice(tmp_path):
    tasks = [Counted(digits(method, seed=seed), tmp_path) for method in ("ce", "rdr") for seed in range(3)]
    both = [Forked(BESIDE, tmp_path) for _ in range(2)]
    made = [finish(process).split() for process in both]
    assert all(made)
    assert sorted(made[0] + made[1]) == sorted(task.name for task in tasks)
    assert all(task.done for task in tasks)
    assert [len(task.began) for task in tasks] == [1] * 6
    for task in tasks:
        pid = both[0].pid if task.name in made[0] else both[1].pid
        assert task.began == [pid]


class FinishedElsewhere(Counted):
    """A run that another command finishes after this one has looked whether it is there, and before it begins."""

    def run(self, deadline):
        train_config(self.config, runs=self.runs, progress=False)
        return super().run(deadline)


def test_what_another_command_has_just_finished_is_not_made_here(tmp_path):
    own, others = Counted(digits(), tmp_path), FinishedElsewhere(digits(seed=1), tmp_path)
    outcome = work([own, others])
    assert (outcome.finished, outcome.made_here) == ((own.name, others.name), (own.name,))
    assert (outcome.busy, outcome.unfinished) == ((), ())


@pytest.mark.slow
def test_two_workers_give_the_same_bits_as_one(tmp_path):
    """And the second of them takes up what the first leaves when it is killed, from the last epoch on."""
    configs = [digits(seed=seed, epochs=3) for seed in range(3)]
    alone = [Training(config, tmp_path / "alone") for config in configs]
    assert len(work(alone).made_here) == 3

    kinds = (Killed, Counted, Counted)
    both = [kind(config, tmp_path / "both") for kind, config in zip(kinds, configs, strict=True)]
    (tmp_path / "both").mkdir()
    outcome = work(both, parallel=2)
    assert outcome.finished == outcome.made_here == tuple(task.name for task in both)
    assert (outcome.lost, outcome.failed, outcome.stopped_by) == (1, (), None)
    assert [len(task.began) for task in both] == [2, 1, 1]
    assert len(set(both[0].began)) == 2
    for one, other in zip(alone, both, strict=True):
        assert_equal_runs(Run.open(one.runs / one.name), Run.open(other.runs / other.name))


@pytest.mark.slow
def test_the_next_command_goes_on_with_what_a_killed_one_left(tmp_path):
    script = """
import sys
from pathlib import Path
from tasks import Killed, digits
from rdr_core.jobs.work import work_through
work_through([Killed(digits(epochs=3), Path(sys.argv[1]))], progress=False)
"""
    process = Forked(script, tmp_path)
    assert ended(process).returncode == -signal.SIGKILL
    task = Training(digits(epochs=3), tmp_path)
    before = Run.open(tmp_path / task.name).history
    assert len(before) == 1
    assert (task.done, task.share) == (False, 1 / 3)
    assert work([task]).made_here == (task.name,)
    after = Run.open(tmp_path / task.name)
    pd.testing.assert_frame_equal(after.history[:1], before, check_exact=True)  # its seconds too: not trained again
    assert_equal_runs(after, train_config(digits(epochs=3), runs=tmp_path / "whole", progress=False))


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_budget_stops_in_time_and_leaves_runs_that_can_be_resumed(parallel, tmp_path):
    """The clock of all processes jumps past the deadline when as many runs as there are workers are saved."""
    tasks = [Clocked(digits(seed=seed, epochs=100_000), tmp_path, count=parallel) for seed in range(2)]
    with late_once_saved(tmp_path, parallel):
        outcome = work(tasks, budget=YEAR / 2, parallel=parallel)
    assert outcome.stopped_by == "budget"
    assert outcome.unfinished == tuple(task.name for task in tasks)
    assert (outcome.made_here, outcome.failed, outcome.lost) == ((), (), 0)
    begun = [task for task in tasks if (tmp_path / task.name / "config.json").is_file()]
    assert begun == tasks[:parallel]
    for task in begun:
        assert (tmp_path / task.name / "checkpoint.safetensors").is_file()
        assert len(task.began) == 1
        if parallel == 1:  # no step began when it was late: the one under way then was at most the last
            assert not task.late_steps.is_file() or task.late_steps.read_text() == "."
        assert Run.open(tmp_path / task.name).epochs_done >= 1
        assert task.share < 0.1


@pytest.mark.parametrize("method", ["rdr", "rdr:start=zero,update=epoch+la", "cdb+drw"])
def test_a_run_stopped_by_deadlines_equals_one_never_stopped(method, tmp_path, monkeypatch):
    """At many places of an epoch, its start included: the clock ticks once a step."""
    config = digits(method)
    whole = train_config(config, runs=tmp_path / "whole", progress=False)
    looks = stops = 0

    def clock() -> int:
        nonlocal looks
        looks += 1
        return looks

    monkeypatch.setattr("rdr_core.training.interrupt.time", SimpleNamespace(monotonic=clock))
    positions = set()
    while not (tmp_path / config.name / "done.json").is_file():
        try:
            train_config(config, runs=tmp_path, progress=False, deadline=looks + 4)
        except TrainingStopped:
            stops += 1
            saved = load_tree(tmp_path / config.name / "checkpoint.safetensors")
            positions.add((saved["epoch"], saved["batch"]))
    assert len(positions) == stops > 2
    assert_equal_runs(Run.open(tmp_path / config.name), whole)


def test_mistakes_are_told_once_and_the_rest_is_done(tmp_path):
    photographs = {"dataset": "imagenet-lt", "imbalance_factor": None, "profile": None, "model": "resnet10"}
    tasks = [
        *(Counted(digits(method, **photographs), tmp_path, root=tmp_path) for method in ("ce", "rdr")),
        Counted(digits(learning_rate=1e30), tmp_path),
        Counted(digits(seed=9), tmp_path),
        Counted(digits(), tmp_path),
    ]
    (tmp_path / tasks[3].name).mkdir()
    (tmp_path / tasks[3].name / "checkpoint.safetensors").write_text("damaged")
    outcome = work(tasks)
    assert outcome.finished == outcome.made_here == (tasks[4].name,)
    assert [failure.tasks for failure in outcome.failed] == [
        (tasks[0].name, tasks[1].name), (tasks[2].name,), (tasks[3].name,)
    ]  # fmt: skip
    for failure, words in zip(outcome.failed, ("ImageNet_LT_train.txt", "Try a lower learning rate", "can't be read"),
                              strict=True):  # fmt: skip
        assert words in failure.sentence
    assert (outcome.unfinished, outcome.stopped_by) == ((), None)


def test_missing_data_are_looked_for_once(tmp_path):
    looked = []

    class Missing(Written):
        def run(self, deadline):
            looked.append(self.name)
            raise MissingData("There are no files.")

    tasks = [Missing(tmp_path / name) for name in "abc"]
    outcome = work([*tasks, Written(tmp_path / "d")])
    assert looked == ["a"]
    assert outcome.failed == (("There are no files.", ("a", "b", "c", "d")),)  # of one key, as d is
    assert not (tmp_path / "d").exists()


def test_a_task_waits_for_what_it_needs(tmp_path):
    run = Training(digits(epochs=1), tmp_path)
    analysis = Written(tmp_path / "numbers", needs=(tmp_path / run.name / "done.json",))
    picture = Written(tmp_path / "picture", needs=(tmp_path / "numbers",))
    never = Written(tmp_path / "never", needs=(tmp_path / "nowhere",))
    outcome = work([picture, never, analysis, run])
    assert outcome.made_here == ("picture", "numbers", run.name)
    assert (outcome.unfinished, outcome.busy, outcome.stopped_by) == (("never",), (), None)
    times = [path.stat().st_mtime_ns for path in (*analysis.needs, *picture.needs, picture.path)]
    assert times == sorted(times)


def test_a_task_that_ends_without_its_result_is_not_run_for_ever(tmp_path):
    outcome = work([Written(tmp_path / "a", honest=False), Written(tmp_path / "b")])
    assert outcome.failed == (("a ended without a result.", ("a",)),)
    assert outcome.finished == ("b",)


@pytest.mark.parametrize("parallel", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_another_process_is_at_is_left_to_it(parallel, tmp_path):
    tasks = [Training(digits(seed=seed, epochs=1), tmp_path) for seed in range(3)]
    with RunFolder(tmp_path / tasks[0].name).locked():
        outcome = work(tasks, parallel=parallel)
    assert outcome.unfinished == outcome.busy == (tasks[0].name,)
    assert outcome.finished == outcome.made_here == tuple(task.name for task in tasks[1:])
    assert outcome.stopped_by is None


def test_a_busy_run_is_told_before_data_are_looked_for(tmp_path):
    """Also where it is the first stage that is busy."""
    config = digits("ce+taunorm", epochs=1)
    first = digits("ce", epochs=1)
    with RunFolder(tmp_path / first.name).locked(), pytest.raises(RunBusy, match=first.name):
        train_config(config, runs=tmp_path, progress=False)
    with RunFolder(tmp_path / config.name).locked(), pytest.raises(RunBusy, match="taunorm"):
        train_config(config, runs=tmp_path, root=tmp_path / "nowhere", progress=False)
    assert train_config(config, runs=tmp_path, progress=False).base == first.name


STOPPED = """
import sys
from pathlib import Path
from tasks import Counted, digits
from rdr_core.jobs.work import work_through
tasks = [Counted(digits(seed=seed, epochs=100_000), Path(sys.argv[1])) for seed in range(3)]
outcome = work_through(tasks, parallel=int(sys.argv[2]), progress=False)
print(outcome.stopped_by, len(outcome.unfinished), outcome.lost)
"""


def saved(task: Counted) -> bool:
    return (task.runs / task.name / "checkpoint.safetensors").is_file()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc/self").exists() else True


@pytest.mark.slow
@pytest.mark.parametrize(("parallel", "number"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
def test_ctrl_c_and_sigterm_stop_and_save_all_workers(parallel, number, tmp_path):
    tasks = [Counted(digits(seed=seed, epochs=100_000), tmp_path) for seed in range(parallel)]
    process = python(STOPPED, tmp_path, parallel, start_new_session=True)
    wait_for(lambda: all(map(saved, tasks)), "all workers to save an epoch", seen=lambda: sorted(tmp_path.rglob("*")))
    if number == signal.SIGINT:  # a terminal sends it to every process of the group
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert finish(process) == "interrupt 3 0"
    assert all(map(saved, tasks))
    assert not any(alive(pid) for task in tasks for pid in task.began)


@pytest.mark.slow
def test_workers_stop_and_save_when_their_parent_is_killed(tmp_path):
    tasks = [Counted(digits(seed=seed, epochs=100_000), tmp_path) for seed in range(2)]
    process = python(STOPPED, tmp_path, 2)
    wait_for(lambda: all(map(saved, tasks)), "all workers to save an epoch", seen=lambda: sorted(tmp_path.rglob("*")))
    process.kill()
    workers = [pid for task in tasks for pid in task.began]
    wait_for(lambda: not any(map(alive, workers)), "the workers to end", seen=lambda: list(filter(alive, workers)))
    ended(process)
    for task in tasks:
        with RunFolder(tmp_path / task.name).locked():
            epochs = Run.open(tmp_path / task.name).epochs_done
        assert epochs > 0


BARE = """
import sys
from pathlib import Path
from tasks import Written
import rdr_core.jobs.cost
from rdr_core.jobs.work import work_through
tasks = [Written(Path(sys.argv[1]) / name) for name in "abcd"]
print(*work_through(tasks).finished)
try:
    work_through([Written(Path(sys.argv[1]) / name) for name in "ef"], parallel=2)
except ValueError as error:
    print(error)
"""


def test_a_machine_with_nothing_but_torch_works_too(tmp_path, monkeypatch):
    for name in ("tqdm", "sklearn", "scipy", "matplotlib", "seaborn", "typer", "rich", "jinja2", "jaxtyping",
                 "distributed", "dask", "cloudpickle"):  # fmt: skip
        (tmp_path / f"{name}.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    finished, refused = finish(python(BARE, tmp_path)).splitlines()
    assert finished == "a b c d"
    assert refused.startswith("Several tasks at once are done by Dask, which is not installed: pip install")


@pytest.mark.parametrize("tqdm", [True, False])
def test_what_is_shown_counts_what_is_done_by_whomever(tqdm, tmp_path, capsys, monkeypatch):
    if not tqdm:
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    tasks = [Written(tmp_path / name) for name in "ab"]
    with shown(tasks):
        for task in tasks:
            task.run(math.inf)
    last = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()[-1]
    assert last.startswith("2 of 2 done")
    assert "100 % of the work" in last


@pytest.mark.parametrize("options", [{"parallel": 0}, {"budget": 0}, {"budget": math.nan}])
def test_impossible_requests_are_refused(options, tmp_path):
    with pytest.raises(RdrError, match=f"{next(iter(options))} is "):
        work([Written(tmp_path / "a")], **options)


def test_a_configuration_is_refused_where_its_run_would_not_be_found_again(tmp_path):
    with pytest.raises(RdrError, match=r"name it 'rdr'"):
        train_config(replace(digits(), method="ce+rdr"), runs=tmp_path)
    with pytest.raises(RdrError, match="data of your own"):
        train_config(digits(data_hash="0123"), runs=tmp_path)
    assert not list(tmp_path.iterdir())
