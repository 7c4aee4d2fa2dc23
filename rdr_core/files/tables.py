"""Tables in CSV files that carry their checksum, in the name of a last, empty column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rdr_core.files.sealed import BLANK, KEY, TEXT_LIMIT, damaged, read_sealed
from rdr_core.files.whole import write_sealed

#: Name of the last column, which fills with the checksum.
SEAL = f"{KEY}:{BLANK}"


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A row a mapping; a column that it has nothing of is left empty there."""
    header = [*columns, SEAL]

    def write(beside: str) -> None:
        with open(beside, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(rows)

    write_sealed(path, write)


def read_table(path: Path, limit: int = TEXT_LIMIT) -> str:
    """The text of a table, the column of the checksum with it.

    Raises:
        Damaged: missing, not as it was written, or not whole.
    """
    try:
        text = read_sealed(path, limit).decode()
    except UnicodeDecodeError as error:
        raise damaged(path, error) from None
    if not text.endswith("\n"):
        raise damaged(path, "it is cut short")
    return text


def names_of(text: str) -> list[str]:
    """The columns of a table's text, but that of the checksum."""
    return [name for name in next(csv.reader(io.StringIO(text)), []) if not name.startswith(KEY)]
