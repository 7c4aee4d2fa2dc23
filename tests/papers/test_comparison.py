"""The tables as pictures: all numbers are there, legible, and agreement shows without colour."""

from __future__ import annotations

from itertools import combinations

import pytest
from made_up_cells import made_up_cells
from matplotlib.colors import to_hex
from matplotlib.text import Text

from rdr_viz.displays.palette import contrast_on_white
from rdr_viz.displays.theme import DARK_GROUND
from rdr_viz.papers.comparison import ComparisonTable, agreement
from rdr_viz.papers.layout import arrange
from rdr_viz.papers.paper import load_paper

PAPER = load_paper()
TABLES = [table.name for table in PAPER.tables]


def display(table: str, **options: object) -> ComparisonTable:
    return ComparisonTable(made_up_cells(PAPER, table, **options), PAPER.datasets)


def texts(figure) -> list[Text]:
    """All words but the title."""
    return list(figure.axes[0].texts)


@pytest.mark.parametrize("table", TABLES)
def test_every_number_is_drawn_and_no_two_words_touch(table):
    made = display(table)
    figure = made.figure()
    figure.draw_without_rendering()
    shown = texts(figure)
    words = [text.get_text() for text in shown]
    for part in arrange(made.data):
        for row, cells in part.rows:
            assert row in words
            for cell in cells:
                assert cell.paper in words
                if cell.ours:
                    assert f"{cell.ours} ({cell.seeds})" in words
                if cell.difference:
                    assert f"{cell.mark} {cell.difference}".strip() in words
    assert min(text.get_fontsize() for text in shown) >= 8
    boxes = [text.get_window_extent() for text in shown]
    assert not [
        (a.get_text(), b.get_text())
        for (a, box), (b, other) in combinations(zip(shown, boxes, strict=True), 2)
        if box.x0 < other.x1 and other.x0 < box.x1 and box.y0 + 1 < other.y1 and other.y0 + 1 < box.y1
    ]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_what_agrees_and_what_does_not_differ_in_mark_and_colour():
    made = display("1", share=1)
    looks = {}
    for text in texts(made.figure()):
        mark = text.get_text()[:1]
        if mark in "≈▲▼":
            looks.setdefault(mark, set()).add(to_hex(text.get_color()))
            assert contrast_on_white(to_hex(text.get_color())) >= 4.5
    assert set(looks) == {"≈", "▲", "▼"}
    assert looks["≈"].isdisjoint(looks["▲"])
    assert looks["▲"] == looks["▼"]


def test_letters_show_on_the_dark_ground():
    for text in texts(display("1").in_theme("dark")):
        assert contrast_on_white(DARK_GROUND) / contrast_on_white(to_hex(text.get_color())) >= 4.5, text.get_text()


def test_a_small_scale_stands_beside_without_differences():
    made = display("2", scale="digits", share=1)
    words = " ".join(text.get_text() for text in texts(made.figure()))
    assert not set("≈▲▼") & set(words)
    assert "digits, another setting" in words
    assert made.finding.startswith("128 of 128 cells are measured on another scale (digits)")


def test_the_finding_counts_what_the_cells_say():
    cells = made_up_cells(PAPER, "1")
    measured = cells[cells["ours"].notna()]
    inside = sum(value is True for value in measured["within"])
    above = sum(value is False and d > 0 for value, d in zip(measured["within"], measured["difference"], strict=True))
    below = len(measured) - inside - above
    said = agreement(cells)
    assert said.startswith(f"{len(measured)} of 36 cells are measured in the paper's setting: {inside} inside")
    assert f"{above} above it and {below} below it" in said
    assert agreement(made_up_cells(PAPER, "1", share=0)) == "None of the 36 cells is measured yet."


def test_the_words_for_who_cannot_see_it_have_every_measured_number():
    made = display("2")
    for part in arrange(made.data):
        for row, cells in part.rows:
            for cell in cells:
                if cell.ours:
                    assert f"{row}, CIFAR" in made.alt
                    assert f"paper {cell.paper}, ours {cell.ours}" in made.alt


def test_files_are_the_same_from_time_to_time_and_csv_has_all_cells(tmp_path):
    first = display("7").save(tmp_path / "a")
    again = display("7").save(tmp_path / "b")
    assert {kind: path.read_bytes() for kind, path in first.items()} == {k: p.read_bytes() for k, p in again.items()}
    assert len(first["csv"].read_text().splitlines()) == 33
