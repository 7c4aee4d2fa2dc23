"""Long-tailed data in one direction: sources -> subsets -> noise -> :class:`LongTailedData`."""

from rdr_core.data.groups import Groups, groups_by_count, groups_by_rank
from rdr_core.data.load import load_data
from rdr_core.data.long_tailed import LongTailedData, Split, from_arrays
from rdr_core.data.sources import SOURCES

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
