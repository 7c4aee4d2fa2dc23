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
from made_up_paper_page import COMMAND, PAPER, claim, made_up_page, measured, unmeasured
from once import once

from rdr_core import RdrError
from rdr_viz.pages import Section
from rdr_viz.papers.argument import Argument, write_paper_page
from rdr_viz.papers.blocks import FigureBlock, OrderBlock, OtherPaper, PlanRow, TableBlock
from rdr_viz.papers.claim_rows import Verdict
from rdr_viz.papers.paper import Choice, Slip

#: Where links may lead besides: pictures and numbers beside the page.
BESIDE = re.compile(r"(figures|tables)/[\w%.-]+\.(pdf|svg|png|csv)|claims\.csv")
PARTS_OF_A_SETTING = ("drawn", "number", "seeds", "word")
HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


def words(element: dict) -> str:
    return " ".join(element["text"].split())


def of_class(page: Elements, name: str) -> list[dict]:
    return [element for element in page.found if name in element.get("class", "").split()]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Elements:
    return Elements(once(tmp_path_factory, "made-up-page", made_up_page) / "index.html")


def test_nothing_is_loaded_from_anywhere_and_every_link_leads_somewhere(page):
    ids = [element["id"] for element in page.found if "id" in element]
    assert len(ids) == len(set(ids))
    for element in page.found:
        for key in ("src", "href", "srcset", "action", "data"):
            address = element.get(key, "data:")
            beside = element["tag"] == "a" and BESIDE.fullmatch(address)  # loaded by whoever asks for it alone
            assert address.startswith("data:") or address.removeprefix("#") in ids or beside
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
    cells = [td for td in page.of("td") if "tbody" in td["inside"] and td["class"] not in PARTS_OF_A_SETTING]
    printed = len(made_up_cells(PAPER, "1")) + 2 * len(made_up_cells(PAPER, "2")) + 3
    assert len(cells) == printed
    for cell in cells:
        words = " ".join(cell["text"].split())
        assert re.match(r"paper (–|−?\d+\.\d)", words)
        measured = re.search(r"ours −?\d+\.\d+( ± \d+\.\d+)? \(\d\)", words)
        assert bool(measured) != bool(re.search(r"not run yet rdr train \S+ -i \d+ -m \S+$", words))
        assert bool(measured) == (cell["class"].split()[0] != "empty")
    assert {cell["class"].split()[0] for cell in cells} >= {"empty", "inside", "above", "below", "other"}


def test_tables_say_what_their_rows_and_columns_are(page):
    for head in page.of("th"):
        assert head["scope"] in (("row", "rowgroup") if "tbody" in head["inside"] else ("col", "colgroup"))
        assert head["text"].strip()
    regions = [e["aria-label"] for e in page.found if e["tag"] == "div" and "wide" in e.get("class", "")]
    assert len(regions) == len(set(regions)) == len(of_class(page, "cells"))


def test_it_opens_with_the_verdict(page):
    counts = of_class(page, "verdict")[0]["text"]
    assert counts.startswith(
        "Of 4 claims, on digits 3 hold, none fails and none is undecided; in the paper's own setting none holds, "
        "1 fails and 1 is undecided."
    )
    tags = [element["tag"] for element in page.found]
    assert tags.index("p") < tags.index("nav") < tags.index("table")


def test_every_measured_setting_is_a_row_with_its_number_interval_seeds_and_verdict(page):
    rows = [words(row) for row in of_class(page, "setting")]
    assert [row.replace(" ".join(title.split()) + " ", "") for row, title in zip(rows, TITLES, strict=True)] == [
        "Digits, IF 10, 3 seeds +2.0 [+1.0 to +3.0] ◇; in the paper +6.3; its fair control, 1/n: +1.5 3 ✓holds",
        "CIFAR-10-LT, IF 10 paper's setting, 3 seeds +2.0 [+1.0 to +3.0] 3 ✓holds",
        "CIFAR-10-LT, IF 100 paper's setting, 3 seeds −2.0 [−3.0 to −1.0] 3 ✗fails",
        "Digits, IF 10, 3 seeds ×0.04 [×0.02 to ×0.09] ◇; in the paper ×0.41 3 ✓holds",
        "CIFAR-10-LT, IF 10 paper's setting, 1 seed ×1.10 1 ?undecided",
        "Digits, IF 10, 3 seeds −10.0 [−12.0 to −9.0] 3 ✓holds",
    ]
    assert [element["text"] for element in page.of("title") if "svg" in element["inside"]] == TITLES


