"""What a newcomer gets: the whole paper from the runs that are shipped, without training, network or GPU."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from built_site import shipped_paper
from headless import open_file
from html_elements import Elements
from scipy import stats

from rdr_core.runs.archive import shipped
from rdr_viz.papers.figures import draw_figure
from rdr_viz.papers.folders import paper_names
from rdr_viz.papers.paper import load_paper
from rdr_viz.papers.results import renewed
from rdr_viz.papers.shelf import Shelf
from rdr_viz.papers.tasks import choose, missing
from rdr_viz.papers.wanted import wanted

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf([shipped()])


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """As `rdr paper` makes it; tests that need it are slow ones."""
    return shipped_paper(tmp_path_factory)


def test_the_whole_small_scale_is_shipped_with_ten_seeds(shelf):
    papers = [load_paper(name) for name in paper_names()]
    assert [want.config.name for want in missing(choose(papers, "digits"), shelf)] == []
    paper = papers[0]
    seeds = {want.config.seed for want in wanted(paper, paper.grids["digits"])}
    assert seeds == set(range(10))


def test_shipped_archives_are_a_few_megabytes():
    archives = list((ROOT / "data" / "runs").glob("*.tar.xz"))
    assert 1 <= len(archives) <= 6
    assert sum(path.stat().st_size for path in archives) < 15e6


@pytest.mark.slow
def test_every_figure_and_table_is_drawn(page):
    paper = load_paper("rdr")
    written = {path.name for path in page.parent.rglob("*") if path.is_file()}
    for figure in paper.figures:
        drawn = {name for name in written if name.startswith(f"figure{figure.number}")}
        assert {name.rpartition(".")[2] for name in drawn} == {"pdf", "svg", "png", "csv"}, figure.number
    for table in paper.tables:
        if table.name != "4":  # the large sets: nothing small stands for them
            assert {f"{table.artifact}-digits.{kind}" for kind in ("pdf", "svg", "png", "csv")} <= written
        assert f"{table.artifact}-paper.csv" in written


@pytest.mark.slow
def test_a_picture_is_drawn_where_its_own_runs_are_and_says_which_they_are(page, shelf):
    paper = load_paper("rdr")
    weights = next(figure for figure in paper.figures if figure.number == "7")
    settings = {
        name: [one and one.setting for one in draw_figure(weights, paper, grid, shelf)]
        for name, grid in paper.grids.items()
    }
    # The paper's runs are missing, but its grid could draw both; of Fashion-MNIST the page has tables and claims alone.
    assert settings["digits"] == ["IF 10", "IF 50"]
    assert len(settings["cifar"]) == 2
    assert settings["imagenet"] == []
    told = [element["text"] for element in Elements(page).found if element.get("class") == "scale"]
    assert {"digits, IF 10", "digits, IF 50"} <= set(told)


@pytest.mark.slow
def test_every_cell_of_the_small_scale_is_measured_with_three_seeds(page):
    for path in sorted((page.parent / "tables").glob("*-digits.csv")):
        cells = pd.read_csv(path)
        assert (cells["seeds"] >= 3).all(), path.name
        assert cells["command"].isna().all(), path.name


@pytest.mark.slow
def test_no_cell_is_empty_without_its_command(page):
    for path in sorted((page.parent / "tables").glob("*.csv")):
        cells = pd.read_csv(path)
        empty = cells[cells["ours"].isna()]
        assert empty["command"].astype(str).str.startswith("rdr ").all(), path.name
    elements = Elements(page)
    cells = [td["text"].split() for td in elements.of("td") if td.get("class") not in ("drawn", "word")]
    assert all(any(any(c.isdigit() for c in word) or word == "rdr" for word in words) for words in cells if words)


@pytest.mark.slow
def test_every_measured_setting_of_every_claim_is_a_row_of_the_forest_plot(page):
    claims = pd.read_csv(page.parent / "claims.csv")
    elements = Elements(page)
    rows = [element for element in elements.found if element.get("class", "").startswith("setting ")]
    measured = claims[claims["verdict"] != "not measured"]
    assert len(rows) == len(measured)
    assert Counter(row["class"].split()[1] for row in rows) == Counter(measured["verdict"])
    # Data sets are called as their authors call them.
    assert not [row["text"] for row in rows if "fashion-mnist" in row["text"] or "cifar10" in row["text"]]


@pytest.mark.slow
def test_the_seeds_that_would_decide_are_counted_one_by_one(page):
    """From the interval that decides alone, Student's interval written out; and they stand in the page."""
    claims = pd.read_csv(page.parent / "claims.csv")
    wanted = {claim.says: claim.holds_between for claim in load_paper("rdr").claims}
    undecided = claims[(claims["verdict"] == "undecided") & (claims["by"] == "difference")]
    undecided = undecided[undecided["wide_high"] > undecided["wide_low"]]  # seeds without a spread tell nothing of more
    assert undecided["needed"].notna().sum() > 20
    for row in undecided.itertuples():
        low, high = wanted[row.claim]
        tail = 1 - row.level / 2
        spread = (row.wide_high - row.wide_low) / 2 / stats.t.ppf(tail, row.seeds - 1) * row.seeds**0.5
        for seeds in range(2, 1001):
            half = stats.t.ppf(tail, seeds - 1) * spread / seeds**0.5
            if (low < row.mean - half and row.mean + half < high) or row.mean + half < low or row.mean - half > high:
                break
        else:
            seeds = None
        assert (None if np.isnan(row.needed) else int(row.needed)) == seeds, row
    cells = [element["text"] for element in Elements(page).found if element.get("class", "") == "seeds"]
    assert sum("≈" in cell for cell in cells) >= undecided["needed"].notna().sum()


@pytest.mark.slow
def test_what_the_page_links_to_lies_beside_it(page):
    links = [link["href"] for link in Elements(page).of("a")]
    beside = [link for link in links if not link.startswith(("#", "data:", ".."))]
    assert len(beside) > 60
    assert [link for link in beside if not (page.parent / link).is_file()] == []


@pytest.mark.slow
def test_every_claim_has_a_verdict_at_the_small_scale(page):
    claims = pd.read_csv(page.parent / "claims.csv")
    digits = claims[claims["scale"] == "digits"]
    assert set(digits["claim"]) == {claim.says for claim in load_paper("rdr").claims}
    assert (digits["verdict"] != "not measured").all()
    assert digits[["mean", "low", "high"]].notna().all(axis=None)
    assert (digits["seeds"] >= 3).all()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "theme"), [(380, "light"), (1280, "dark"), (1920, "light")])
def test_the_page_opens_whole_in_a_browser(page, browser, width, theme):
    tab, said, asked = open_file(browser, page, width, theme)
    widths = tab.evaluate("Array.from(document.images, image => image.complete ? image.naturalWidth : 0)")
    assert len(widths) >= 10
    assert min(widths) > 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
    tab.close()


def test_the_readme_has_the_results_of_the_shipped_runs(shelf):
    readme = ROOT / "README.md"
    stale = "README.md is stale; write it anew with: .venv/bin/rdr paper --readme README.md"
    assert renewed(readme, load_paper("rdr"), shelf) == readme.read_text(encoding="utf-8"), stale
