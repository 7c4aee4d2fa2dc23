"""The page is one file, escapes what it is given, and leaves no cell without a number or the command that fills it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest
from html_elements import Elements
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_cells import made_up_cells
from made_up_paper_page import PAPER, claim, made_up_page
from once import once

from rdr_core import RdrError
from rdr_core.papers.paper import Choice, Slip
from rdr_viz.page import Section
from rdr_viz.papers.page import FigureBlock, OtherPaper, PlanRow, TableBlock, Verdict, write_paper_page

HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Elements:
    return Elements(once(tmp_path_factory, "made-up-page", made_up_page) / "index.html")


def test_nothing_is_loaded_from_anywhere_and_every_link_leads_somewhere(page):
    ids = [element["id"] for element in page.found if "id" in element]
    assert len(ids) == len(set(ids))
    for element in page.found:
        for key in ("src", "href", "srcset", "action", "data"):
            address = element.get(key, "data:")
            assert address.startswith("data:") or address.removeprefix("#") in ids
        for key in ("aria-labelledby", "aria-describedby"):
            assert element.get(key) is None or element[key] in ids
    assert not {element["tag"] for element in page.found} & {"script", "iframe", "object", "embed", "base", "form"}
    policy = next(element for element in page.of("meta") if "http-equiv" in element)
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_headings_go_down_one_step_at_a_time(page):
    levels = [int(element["tag"][1]) for element in page.found if re.fullmatch("h[1-6]", element["tag"])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_cell_has_a_number_or_its_command(page):
    cells = [element for element in page.of("td") if "tbody" in element["inside"]]
    printed = len(made_up_cells(PAPER, "1")) + 2 * len(made_up_cells(PAPER, "2")) + 3
    assert len(cells) == printed
    for cell in cells:
        words = " ".join(cell["text"].split())
        assert re.match(r"paper (–|−?\d+\.\d)", words)
        measured = re.search(r"ours −?\d+\.\d+( ± \d+\.\d+)? \(\d\)", words)
        assert bool(measured) != bool(re.search(r"run rdr train \S+ -i \d+ -m \S+$", words))
        assert bool(measured) == (cell["class"].split()[0] != "empty")
    assert {cell["class"].split()[0] for cell in cells} >= {"empty", "inside", "above", "below", "other"}


def test_tables_say_what_their_rows_and_columns_are(page):
    for head in page.of("th"):
        assert head["scope"] == ("row" if "tbody" in head["inside"] else head["scope"])
        assert head["scope"] in ("row", "col", "colgroup")
        assert head["text"].strip()
    regions = [e["aria-label"] for e in page.found if e["tag"] == "div" and "wide" in e.get("class", "")]
    assert len(regions) == len(set(regions)) == len(page.of("table"))


def test_the_summary_counts_claims_by_their_verdict(page):
    glance = next(element for element in page.found if "glance" in element.get("class", ""))
    words = " ".join(glance["text"].split())
    assert "Paper's setting Claims: ✗ 1 fails ? 1 undecided – 1 not measured" in words
    assert "Digits Claims: ✓ 2 hold" in words
    assert words.index("Paper's setting") < words.index("Digits")


def test_claims_say_verdict_number_interval_and_criterion(page):
    first = next(e["text"] for e in page.of("li") if "One beats two." in e["text"])
    words = " ".join(first.split())
    assert "✗ fails paper's setting" in words
    assert "IF 10: +2.0 points [+1.0 to +3.0] 3 seeds" in words
    assert "not measured: IF 200; IF 500" in words
    assert "in print 81.9 against 75.6" in words


def test_every_picture_has_words_a_dark_twin_and_numbers(page):
    assert len(page.of("img")) == len(page.of("source")) == 2
    assert all(image["alt"] for image in page.of("img"))
    names = [link["download"] for link in page.of("a") if "download" in link]
    assert names == ["picture.csv", "picture.csv"]


def test_the_same_input_gives_the_same_bytes(page, tmp_path_factory, tmp_path):
    before = once(tmp_path_factory, "made-up-page", made_up_page) / "index.html"
    assert made_up_page(tmp_path).read_bytes() == before.read_bytes()


def test_a_page_of_nothing_is_a_page(tmp_path):
    paper = replace(PAPER, slips=(), choices=())
    path = write_paper_page(tmp_path / "index.html", paper=paper, claims=[], tables=[], figures=[], plan=[])
    assert [element["text"] for element in Elements(path).of("h2")] == ["Do it again"]


def test_an_unknown_verdict_is_refused():
    with pytest.raises(RdrError, match="verdict"):
        Verdict("paper", "hold", "", "", 0)


@settings(max_examples=12)
@given(word=st.one_of(st.just(HOSTILE), st.text("<>&\"'{}%#/- ab", min_size=1, max_size=30)))
def test_all_words_are_only_words(tmp_path_factory, word):
    word = f"x{word}x"
    cells = pd.DataFrame(
        {"table": word, "dataset": word, "imbalance_factor": 10.0, "row": word, "method": word, "group": word,
         "paper": 1.0, "paper_sd": math.nan, "note": word, "ours": math.nan, "ours_sd": math.nan, "seeds": 0,
         "difference": math.nan, "within": None, "scale": word, "stands": word, "command": word}, index=[0],
    )  # fmt: skip
    block = TableBlock(word, word, word, cells, 1, word)
    paper = replace(
        PAPER, title=word, cite=word, about=word, datasets={word: word}, slips=(Slip(word, word),),
        choices=(Choice(word, word, word),),
    )  # fmt: skip
    section = Section(word, word, b"<svg/>", b"<svg/>", word, word, word, word)
    plain, odd = (
        Elements(
            write_paper_page(
                tmp_path_factory.mktemp("page") / "index.html",
                paper=one_paper,
                claims=[claim(said, Verdict(said, "holds", said, said, 3, said))],
                tables=[one_block],
                figures=[FigureBlock(said, said, said, [(said, one_section)], said, said)],
                plan=[PlanRow(said, 1, 2, said, said)],
                others=[OtherPaper(one_paper, [one_block])],
                command=said,
            )
        )
        for said, one_paper, one_block, one_section in (
            ("x", _plain(paper), _plain_block(block), replace(section, name="x", heading="x", alt="x", csv="x")),
            (word, paper, block, section),
        )
    )
    assert [element["tag"] for element in odd.found] == [element["tag"] for element in plain.found]
    assert word in next(element["text"] for element in odd.of("h1"))
    assert odd.of("img")[0]["alt"] == word
    assert [element["text"] for element in odd.of("code")].count(word) == 5


def _plain(paper):
    return replace(
        paper, title="x", cite="x", about="x", datasets={"x": "x"}, slips=(Slip("x", "x"),),
        choices=(Choice("x", "x", "x"),),
    )  # fmt: skip


def _plain_block(block: TableBlock) -> TableBlock:
    texts = ["table", "dataset", "row", "method", "group", "note", "scale", "stands", "command"]
    return TableBlock("x", "x", "x", block.cells.assign(**dict.fromkeys(texts, "x")), 1, "x")
