"""One fixed colour, marker and line style per method, and one ramp for the groups Many, Medium and Few.

Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), then Paul Tol's, which stay apart under the common kinds
of colour blindness. Colour and marker stand for a method's base, the line style, hatch and hollow markers for a
flatness-seeking optimizer, deferred weights or a second stage (:mod:`rdr_core.methods.names`). Groups take one hue
(plum) that no method has, darker the fewer images.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from rdr_core.methods.names import method_label, pieces_of

#: Plum from light to dark; each has a contrast of at least 3:1 on white.
GROUP_COLORS = {"Many": "#9C86C4", "Medium": "#6A4C9C", "Few": "#2E1A47"}
#: The same, dark enough for small text on white.
GROUP_TEXT = {"Many": "#7764A0", "Medium": "#6A4C9C", "Few": "#2E1A47"}

#: base method -> (colour, marker).
_BASES: dict[str, tuple[str, str]] = {
    "ce": ("#4D4D4D", "o"),
    "focal": ("#E69F00", "v"),
    "cb": ("#0072B2", "P"),
    "la": ("#009E73", "^"),
    "balanced_softmax": ("#117733", "p"),
    "vs": ("#332288", "<"),
    "ldam": ("#661100", ">"),
    "cdb": ("#DDCC77", "h"),
    "inverse": ("#56B4E9", "s"),
    "rdr": ("#D55E00", "D"),
    "rdr+la": ("#CC79A7", "X"),
    # Found by search: as far as can be from those above in every eye, and from the groups' plum.
    "seesaw": ("#2034E4", "*"),
    "las": ("#EFCDC2", "d"),
    "ib": ("#4B004B", "8"),
    "sade": ("#B45AFF", "H"),
}

#: What changes a base method -> (line style, hatch), as matplotlib names them.
_CHANGES: dict[str, tuple[object, str]] = {
    "sam": ("--", "///"),
    "imbsam": ("-.", "..."),
    "ccsam": (":", "xxx"),
    "focalsam": ((0, (3, 1, 1, 1, 1, 1)), "**"),
    "muon": ((0, (8, 2, 2, 2)), "\\\\///"),
    "drw": ((0, (6, 2)), "---"),
    "crt": ((0, (1, 1)), "|||"),
    "lws": ((0, (5, 1, 1, 1, 1, 1)), "OO"),
    "taunorm": ((0, (3, 1, 1, 1)), "+++"),
    "posthoc": ((0, (2, 2)), "ooo"),
    "agreement": ((0, (4, 1, 2, 1)), "oo"),
}

# For names nobody has listed: Paul Tol's muted colours, less those near the ones above.
_SPARE_COLORS = ("#882255", "#999933", "#44AA99", "#AA4499")
_SPARE_MARKERS = ("*", "d", "8", "H")


@dataclass(frozen=True)
class MethodStyle:
    """How one method looks in every picture.

    Attributes:
        label: What the reader sees, e.g. ``"1/n"``.
        color: Fill of bars and colour of lines, ``#RRGGBB``.
        edge: The same hue, darker, with a contrast of at least 3:1 on white; outline of bars and markers, and hatch.
        marker: A matplotlib marker.
        linestyle: A matplotlib line style.
        hatch: A matplotlib hatch for bars, ``""`` for none.
        filled: Whether markers are filled.
    """

    label: str
    color: str
    edge: str
    marker: str
    linestyle: object
    hatch: str
    filled: bool

    def line(self) -> dict[str, Any]:
        """Keyword arguments for ``Axes.plot``."""
        return {
            "color": self.color,
            "marker": self.marker,
            "linestyle": self.linestyle,
            "markeredgecolor": self.edge,
            "markerfacecolor": self.color if self.filled else "white",
        }


def method_style(method: str) -> MethodStyle:
    """The style of a canonical method name; any name gets one, the same in every process.

    Options (``"rdr:gamma=0.5"``) keep the colour and marker of the method, go into the label and add a hatch. An
    unlisted name gets a colour and marker from a spare list by a checksum of the name.

    Example:
        >>> method_style("inverse").label, method_style("rdr:gamma=0.5+la").label
        ('1/n', 'RDR+LA (γ=0.5)')
    """
    base, optimizers, later, options = pieces_of(method)
    if base in _BASES:
        color, marker = _BASES[base]
    else:
        spare = zlib.crc32(base.encode(errors="backslashreplace"))
        color = _SPARE_COLORS[spare % len(_SPARE_COLORS)]
        marker = _SPARE_MARKERS[spare // len(_SPARE_COLORS) % len(_SPARE_MARKERS)]
    linestyle: object = (0, (4, 1, 1, 1)) if options else "-"
    hatch = "\\\\\\" if options else ""
    if optimizers or later:
        linestyle, hatch = _CHANGES[later[-1] if later else optimizers[-1]]
    edge = darken(color, max(3.0, 1.8 * contrast_on_white(color)))
    return MethodStyle(method_label(method), color, edge, marker, linestyle, hatch, filled=not (optimizers or later))


def known_methods() -> tuple[str, ...]:
    """The methods with a colour and marker of their own, in their fixed order."""
    return tuple(_BASES)


def contrast_on_white(color: str) -> float:
    """Contrast ratio of ``#RRGGBB`` with white, 1 to 21 (WCAG 2.1); graphics need 3, small text 4.5.

    Example:
        >>> round(contrast_on_white("#000000"), 1)
        21.0
    """
    return 1.05 / (_luminance(_rgb(color)) + 0.05)


def darken(color: str, contrast: float = 4.5) -> str:
    """``color`` scaled towards black until its contrast with white is at least ``contrast`` (4.5: small text)."""
    rgb = _rgb(color)
    shades = ("#{:02X}{:02X}{:02X}".format(*(round(v * step / 40) for v in rgb)) for step in range(40, -1, -1))
    return next((shade for shade in shades if contrast_on_white(shade) >= contrast), "#000000")


def _rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def _luminance(rgb: list[int]) -> float:
    """Relative luminance of an sRGB colour with channels 0..255, in 0..1."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (value / 255 for value in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
