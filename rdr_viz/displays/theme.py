"""The same picture for a dark page: lightness turned over, hues kept.

One rule for all artists instead of a second palette: what was dark on white is light on black, so contrasts stay and a
heat map's numbers stay readable on their cells. Strong colours that show on black as they do on white, which the
methods' are, stay what they are.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection
from matplotlib.colors import ListedColormap, to_hex, to_rgba, to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from rdr_viz.displays.palette import contrast_on_white

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.typing import ColorType

THEMES = ("light", "dark")
#: What white becomes: the ground of pages and files in the dark.
DARK_GROUND = "#191817"
_LIGHTEST = 0.93
_STRONG = 0.4  # saturation, above that of the groups' plum


def turned(color: ColorType, *, text: bool = False) -> tuple[float, float, float, float]:
    """A colour for the dark, RGBA: white becomes :data:`DARK_GROUND`, black nearly white; opacity stays.

    Args:
        color: what matplotlib takes for one.
        text: letters need more contrast than areas and lines, so theirs is always turned.

    Example:
        >>> from matplotlib.colors import to_hex
        >>> to_hex(turned("white")), to_hex(turned("black"))
        ('#191817', '#ededed')
        >>> to_hex(turned("#D55E00")), to_hex(turned("#D55E00", text=True))
        ('#d55e00', '#ff9c4d')
    """
    red, green, blue, alpha = to_rgba(color)
    if min(red, green, blue) == 1:
        return to_rgba(DARK_GROUND, alpha)
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    if saturation >= _STRONG and not text and _contrast(to_hex(color)) >= 3:
        return red, green, blue, alpha
    ground = colorsys.rgb_to_hls(*to_rgba(DARK_GROUND)[:3])[1]
    # The root lifts what was of middling lightness, which the eye takes for darker on black than on white.
    lightness = ground + (_LIGHTEST - ground) * (1 - lightness) ** 0.75
    return *colorsys.hls_to_rgb(hue, lightness, saturation), alpha


def to_dark(figure: Figure) -> Figure:
    """Turn every colour of ``figure`` for the dark, in place, and return it; its ground becomes the dark one."""
    figure.set_facecolor("white")
    for artist in figure.findobj():
        _turn(artist)
    return figure


def _turn(artist: Artist) -> None:
    if isinstance(artist, ScalarMappable) and artist.get_array() is not None:
        before = artist.get_cmap()
        after = ListedColormap([turned(color) for color in before(np.linspace(0, 1, 256))])
        beyond = {"under": before.get_under(), "over": before.get_over(), "bad": before.get_bad()}
        artist.set_cmap(after.with_extremes(**{name: turned(tuple(color)) for name, color in beyond.items()}))
        if isinstance(artist, Collection):
            artist.set_edgecolor(_all_turned(artist.get_edgecolor()))
    elif isinstance(artist, Collection):
        faces, edges = artist.get_facecolor(), artist.get_edgecolor()
        artist.set_facecolor(_all_turned(faces))
        artist.set_edgecolor(_all_turned(edges))
    elif isinstance(artist, Line2D):
        edge, face = artist.get_markeredgecolor(), artist.get_markerfacecolor()
        artist.set_color(turned(artist.get_color()))
        artist.set_markeredgecolor(turned(edge))
        artist.set_markerfacecolor(turned(face))
    elif isinstance(artist, Patch):
        face, edge = artist.get_facecolor(), artist.get_edgecolor()
        artist.set_facecolor(turned(face))
        artist.set_edgecolor(turned(edge))
    elif isinstance(artist, Text):
        artist.set_color(turned(artist.get_color(), text=True))


def _contrast(color: str) -> float:
    """With the dark ground."""
    return contrast_on_white(DARK_GROUND) / contrast_on_white(color)


def _all_turned(colors: ColorType | Sequence[ColorType]) -> list[tuple[float, float, float, float]]:
    return [turned(color) for color in to_rgba_array(colors)]
