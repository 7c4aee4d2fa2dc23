"""The explorer in notebooks and as a page with a kernel: which runs there are, and what makes the missing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.lazy import lazily

if TYPE_CHECKING:
    from rdr_viz.explorer.widget import Explorer

_HOMES = {
    "Explorer": "rdr_viz.explorer.widget",
}

__all__ = [
    "Explorer",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)
