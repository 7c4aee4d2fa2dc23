"""Tasks on a Dask cluster: whatever is killed, every run is there once, and bit for bit that of a single process."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from dask_processes import DaskProcesses
from equal_runs import assert_equal_runs
from forked import Forked
from tasks import Counted, Written, digits, of_all_kinds
from waiting import ended, wait_for

from rdr_core.errors import RdrError
from rdr_core.jobs import cluster
from rdr_core.jobs.task import Task, Training, Trunk, beginnings_of
from rdr_core.jobs.work import work_through
from rdr_core.runs import Run

#: Workers that are killed, one after the other; `make stress` kills more.
KILLS, SEED = int(os.environ.get("RDR_KILLS", "3")), int(os.environ.get("RDR_STRESS_SEED", "0"))


@pytest.fixture
def dask(tmp_path):
    with DaskProcesses(tmp_path / "dask") as processes:
        yield processes


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """The runs of one process, which nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    tasks = of_all_kinds(folder)
    assert len(work_through(tasks, progress=False).made_here) == len(tasks)
    return folder


def assert_the_same(folder: Path, other: Path) -> None:
    tasks = of_all_kinds(folder)
    assert all(task.done for task in tasks)
    for task in tasks:
        assert_equal_runs(Run.open(folder / task.name), Run.open(other / task.name))


@pytest.mark.slow
def test_workers_killed_at_random_change_no_bit(dask, tmp_path, undisturbed):
    """Each is replaced by another, as a site's scheduler does; and a run that can't be made takes no other with it."""
    workers = [dask.worker(), dask.worker()]
    dask.until_joined(2)
    draw, over, killed = random.Random(SEED), threading.Event(), []
    runs = tmp_path / "runs"

    def kill() -> None:
        while len(killed) < KILLS and not over.wait(draw.uniform(0.5, 4)):
            victim = workers.pop(draw.randrange(len(workers)))
            victim.kill()
            killed.append(victim)
            workers.append(dask.worker())

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        while len(killed) < KILLS:  # where the work was over before, it is done again
            fails = Counted(digits(learning_rate=1e30), runs, "cpu")
            outcome = work_through([fails, *of_all_kinds(runs)], parallel=dask.address, progress=False)
            assert (outcome.unfinished, outcome.stopped_by) == ((), None), dask.said()
            ((why, which),) = outcome.failed
            assert (which, "Try a lower learning rate" in why) == ((fails.name,), True)
            assert_the_same(runs, undisturbed)
            runs = tmp_path / f"runs-{len(killed)}"
    finally:
        over.set()
        killer.join()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["plugin-add", "run"])
def test_a_worker_that_ends_as_the_command_begins_is_done_without(when, dask, tmp_path):
    """In the midst of the two things that all workers are asked at the beginning."""
    from distributed import Client

    with Client(dask.address, set_as_default=False) as client:
        victim = dask.worker()
        dask.until_joined(1)
        client.run(_die_when_asked, when)
        dask.worker()
        dask.until_joined(2)
    task = Written(tmp_path / "a")
    outcome = work_through([task], parallel=dask.address, progress=False)
    assert (outcome.made_here, outcome.stopped_by) == (("a",), None), dask.said()
    wait_for(lambda: victim.poll() is not None, "the worker to have ended", seen=dask.said)


def _die_when_asked(what: str, dask_worker) -> None:
    dask_worker.handlers[what] = lambda **_: os._exit(1)


COMMAND = """
import sys
from pathlib import Path
from tasks import of_all_kinds
from rdr_core.jobs.work import work_through
outcome = work_through(of_all_kinds(Path(sys.argv[1])), parallel=sys.argv[2], progress=False)
print(outcome.stopped_by, len(outcome.made_here), len(outcome.unfinished), len(outcome.failed))
"""


@pytest.mark.slow
def test_a_lost_scheduler_costs_nothing_and_the_same_command_goes_on(dask, tmp_path, undisturbed):
    dask.worker("--nthreads", "2")
    command = Forked(COMMAND, tmp_path / "runs", dask.address)
    wait_for(lambda: len(list((tmp_path / "runs").glob("*/done.json"))) >= 2, "two runs", seen=dask.said)
    dask.scheduler.kill()
    done = ended(command)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    stopped_by, _, left, failed = done.stdout.split()
    assert (stopped_by, failed) == ("scheduler", "0")
    assert int(left) > 0
    finished = sorted((tmp_path / "runs").glob("*/done.json"))
    written = [path.stat().st_mtime_ns for path in finished]

    dask.start_scheduler()
    dask.worker("--nthreads", "2")
    assert work_through(of_all_kinds(tmp_path / "runs"), parallel=dask.address, progress=False).unfinished == ()
    assert [path.stat().st_mtime_ns for path in finished] == written
    assert_the_same(tmp_path / "runs", undisturbed)


@pytest.mark.slow
def test_two_commands_on_one_scheduler_make_no_run_twice(dask, tmp_path, undisturbed):
    dask.worker("--nthreads", "2")
    both = [Forked(COMMAND, tmp_path / "runs", dask.address) for _ in range(2)]
    for command in both:
        done = ended(command)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[0] == "None"
        assert done.stdout.split()[2:] == ["0", "0"]
    assert [len(task.began) for task in of_all_kinds(tmp_path / "runs")] == [
        1,
        1,
        1,
        1,
        2,
    ] * 2  # one makes its first stage
    assert_the_same(tmp_path / "runs", undisturbed)


