"""Pictures drawn in other processes are those drawn here, and what stops one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_runs import make_run
from tqdm.auto import tqdm

from rdr_viz.kinds import make_display
from rdr_viz.page import Section
from rdr_viz.papers.drawing import Drawing


def drawn(folder: Path, processes: int) -> tuple[dict[str, bytes], Section]:
    runs = [make_run("ce"), make_run("rdr")]
    with tqdm(total=2, disable=True) as bar, Drawing(bar, processes) as drawing:
        first = drawing.section(make_display("accuracy", runs), folder / "accuracy")
        drawing.step([first])
        drawing.step([drawing.save(make_display("weights", runs[1:]), folder / "weights")])
        drawing.finish()
    return {path.name: path.read_bytes() for path in folder.iterdir()}, first.result()


@pytest.mark.slow
def test_the_files_are_the_same_whoever_draws(tmp_path):
    files, section = drawn(tmp_path / "two", 2)
    assert (files, section) == drawn(tmp_path / "here", 1)
    assert len(files) == 8


def test_every_step_is_told_once(tmp_path):
    told = []

    class Bar:
        def update(self, steps: int) -> None:
            told.append(steps)

    with Drawing(Bar(), 1) as drawing:
        for name in ("a", "b"):
            drawing.step([drawing.save(make_display("weights", [make_run("rdr")]), tmp_path / name)])
        drawing.step([])
        drawing.finish()
    assert sum(told) == 3


def draw_into_a_file(processes: int, folder: Path) -> None:
    (folder / "file").write_text("")
    with tqdm(disable=True) as bar, Drawing(bar, processes) as drawing:
        drawing.step([drawing.save(make_display("weights", [make_run("rdr")]), folder / "file" / "weights")])
        drawing.finish()


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_stops_a_picture_is_told(processes, tmp_path):
    with pytest.raises(OSError, match="file"):
        draw_into_a_file(processes, tmp_path)
