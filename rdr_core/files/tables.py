"""Tables in CSV files that carry their checksum, in the name of a last, empty column."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rdr_core.files.sealed import BLANK, KEY, TEXT_LIMIT, damaged, read_sealed
from rdr_core.files.whole import write_sealed

if TYPE_CHECKING:
    import pandas as pd

#: Name of the last column, which fills with the checksum.
SEAL = f"{KEY}:{BLANK}"


def write_table(path: Path, columns: Iterable[str], lines: Iterable[str]) -> None:
    """A table of lines that :func:`table_line` has made."""

    def write(beside: str) -> None:
        with open(beside, "w", newline="", encoding="utf-8") as file:
            file.write(",".join([*columns, SEAL]) + "\r\n")
            file.writelines(lines)

    write_sealed(path, write)


def table_line(cells: Iterable[float | str]) -> str:
    """A row of numbers, with an empty cell below the checksum.

    Example:
        >>> table_line([3, 0.5, ""])
        '3,0.5,,\\r\\n'
    """
    return ",".join(map(str, cells)) + ",\r\n"


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
    """The columns of a table's text, but that of the checksum.

    Raises:
        ValueError: its first line is none of a table.
    """
    try:
        return [name for name in next(csv.reader(io.StringIO(text)), []) if not name.startswith(KEY)]
    except csv.Error as error:  # as a name of 131,073 letters
        raise ValueError(str(error)) from None


def read_exactly(source: str | os.PathLike[str] | IO[str], **how: Any) -> pd.DataFrame:
    """A CSV with its numbers as they were written, to the last bit: pandas before 3.1 has to be asked for that.

    Args:
        source, how: as for :func:`pandas.read_csv`.

    Example:
        >>> read_exactly(io.StringIO("x\\n0.30000000000000004"))["x"].item()
        0.30000000000000004
    """
    import pandas as pd

    if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1):
        how |= {"float_precision": "round_trip"}
    return pd.read_csv(source, **how)


def check_table(path: Path, limit: int) -> list[list[str]]:
    """The cells of a table, row by row, the header first and the column of the checksum with them.

    Raises:
        Damaged: as :func:`read_table`, or rows of different lengths.
    """
    text = read_table(path, limit)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise damaged(path, error) from None
    if len(set(map(len, rows))) != 1:
        raise damaged(path, "its rows are of different lengths")
    return rows


def seal_table(path: Path, limit: int) -> None:
    """Give a table of an older version its checksum; its cells stay as they are."""
    header, *rows = check_table(path, limit)
    ends = "\r\n" if b"\r\n" in path.read_bytes()[: 2**16] else "\n"

    def write(beside: str) -> None:
        with open(beside, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator=ends).writerows([[*header, SEAL], *([*row, ""] for row in rows)])

    write_sealed(path, write)
