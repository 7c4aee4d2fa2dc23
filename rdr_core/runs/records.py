"""What training has recorded of a run, read from its folder as tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rdr_core.errors import Damaged
from rdr_core.files.sealed import KEY, damaged
from rdr_core.files.tables import names_of, read_table, table_line, write_table
from rdr_core.files.trees import load_arrays
from rdr_core.runs.contents import read_done
from rdr_core.runs.layout import HISTORY, finished
from rdr_core.shapes import Int

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import Groups

T = TypeVar("T")

#: Columns of ``classes`` that every version has recorded, and those that later ones have too: other readings of B'.
_BY_CLASS = ("accuracy", "weight", "ratio", "b_prime")
_SINCE = ("b_prime_probability", "b_prime_batch", "b_prime_quantile")


def write_history(path: Path, lines: Iterable[str]) -> None:
    """A line an epoch (:func:`history_line`), which stays as it is while others follow."""
    write_table(path, HISTORY, lines)


def history_line(row: Mapping[str, float]) -> str:
    """The line of an epoch in a history.csv; a float's text reads back to the last bit."""
    return table_line(row.get(name, "") for name in HISTORY)


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a ``history.csv``, an epoch each.

    Raises:
        Damaged: missing, or not as it was written.
    """
    text = read_table(path)
    _columns(path, text)
    # Python's own float reads back what was written to the last bit; pandas' parsers need not.
    try:
        rows = [_row(path, row) for row in csv.DictReader(io.StringIO(text), restval="nan")]
    except csv.Error as error:
        raise damaged(path, error) from None
    if [row["epoch"] for row in rows] != list(range(1, len(rows) + 1)):
        raise damaged(path, "its epochs are not 1, 2, 3 and so on")
    return rows


def read_last_epoch(path: Path) -> tuple[int, dict[str, float]]:
    """How many rows a ``history.csv`` has, and the last of them, for lists of many runs; {} where there is none.

    Raises:
        Damaged: as :func:`read_history`.
    """
    text = read_table(path)
    names, lines = _columns(path, text), text.splitlines()
    if len(lines) == 1 or KEY not in lines[0]:
        rows = read_history(path)
        return len(rows), rows[-1] if rows else {}
    row = _row(path, dict(zip(names, lines[-1].split(","), strict=False)))
    if row["epoch"] != len(lines) - 1:
        raise damaged(path, f"its row {len(lines) - 1} is of epoch {row['epoch']:g}")
    return len(lines) - 1, row


def history_table(rows: list[dict[str, float]]) -> pd.DataFrame:
    """The rows of a history as a table."""
    import pandas as pd

    columns = {name: np.array([row[name] for row in rows], dtype=float) for name in HISTORY}
    return pd.DataFrame(columns).astype({"epoch": int})


def recorded_history(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's history; of one in training as its checkpoint has them, where history.csv can't be read.

    Raises:
        Damaged: it can't be read, and there is no checkpoint that can.
    """
    return _recorded(folder, "history.csv", read_history, history_of, len, [])


def recorded_last_epoch(folder: Path) -> tuple[int, dict[str, float]]:
    """How many epochs a run has, and the last one's row, as :func:`read_last_epoch`.

    Raises:
        Damaged: as :func:`recorded_history`.
    """

    def last(tree: Any, path: Path) -> tuple[int, dict[str, float]]:
        rows = history_of(tree, path)
        return len(rows), rows[-1] if rows else {}

    nothing: tuple[int, dict[str, float]] = (0, {})
    return _recorded(folder, "history.csv", read_last_epoch, last, lambda found: found[0], nothing)


def recorded_classes(folder: Path, d: int) -> dict[str, np.ndarray]:
    """Columns of a run's classes, each (epochs, d), from where :func:`recorded_history` has the history.

    Raises:
        Damaged: as there.
    """
    return _recorded(
        folder, "classes.safetensors", partial(read_classes, d=d), partial(classes_of, d=d),
        lambda found: len(found["accuracy"]), {},
    )  # fmt: skip


def of_checkpoint(path: Path, d: int) -> tuple[list[dict[str, float]], dict[str, np.ndarray]]:
    """History and classes as a checkpoint has them, from which both files follow.

    Raises:
        Damaged: it is missing, or not as it was written.
    """
    tree = load_arrays(path)
    return history_of(tree, path), classes_of(tree, path, d)


