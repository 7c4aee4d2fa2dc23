"""Pictures drawn in other processes are those drawn here, and what stops one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up_runs import make_run
from tqdm.auto import tqdm

from rdr_core.errors import RdrError
from rdr_viz.displays.kinds import make_display
from rdr_viz.pages import Section
from rdr_viz.papers.drawing import Drawing


def drawn(drawing: Drawing, folder: Path) -> tuple[dict[str, bytes], Section]:
    runs = [make_run("ce"), make_run("rdr")]
    first = drawing.section(make_display("accuracy", runs), folder / "accuracy")
    drawing.step([first])
    drawing.step([drawing.save(make_display("weights", runs[1:]), folder / "weights")])
    drawing.finish()
    return {path.name: path.read_bytes() for path in folder.iterdir()}, first.result()


@pytest.mark.slow
def test_the_files_are_the_same_whoever_draws_and_what_stops_one_is_told(tmp_path):
    """In one test, since to start two processes takes most of it."""
    with tqdm(total=2, disable=True) as bar, Drawing(bar, 2) as drawing:
        files, section = drawn(drawing, tmp_path / "two")
        assert len(files) == 8
        with pytest.raises(RdrError, match=r"can.t be written"):
            draw_into_a_file(drawing, tmp_path)
    with tqdm(total=2, disable=True) as bar, Drawing(bar, 1) as drawing:
        assert (files, section) == drawn(drawing, tmp_path / "here")


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


def draw_into_a_file(drawing: Drawing, folder: Path) -> None:
    (folder / "file").write_text("")
    drawing.step([drawing.save(make_display("weights", [make_run("rdr")]), folder / "file" / "weights")])
    drawing.finish()


def test_what_stops_a_picture_is_told(tmp_path):
    with tqdm(disable=True) as bar, Drawing(bar, 1) as drawing, pytest.raises(RdrError, match=r"can.t be written"):
        draw_into_a_file(drawing, tmp_path)
