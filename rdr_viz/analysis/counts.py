"""How many training images each class has, in the order in which pictures show the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.data.groups import GROUPS

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run


def class_table(run: Run | LongTailedData, *others: Run) -> pd.DataFrame:
    """A row per class: ``rank`` (1 for the first), ``class``, ``name``, ``count``, ``group``.

    Where runs have different classes in a place, because each drew its order, the place's name is "place 3" and such.

    Sorted by group (Many, Medium, Few), then by falling count; equal counts keep the class order. On list-file data
    sets, whose classes are in no order of size, this is the order by rank.
    """
    counts = np.asarray(run.class_counts)
    table = pd.DataFrame(
        {
            "class": np.arange(len(counts)),
            "name": [str(name) for name in _names(run, others)],
            "count": counts.astype(int),
            "group": [str(group) for group in run.groups.of_class],
        }
    )
    place = table["group"].map({name: i for i, name in enumerate(GROUPS)}).fillna(len(GROUPS))
    table = (
        table.assign(place=place, size=-table["count"])
        .sort_values(["place", "size", "class"], kind="stable")
        .drop(columns=["place", "size"])
        .reset_index(drop=True)
    )
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def _names(run: Run | LongTailedData, others: Sequence[Run]) -> list[object]:
    theirs = [tuple(other.class_names) for other in others]
    return [
        name if all(names[at : at + 1] in ((name,), ()) for names in theirs) else f"place {at + 1}"
        for at, name in enumerate(run.class_names)
    ]
