"""The explorer in notebooks and as a page with a kernel: which runs there are, and what makes the missing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdr_viz.explorer.widget import Explorer

__all__ = ["Explorer"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562): a job's process has no use for widgets."""
    if name == "Explorer":
        from rdr_viz.explorer.widget import Explorer

        return Explorer
    raise AttributeError(f"module 'rdr_viz.explorer' has no attribute {name!r}")
