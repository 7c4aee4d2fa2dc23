"""Long-tailed data in one direction: sources -> subsets -> noise -> :class:`LongTailedData`.

Names are loaded when they are first used: who reads runs needs :class:`Groups`, and no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.lazy import lazily

if TYPE_CHECKING:
    from rdr_core.data.datasets import DATASETS, Settings, dataset
    from rdr_core.data.grouping import groups_by_count, groups_by_rank
    from rdr_core.data.groups import Groups
    from rdr_core.data.load import load_data
    from rdr_core.data.long_tailed import LongTailedData
    from rdr_core.data.own.class_folders import from_folder
    from rdr_core.data.own.csv_file import CsvColumns, from_csv
    from rdr_core.data.own.frame import from_frame
    from rdr_core.data.own.image_arrays import from_arrays
    from rdr_core.data.own.series import from_series
    from rdr_core.data.own.text import from_text
    from rdr_core.data.own.torch_dataset import from_dataset
    from rdr_core.data.sources.raw import RawData
    from rdr_core.data.split import Split

_HOMES = {
    "DATASETS": "rdr_core.data.datasets",
    "CsvColumns": "rdr_core.data.own.csv_file",
    "Groups": "rdr_core.data.groups",
    "LongTailedData": "rdr_core.data.long_tailed",
    "RawData": "rdr_core.data.sources.raw",
    "Settings": "rdr_core.data.datasets",
    "Split": "rdr_core.data.split",
    "dataset": "rdr_core.data.datasets",
    "from_arrays": "rdr_core.data.own.image_arrays",
    "from_csv": "rdr_core.data.own.csv_file",
    "from_dataset": "rdr_core.data.own.torch_dataset",
    "from_folder": "rdr_core.data.own.class_folders",
    "from_frame": "rdr_core.data.own.frame",
    "from_series": "rdr_core.data.own.series",
    "from_text": "rdr_core.data.own.text",
    "groups_by_count": "rdr_core.data.grouping",
    "groups_by_rank": "rdr_core.data.grouping",
    "load_data": "rdr_core.data.load",
}

__all__ = [
    "DATASETS",
    "CsvColumns",
    "Groups",
    "LongTailedData",
    "RawData",
    "Settings",
    "Split",
    "dataset",
    "from_arrays",
    "from_csv",
    "from_dataset",
    "from_folder",
    "from_frame",
    "from_series",
    "from_text",
    "groups_by_count",
    "groups_by_rank",
    "load_data",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)
