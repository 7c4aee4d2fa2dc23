"""The order of methods, the paper's and ours: pairs counted, drawn at their places, told in words."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_cells import made_up_cells
from scipy.stats import kendalltau

from rdr_viz.analysis.order import (
    LEAST,
    agreement_in_columns,
    agreement_of_orders,
    columns_with_an_order,
    turned_pairs,
)
from rdr_viz.papers.order_of_methods import OrderOfMethods
from rdr_viz.papers.paper import load_paper

PAPER = load_paper("rdr")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=9))
def test_pairs_and_tau_are_those_of_counting_and_of_scipy(pairs):
    one, other = np.array(pairs, dtype=float).T
    found = agreement_of_orders(one, other)
    products = [(one[a] - one[b]) * (other[a] - other[b]) for a, b in combinations(range(len(one)), 2)]
    assert found[:3] == (sum(p > 0 for p in products), sum(p < 0 for p in products), sum(p == 0 for p in products))
    assert found.pairs == len(products)
    assert found.tau == pytest.approx(kendalltau(one, other).statistic, nan_ok=True)
    assert len(turned_pairs(one, other)) == found.turned


def test_means_that_differ_by_rounding_are_level():
    assert agreement_of_orders([1, 2], [0.1 + 0.2, 0.3]).level == 1


def ordered(ours: list[float], sd: float = 0.1, **changes):
    """The first methods of table 1 at IF 100 with these accuracies of ours."""
    cells = made_up_cells(PAPER, "1", share=1, scale="digits")
    cells = cells[(cells["dataset"] == "cifar10-lt") & (cells["imbalance_factor"] == 100)].head(len(ours))
    return cells.assign(ours=ours, ours_sd=sd, **changes)


def test_a_column_needs_methods_enough_with_both_numbers():
    assert columns_with_an_order(ordered([1.0] * (LEAST - 1))) == []
    assert len(columns_with_an_order(ordered([1.0] * LEAST))) == 1
    assert columns_with_an_order(ordered([1.0, 2.0, 3.0, float("nan")])) == []
    assert agreement_in_columns(ordered([1.0, 2.0])) is None
    assert OrderOfMethods.of(ordered([1.0]), PAPER.datasets) == []


def test_what_several_tables_print_is_taken_once():
    cells = ordered([1.0, 2.0, 3.0, 4.0])
    twice = columns_with_an_order(pd.concat([cells.assign(table="5"), cells], ignore_index=True))
    assert [len(rows) for rows in twice] == [4]


def shown_of(*ours: float) -> OrderOfMethods:
    (display,) = OrderOfMethods.of(ordered(list(ours)), PAPER.datasets)
    return display


@pytest.fixture
def shown() -> OrderOfMethods:
    """CE, Focal, CB and LA, of which the paper prints 75.6, 76.0, 76.7 and 82.2."""
    return shown_of(90.0, 92.0, 91.95, 95.0)


def test_the_finding_counts_the_pairs_that_change_places(shown):
    assert (shown.paper_setting, shown.our_setting) == ("CIFAR-10-LT, IF 100", "digits, IF 50")
    assert shown.finding == (
        "1 of 6 pairs of methods changes places, none of them by more than the spread over seeds (Kendall's τ 0.67). "
        "Best in both: LA."
    )
    clear = shown_of(90.0, 96.0, 91.0, 95.0)
    assert clear.finding.startswith("2 of 6 pairs of methods change places, 2 of them by more than the spread")
    assert clear.finding.endswith("Best in the paper: LA; here: Focal.")
    assert shown_of(90.0, 91.0, 92.0, 95.0).finding.startswith("None of 6 pairs of methods changes places (Kendall's")


def test_the_words_for_who_cannot_see_it_have_both_orders(shown):
    assert (
        "LA 82.2, CB 76.7, Focal 76.0, CE 75.6. In our runs, digits, IF 50: LA 95.0, Focal 92.0, CB 92.0" in shown.alt
    )


def test_each_method_goes_from_its_place_to_its_place(shown):
    axes = shown.plot()
    drawn = [tuple(line.get_ydata()) for line in axes.lines]
    assert drawn == [(4, 4), (3, 2), (2, 3), (1, 1)]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the best at the top
    words = [text.get_text() for text in axes.texts]
    assert words[:4] == ["LA 82.2", "CB 76.7", "Focal 76.0", "CE 75.6"]
    assert words[4:] == ["95.0 LA", "92.0 Focal", "92.0 CB", "90.0 CE"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_two_words_of_the_picture_touch(theme):
    cells = made_up_cells(PAPER, "2", share=1, scale="digits")
    for display in OrderOfMethods.of(cells, PAPER.datasets):
        figure = display.in_theme(theme)
        figure.draw_without_rendering()
        (axes,) = figure.axes
        boxes = [text.get_window_extent() for text in axes.texts]
        assert len(boxes) == 2 * len(display.data)
        assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
        assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)


def test_the_files_are_the_same_from_time_to_time(shown, tmp_path):
    first, again = shown.save(tmp_path / "a"), shown.save(tmp_path / "b")
    assert {kind: path.read_bytes() for kind, path in first.items()} == {k: p.read_bytes() for k, p in again.items()}
    assert len(first["csv"].read_text().splitlines()) == 5
