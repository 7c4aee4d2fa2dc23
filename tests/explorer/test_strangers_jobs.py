"""Jobs that come with somebody else's folder of runs: never done elsewhere, and nothing they hold stops a page."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tasks import digits
from tried import tried
from waiting import run as run_process

from rdr_core.errors import RdrError
from rdr_viz.explorer.jobs import Jobs
from rdr_viz.explorer.widget import Explorer
from rdr_viz.explorer.worker import main as work

CONFIG = digits("ce").to_dict()


def plant(folder: Path, request: object, id: str = "0123456789", **files: object) -> Path:
    """A job in a folder of runs, as a stranger would write it."""
    place = folder / ".jobs" / id
    place.mkdir(parents=True, exist_ok=True)
    (place / "request.json").write_text(json.dumps(request))
    for name, content in files.items():
        (place / f"{name}.json").write_text(json.dumps(content))
    return place


def asks(runs: object, what: object = "", config: object = CONFIG) -> dict[str, object]:
    return {"title": "CE on digits", "tasks": [{"config": config, "runs": runs, "what": what}]}


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("what", ["", "groups", "../../theirs/x"])
def test_a_request_that_names_another_folder_is_never_done(tmp_path, what, monkeypatch):
    monkeypatch.setattr("os.nice", lambda _: 0)  # this process would stay a slow one
    mine, runs = tmp_path / "mine", tmp_path / "runs"
    mine.mkdir()
    place = plant(runs, asks(str(mine), what))
    assert Jobs(runs).all() == []
    with pytest.raises(RdrError, match="There is no job"):
        Jobs(runs).find(place.name)
    work(place)
    assert listing(mine) == set()
    told = json.loads((place / "outcome.json").read_text())
    assert told["state"] == "failed"
    assert "another folder of runs" in told["error"]


def test_a_training_goes_to_its_own_folder_even_where_others_are_open(tmp_path):
    """The page was opened on both folders, and the stranger knows their names."""
    mine, runs = tmp_path / "mine", tmp_path / "runs"
    plant(runs, asks(str(mine)))
    assert Jobs(runs, [mine]).all() == []
    plant(runs, asks(str(mine), "groups"))  # the explorer's own, of a run in the second folder
    assert len(Jobs(runs, [mine]).all()) == 1
    assert Jobs(runs).all() == []
    plant(runs, asks(str(runs)))
    assert len(Jobs(runs).all()) == 1


def test_the_same_folder_under_another_path_is_the_same(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "link").symlink_to("runs")
    plant(tmp_path / "runs", asks(str(tmp_path / "runs")))
    assert len(Jobs(tmp_path / "link").all()) == 1


@pytest.mark.parametrize("name", [".jobs", ".jobs/0123456789"])
def test_what_jobs_write_goes_through_no_link(tmp_path, name):
    theirs, runs = tmp_path / "theirs", tmp_path / "runs"
    plant(theirs, asks(str(runs)))
    (runs / name).parent.mkdir(parents=True)
    (runs / name).symlink_to(theirs / name)
    assert Jobs(runs).all() == []
    if name == ".jobs":
        with pytest.raises(RdrError, match="in which it must stay"):
            Jobs(runs).train([digits("ce")])
    assert listing(theirs) == {".jobs", ".jobs/0123456789", ".jobs/0123456789/request.json"}


@pytest.mark.parametrize("name", ["log.txt", ".lock"])
def test_nobodys_file_is_emptied_by_a_link_in_a_jobs_folder(tmp_path, name):
    notes = tmp_path / "notes"
    notes.write_text("mine")
    jobs = Jobs(tmp_path / "runs")
    place = tmp_path / "runs" / ".jobs" / jobs._job({"title": "CE on digits, IF 20, seed 0", "tasks": [
        {"config": CONFIG, "runs": str(tmp_path / "runs"), "what": ""}]}).id  # fmt: skip
    place.mkdir(parents=True)
    (place / name).symlink_to(notes)
    with pytest.raises(RdrError, match="in which it must stay"):
        jobs.train([digits("ce")])
    assert notes.read_text() == "mine"


def test_no_other_process_is_asked_to_stop(tmp_path):
    """A process' id in a file is believed only where its command line names the job."""
    for pid in (os.getpid(), -1, 0, 2**70, "1", None, True):
        plant(tmp_path, asks(str(tmp_path)), process={"pid": pid, "asked_to_stop": False})
        (job,) = Jobs(tmp_path).all()
        assert job.state == "stopped"
        job.stop()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["title", "tasks", "measure", "config", "runs", "what", "pid", "state", "error", "dataset"]),
        inner, max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=json_values, process=json_values, outcome=json_values, task=json_values, config=json_values)
