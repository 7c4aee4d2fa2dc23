"""The playground: points in the plane, two methods side by side, in one HTML file that needs nothing else."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

from matplotlib.colors import to_hex

from rdr_core.errors import RdrError
from rdr_viz.displays.palette import darken, method_style
from rdr_viz.displays.theme import turned
from rdr_viz.pages.template import filled, write_template

#: The methods that the playground has, by part; n^-gamma is `inverse` with its option.
METHODS = ("ce", "focal", "cb", "la", "inverse", "rdr")
_TEMPLATE = "explorer/playground.html.j2"


def write_playground(path: str | os.PathLike[str]) -> Path:
    """Write the playground as one HTML file, whole or not at all; it works from disk and asks nothing of the network.

    Args:
        path: Where to write; folders are made.

    Returns:
        The path written.

    Raises:
        RdrError: a folder of that name, or a place that can't be written to.

    Example:
        >>> write_playground("out/playground.html")  # doctest: +SKIP
    """
    path = Path(path)
    if path.is_dir():
        raise RdrError(f"{path} is a folder; name a file, as {path / 'playground.html'}.")
    try:
        return write_template(path, _TEMPLATE, **_values())
    except OSError as error:
        raise RdrError(f"{path} can't be written ({error.strerror or error}); name another place.") from None


def playground_page() -> str:
    """The same page as text, for a frame in another one."""
    return filled(_TEMPLATE, **_values())


def _values() -> dict[str, str]:
    return {"styles": in_script(method_styles()), "script": bundle("playground")}


def method_styles() -> dict[str, dict[str, str]]:
    """Label, colours and mark of each method, the same as in every picture; `text` and `dark` are for letters."""
    found = {}
    for method in METHODS:
        style = method_style(method)
        found[method] = {
            "label": style.label,
            "color": style.color,
            "text": darken(style.color, 4.8),  # the page is not quite white
            "dark": to_hex(turned(style.color, text=True)),
            "marker": style.marker,
        }
    return found


def in_script(value: Any) -> str:
    """JSON that may stand inside a ``<script>``, whatever it says.

    Example:
        >>> print(in_script("</script>"))
        "\\u003c/script>"
    """
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def bundle(name: str) -> str:
    """A script of ``static/``; it can stand inside a ``<script>`` as it is."""
    script = (files("rdr_viz.explorer.front") / "static" / f"{name}.js").read_text(encoding="utf-8")
    # In JavaScript a backslash before a slash says nothing, to HTML it is no end.
    return script.replace("</script", "<\\/script")
