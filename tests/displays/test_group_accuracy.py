"""Bars by group and method."""

from __future__ import annotations

import math

import pytest
from made_up_runs import make_run

from rdr_viz import GroupAccuracy


def heights(ax):
    return [[round(float(bar.get_height()), 3) for bar in container] for container in ax.containers]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_bar_per_method_and_group_in_the_fixed_order(three_runs):
    ax = GroupAccuracy.from_runs(three_runs).plot()
    assert heights(ax) == [[69.3, 96.0, 78.0, 31.0], [74.7, 93.5, 81.0, 47.5], [74.85, 94.5, 82.5, 45.0]]
    assert texts(ax)[:6] == ["69.3", "CE", "74.7", "1/n", "74.8", "RDR"]
    assert ax.get_legend() is None
    assert [label.get_text() for label in ax.get_xticklabels()] == ["All", "Many", "Medium", "Few"]


def test_words_have_the_numbers(three_runs):
    display = GroupAccuracy.from_runs(three_runs)
    assert "Few: CE 31.0, 1/n 47.5, RDR 45.0." in display.alt
    assert "On Few 1/n was best with 47.5\N{NO-BREAK SPACE}% (against CE 31.0 and RDR 45.0)." in display.finding
    assert "one seed" in display.finding


def test_seeds_give_mean_interval_and_a_dot_each():
    display = GroupAccuracy.from_runs([make_run(m, seed=s) for m in ("ce", "rdr") for s in (0, 1, 2)])
    ax = display.plot()
    assert heights(ax)[0] == pytest.approx([70.1, 96.8, 78.8, 31.8])
    low, high = ax.lines[0].get_ydata()
    assert (low, high) == pytest.approx((70.1 - 0.8, 70.1 + 0.8))
    assert sum(len(dots.get_offsets()) for dots in ax.collections) == 2 * 3 * 4
    assert "CE 70.1 ± 0.8" in display.alt
    assert "mean of 3 seeds" in display.alt


def test_a_missing_group_has_no_bar_and_says_so():
    display = GroupAccuracy.from_runs([make_run(m, few=False) for m in ("ce", "rdr")])
    few = display.data[display.data["group"] == "Few"]
    assert few["accuracy"].isna().all()
    ax = display.plot()
    assert all(len(bars) == 3 for bars in heights(ax))
    assert "no class in\nthis group" in texts(ax)
    assert "Few: no class in this group" in display.alt
    assert "Few has no class here." in display.finding


def test_methods_that_tie_are_level():
    ce, rdr = make_run("ce"), make_run("rdr")
    rdr.metrics["many"] = ce.metrics["many"] = 100.0
    display = GroupAccuracy.from_runs([ce, rdr])
    assert "On Many CE and RDR were level with 100.0\N{NO-BREAK SPACE}%." in display.finding
    assert texts(display.plot()).count("100") == 2


def test_many_methods_get_a_legend():
    methods = ("ce", "la", "inverse", "rdr", "rdr:gamma=0.5", "rdr+sam")
    ax = GroupAccuracy.from_runs([make_run(method) for method in methods]).plot()
    ax.figure.canvas.draw()
    extents = {text.get_text(): text.get_window_extent() for text in ax.get_legend().get_texts()}
    read = sorted(extents, key=lambda label: (-round(extents[label].y0, -1), extents[label].x0))  # row by row
    assert read == ["CE", "LA", "1/n", "RDR", "RDR (γ=0.5)", "RDR+SAM"]
    assert not any(math.isnan(bar) for bars in heights(ax) for bar in bars)
