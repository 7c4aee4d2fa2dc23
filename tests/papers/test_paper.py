"""Papers as data: what is read is what was printed, and every name in it means something."""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path

import pytest

from rdr_core.errors import RdrError
from rdr_core.files.places import papers_folder
from rdr_core.methods.grammar import parse
from rdr_viz.analysis.catalogue import ANALYSES
from rdr_viz.analysis.measures.measure import MEASURES
from rdr_viz.papers.folders import paper_names
from rdr_viz.papers.grids import Request, requests
from rdr_viz.papers.paper import load_paper
from rdr_viz.papers.wanted import wanted

DATA = Path(__file__).parents[2] / "data" / "paper"


def printed(paper: str) -> list[dict[str, str]]:
    with (DATA / paper / "tables.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["rdr", "cdb"])
def test_every_printed_number_is_a_cell(name):
    cells = load_paper(name).cells
    rows = printed(name)
    long = cells[cells["table"].isin({row["table"] for row in rows})]
    assert len(long) == len(rows)
    for row, cell in zip(rows, long.to_dict("records"), strict=True):
        assert cell["paper"] == float(row["top1"])
        assert (cell["table"], cell["dataset"], cell["group"], cell["note"]) == (
            row["table"], row["dataset"], row["group"], row["note"]
        )  # fmt: skip
        assert cell["imbalance_factor"] == float(row["imbalance_factor"])
        assert math.isnan(cell["paper_sd"]) if row["std"] == "" else cell["paper_sd"] == float(row["std"])


def test_names_of_the_tables_mean_our_methods():
    cells, rows = load_paper("rdr").cells, printed("rdr")
    names = cells.loc[cells["table"].isin({row["table"] for row in rows}), "method"]
    named = {(row["loss"], row["method"]): name for row, name in zip(rows, names, strict=True)}
    assert named["ce", "none"] == "ce"
    assert named["la", "none"] == "la"
    assert named["ce", "rdr"] == "rdr"
    assert named["la", "rdr+sam"] == parse("rdr+la+sam").name
    assert named["ce", "inverse-frequency+sam"] == parse("inverse+sam").name
    assert named["la", "imbsam"] == parse("la+imbsam").name


def test_tables_with_a_column_a_quantity_are_read_cell_by_cell():
    rows = load_paper("rdr").cells
    cells = {
        (row.table, row.method, row.group): row.paper for row in rows[rows["table"].isin(["3", "figure4"])].itertuples()
    }
    assert cells["3", "ce", "lambda_max"] == 110.78
    assert cells["3", "rdr+sam", "trace_few"] == 82.57
    assert cells["figure4", "rdr", "lambda_min_smallest"] == -44.48
    few = [cells["3", "ce", f"trace_class{c}"] for c in (7, 8, 9)]
    assert sum(few) / 3 == pytest.approx(cells["3", "ce", "trace_few"], abs=0.01)  # the paper's Few are classes 7 to 9


def test_every_measure_picture_and_analysis_that_a_paper_names_is_there():
    measures = MEASURES.all()
    for name in paper_names():
        paper = load_paper(name)
        assert set(paper.cells["group"]) <= set(measures)
        assert set(paper.cells["dataset"]) <= set(paper.datasets)
        assert {measure for claim in paper.claims for measure in claim.measure} <= set(measures)
        asked = [a for part in (*paper.tables, *paper.claims) for a in part.analyses]
        asked += [a for figure in paper.figures for picture in figure.pictures for a in picture.analyses]
        assert set(asked) <= set(ANALYSES.all())


def test_every_claim_says_where_it_holds():
    for claim in load_paper("rdr").claims:
        assert sum(bool(way) for way in (claim.above is not None, claim.below is not None, claim.between)) == 1
        assert claim.by in ("difference", "ratio", "order")
        assert claim.against or claim.by in ("difference", "order")
        assert claim.by != "order" or len(claim.measure) == 2


def test_claims_ask_for_the_analyses_that_their_measures_read():
    for claim in load_paper("rdr").claims:
        needed = {analysis for name in claim.measure for analysis in MEASURES[name].analyses}
        assert needed == set(claim.analyses)
    paper = load_paper("rdr")
    for table in paper.tables:
        groups = paper.cells.loc[paper.cells["table"] == table.name, "group"]
        assert {analysis for group in groups for analysis in MEASURES[group].analyses} == set(table.analyses)


def test_the_first_runs_of_the_cifar_grid_are_those_that_decide_most():
    paper = load_paper("rdr")
    runs = [run.config for run in wanted(paper, paper.grids["cifar"], seeds=2)]
    methods = ["ce", "inverse", "rdr", "la", "rdr+la", "ce+sam", "rdr+sam"]
    assert [(c.method, c.imbalance_factor) for c in runs[:14]] == [(m, f) for f in (100.0, 10.0) for m in methods]
    assert {c.dataset for c in runs[:16]} == {"cifar10"}
    seeds = [c.seed for c in runs]
    assert seeds == sorted(seeds)
    first = runs[0]
    assert (first.model, first.epochs, first.batch_size, first.learning_rate) == ("resnet32", 200, 128, 0.1)
    assert (first.momentum, first.weight_decay, first.augmentation) == (0.9, 2e-4, "strong")


def test_a_run_is_wanted_once_however_many_cells_it_fills():
    for name in paper_names():
        paper = load_paper(name)
        for grid in paper.grids.values():
            configs = [run.config for run in wanted(paper, grid)]
            assert len(configs) == len(set(configs))


def test_what_is_to_be_made_first_is_wanted_so_it_is_counted_and_packed():
    seen = 0
    for paper in map(load_paper, paper_names()):
        for grid in paper.grids.values():
            configs = {run.config for run in wanted(paper, grid, seeds=1)}
            for stage in grid.first:
                for request in requests(stage["datasets"], stage["factors"], stage["methods"]):
                    assert grid.config(request, seed=0) in configs, request
                    seen += 1
    assert seen > 30


def test_every_artifact_is_filled_by_the_runs_that_are_wanted():
    paper = load_paper("rdr")
    reached = {
        artifact for grid in paper.grids.values() for run in wanted(paper, grid, seeds=1) for artifact in run.artifacts
    }
    assert reached == set(paper.artifacts) - {"figure6"}  # a diagram needs no run


def test_one_artifact_alone_wants_its_runs_alone():
    paper = load_paper("rdr")
    runs = wanted(paper, paper.grids["digits"], artifacts=["figure3"], seeds=1)
    assert {run.config.method for run in runs} == {
        "rdr",
        *(f"rdr:momentum={m}" for m in (0.3, 0.4, 0.6, 0.7, 0.8, 0.9)),
    }
    assert all(run.artifacts == ("figure3",) for run in runs)


def test_figures_that_need_one_seed_want_their_analyses_of_one():
    paper = load_paper("rdr")
    runs = wanted(paper, paper.grids["digits"], artifacts=["figure4"], seeds=3)
    density = [run.config.seed for run in runs if "density of the smallest class" in run.analyses]
    assert sorted(set(density)) == [0, 1, 2]  # the printed extremes are a table, of all seeds


def test_a_factor_that_leaves_a_class_empty_has_no_stand_in():
    grid = load_paper("rdr").grids["digits"]
    assert grid.config(Request("cifar10-lt", 500, "ce"), 0) is None
    assert grid.config(Request("cifar10-lt", 200, "ce"), 0).imbalance_factor == 100
    assert grid.config(Request("cifar100-lt", 100, "ce"), 0) is None
    assert grid.config(Request("cifar100-lt", 100, "ce"), 0, in_figure=True).imbalance_factor == 50


def test_seeds_that_draw_the_data_have_a_subset_and_an_order_each():
    paper = load_paper("rdr")
    grid = paper.grids["fashion"]
    runs = [run.config for run in wanted(paper, grid)]
    assert {(c.seed, c.data_seed, c.class_order) for c in runs} == {(seed,) * 3 for seed in range(10)}
    assert all(config.drawn for config in runs)
    seeds = {factor: {c.seed for c in runs if c.imbalance_factor == factor} for factor in (10, 50, 100, 200)}
    assert {factor: len(of_factor) for factor, of_factor in seeds.items()} == {10: 5, 50: 5, 100: 10, 200: 5}
    on_digits = [run.config for run in wanted(paper, paper.grids["digits"])]
    assert {(c.data_seed - c.seed, c.class_order) for c in on_digits} == {(0, "file")}
    assert all(config.drawn == (config.seed != 0) for config in on_digits)
    fixed = [run.config for run in wanted(paper, paper.grids["cifar"])]
    assert {config.data_seed for config in fixed} == {0}
    assert not any(config.drawn for config in fixed)


def test_sets_that_come_long_tailed_have_no_factor_of_ours():
    config = load_paper("rdr").grids["imagenet"].config(Request("places-lt", 996, "rdr"), 0)
    assert (config.imbalance_factor, config.profile, config.model) == (None, None, "resnet152-imagenet")


def copy_of(paper: str, tmp_path: Path) -> Path:
    shutil.copytree(papers_folder() / paper, tmp_path / paper)
    return tmp_path / paper


def test_a_paper_may_have_tables_and_grids_alone(tmp_path):
    home = copy_of("rdr", tmp_path)
    for name in ("claims.toml", "figures.toml"):
        (home / name).unlink()
    paper = load_paper("rdr", tmp_path)
    assert (paper.claims, paper.figures) == ((), ())
    assert "claims" not in paper.artifacts


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("claims.toml", "above = 0", "abvoe = 0", "a claim has no 'abvoe'"),
        ("claims.toml", 'method = "rdr"\n', "", "a claim is incomplete"),
        ("figures.toml", "kind =", "kin =", "a picture has no 'kin'"),
        ("grids.toml", "[[grids]]", "[[grids]", "can't be read"),
        ("paper.toml", "cite", "sight", "a paper has no 'sight'"),
    ],
)
def test_a_slip_in_a_file_is_told_with_its_place(file, old, new, words, tmp_path):
    path = copy_of("rdr", tmp_path) / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RdrError, match=words) as error:
        load_paper("rdr", tmp_path)
    assert str(path) in str(error.value)


def test_an_unknown_paper_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(RdrError, match="no paper named 'rdx'; did you mean 'rdr'"):
        load_paper("rdx")
    (copy_of("cdb", tmp_path) / "grids.toml").unlink()
    with pytest.raises(RdrError, match=r"grids\.toml is missing"):
        load_paper("cdb", tmp_path)
