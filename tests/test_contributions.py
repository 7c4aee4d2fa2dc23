"""A contributor's seven files (tests/contributed), installed as a package: all seven are everywhere, untold.

A loss, class weights, a data set, a measure, an analysis, a display and a paper with its own grid, none over 30 lines.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from awaited import awaited
from installed import CONTRIBUTED, contributed

from rdr_core.data.datasets import DATASETS
from rdr_core.methods.parts import PARTS
from rdr_core.runs import list_runs
from rdr_viz import make_display
from rdr_viz.analysis.catalogue import ANALYSES, analyse
from rdr_viz.analysis.measures.measure import MEASURES
from rdr_viz.displays.base import DISPLAYS
from rdr_viz.explorer import Explorer
from rdr_viz.explorer.drawn import drawn
from rdr_viz.pages.report import write_report
from rdr_viz.papers import Shelf, load_paper
from rdr_viz.papers.build import build_papers
from rdr_viz.papers.folders import PAPERS

#: Of each file: the group of its entry point, its registry, and what it registers there.
SEVEN = {
    "loss": ("rdr.parts", PARTS, "temper"),
    "weighting": ("rdr.parts", PARTS, "loggy"),
    "data_set": ("rdr.datasets", DATASETS, "corners"),
    "number": ("rdr.measures", MEASURES, "worst_class"),
    "table": ("rdr.analyses", ANALYSES, "biases"),
    "picture": ("rdr.displays", DISPLAYS, "last-loss"),
    "paper": ("rdr.papers", PAPERS, "corners"),
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package, laid where Python finds it, as pip would; forgotten afterwards."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(CONTRIBUTED, folder / "contributed")
    facts = folder / "contributed-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: contributed\nVersion: 1.0\n")
    points: dict[str, str] = {}
    for file, (group, _, _) in SEVEN.items():
        points[group] = points.get(group, f"[{group}]\n") + f"{file} = contributed.{file}\n"
    (facts / "entry_points.txt").write_text("\n".join(points.values()))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        for _, registry, _ in SEVEN.values():
            registry.refresh()
        yield
    for _, registry, name in SEVEN.values():
        registry.remove(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "contributed"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def trained(installed, tmp_path_factory) -> Path:
    """A folder with the paper's runs, trained as its grid says."""
    from rdr_core.runs.requests import train_config
    from rdr_viz.papers.wanted import wanted

    runs, paper = tmp_path_factory.mktemp("runs"), load_paper("corners")
    for run in wanted(paper, paper.grids["corners"]):
        train_config(run.config, runs=runs, device="cpu", progress=False)
    return runs


@pytest.mark.parametrize("file", SEVEN)
def test_each_is_one_file_of_at_most_thirty_lines(file):
    assert len(contributed(file).splitlines()) <= 30


def test_the_commands_list_all_seven(installed, rdr, tmp_path):
    for command, words in {
        ("methods",): ["temper", "loggy"],
        ("datasets",): ["corners", "squares with a light corner"],
        ("measures",): ["worst_class", "accuracy on the worst class"],
        ("analyse", "--help"): ["biases"],
        ("kinds",): ["last-loss", "Which method fits its training images best?"],
        ("paper", "plan", "--grid", "corners", "--runs", str(tmp_path)): ["corners (corners): Two epochs"],
    }.items():
        code, said, errors = rdr(*command)
        assert code == 0, errors
        for word in words:
            assert word in " ".join(said.split()), (command, said)


def test_a_command_trains_with_four_of_them(installed, rdr, tmp_path):
    method = "loggy+temper:t=4"
    code, said, errors = rdr("train", "corners", "-i", "20", "-m", method, "--runs", str(tmp_path / "runs"))
    assert code == 0, errors
    (run,) = list_runs(tmp_path / "runs")
    assert (run.config.method, run.config.epochs, run.class_names) == (method, 2, ("NW", "NE", "SW", "SE"))
    code, said, errors = rdr("analyse", str(run.path), "--what", "biases")
    assert code == 0, errors
    assert "biases, 4 rows" in said
    assert analyse(run, "biases")["class"].tolist() == [0, 1, 2, 3]


def test_the_gallery_and_the_explorer_have_them(trained, tmp_path):
    runs = list_runs(trained)
    page = write_report(runs, tmp_path, kinds=["last-loss"]).read_text(encoding="utf-8")
    assert "Which method fits its training images best?" in page
    explorer = Explorer(trained)
    head = json.loads(explorer.head)
    assert "corners" in {one["name"].partition(",")[0] for one in head["sets"]}
    assert {"temper", "loggy+temper"} <= set(head["styles"])
    assert "last-loss" in head["views"]
    found = awaited(drawn("last-loss", runs, "light"))
    assert found["finding"] == make_display("last-loss", runs).finding


def test_the_paper_has_a_page_with_its_table_figure_and_claim(trained, tmp_path):
    page = build_papers([load_paper("corners")], tmp_path, Shelf([trained]))
    text = page.read_text(encoding="utf-8")
    for words in ("Corners", "Weights by the logarithm help the worst class.", "The worst class, and all of them."):
        assert words in text
    assert list((page.parent / "tables").glob("table1-*.csv"))
    assert [path.suffix for path in (page.parent / "figures").glob("figure1*") if path.suffix == ".svg"]
