"""One way to fill a template, and to write it."""

from __future__ import annotations

import os
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from rdr_core.files.whole import write_whole
from rdr_core.visible import visible


def write_template(path: str | os.PathLike[str], template: str, **values: object) -> Path:
    """Fill a template and write it as one HTML file, whole or not at all; equal values give equal bytes.

    Args:
        path: Where to write; folders are made.
        template, values: See :func:`filled`.

    Returns:
        The path written.
    """
    html = filled(template, **values)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda beside: Path(beside).write_text(html, encoding="utf-8"))
    return path


def filled(template: str, **values: object) -> str:
    """A template with its values.

    Args:
        template: Its path inside the package, e.g. ``"pages/page.html.j2"``.
        values: What it names. All of them are escaped, and what is not seen in them is made visible.
    """
    environment = Environment(
        loader=PackageLoader("rdr_viz", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value, keep="\n\t") if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)
