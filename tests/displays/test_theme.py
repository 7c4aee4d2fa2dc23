"""Pictures for the dark: contrasts that light pictures have, methods in their own colours, the light one untouched."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from made_up_runs import make_run
from matplotlib.colors import to_hex
from matplotlib.text import Text

from rdr_core import RdrError
from rdr_viz import ClassCounts, GroupAccuracy
from rdr_viz.displays.figure import new_figure
from rdr_viz.displays.palette import GROUP_COLORS, GROUP_TEXT, contrast_on_white, known_methods, method_style
from rdr_viz.displays.theme import DARK_GROUND, to_dark, turned


def contrast(color: object) -> float:
    """With the dark ground (WCAG 2.1)."""
    return contrast_on_white(DARK_GROUND) / contrast_on_white(to_hex(color))


@pytest.mark.parametrize("method", [*known_methods(), "unlisted", "another", "rdr+sam"])
def test_methods_show_on_the_dark_ground(method):
    style = method_style(method)
    assert contrast(turned(style.color)) >= 3
    assert contrast(turned(style.edge)) >= 3
    assert contrast(turned(style.edge, text=True)) >= 4.5
    if method != "ce" and contrast(style.color) >= 3:  # grey and dark colours are turned
        assert to_hex(turned(style.color)) == style.color.lower()


def test_groups_stay_in_order_and_apart():
    found = [contrast(turned(GROUP_COLORS[group])) for group in ("Many", "Medium", "Few")]
    assert found == sorted(found)
    assert found[0] >= 2.2
    assert min(np.diff(found)) > 1
    assert all(contrast(turned(color, text=True)) >= 3 for color in GROUP_TEXT.values())


def test_values_beyond_a_colour_map_are_turned_too():
    figure = new_figure(2, 2)
    cmap = mpl.colormaps["gray_r"].with_extremes(under="#EEEEEE", over="black", bad="white")
    image = figure.subplots().imshow([[-1.0, 0.5], [2.0, np.nan]], cmap=cmap, vmin=0, vmax=1)
    to_dark(figure)
    under, _, over, bad = (tuple(color) for color in image.to_rgba(image.get_array(), bytes=False).reshape(4, 4))
    assert [to_hex(under), to_hex(over), to_hex(bad)] == [
        to_hex(turned("#EEEEEE")), to_hex(turned("black")), to_hex(turned("white")),
    ]  # fmt: skip


def test_letters_are_light_and_the_data_the_same():
    display = GroupAccuracy.from_runs([make_run("ce"), make_run("rdr")])
    light, dark = display.in_theme("light"), display.in_theme("dark")
    assert to_hex(dark.get_facecolor()) == DARK_GROUND
    for text in dark.findobj(Text):
        assert contrast(text.get_color()) >= 4.5 or not text.get_text()
    heights = [[bar.get_height() for bar in figure.axes[0].patches] for figure in (light, dark)]
    assert heights[0] == heights[1]
    assert to_hex(light.axes[0].title.get_color()) == "#222222"


def test_files_in_the_dark(tmp_path):
    display = ClassCounts.from_run(make_run("rdr"))
    dark = display.save(tmp_path / "dark", theme="dark")
    assert dark["png"].read_bytes() != display.save(tmp_path / "light")["png"].read_bytes()
    from PIL import Image

    assert Image.open(dark["png"]).convert("RGB").getpixel((0, 0)) == (0x19, 0x18, 0x17)
    with pytest.raises(RdrError, match="no theme named 'drak'; did you mean 'dark'"):
        display.save(tmp_path / "x", theme="drak")
