"""Papers that packages offer: listed, planned and built beside the shipped ones, and told of where they can't be."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from installed import lay_package

from rdr_core.errors import RdrError
from rdr_viz.papers import commands
from rdr_viz.papers.build import build_papers
from rdr_viz.papers.folders import PAPERS, folder_of, paper, paper_names
from rdr_viz.papers.paper import load_paper
from rdr_viz.papers.shelf import Shelf
from rdr_viz.papers.tasks import choose

#: All of a package that brings a paper, beside the paper's files.
OFFERED = """
from pathlib import Path

from rdr_viz.papers.folders import paper

@paper("tiny")
def tiny():
    return Path(__file__).parent / "tiny"
"""


@pytest.fixture
def offered(papers_with_tiny, monkeypatch):
    """Install a package with the tiny paper's files, and such code."""
    monkeypatch.syspath_prepend(papers_with_tiny)

    def install(code: str = OFFERED) -> Path:
        lay_package(papers_with_tiny, "rdr_tiny", code, "rdr.papers")
        PAPERS.refresh()
        return papers_with_tiny

    yield install
    PAPERS.remove("tiny")
    sys.modules.pop("rdr_tiny", None)


def test_it_is_listed_after_the_shipped_ones_with_its_own_grid(offered):
    offered()
    assert paper_names() == ["rdr", "cdb", "tiny"]
    papers = [load_paper(name) for name in paper_names()]
    assert [(one.name, grid.name) for one, grid, _ in choose(papers, "tiny")] == [("tiny", "tiny")]
    assert load_paper("tiny").title == "A tiny paper"


def test_another_folder_of_papers_has_its_own_alone(offered):
    folder = offered()
    assert paper_names(folder) == ["tiny"]
    with pytest.raises(RdrError, match="no paper named 'tiny'"):
        load_paper("tiny", folder / "tiny")


def test_it_is_planned_unasked(offered, rdr, tmp_path, monkeypatch):
    offered()
    shown = {}
    monkeypatch.setattr("rdr_viz.papers.plan.show_plan", lambda papers, names, *_, **__: shown.update(names=names))
    assert rdr("paper", "plan", "--runs", str(tmp_path / "runs"))[0] == 0
    assert shown["names"] == "digits,fashion-authors,cifar,imagenet,tiny"


def test_its_plan_is_a_table(offered, rdr, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    offered()
    code, said, errors = rdr("paper", "plan", "--grid", "tiny", "--runs", str(tmp_path / "runs"))
    assert code == 0, errors
    assert "tiny (tiny): One epoch" in said


def test_its_tables_stand_in_the_page_and_all_of_it_in_one_of_its_own(offered, rdr, tmp_path, monkeypatch):
    offered()
    out = tmp_path / "out"
    monkeypatch.setattr(commands, "_papers", lambda: [load_paper("cdb"), load_paper("tiny")])
    code, said, errors = rdr("paper", "--out", str(out), "--runs", str(tmp_path / "runs"))
    assert code == 0, errors
    assert "Another paper: A tiny paper" in (out / "index.html").read_text()
    assert f"A tiny paper has a page of its own: {out / 'tiny' / 'index.html'}." in said
    assert "RDR beats CE." in (out / "tiny" / "index.html").read_text()


def test_tables_of_one_name_are_files_of_two(offered, tiny, tmp_path):
    offered()
    page = build_papers([tiny, load_paper("tiny")], tmp_path / "out", Shelf([]))
    assert {path.stem for path in (page.parent / "tables").iterdir()} == {"table1-paper", "tiny-table1-paper"}


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("1 / 0", r"ZeroDivisionError: division by zero"),
        (OFFERED.replace('"tiny")', '"cdb")', 1), r"RdrError: There is a paper named 'cdb' already"),
    ],
)
def test_a_package_that_fails_is_named_with_the_reason_and_left_out(code, why, offered, capfd):
    offered(code)
    assert paper_names() == ["rdr", "cdb"]
    errors = capfd.readouterr().err
    assert errors.startswith("rdr: The package rdr_tiny offers a paper in rdr_tiny, which can't be imported")
    assert re.search(why, errors)
    assert errors.endswith("so it is left out; fix or uninstall it.\n")


def test_a_folder_that_is_not_there_or_not_told_is_a_sentence(offered):
    offered(OFFERED.replace('/ "tiny"', '/ "gone"'))
    with pytest.raises(RdrError, match=r"gone.paper\.toml is missing; a paper's folder has"):
        load_paper("tiny")
    paper("nowhere")(lambda: None)
    try:
        with pytest.raises(RdrError, match="The paper 'nowhere' does not return its folder"):
            folder_of("nowhere")
    finally:
        PAPERS.remove("nowhere")