TITLES = [
    "Digits, IF 10: +2.0 [+1.0 to +3.0]\N{NO-BREAK SPACE}points; 3 seeds; holds; the paper's own number: +6.3; the "
    "same of its fair control, 1/n: +1.5",
    "CIFAR-10-LT, IF 10, paper's setting: +2.0 [+1.0 to +3.0]\N{NO-BREAK SPACE}points; 3 seeds; holds",
    "CIFAR-10-LT, IF 100, paper's setting: −2.0 [−3.0 to −1.0]\N{NO-BREAK SPACE}points; 3 seeds; fails",
    "Digits, IF 10: ×0.04 [×0.02 to ×0.09]; 3 seeds; holds; the paper's own number: ×0.41",
    "CIFAR-10-LT, IF 10, paper's setting: ×1.10; 1 seed; undecided",
    "Digits, IF 10: −10.0 [−12.0 to −9.0]\N{NO-BREAK SPACE}%; 3 seeds; holds",
]


def test_the_plots_are_hidden_from_who_hears_the_page_and_the_numbers_are_not(page):
    drawn = of_class(page, "drawn")
    assert len(drawn) == len(of_class(page, "setting"))
    assert all(cell["aria-hidden"] == "true" for cell in drawn)
    assert not [cell for cell in of_class(page, "number") if "aria-hidden" in cell]


def test_marks_differ_by_shape_and_stand_where_their_numbers_do(page):
    signs = [
        element for element in page.found
        if element.get("class") in ("holds", "fails", "undecided") and "td" in element["inside"]
    ]  # fmt: skip
    assert {(sign["class"], sign["tag"]) for sign in signs} == {
        ("holds", "circle"), ("fails", "path"), ("undecided", "rect")
    }  # fmt: skip
    intervals = of_class(page, "interval")
    ends = [(float(line["x1"][:-1]), float(line["x2"][:-1])) for line in intervals]
    assert all(0 <= low < high <= 100 for low, high in ends)
    assert ends[0] == ends[1]  # the same numbers on the same axis
    assert ends[2][1] < ends[0][0]


def test_claims_say_how_they_are_judged(page):
    first = next(element for element in of_class(page, "says") if "One beats two." in element["text"])
    assert (
        "Holds where the interval of the mean over seeds, widened for all questions of the setting, is above 0"
        in first["text"]
    )


def test_what_nobody_has_measured_is_folded_with_the_command_that_makes_it(page):
    fold = next(element for element in page.of("details") if COMMAND in element["text"])
    assert "Settings not measured yet" in fold["text"]
    assert "2 claims in the paper's setting." in words(fold)
    assert "One beats two.CIFAR-10-LT, IF 200; CIFAR-10-LT, IF 500" in fold["text"]
    assert "Three beats four.CIFAR-10-LT, IF 10" in fold["text"]
    assert "open" not in fold


def test_every_choice_of_what_is_shown_has_a_name_and_can_be_reached(page):
    radios = [element for element in page.of("input") if element["type"] == "radio"]
    groups = {radio["name"]: [] for radio in radios}
    for radio in radios:
        groups[radio["name"]].append(radio)
        assert "label" in radio["inside"]
    assert {name: len(found) for name, found in groups.items()} == {"asks": 3, "said": 4, "sort": 4}
    assert all(sum("checked" in radio for radio in found) == 1 for found in groups.values())


def test_tables_are_folded_under_what_they_say(page):
    summaries = [words(element) for element in page.of("summary")]
    first, second = (next(words for words in summaries if words.startswith(f"Table {name}")) for name in "12")
    assert re.search(
        r"Cells measured \(pairs of methods in the paper's order\): paper's setting \d+ of 36\.$", first
    )  # too few in any column to have an order
    assert re.search(r"; digits \d+ of 128 \(\d+ %\)\.$", second)


