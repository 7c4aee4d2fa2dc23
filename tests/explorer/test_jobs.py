"""Jobs are processes of their own: they outlive who asked, are found again, stop, and go on to the same bits."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from held import held
from tasks import digits
from waiting import ended as process_ended
from waiting import run, wait_for

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.files.whole import read_json
from rdr_core.jobs.space import bytes_of
from rdr_core.runs import Run
from rdr_core.runs.folder import RunFolder
from rdr_viz.explorer.alike import Estimate
from rdr_viz.explorer.job_process import STARTED
from rdr_viz.explorer.jobs import Jobs
from rdr_viz.explorer.worker import _measure

#: Some seconds of training: long enough to be stopped in the middle.
LONG = digits("rdr", epochs=25)


@pytest.fixture(autouse=True)
def _other_processes_check_no_shapes(monkeypatch):
    monkeypatch.setenv("RDR_CHECK_SHAPES", "0")


@pytest.fixture
def jobs(tmp_path):
    jobs = Jobs(tmp_path / "runs")
    yield jobs
    for job in jobs.running():
        os.kill(pid_of(job), signal.SIGKILL)
        ended(job)
    for process in STARTED:  # they have told how they ended, and are about to
        process_ended(process)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    """A finished run of two epochs."""
    return rdr_core.runs.requests.train_config(digits(), runs=tmp_path_factory.mktemp("trained"), progress=False)


def until(job, condition: Callable[[], object], what: str) -> None:
    """Wait for something of a job; where it never comes, how the job is and what it printed is told."""

    def seen() -> str:
        return f"{job.state}, {job.share:.2f} done, {job.error!r}\n{(job.path / 'log.txt').read_text()}"

    wait_for(condition, what, seen=seen)


def ended(job) -> str:
    until(job, lambda: job.state != "running", "the job to end")
    return job.state


def pid_of(job) -> int:
    return json.loads((job.path / "process.json").read_text())["pid"]


@pytest.mark.slow
def test_a_training_is_stopped_found_again_and_resumed_to_the_same_bits(jobs, tmp_path):
    job = jobs.train([LONG])
    assert (job.title, job.state, job.error) == ("RDR on digits, IF 20, seed 0", "running", "")
    until(job, lambda: job.share > 0, "its first epoch")
    with held(pid_of(job)):
        assert 0 < job.share < 1
        assert job.seconds_left > 0
        assert list(job.curves().epoch) == list(range(1, len(job.curves()) + 1))
        again = Jobs(tmp_path / "runs")  # another page
        assert [found.id for found in again.running()] == [job.id]
        assert again.under_way() == {(LONG.name, "")}
        again.find(job.id).stop()
    assert ended(job) == "stopped"
    assert job.error == ""
    assert jobs.running() == []
    assert jobs.under_way() == set()
    stopped_at = job.share
    assert 0 < stopped_at < 1
    (waiting,) = Jobs(tmp_path / "runs").all()
    assert waiting.state == "stopped"
    waiting.resume()
    assert ended(job) == "done"
    assert (job.share, job.seconds_left, job.error) == (1.0, None, "")
    whole = rdr_core.runs.requests.train_config(LONG, runs=tmp_path / "whole", progress=False)
    pd.testing.assert_frame_equal(
        job.curves().drop(columns="seconds"), whole.history.drop(columns="seconds"), check_exact=True
    )
    made = Run.open(jobs.folder / LONG.name)
    pd.testing.assert_frame_equal(made.classes, whole.classes, check_exact=True)


#: Asks for a job, says which, and ends; like a kernel that is shut down, its whole process group is ended with it.
KERNEL = """
import os, sys, signal
from rdr_core.runs import RunConfig
from rdr_viz.explorer.jobs import Jobs
job = Jobs(sys.argv[1]).train([RunConfig.from_dict(eval(sys.argv[2]))])
print(job.id, flush=True)
os.killpg(os.getpgid(0), signal.SIGINT)
os.killpg(os.getpgid(0), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_job_outlives_the_kernel_that_started_it_and_goes_on_if_it_is_killed_itself(jobs):
    command = [sys.executable, "-c", KERNEL, jobs.folder, repr(LONG.to_dict())]
    kernel = run(command, start_new_session=True, stderr=subprocess.DEVNULL)
    assert kernel.returncode < 0  # a signal ended it
    job = jobs.find(kernel.stdout.strip())
    assert job.state == "running"
    until(job, lambda: job.share > 0, "its first epoch")
    os.kill(pid_of(job), signal.SIGKILL)
    assert ended(job) == "stopped"
    assert "killed" in job.error
    job.resume()
    assert job.error == ""
    assert ended(job) == "done"


def test_a_number_that_another_process_got_is_not_taken_for_the_job(jobs):
    job = jobs.train([LONG])
    job.stop()
    job.stop()  # a second signal would kill what the first asks to save
    assert ended(job) == "stopped"
    (job.path / "outcome.json").unlink(missing_ok=True)
    (job.path / "process.json").write_text(json.dumps({"pid": os.getpid(), "asked_to_stop": False}))
    assert job.state == "stopped"
    job.stop()  # and this process goes on


def test_asked_twice_it_is_one_job_and_one_process(jobs):
    first = jobs.train([LONG])
    pid = pid_of(first)
    second = jobs.train([LONG])
    second.resume()
    assert (second.id, pid_of(second)) == (first.id, pid)
    other = jobs.train([replace(LONG, seed=1)])
    assert other.id != first.id
    assert [job.id for job in jobs.all()] == [other.id, first.id]


@pytest.mark.slow
def test_several_runs_are_one_job_whose_share_counts_them_alike(jobs):
    job = jobs.train([digits(), digits("la", epochs=20), digits("la", epochs=15, seed=1)])
    assert job.title == "3 runs of RDR, LA on digits, IF 20"
    shares = []
    until(job, lambda: shares.append(job.share) or job.state != "running", "the job to end")
    assert job.state == "done"
    assert shares == sorted(shares)
    assert any(1 / 3 < share < 2 / 3 for share in shares)  # between the first and the second run's end
    assert all((jobs.folder / config.name / "done.json").is_file() for config in job.configs)


@pytest.mark.slow
def test_what_goes_wrong_is_a_sentence(jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("RDR_DATA", str(tmp_path / "empty"))
    missing = jobs.train([replace(digits(), dataset="places-lt", imbalance_factor=None, profile=None)])
    unknown = jobs.train([replace(digits(), method="nothing")])
    with RunFolder(jobs.folder / digits(seed=3).name).locked():
        busy = jobs.train([digits(seed=3)])
        assert [ended(job) for job in (missing, unknown, busy)] == ["failed"] * 3
    assert "places-lt" in missing.error.lower()
    assert "'nothing'" in unknown.error
    assert digits(seed=3).name in busy.error
    for job in (missing, unknown, busy):
        assert "Traceback" not in job.error + (job.path / "log.txt").read_text()
        assert "\n" not in job.error
    busy.resume()
    assert ended(busy) == "done"


@pytest.mark.slow
def test_a_breakdown_is_told_in_a_sentence_that_names_the_log(jobs):
    job = jobs.train([digits()])
    ended(job)
    shutil.rmtree(jobs.folder / digits().name)
    (jobs.folder / digits().name).write_text("no folder")
    job.resume()
    assert ended(job) == "failed"
    assert "\n" not in job.error


@pytest.mark.slow
def test_an_analysis_is_stored_beside_its_run(jobs, trained):
    shutil.copytree(trained.path, jobs.folder / trained.name)
    run = Run.open(jobs.folder / trained.name)
    job = jobs.analyse(run, "groups")
    assert job.title == "Groups of RDR on digits, IF 20, seed 0"
    assert job.seconds_left is None
    assert ended(job) == "done"
    assert list((run.path / "analysis").glob("predictions-*.csv"))


@pytest.mark.slow
def test_a_long_analysis_tells_how_far_it_is_and_goes_on_where_it_was_stopped(jobs, trained):
    shutil.copytree(trained.path, jobs.folder / trained.name)
    job = jobs.analyse(Run.open(jobs.folder / trained.name), "curvature")
    shares = []
    until(job, lambda: shares.append(job.share) or ((job.seconds_left or 0) > 0 and job.share > 0.1), "a tenth of it")
    job.stop()
    assert ended(job) == "stopped"
    stopped_at = job.share
    assert 0.1 < stopped_at < 1
    assert job.seconds_left is None
    job.resume()
    until(job, lambda: shares.append(job.share) or job.share > stopped_at + 0.1, "another tenth")
    assert shares == sorted(shares)  # nothing was lost
    assert len(set(shares)) > 4
    job.stop()
    assert ended(job) == "stopped"


@pytest.mark.slow
def test_a_run_shipped_without_weights_is_trained_again_before_it_is_analysed(jobs, trained, tmp_path):
    shipped = tmp_path / "shipped" / trained.name
    shutil.copytree(trained.path, shipped)
    (shipped / "model.safetensors").unlink()
    job = jobs.analyse(Run.open(shipped), "groups")
    assert job.configs == [trained.config]
    assert ended(job) == "done"
    assert list((jobs.folder / trained.name / "analysis").glob("predictions-*.csv"))
    assert not (shipped / "analysis").exists()


def with_seconds(run: Run, folder, seconds: float, **changed) -> None:
    """A copy of the run, of another configuration, whose epochs took that long."""
    config = replace(run.config, **changed)
    place = folder / config.name
    shutil.copytree(run.path, place)
    (place / "config.json").write_text(json.dumps({"format": 1, "config": config.to_dict()}))
    run.history.assign(seconds=seconds).to_csv(place / "history.csv", index=False)


def test_time_is_told_by_the_nearest_run_that_is_alike(jobs, trained):
    with_seconds(trained, jobs.folder, 3.0, imbalance_factor=10)
    with_seconds(trained, jobs.folder, 2.0, imbalance_factor=40)
    with_seconds(trained, jobs.folder, 90.0, batch_size=32)
    with_seconds(trained, jobs.folder, 70.0, method="rdr+sam")
    wanted = [digits("rdr:gamma=0.5", imbalance_factor=50, epochs=30), digits(imbalance_factor=2, epochs=5, seed=7)]
    assert jobs.estimate(wanted) == Estimate(30 * 2.0 + 5 * 3.0, measuring=False)
    assert jobs.all() == []  # nothing had to be measured


def test_disk_is_told_by_the_nearest_run_that_is_alike_and_as_long(jobs, trained):
    with_seconds(trained, jobs.folder, 3.0, imbalance_factor=10)
    with_seconds(trained, jobs.folder, 3.0, imbalance_factor=40, epochs=2 * trained.epochs)  # longer
    found = jobs.folder / replace(trained.config, imbalance_factor=10).name
    (found / "analysis").mkdir()
    (found / "analysis" / "large.csv").write_text("what is computed later is not what training writes" * 1000)
    wanted = [digits(imbalance_factor=39, epochs=trained.epochs, seed=seed) for seed in (8, 9)]
    one = sum(path.stat().st_size for path in found.iterdir() if path.is_file())
    assert jobs.estimate(wanted).bytes == 2 * one
    assert one > 10_000


@pytest.mark.slow
def test_time_is_measured_where_no_run_is_alike(jobs):
    config, other = digits("ce+sam", epochs=40), digits("ce+sam", epochs=400)
    assert jobs.estimate([config]) == Estimate(None, measuring=True)
    assert jobs.estimate([other]) == Estimate(None, measuring=True)
    assert len(list(jobs.folder.glob(".jobs/*"))) == 1  # measured one after the other
    assert jobs.all() == []  # it is no training
    for asked in ([config], [other]):
        wait_for(lambda asked=asked: not jobs.estimate(asked).measuring, f"the time of {asked}")
    told = {read_json(place)["seconds"] for place in jobs.folder.glob(".jobs/*/outcome.json")}
    assert len(told) == 2  # by two processes; how near it is, is for the benchmarks to say
    assert {jobs.estimate([config]).seconds, jobs.estimate([other]).seconds} == told
    assert min(told) > 0
    assert jobs.estimate([config]).bytes == bytes_of([config])[config] > 10_000
    assert not (jobs.folder / config.name).exists()


def test_what_is_measured_is_that_of_all_runs_where_each_is_known(jobs, monkeypatch):
    asked = []

    def made_up(configs, *, runs):
        asked.append(runs)
        return {config: None if config.dataset == "places-lt" else 0.5 * config.epochs for config in configs}

    monkeypatch.setattr("rdr_core.jobs.cost.seconds_of", made_up)
    known, unknown = [digits(epochs=4), digits("la", epochs=40)], digits(dataset="places-lt")
    place = jobs.folder / ".jobs" / "1"
    assert _measure([config.to_dict() for config in known], place)["seconds"] == 22.0
    assert _measure([config.to_dict() for config in (*known, unknown)], place)["seconds"] is None
    assert asked == [jobs.folder] * 2  # what is finished there costs nothing


def test_an_unknown_job_is_a_sentence(jobs):
    with pytest.raises(RdrError, match="There is no job 'nothing'"):
        jobs.find("nothing")


def test_asking_imports_no_torch(trained):
    code = """
import sys, tempfile
import rdr_viz.explorer.jobs
from rdr_core.runs import Run
from rdr_viz.explorer.jobs import Jobs
with tempfile.TemporaryDirectory() as folder:
    jobs = Jobs(folder)
    jobs.all()
    rdr_viz.explorer.job_tasks.how_far(Run.open(sys.argv[1]), "curvature")
print(*{"torch", "matplotlib"} & set(sys.modules))
"""
    done = run([sys.executable, "-c", code, trained.path])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
