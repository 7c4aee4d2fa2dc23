"""Write pictures, sentences and a table as one self-contained HTML file."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from rdr_viz.analysis.accuracy import ALL_AND_GROUPS
from rdr_viz.displays.figure import csv_text, render
from rdr_viz.pages.tables import best, cells
from rdr_viz.pages.template import write_template

if TYPE_CHECKING:
    import pandas as pd

    from rdr_viz.displays.base import Display


@dataclass(frozen=True)
class Section:
    """One picture with its words.

    Attributes:
        name: File name without ending that downloads get, e.g. ``"class_counts"``.
        heading: The question.
        svg: The picture, an SVG file's text in UTF-8.
        dark: The same for a dark page.
        alt: What it shows, for a reader who cannot see it.
        look: One sentence: what to look at.
        finding: What these data say, with the numbers.
        csv: The plotted data.
    """

    name: str
    heading: str
    svg: bytes
    dark: bytes
    alt: str
    look: str
    finding: str
    csv: str

    @classmethod
    def from_display(cls, name: str, display: Display, svg: bytes | None = None) -> Section:
        """Take the words and data of ``display``, and its picture: ``svg`` if it has been drawn before."""
        words = {"title": display.title, "description": display.alt}
        svg = render(display.figure(), "svg", **words) if svg is None else svg
        dark = render(display.in_theme("dark"), "svg", **words)
        return cls(name, display.title, svg, dark, display.alt, display.look, display.finding, csv_text(display.data))

    @property
    def picture(self) -> str:
        """The picture as a ``data:`` address."""
        return _address(self.svg)

    @property
    def dark_picture(self) -> str:
        """The picture for a dark page as a ``data:`` address."""
        return _address(self.dark)

    @property
    def download(self) -> str:
        """The plotted data as a ``data:`` address."""
        return "data:text/csv;charset=utf-8," + quote(self.csv)


def _address(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def write_page(
    path: str | os.PathLike[str],
    *,
    title: str,
    lead: str,
    sections: Sequence[Section],
    table: pd.DataFrame | None = None,
    glossary: Sequence[tuple[str, str]] = (),
    missing: Sequence[tuple[str, str]] = (),
    command: str | None = None,
) -> Path:
    """Write one HTML file that needs no other file, no script and no network.

    All words are escaped, so a class may have any name. The page follows the reader's light or dark theme, is readable
    from 380 to 1,920 pixels and prints. Equal arguments give equal bytes.

    Args:
        path: Where to write; folders are made.
        title: Of the page.
        lead: What a newcomer sees here, in about three sentences.
        sections: The pictures, in order.
        table: As :func:`rdr_viz.accuracy_table` returns it; shown before the pictures.
        glossary: Terms and what they mean, shown under the table.
        missing: Questions without a picture, and why; shown after the pictures.
        command: What repeats the page, for a shell.

    Returns:
        The path written.

    Example:
        >>> write_page("out/index.html", title="Digits", lead="...", sections=[])  # doctest: +SKIP
    """
    rows = (
        [] if table is None else [list(zip(*row, strict=True)) for row in zip(cells(table), best(table), strict=True)]
    )
    return write_template(
        path,
        "pages/page.html.j2",
        title=title,
        lead=lead,
        sections=sections,
        header=["Method", "Seeds", *ALL_AND_GROUPS],
        rows=rows,
        several=table is not None and "All sd" in table,
        groupless=table is not None and table[list(ALL_AND_GROUPS)].isna().any(axis=None),
        glossary=glossary,
        missing=missing,
        command=command,
    )
