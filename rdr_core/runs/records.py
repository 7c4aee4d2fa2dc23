"""What training has recorded of a run, read from its folder as tables."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.files.trees import load_arrays
from rdr_core.runs.layout import HISTORY
from rdr_core.shapes import Int

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import Groups


def read_history(path: Path) -> pd.DataFrame:
    """A row an epoch, of a ``history.csv``; none where the file is not there.

    Raises:
        RdrError: it can't be read.
    """
    import pandas as pd

    try:
        rows: list[dict[str, str]] = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file, restval="nan"))
        # Python's own float reads back what was written to the last bit; pandas' parsers need not.
        columns = {name: np.array([float(row.get(name, "nan")) for row in rows]) for name in HISTORY}
        return pd.DataFrame(columns).astype({"epoch": int})
    except (ValueError, OSError) as error:
        raise RdrError(f"{path} can't be read ({error}); remove the run's folder and train it again.") from None


def read_classes(path: Path, class_counts: Int[np.ndarray, "d"], groups: Groups) -> pd.DataFrame:
    """A row for each epoch and class, of a ``classes.safetensors``; none where the file is not there.

    Args:
        path: the file.
        class_counts, groups: of the run, repeated in each epoch.
    """
    import pandas as pd

    columns = load_arrays(path) if path.is_file() else {}
    epochs, d = len(next(iter(columns.values()))) if columns else 0, len(class_counts)
    table = {
        "epoch": np.repeat(np.arange(1, epochs + 1), d),
        "class": np.tile(np.arange(d), epochs),
        "count": np.tile(class_counts, epochs),
        "group": np.tile(groups.of_class, epochs),
    }
    return pd.DataFrame(table | {name: column.ravel() for name, column in columns.items()})
