"""Workers as jobs of Slurm, of which a stand-in runs each script as a process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tasks import Counted, digits
from typer.testing import CliRunner
from waiting import wait_for

from rdr_core.errors import RdrError
from rdr_core.jobs.slurm import TEMPLATE, Slurm, read_slurm
from rdr_core.jobs.work import work_through
from rdr_viz.cli import commands

SUPPORT = Path(__file__).resolve().parents[1] / "support"
SITE = Slurm(jobs=2, runs=2, memory="2GB", walltime="00:10:00", queue="short", directives=("--gres=gpu:0",),
             prologue=("echo begins >> began.txt",), interface="lo")  # fmt: skip

SBATCH = """#!/bin/sh
cp "$1" "$RDR_SITE/job-$$.sh"
cd "$RDR_SITE"
setsid sh "job-$$.sh" > "job-$$.txt" 2>&1 &
echo "Submitted batch job $!"
echo $! >> jobs
"""
SCANCEL = """#!/bin/sh
kill -- -"$1" 2>/dev/null || kill "$1" 2>/dev/null
echo "$1" >> "$RDR_SITE/cancelled"
"""


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A folder in which its jobs, scripts and what they said lie."""
    place = tmp_path / "site"
    (place / "bin").mkdir(parents=True)
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (place / "bin" / name).write_text(script)
        (place / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(place / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("RDR_SITE", str(place))
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT), prepend=os.pathsep)
    monkeypatch.setenv("RDR_CHECK_SHAPES", "0")
    return place


def jobs(site: Path, what: str) -> list[int]:
    return [int(line) for line in (site / what).read_text().split()] if (site / what).is_file() else []


def said(site: Path) -> str:
    return "\n".join(path.read_text() for path in site.glob("job-*.txt"))


@pytest.mark.slow
def test_jobs_do_the_runs_one_that_ends_is_replaced_and_all_are_taken_back(site, tmp_path):
    import threading

    tasks = [Counted(digits(seed=seed, epochs=20), tmp_path / "runs", "cpu") for seed in range(4)]

    def end_a_job() -> None:
        wait_for(lambda: any(task.began for task in tasks), "a run to begin", seen=lambda: said(site))
        os.killpg(jobs(site, "jobs")[0], signal.SIGKILL)

    ender = threading.Thread(target=end_a_job)
    ender.start()
    outcome = work_through(tasks, parallel=SITE, progress=False)
    ender.join()
    assert outcome.finished == tuple(task.name for task in tasks), said(site)
    started = jobs(site, "jobs")
    assert len(started) >= 2
    wait_for(lambda: set(jobs(site, "cancelled")) >= set(started[1:]), "the jobs to be taken back",
             seen=lambda: (started, jobs(site, "cancelled")))  # fmt: skip
    scripts = [path.read_text() for path in site.glob("job-*.sh")]
    assert all("#SBATCH -p short" in script and "#SBATCH --gres=gpu:0" in script for script in scripts)
    assert all("--nthreads 2" in script and "#SBATCH --cpus-per-task=2" in script for script in scripts)
    assert (site / "began.txt").read_text().split()[0] == "begins"


def test_a_sites_file_is_written_to_be_edited_and_its_job_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.toml").write_text('dataset = "digits"\nepochs = 1')
    words = ["sweep", "grid.toml", "--slurm", "site.toml", "--dry-run"]
    with pytest.raises(RdrError, match=r"site.toml was written just now: say in it what your site wants"):
        CliRunner().invoke(commands(), words, catch_exceptions=False)
    assert (tmp_path / "site.toml").read_text() == TEMPLATE
    (tmp_path / "site.toml").write_text(TEMPLATE.replace("# queue", "queue").replace("= []  ", '= ["--gres=gpu:1"]'))
    told = CliRunner().invoke(commands(), words, catch_exceptions=False).output
    for line in ("#SBATCH -p main", "#SBATCH -t 04:00:00", "#SBATCH --gres=gpu:1", "distributed.cli.dask_worker"):
        assert line in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEMPLATE.replace("jobs = 4", "jobs = 0"), "jobs is 0; it must be a whole number, 1 or larger"),
        (TEMPLATE.replace("runs = 8", 'runs = "8"'), "runs is '8'; it must be a whole number"),
        (TEMPLATE.replace('"16GB"', "16"), "memory is 16; it must be text"),
        (TEMPLATE.replace("prologue = []", 'prologue = "module load cuda"'), "it must be a list of lines"),
        (TEMPLATE.replace("jobs = 4", "job = 4"), "There is no setting of Slurm named 'job'; did you mean 'jobs'"),
        ("jobs = 1", "does not say runs, memory, walltime"),
        ("jobs = [", "it is no TOML"),
    ],
)
def test_what_is_wrong_in_a_sites_file_is_named(text, told, tmp_path):
    site = tmp_path / "site.toml"
    site.write_text(text)
    with pytest.raises(RdrError, match=told) as caught:
        read_slurm(site)
    assert str(site) in str(caught.value)


def test_what_slurm_cant_be_asked_for_is_a_sentence():
    with pytest.raises(RdrError, match=r"Workers can't be started on Slurm: .*nowhere"):
        Slurm(jobs=1, runs=1, memory="1GB", walltime="1", interface="nowhere").cluster()
    with pytest.raises(RdrError, match=r"Workers can't be started on Slurm"):
        Slurm(jobs=1, runs=1, memory="much", walltime="1").cluster()
