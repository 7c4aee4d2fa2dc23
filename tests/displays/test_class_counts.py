"""Bars by class."""

from __future__ import annotations

import pytest
from made_up_runs import make_run
from matplotlib.colors import to_hex

from rdr_core.errors import RdrError
from rdr_viz import ClassCounts
from rdr_viz.displays.palette import GROUP_COLORS


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_bars_are_the_counts_in_their_groups_colours():
    ax = ClassCounts.from_run(make_run()).plot()
    assert [bar.get_height() for bar in ax.patches] == [124, 80, 52, 34, 22, 14, 9, 6, 4, 2]
    assert [to_hex(bar.get_facecolor()).upper() for bar in ax.patches] == (
        [GROUP_COLORS["Many"]] * 3 + [GROUP_COLORS["Medium"]] * 4 + [GROUP_COLORS["Few"]] * 3
    )
    assert texts(ax) == ["124", "2", "Many", "256 images", "Medium", "79 images", "Few", "12 images"]
    assert ax.get_title(loc="left") == "digits, imbalance factor 50"


def test_words_have_the_numbers():
    display = ClassCounts.from_run(make_run())
    assert "10 classes, from 124 images (class 0) down to 2 images (class 9), 347 images in all" in display.alt
    assert "62 times" in display.finding
    assert "Few has 3.5\N{NO-BREAK SPACE}% of the images (3 classes)" in display.finding


def test_a_missing_group_has_no_bracket():
    display = ClassCounts.from_run(make_run(few=False))
    assert "Few" not in texts(display.plot())
    assert "Few" not in display.alt


def test_data_taken_as_they_are_have_no_factor():
    run = make_run(imbalance_factor=None)
    assert ClassCounts.from_run(run).plot().get_title(loc="left") == "digits, its own class counts"


def test_scales():
    display = ClassCounts.from_run(make_run())
    assert display.plot().get_yscale() == "linear"
    assert display.plot(scale="log").get_yscale() == "log"
    with pytest.raises(RdrError, match="There is no scale named 'logs'"):
        display.plot(scale="logs")


def test_long_names_do_not_overlap():
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    ax = ClassCounts.from_run(make_run(class_names=names)).plot()
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {35}
    assert {label.get_rotation() for label in ClassCounts.from_run(make_run()).plot().get_xticklabels()} == {0}