@pytest.mark.slow
def test_ctrl_c_saves_what_workers_are_at_and_leaves_the_cluster_clean(dask, tmp_path):
    from distributed import Client

    endless = [Counted(digits(seed=seed, epochs=100_000), tmp_path, "cpu") for seed in range(3)]
    threading.Thread(target=_interrupt_once_saved, args=(dask, endless[:2]), daemon=True).start()
    outcome = work_through(endless, parallel=dask.address, progress=False)
    assert (outcome.stopped_by, len(outcome.unfinished), outcome.lost) == ("interrupt", 3, 0)
    assert all((task.runs / task.name / "checkpoint.safetensors").is_file() for task in endless[:2])
    assert not endless[2].began
    with Client(dask.address, set_as_default=False) as client:
        wait_for(lambda: not any(client.processing().values()), "the workers to be free", seen=client.processing)
    again = work_through([Written(tmp_path / "a")], parallel=dask.address, progress=False)
    assert again.made_here == ("a",)


def _interrupt_once_saved(dask: DaskProcesses, tasks: list[Counted]) -> None:
    """With a worker that joins when the tasks are there already, and takes them."""
    from distributed import Client

    with Client(dask.address, set_as_default=False) as client:
        wait_for(lambda: client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 3, "the tasks")
    dask.worker("--nthreads", "2")
    wait_for(lambda: all((task.runs / task.name / "checkpoint.safetensors").is_file() for task in tasks), "two epochs")
    os.kill(os.getpid(), signal.SIGINT)


@dataclass(frozen=True)
class Doomed(Written):
    """Which kills its process, always."""

    def run(self, deadline: float) -> bool:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Broken(Written):
    """Which fails in a way that nobody foresaw."""

    def run(self, deadline: float) -> bool:
        raise ZeroDivisionError("of the test")


def test_what_nobody_foresaw_is_printed_and_told_so(tmp_path, capfd):
    outcome = work_through([Broken(tmp_path / "a"), Written(tmp_path / "b")], parallel=2, progress=False)
    ((why, which),) = outcome.failed
    assert why == "Its process ended before it was done, 3 times (status 1, after what it printed)."
    assert (which, outcome.finished) == (("a",), ("b",))
    assert capfd.readouterr().err.count("ZeroDivisionError: of the test") == 3


@pytest.mark.slow
def test_a_task_that_always_kills_its_process_is_given_up_and_the_rest_is_done(tmp_path):
    tasks: list[Task] = [Doomed(tmp_path / "a"), Written(tmp_path / "b"), Written(tmp_path / "c")]
    outcome = work_through(tasks, parallel=2, progress=False)
    assert outcome.failed == (
        ("Its process ended before it was done, 3 times (SIGKILL, as where memory runs out).", ("a",)),
    )  # fmt: skip
    assert (outcome.finished, outcome.lost) == (("b", "c"), 3)


@pytest.mark.slow
def test_a_worker_without_the_package_or_with_another_makes_no_run(dask, tmp_path, capfd):
    for name, content in (("none", "raise ImportError('none here')"), ("old", "__version__ = '0.0'")):
        (tmp_path / name / "rdr_core").mkdir(parents=True)
        (tmp_path / name / "rdr_core" / "__init__.py").write_text(content)
        dask.worker(PYTHONPATH=str(tmp_path / name))
    dask.until_joined(2)
    task = Training(digits(epochs=1), tmp_path / "runs", "cpu")
    with pytest.raises(RdrError) as caught:
        work_through([task], parallel=dask.address, progress=False)
    assert "has no rdr_core (none here)" in str(caught.value)
    assert "has rdr_core 0.0, not " in str(caught.value)
    assert not task.done
    dask.worker()
    dask.until_joined(3)
    assert work_through([task], parallel=dask.address, progress=False).made_here == (task.name,)
    assert capfd.readouterr().err.count("so it is given nothing to do.") == 2


def test_the_dashboard_of_our_own_scheduler_is_told_and_answers(tmp_path, capfd, monkeypatch):
    """In the midst of the work, since it ends with it; without a bar nothing is told."""
    got = []
    ask = cluster._Work.round

    def round_(self, stop):
        link = re.findall(r"http://127\.0\.0\.1:\d+/status", capfd.readouterr().err)
        got.extend(urllib.request.urlopen(address).status for address in link)
        return ask(self, stop)

    monkeypatch.setattr(cluster._Work, "round", round_)
    for progress in (True, False):
        tasks = [Written(tmp_path / f"{name} {progress}") for name in "ab"]
        assert len(work_through(tasks, parallel=2, progress=progress).made_here) == 2
    assert got == [200]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "ftp://a:1", ":"])
def test_a_scheduler_that_cant_be_reached_is_named(address, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    with pytest.raises(RdrError, match=r"can't be reached .*dask scheduler"):
        work_through([Written(tmp_path / "a")], parallel=address, progress=False)


def test_what_several_runs_begin_with_is_a_task_of_its_own(tmp_path):
    drw = [Training(digits(method, epochs=10), tmp_path) for method in ("inverse+drw", "cb+drw", "rdr+drw")]
    stages = [Training(digits(method), tmp_path) for method in ("ce+crt", "ce+taunorm")]
    plain = [Training(digits(method), tmp_path) for method in ("rdr", "inverse")]
    assert beginnings_of([*drw, *stages, *plain]) == [
        Trunk(drw[0].config, tmp_path), replace(plain[0], config=digits("ce"))
    ]  # fmt: skip
    assert {task.after for task in drw} == {Trunk(drw[0].config, tmp_path).makes}
    first = Training(digits("ce"), tmp_path)
    assert beginnings_of([first, *stages]) == []  # it is among them
    assert {task.after for task in stages} == {first.makes}
    assert beginnings_of([drw[0], stages[0]]) == []  # nobody else wants theirs
