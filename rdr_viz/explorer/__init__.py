"""The explorer: stored runs, chosen by sliders, as pictures; and what starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdr_viz.explorer.state import State
    from rdr_viz.explorer.widget import Explorer

__all__ = ["Explorer", "State"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562): a job's process has no use for widgets."""
    if name == "Explorer":
        from rdr_viz.explorer.widget import Explorer

        return Explorer
    if name == "State":
        from rdr_viz.explorer.state import State

        return State
    raise AttributeError(f"module 'rdr_viz.explorer' has no attribute {name!r}")
