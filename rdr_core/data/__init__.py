"""Long-tailed data in one direction: sources -> subsets -> noise -> :class:`LongTailedData`.

Names are loaded when they are first used: who reads runs needs :class:`Groups`, and no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdr_core.data.grouping import groups_by_count, groups_by_rank
    from rdr_core.data.groups import Groups
    from rdr_core.data.load import load_data
    from rdr_core.data.long_tailed import LongTailedData, Split, from_arrays
    from rdr_core.data.sources import SOURCES

_HOME = {
    "SOURCES": "rdr_core.data.sources",
    "Groups": "rdr_core.data.groups",
    "LongTailedData": "rdr_core.data.long_tailed",
    "Split": "rdr_core.data.long_tailed",
    "from_arrays": "rdr_core.data.long_tailed",
    "groups_by_count": "rdr_core.data.grouping",
    "groups_by_rank": "rdr_core.data.grouping",
    "load_data": "rdr_core.data.load",
}

__all__ = [
    "SOURCES",
    "Groups",
    "LongTailedData",
    "Split",
    "from_arrays",
    "groups_by_count",
    "groups_by_rank",
    "load_data",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'rdr_core.data' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