def test_whatever_a_jobs_files_hold_a_page_lists_jobs_and_says_why(tmp_path, request, process, outcome, task, config):
    values = config if isinstance(config, dict) else {"method": config}
    requests = (
        request,
        {"title": "A", "tasks": [task]},
        {"title": "A", "tasks": [{"config": CONFIG | values, "runs": str(tmp_path), "what": ""}]},
        {"title": "A", "measure": [config]},
    )
    for number, one in enumerate(requests):
        plant(tmp_path, one, f"{number:010d}", process=process, outcome=outcome)
    for job in Jobs(tmp_path).all():
        assert job.state in ("running", "stopped", "failed", "done")
        assert isinstance(job.error, str)
        assert 0 <= job.share <= 1
        assert isinstance(job.title, str)
        assert len(job.curves()) == 0
    tried("Hostile input", "files of jobs", 6)


@pytest.mark.slow
def test_a_page_opens_beside_strangers_jobs(tmp_path):
    for number, request in enumerate(([], {}, None, 5, "x", {"tasks": {}}, asks("/"), asks(None), asks(str(tmp_path)))):
        plant(tmp_path, request, f"{number:010d}")
    (tmp_path / ".jobs" / "file").write_text("")
    page = Explorer(tmp_path)
    assert [job["title"] for job in json.loads(page.jobs)] == ["CE on digits"]


@pytest.mark.slow
def test_a_file_beside_the_runs_is_imported_by_no_process_that_is_started(tmp_path):
    """Named as packages that a worker, a pool and a drawing process import, each would leave a trace."""
    for name in ("torch", "numpy", "multiprocessing", "filelock", "rdr_core", "matplotlib", "json", "psutil"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'a').write({name!r})\n")
    script = tmp_path / "scripts" / "script.py"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    environment = os.environ | {"RDR_CHECK_SHAPES": "0", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = run_process([sys.executable, script], cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["done", "2", "drawn"], done.stderr
    assert not (tmp_path / "trace").exists()


SCRIPT = """
from pathlib import Path
from tqdm.auto import tqdm
from rdr_core.jobs.work import work_through
from rdr_core.jobs.task import Training
from rdr_core.runs import RunConfig
from rdr_viz.explorer.job_process import STARTED
from rdr_viz.explorer.jobs import Jobs
from rdr_viz.papers.drawing import Drawing

if __name__ == "__main__":
    config = RunConfig(dataset="digits", imbalance_factor=20, method="ce", epochs=1, model="small", batch_size=64,
                       learning_rate=0.1)
    job = Jobs("runs").train([config])
    STARTED[-1].wait()
    print(job.state if job.state == "done" else (job.error, (job.path / "log.txt").read_text()))
    tasks = [Training(config.with_seed(seed), Path("runs"), "cpu") for seed in (1, 2)]
    print(len(work_through(tasks, parallel=2, progress=False).made_here))
    with tqdm(total=1, disable=True) as bar, Drawing(bar, processes=2) as drawing:
        drawing.step([])
        drawing.finish()
    print("drawn")
"""
