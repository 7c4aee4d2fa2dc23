"""Checksums for a run's files that an older version has written without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rdr_core.errors import Damaged
from rdr_core.files.sealed import LAST, is_sealed
from rdr_core.files.tables import seal_table
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.files.whole import read_json, write_json

#: Bytes of a result's table.
LARGEST_TABLE = 2**33


def stored_files(run: Path) -> Iterator[Path]:
    """The files of a run's folder that have checksums, or should."""
    yield from (file for file in sorted(run.rglob("*")) if file.suffix in (".json", ".csv", ".safetensors"))


def seal_all(run: Path) -> int:
    """Give a run's files their checksums, the one last that says that all have them; how many had none."""
    return sum(map(_seal, sorted(stored_files(run), key=lambda file: file == run / LAST)))


def _seal(file: Path) -> bool:
    try:
        if is_sealed(file):
            return False
        if file.suffix == ".json":
            write_json(file, read_json(file))
        elif file.suffix == ".csv":
            seal_table(file, LARGEST_TABLE)
        else:
            save_tree(file, load_tree(file))
    except Damaged:  # no file of ours
        return False
    return True
