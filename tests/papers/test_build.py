"""From runs to everything of a paper: what is there is shown, what is missing says what makes it, and nothing moves."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.jobs import work
from rdr_core.jobs.work import work_through
from rdr_core.training import interrupt
from rdr_viz.papers.build import build_papers
from rdr_viz.papers.cells import compared_cells
from rdr_viz.papers.figures import draw_figure
from rdr_viz.papers.results import BEGIN, END, results, write_results
from rdr_viz.papers.shelf import Shelf
from rdr_viz.papers.tasks import Analysing, budget_seconds, choose, missing, tasks_of


@pytest.fixture(scope="module")
def runs(tiny, tmp_path_factory) -> Path:
    """All of the tiny paper's runs."""
    folder = tmp_path_factory.mktemp("runs")
    for task in tasks_of(missing(choose([tiny], "tiny"), Shelf([folder])), Shelf([folder]), folder, device="cpu"):
        task.run(float("inf"))
    return folder


@pytest.fixture(scope="module")
def built(tiny, runs, tmp_path_factory) -> Path:
    """The page of all of them."""
    return build_papers([tiny], tmp_path_factory.mktemp("built"), Shelf([runs]), runs=runs)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_paper_is_built_from_its_runs(built, runs):
    html, folder = built.read_text(), built.parent
    assert "A tiny paper" in html
    written = set(digests(folder))
    for stem in ("tables/table1-paper", "figures/figure1-tiny"):
        assert {f"{stem}.{kind}" for kind in ("pdf", "svg", "png", "csv")} <= written
    cells = pd.read_csv(folder / "tables" / "table1-paper.csv")
    assert cells["seeds"].tolist() == [2, 2, 2]
    found = [rdr_core.Run.open(path).metrics["top1"] for path in sorted(runs.iterdir()) if "-ce-" in path.name]
    assert cells["ours"][0] == pytest.approx(sum(found) / 2)
    assert cells["difference"][0] == pytest.approx(sum(found) / 2 - 70.0)
    claims = pd.read_csv(folder / "claims.csv")
    assert claims["seeds"].tolist() == [2]
    assert claims["paper"].tolist() == [5.0]


def test_pictures_at_the_papers_scale_name_their_data(tiny, runs):
    [drawn] = draw_figure(tiny.figures[0], tiny, tiny.grids["tiny"], Shelf([runs]))
    assert drawn.setting == "Toy-LT, IF 20"
    assert draw_figure(tiny.figures[0], tiny, tiny.grids["tiny"], Shelf([])) == [None]


def test_building_twice_gives_identical_files(tiny, runs, built, tmp_path):
    build_papers([tiny], tmp_path, Shelf([runs]), runs=runs)
    assert digests(tmp_path) == digests(built.parent)


def test_a_run_taken_away_leaves_the_command_that_fills_its_cell(tiny, runs, tmp_path, rdr):
    some = tmp_path / "runs"
    for path in runs.iterdir():
        if "-rdr-" not in path.name:
            shutil.copytree(path, some / path.name)
    page = build_papers([tiny], tmp_path / "out", Shelf([some]), runs=some)
    cells = compared_cells(tiny, "1", tiny.grids["tiny"], Shelf([some]), some)
    command = cells.loc[cells["method"] == "rdr", "command"].item()
    assert command == f"rdr train digits -i 20 -m rdr --epochs 1 --runs {some}"
    assert command in page.read_text()

    program, *arguments = shlex.split(command)
    assert program == "rdr"
    code, _, errors = rdr(*arguments)
    assert code == 0, errors

    filled = compared_cells(tiny, "1", tiny.grids["tiny"], Shelf([some]), some)
    rdr_cell = filled[filled["method"] == "rdr"].iloc[0]
    assert (rdr_cell["seeds"], rdr_cell["command"]) == (1, "")
    page = build_papers([tiny], tmp_path / "out", Shelf([some]), runs=some)
    assert command not in page.read_text()


def test_without_any_run_every_cell_has_its_command(tiny, tmp_path):
    page = build_papers([tiny], tmp_path / "out", Shelf([tmp_path]), runs=tmp_path)
    cells = pd.read_csv(tmp_path / "out" / "tables" / "table1-paper.csv")
    assert cells["ours"].isna().all()
    assert all(command in page.read_text() for command in cells["command"])
    assert "rdr paper run --grid tiny,figure1" in page.read_text()


