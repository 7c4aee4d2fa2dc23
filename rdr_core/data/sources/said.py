"""What is said of a data set after its name and a question mark: ``yeast?draw=3``."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from rdr_core.errors import RdrError, unknown_name


def read_said(text: str, options: Sequence[str], of: str) -> tuple[str, dict[str, str]]:
    """A name and what is said of it.

    Args:
        text: name, then a question mark and options as in a web address.
        options: that there are.
        of: what they belong to, for the message.

    Raises:
        RdrError: an option that there is not.

    Example:
        >>> read_said("yeast?draw=3", ("draw",), "a table")
        ('yeast', {'draw': '3'})
        >>> read_said("yeast?drwa=3", ("draw",), "a table")
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: There is no option of a table named 'drwa'; did you mean 'draw'? Known: draw.
    """
    name, _, query = text.partition("?")
    asked = dict(parse_qsl(query, keep_blank_values=True))
    for option in asked:
        if option not in options:
            raise unknown_name(f"option of {of}", option, dict.fromkeys(options))
    return name, asked


def read_draw(asked: dict[str, str], text: str) -> int:
    """Which samples are for tests: the draw that ``draw=`` names, 0 (default) to 2^32 - 1.

    Raises:
        RdrError: no such number.

    Example:
        >>> read_draw({"draw": "3"}, "yeast?draw=3"), read_draw({}, "yeast")
        (3, 0)
    """
    draw = asked.get("draw", "0")
    if not (draw.isascii() and draw.isdigit() and int(draw) < 2**32):
        raise RdrError(f"{text!r} asks for draw {draw!r}; it must be a whole number from 0 to 2^32 - 1, as in draw=3.")
    return int(draw)
