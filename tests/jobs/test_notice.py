"""A folder of runs tells who is at work in it: while they are, and of nobody else."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass

import pytest
from tasks import Written

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.files.whole import write_json
from rdr_core.jobs.notice import STALE, Notice, UnderWay, under_way
from rdr_core.jobs.sweep import make_runs
from rdr_core.jobs.work import work_through


@dataclass(frozen=True)
class Looking(Written):
    """Which writes down what the folder tells while it is made."""

    def run(self, deadline: float) -> bool:
        super().run(deadline)
        (self.path.parent / f"{self.name}.seen").write_text(json.dumps(under_way(self.path.parent)))
        return True


def seen(folder) -> list[UnderWay]:
    return [UnderWay(*one) for path in sorted(folder.glob("*.seen")) for one in json.loads(path.read_text())]


@pytest.mark.parametrize("parallel", [1, 2])
@pytest.mark.parametrize("progress", [True, False])
def test_work_is_told_of_while_it_goes_on(parallel, progress, tmp_path):
    tasks = [Looking(tmp_path / name) for name in "ab"]
    make_runs(tasks, tmp_path, "Sweep of grid.toml", parallel=parallel, progress=progress)
    assert len(seen(tmp_path)) == 2
    assert {(one.title, one.total) for one in seen(tmp_path)} == {("Sweep of grid.toml", 2)}
    assert under_way(tmp_path) == []
    assert not (tmp_path / ".under_way").exists()
    make_runs(tasks, tmp_path, "Sweep of grid.toml", parallel=1, progress=False)  # nothing is left to be told
    assert not (tmp_path / ".under_way").exists()


def test_a_sweep_of_a_notebook_is_told_of_by_the_number_of_its_runs(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(Notice, "put", lambda self, shares, left: told.append((self.title, len(shares))))
    grid = {"dataset": "digits", "imbalance_factor": 50, "method": ["ce", "rdr"], "epochs": 1}
    rdr_core.sweep(grid, runs=tmp_path, parallel=1, device="cpu", progress=False)
    assert told[0] == ("Sweep of 2 runs", 2)


def test_several_works_have_a_notice_each_and_the_same_work_one(tmp_path):
    one, same, other = (Notice(tmp_path, "Sweep", names) for names in (("a",), ("a",), ("b",)))
    one.put([0.5], None)
    other.put([0.0], 10)
    same.put([1.0], 3.5)
    assert sorted((found.share, found.seconds_left) for found in under_way(tmp_path)) == [(0.0, 10), (1.0, 3.5)]
    one.take_down()
    assert [found.share for found in under_way(tmp_path)] == [0.0]
    same.take_down()  # which the other has done already
    other.take_down()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_passed_over(tmp_path):
    Notice(tmp_path, "Sweep", ()).put([0.5], None)
    (path,) = (tmp_path / ".under_way").iterdir()
    old = path.stat().st_mtime - STALE - 1
    os.utime(path, (old, old))
    assert under_way(tmp_path) == []


@pytest.mark.parametrize(
    "changed",
    [{"title": 3}, {"share": "much"}, {"share": math.nan}, {"total": None}, {"seconds_left": math.inf}, {"done": 1.5}],
)
def test_what_is_no_notice_is_passed_over(changed, tmp_path):
    Notice(tmp_path, "Sweep", ()).put([0.5], 1.0)
    (path,) = (tmp_path / ".under_way").iterdir()
    good = json.loads(path.read_text())
    write_json(path, good)
    assert len(under_way(tmp_path)) == 1
    path.write_text(json.dumps({name: value for name, value in (good | changed).items() if name != "file_checksum"}))
    assert under_way(tmp_path) == []


def test_a_folder_that_leads_elsewhere_is_not_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".under_way").symlink_to(tmp_path / "elsewhere")
    Notice(tmp_path / "runs", "Sweep", ()).put([0.5], None)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    with pytest.raises(RdrError):
        _ = Notice(tmp_path / "runs", "Sweep", ())._path


def test_a_folder_that_cant_be_written_is_no_reason_to_stop(tmp_path):
    (tmp_path / "runs").write_text("a file")
    notice = Notice(tmp_path / "runs", "Sweep", ("a",))
    outcome = work_through([Written(tmp_path / "a")], progress=False, notice=notice)
    assert outcome.made_here == ("a",)
