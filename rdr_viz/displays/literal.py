"""Names in pictures: set as they are, where matplotlib would set mathematics between two dollars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

T = TypeVar("T", bound="Axes | Figure")


def literally(draw: Callable[..., T]) -> Callable[..., T]:
    """A display's ``plot`` or ``figure``, that sets the dollars in its names as dollars, as in a class "$5 to $10".

    A display whose names have none sets what it likes.
    """

    @wraps(draw)
    def drawn(self: Any, *arguments: Any, **named: Any) -> T:
        found = draw(self, *arguments, **named)
        if _has_dollars(self):
            _set_literally(found if isinstance(found, Figure) else found.figure)
        return found

    return drawn


def _has_dollars(value: Any, deep: int = 3) -> bool:
    """Whether a display holds a text with one, in its data or beside them."""
    if isinstance(value, str):
        return "$" in value
    if isinstance(value, pd.DataFrame):
        words = [value[column] for column in value if not pd.api.types.is_numeric_dtype(value[column])]
        return any(column.astype(str).str.contains("$", regex=False).any() for column in words)
    if not deep:
        return False
    if isinstance(value, Mapping):
        return any(_has_dollars(each, deep - 1) for pair in value.items() for each in pair)
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(_has_dollars(each, deep - 1) for each in value)
    return any(_has_dollars(each, deep - 1) for each in getattr(value, "__dict__", {}).values())


def _set_literally(figure: Any) -> None:
    for text in figure.findobj(Text):
        if "$" in text.get_text():
            text.set_parse_math(False)
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            for formatter in (axis.get_major_formatter(), axis.get_minor_formatter()):
                if isinstance(formatter, FixedFormatter):  # its ticks are made, and named, when they are drawn
                    formatter.seq = [str(label).replace("$", r"\$") for label in formatter.seq]
