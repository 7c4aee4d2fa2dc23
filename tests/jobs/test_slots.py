"""What a worker's processes are: each has a place of its own, by which runs side by side take the GPUs by turns."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
import torch
from tasks import Written
from waiting import wait_for

from rdr_core.jobs import slots
from rdr_core.jobs.sweep import usual_parallel
from rdr_core.jobs.work import work_through
from rdr_core.runs.conditions import PLACE, pick_device


@dataclass(frozen=True)
class Placed(Written):
    """Which writes the place of its process, and waits until the other one has too."""

    def run(self, deadline: float) -> bool:
        self.path.parent.mkdir(exist_ok=True)
        mine = self.path.with_suffix(".place")
        mine.write_text(os.environ[PLACE])
        wait_for(lambda: len(list(self.path.parent.glob("*.place"))) == 2, "the other one")
        return super().run(deadline)


def test_runs_side_by_side_have_places_of_their_own(tmp_path):
    for round_ in ("a", "b"):  # in the second a process may be kept from the first, with its place
        tasks = [Placed(tmp_path / round_ / name) for name in "xy"]
        assert len(work_through(tasks, parallel=2, progress=False).made_here) == 2
        assert {path.read_text() for path in (tmp_path / round_).glob("*.place")} == {"0", "1"}


def test_a_place_that_is_free_again_is_taken_again(monkeypatch):
    at_work = {place: type("Child", (), {"place": place})() for place in (0, 2)}
    monkeypatch.setattr(slots, "_idle", [at_work[0]])
    monkeypatch.setattr(slots, "_at_work", {"a": {at_work[2]}})
    assert slots._free_place() == 1


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize(("place", "gpu"), [("0", 0), ("1", 1), ("2", 0), ("5", 1)])
def test_places_take_the_gpus_by_turns(place, gpu, two_gpus, monkeypatch):
    monkeypatch.setenv(PLACE, place)
    assert pick_device("auto") == pick_device("cuda") == torch.device("cuda", gpu)
    assert pick_device("cuda:0") == torch.device("cuda:0")  # what is asked for by its number is that
    assert pick_device("cpu") == torch.device("cpu")


def test_without_a_word_each_gpu_has_a_run(two_gpus):
    assert [usual_parallel(device) for device in ("auto", "cuda", "cuda:1")] == [2, 2, 1]