def test_the_users_own_runs_come_before_shipped_ones(tiny, runs, tmp_path):
    config = tiny.grids["tiny"].config(next(iter(tiny.claims[0].requests)), seed=0)
    shutil.copytree(runs / config.name, tmp_path / config.name)
    assert Shelf([tmp_path, runs]).find(config).path.parent == tmp_path
    assert Shelf([runs, tmp_path]).find(config).path.parent == runs


def test_what_lacks_is_what_is_left_to_do(tiny, runs, tmp_path):
    chosen = choose([tiny], "tiny")
    assert missing(chosen, Shelf([runs])) == []
    wants = missing(chosen, Shelf([tmp_path]))
    assert [(want.config.method, want.config.seed) for want in wants] == [
        ("ce", 0), ("rdr", 0), ("ce", 1), ("rdr", 1)
    ]  # fmt: skip
    more = missing(chosen, Shelf([runs]), seeds=3)
    assert {want.config.seed for want in more} == {2}


def test_an_analysis_ends_at_the_deadline_and_leaves_nothing_half_done(tiny, runs, tmp_path, monkeypatch):
    config = tiny.grids["tiny"].config(tiny.claims[0].requests[0], seed=0)
    shutil.copytree(runs / config.name, tmp_path / config.name)
    task = Analysing(config, tmp_path, "density of the smallest class", "cpu")
    clock = SimpleNamespace(now=100.0, armed=[], rang=0)
    for module in (work, interrupt):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(signal, "setitimer", lambda _, seconds, every=0.0: clock.armed.append(seconds) or (0.0, 0.0))

    def computed_until_the_alarm_rings(*_) -> None:
        [seconds] = clock.armed  # set when the work began, and not taken back
        clock.now += seconds
        clock.rang += 1
        signal.raise_signal(signal.SIGALRM)
        pytest.fail("the analysis went on after the deadline")

    monkeypatch.setattr("rdr_viz.analysis.curvature.request.Request.table", computed_until_the_alarm_rings)
    before = signal.getsignal(signal.SIGALRM)
    outcome = work_through([task], budget=0.3, progress=False)
    assert (clock.rang, clock.armed) == (1, [pytest.approx(0.3), 0.0])  # taken back when the work had ended
    assert signal.getsignal(signal.SIGALRM) == before
    assert (outcome.stopped_by, outcome.unfinished, outcome.failed) == ("budget", (task.name,), ())
    assert not list((tmp_path / config.name / "analysis").glob("*.csv"))
    monkeypatch.undo()
    assert work_through([task], progress=False).finished == (task.name,)


@pytest.mark.parametrize("words", ["tabel1", "digits,figrue1", "tiny,table9"])
def test_unknown_grids_and_parts_are_refused(words, tiny):
    with pytest.raises(RdrError, match="no grid, table or figure named"):
        choose([tiny], words)


@pytest.mark.parametrize("words", ["", "m", "-3m", "nine", "0", "inf", "nan"])
def test_a_budget_that_is_no_time_is_refused(words):
    with pytest.raises(RdrError, match="must be a time such as"):
        budget_seconds(words)


def test_results_tell_what_there_is_in_the_papers_own_setting(tiny, runs):
    from rdr_viz.papers import results as module

    assert module.beside_the_papers(tiny, Shelf([])) == ""
    cells = compared_cells(tiny, "1", tiny.grids["tiny"], Shelf([runs]), Path("runs")).set_index(["method", "group"])
    said = module.beside_the_papers(tiny, Shelf([runs]))
    assert "| `-m` | Toy-LT, IF 100 |" in said
    for method, printed in (("ce", "70.0"), ("rdr", "75.0")):
        assert f"| `{method}` | {printed} / **{cells.loc[(method, 'all'), 'ours']:.1f}** (2 seeds) |" in said


def test_results_go_between_the_marks_and_are_found_stale(tmp_path):
    from rdr_viz.papers.paper import load_paper

    paper, empty = load_paper("rdr"), Shelf([tmp_path])
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{BEGIN}\nof yesterday\n{END}\nbelow\n")
    write_results(readme, paper, empty)
    text = readme.read_text()
    assert text.startswith("above\n")
    assert text.endswith("below\n")
    assert "of yesterday" not in text
    assert results(paper, empty) in text
    write_results(readme, paper, empty)
    assert readme.read_text() == text
    readme.write_text("no marks")
    with pytest.raises(RdrError, match="put these two lines into it"):
        write_results(readme, paper, empty)
