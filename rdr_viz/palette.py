"""One fixed colour, marker and line style per method, and one ramp for the groups Many, Medium and Few.

Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), then Paul Tol's, which stay apart under the common kinds
of colour blindness. A method is a sum of parts (``"rdr+la+sam"``): the colour and marker stand for how the loss is
weighted, the line style, hatch and hollow markers for a flatness-seeking optimizer, deferred weights or a second stage.
Groups take one hue (plum) that no method has, darker the fewer images.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

#: Order of the groups everywhere; "All" is every class.
GROUPS = ("Many", "Medium", "Few")

#: Plum from light to dark; each has a contrast of at least 3:1 on white.
GROUP_COLORS = {"Many": "#9C86C4", "Medium": "#6A4C9C", "Few": "#2E1A47"}
#: The same, dark enough for small text on white.
GROUP_TEXT = {"Many": "#7764A0", "Medium": "#6A4C9C", "Few": "#2E1A47"}

#: base method -> (label, colour, marker), in the order in which pictures and tables list them.
_BASES: dict[str, tuple[str, str, str]] = {
    "ce": ("CE", "#4D4D4D", "o"),
    "focal": ("Focal", "#E69F00", "v"),
    "cb": ("CB", "#0072B2", "P"),
    "la": ("LA", "#009E73", "^"),
    "balanced_softmax": ("BalSoftmax", "#117733", "p"),
    "vs": ("VS", "#332288", "<"),
    "ldam": ("LDAM", "#661100", ">"),
    "cdb": ("CDB", "#DDCC77", "h"),
    "inverse": ("1/n", "#56B4E9", "s"),
    "rdr": ("RDR", "#D55E00", "D"),
    "rdr+la": ("RDR+LA", "#CC79A7", "X"),
}

#: optimizer -> (label, line style, hatch), as matplotlib names them.
_OPTIMIZERS: dict[str, tuple[str, str, str]] = {
    "sam": ("SAM", "--", "///"),
    "imbsam": ("ImbSAM", "-.", "..."),
    "ccsam": ("CC-SAM", ":", "xxx"),
}

#: What is done to a method later in its run, or after it -> (label, line style, hatch).
_LATER: dict[str, tuple[str, object, str]] = {
    "drw": ("DRW", (0, (6, 2)), "---"),
    "crt": ("cRT", (0, (1, 1)), "|||"),
    "taunorm": ("τ-norm", (0, (3, 1, 1, 1)), "+++"),
    "posthoc": ("post-hoc", (0, (2, 2)), "ooo"),
}

# For names nobody has listed: Paul Tol's muted colours, less those near the ones above.
_SPARE_COLORS = ("#882255", "#999933", "#44AA99", "#AA4499")
_SPARE_MARKERS = ("*", "d", "8", "H")
_GREEK = {"gamma": "γ", "tau": "τ", "beta": "β", "alpha": "α", "rho": "ρ", "lambda": "λ", "momentum": "m"}


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
    linestyle: str
    hatch: str
    filled: bool

    def line(self) -> dict[str, object]:
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
    names, options = _split(method)
    base, optimizers, later = _base(names)
    if base in _BASES:
        label, color, marker = _BASES[base]
    else:
        spare = zlib.crc32(base.encode())
        label = "+".join(_BASES[part][0] if part in _BASES else part for part in base.split("+"))
        color = _SPARE_COLORS[spare % len(_SPARE_COLORS)]
        marker = _SPARE_MARKERS[spare // len(_SPARE_COLORS) % len(_SPARE_MARKERS)]
    linestyle, hatch = "-", "\\\\\\" if options else ""
    if optimizers:
        shown = [_OPTIMIZERS[name][0] for name in optimizers]
        label = "+".join(shown if base == "ce" else [label, *shown])
        _, linestyle, hatch = _OPTIMIZERS[optimizers[-1]]
    elif options:
        linestyle = (0, (4, 1, 1, 1))  # type: ignore[assignment]
    if later:
        label = "+".join([label, *(_LATER[name][0] for name in later)])
        _, linestyle, hatch = _LATER[later[-1]]  # type: ignore[assignment]
    if options:
        label += f" ({', '.join(options)})"
    edge = darken(color, max(3.0, 1.8 * contrast_on_white(color)))
    return MethodStyle(label, color, edge, marker, linestyle, hatch, filled=not (optimizers or later))


def method_order(method: str) -> tuple[int, int, str]:
    """Sort key: the listed methods in their order, each followed by its variants, unlisted names last."""
    base, optimizers, later = _base(_split(method)[0])
    bases, known = list(_BASES), [*_OPTIMIZERS, *_LATER]
    at = bases.index(base) if base in bases else len(bases)
    return at, max((known.index(name) + 1 for name in (*optimizers, *later)), default=0), method


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


def _base(names: list[str]) -> tuple[str, list[str], list[str]]:
    """What the colour stands for, then optimizers, then what is done later; cross-entropy goes without saying."""
    changes = {**_OPTIMIZERS, **_LATER}
    base = [name for name in names if name not in changes]
    base = [name for name in base if name != "ce"] or ["ce"]
    return "+".join(base), [n for n in names if n in _OPTIMIZERS], [n for n in names if n in _LATER]


def _rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def _luminance(rgb: list[int]) -> float:
    """Relative luminance of an sRGB colour with channels 0..255, in 0..1."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (value / 255 for value in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _split(method: str) -> tuple[list[str], list[str]]:
    """``"rdr:gamma=0.5+la"`` -> ``(["rdr", "la"], ["γ=0.5"])``; a ``+`` inside a number (``1e+3``) does not split.

    A preset goes by its name alone: ``"rdr:preset=released"`` is "RDR (released)".
    """
    names, options = [], []
    for part in re.split(r"\+(?=[^\d])", method):
        name, _, rest = part.partition(":")
        names.append(name)
        for option in filter(None, rest.split(",")):
            key, equals, value = option.partition("=")
            options.append(value if key == "preset" else _GREEK.get(key, key) + equals + value)
    return names, options