def test_there_are_words_bibtex_and_ways_back(page, tmp_path):
    folds = {fold.get("id"): fold["text"] for fold in page.of("details")}
    assert "imbalance factor: the size of the largest class" in folds["words"]
    assert "@inproceedings{luo2024revive," in folds["bibtex"]
    assert [link["text"] for link in page.of("a") if link["href"] == "#top"] == ["Back to the top"] * 2
    inside = Elements(made_up_page(tmp_path, home="../index.html"))
    assert inside.of("a")[0]["href"] == "../index.html"


def test_every_picture_has_words_a_dark_twin_and_numbers(page):
    assert len(page.of("img")) == len(page.of("source")) == 3
    assert all(image["alt"] for image in page.of("img"))
    names = [link["download"] for link in page.of("a") if "download" in link]
    assert names == ["picture.csv"] * 3
    beside = [link["href"] for link in page.of("a") if link["href"].startswith("figures/")]
    assert beside == ["figures/picture.pdf", "figures/picture.svg", "figures/picture.png"] * 3


def test_the_same_input_gives_the_same_bytes(page, tmp_path_factory, tmp_path):
    before = once(tmp_path_factory, "made-up-page", made_up_page) / "index.html"
    assert made_up_page(tmp_path).read_bytes() == before.read_bytes()


def test_a_page_of_nothing_is_a_page(tmp_path):
    paper = replace(PAPER, slips=(), choices=(), bibtex="")
    path = write_paper_page(tmp_path / "index.html", Argument(paper))
    assert [element["text"] for element in Elements(path).of("h2")] == ["Small print", "Do it again"]


def test_an_unknown_verdict_is_refused():
    with pytest.raises(RdrError, match="verdict"):
        Verdict("paper", "CIFAR-10-LT, IF 10", "hold")


@settings(max_examples=12)
@given(word=st.one_of(st.just(HOSTILE), st.text("<>&\"'{}%#/- ab", min_size=1, max_size=30)))
def test_all_words_are_only_words(tmp_path_factory, word):
    word = f"x{word}x"
    cells = pd.DataFrame(
        {"table": word, "dataset": word, "imbalance_factor": 10.0, "row": word, "method": word, "group": word,
         "paper": 1.0, "paper_sd": math.nan, "note": word, "ours": math.nan, "ours_sd": math.nan, "seeds": 0,
         "difference": math.nan, "within": None, "scale": word, "stands": word, "command": word}, index=[0],
    )  # fmt: skip
    block = TableBlock(word, word, word, cells, 1, word, word)
    paper = replace(
        PAPER, title=word, cite=word, about=word, bibtex=word, datasets={word: word}, slips=(Slip(word, word),),
        choices=(Choice(word, word, word),),
    )  # fmt: skip
    section = Section(word, word, b"<svg/>", b"<svg/>", word, word, word, word)
    plain, odd = (
        Elements(
            write_paper_page(
                tmp_path_factory.mktemp("page") / "index.html",
                Argument(
                    paper=one_paper,
                    claims=[
                        claim(said, measured(said, "holds", data=said, which=said, control=said, of_control=1.0)),
                        claim(said, replace(unmeasured(10), scale=said, data=said, command=said)),
                    ],
                    tables=[one_block],
                    figures=[FigureBlock(said, said, said, [(said, one_section)], said, said)],
                    plan=[PlanRow(said, 1, 2, said, said)],
                    orders=[OrderBlock(said, [(said, one_section)])],
                    others=[OtherPaper(one_paper, [one_block])],
                    command=said,
                    home=said,
                ),
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
    assert [element["text"] for element in odd.of("code")].count(word) == 9


def _plain(paper):
    return replace(
        paper, title="x", cite="x", about="x", datasets={"x": "x"}, slips=(Slip("x", "x"),),
        choices=(Choice("x", "x", "x"),),
    )  # fmt: skip


def _plain_block(block: TableBlock) -> TableBlock:
    texts = ["table", "dataset", "row", "method", "group", "note", "scale", "stands", "command"]
    return TableBlock("x", "x", "x", block.cells.assign(**dict.fromkeys(texts, "x")), 1, "x", "x")