def _recorded(
    folder: Path, name: str, read: Callable[[Path], T], of_tree: Callable[[Any, Path], T], epochs: Callable[[T], int],
    nothing: T,
) -> T:  # fmt: skip
    path, checkpoint, done = folder / name, folder / "checkpoint.safetensors", finished(folder)
    try:
        found = read(path)
    except Damaged:
        if not done and checkpoint.exists():
            return of_tree(load_arrays(checkpoint), checkpoint)
        if done or path.exists():
            raise
        return nothing
    if done and epochs(found) != (should := read_done(folder).get("epochs", epochs(found))):
        raise damaged(path, f"it has {epochs(found)} epochs of the {should} that done.json says")
    return found


def read_classes(path: Path, d: int) -> dict[str, np.ndarray]:
    """Columns of a ``classes.safetensors``, each (epochs, d).

    Raises:
        Damaged: missing, or not as it was written.
    """
    return _by_class(load_arrays(path), d, path)


def read_indices(path: Path) -> Int[np.ndarray, "N"]:
    """The training images chosen, of an ``indices.safetensors``.

    Raises:
        Damaged: missing, or not as it was written.
    """
    tree = load_arrays(path)
    found = tree.get("indices") if isinstance(tree, dict) else None
    if not isinstance(found, np.ndarray) or found.ndim != 1 or found.dtype.kind != "i":
        raise damaged(path, "it holds no list of indices")
    return found


def classes_table(columns: dict[str, np.ndarray], class_counts: Int[np.ndarray, "d"], groups: Groups) -> pd.DataFrame:
    """A row for each epoch and class.

    Args:
        columns: as :func:`read_classes` gives them.
        class_counts, groups: of the run, repeated in each epoch.
    """
    import pandas as pd

    epochs, d = len(next(iter(columns.values()))) if columns else 0, len(class_counts)
    table = {
        "epoch": np.repeat(np.arange(1, epochs + 1), d),
        "class": np.tile(np.arange(d), epochs),
        "count": np.tile(class_counts, epochs),
        "group": np.tile(groups.of_class, epochs),
    }
    numbers = {name: column.ravel() for name, column in columns.items()}
    unknown = {name: np.full(epochs * d, np.nan) for name in _SINCE if columns and name not in columns}
    return pd.DataFrame(table | numbers | unknown)


def _columns(path: Path, text: str) -> list[str]:
    try:
        names = names_of(text)
    except ValueError as error:
        raise damaged(path, error) from None
    if not {"epoch", "loss", "accuracy", "seconds"} <= set(names):
        raise damaged(path, "it has other columns than a history")
    return names


def _row(path: Path, row: dict[Any, Any]) -> dict[str, float]:
    try:
        found = {name: float(row.get(name, "nan")) for name in HISTORY}
    except (TypeError, ValueError) as error:
        raise damaged(path, error) from None
    shares = [found[name] for name in ("train_accuracy", "accuracy", "many", "medium", "few")]
    if not 1 <= found["epoch"] < math.inf or not all(0 <= share < 100.001 for share in shares if share == share):
        raise damaged(path, "it has an epoch or an accuracy that can't be")
    return found | {"epoch": int(found["epoch"])}


def history_of(tree: Any, path: Path) -> list[dict[str, float]]:
    """The rows of a history as a checkpoint's tree has them.

    Raises:
        Damaged: it has none.
    """
    rows = tree.get("history") if isinstance(tree, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise damaged(path, "it holds no history")
    return [_row(path, row) for row in rows]


def classes_of(tree: Any, path: Path, d: int) -> dict[str, np.ndarray]:
    """Columns of a run's classes as a checkpoint's tree has them, each (epochs, d); {} before the first.

    Raises:
        Damaged: it has none.
    """
    columns = tree.get("classes") if isinstance(tree, dict) else None
    return columns if columns == {} else _by_class(columns, d, path)


def _by_class(columns: Any, d: int, path: Path) -> dict[str, np.ndarray]:
    if not isinstance(columns, dict) or not set(_BY_CLASS) <= set(columns):
        raise damaged(path, f"it has not all of the columns {', '.join(_BY_CLASS)}")
    arrays = {name: np.asarray(columns[name]) for name in (*_BY_CLASS, *_SINCE) if name in columns}
    for name, array in arrays.items():
        if array.ndim != 2 or array.shape[1] != d or array.dtype.kind != "f" or len(array) != len(arrays["accuracy"]):
            raise damaged(path, f"its {name!r} is {array.dtype} of shape {array.shape}, not a float for {d} classes")
    return arrays
