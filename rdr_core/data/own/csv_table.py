"""The cells of a CSV file, as words."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rdr_core.data.own.columns import as_numbers
from rdr_core.errors import MissingData, RdrError

if TYPE_CHECKING:
    import pandas as pd

#: Bytes of a file, at most: a table is read whole, and takes several times as much memory.
LARGEST = 2**29
SEPARATORS = ",;\t"


def read_table(file: Path) -> pd.DataFrame:
    """A CSV file's cells as words, without spaces around them, with the number of its line as each row's name.

    The first line tells what separates cells: commas, semicolons or tabs. Lines may end in any way; empty ones are
    passed over. Where semicolons separate cells, a column of numbers may have decimal commas.

    Args:
        file: in UTF-8, with or without a mark at its beginning, with a header.

    Raises:
        MissingData: no such file.
        RdrError: it is no text, has no header, no rows, or rows of different lengths.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "pets.csv").write_text("size; kind\\r\\n1,5; cat\\r\\n")
        ...     read_table(Path(folder, "pets.csv")).to_dict()
        {'size': {2: '1.5'}, 'kind': {2: 'cat'}}
    """
    import pandas as pd

    if not file.is_file():
        raise MissingData(f"There is no file {file}; give the path of a CSV file.")
    if file.stat().st_size > LARGEST:
        raise RdrError(
            f"{file} has {file.stat().st_size / 1e9:.1f} GB, more than {LARGEST / 1e9:.1f} GB; read it with pandas, "
            "and give the table to from_frame."
        )
    try:
        names, rows, separator = _cells(file)
    except UnicodeDecodeError:
        raise RdrError(f"{file} is not in UTF-8; save it as UTF-8.") from None
    except csv.Error as error:
        raise RdrError(f"{file} can't be read as a table: {error}.") from None
    if not rows:
        raise RdrError(f"{file} has a header ({', '.join(names):.60}), but no rows.")
    table = pd.DataFrame(list(rows.values()), columns=names, index=list(rows), dtype=object)
    if separator == ";":
        for name in names:
            points = table[name].str.replace(",", ".")
            if as_numbers(table[name]) is None and as_numbers(points) is not None:
                table[name] = points
    return table


def _cells(file: Path) -> tuple[list[str], dict[int, list[str]], str]:
    """Names of the columns, the cells of each row by its line, and what separates them."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        first = opened.readline(2**20)
        if "\0" in first:
            raise RdrError(f"{file} is no text, so no CSV file.")
        separator = max(SEPARATORS, key=first.count)
        opened.seek(0)
        reader = csv.reader(opened, delimiter=separator, skipinitialspace=separator != "\t", strict=True)
        names: list[str] = []
        rows: dict[int, list[str]] = {}
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if not cells or (cells == [""] and len(names) != 1):
                    continue
                if not names:
                    names = _header(cells, first, file)
                    continue
                if len(cells) != len(names):
                    raise RdrError(
                        f"Line {reader.line_num} of {file} has {len(cells)} cells, where the header has {len(names)}; "
                        "give each row as many, and put quotes around cells that hold the separator."
                    )
                rows[reader.line_num] = cells
        except csv.Error as error:
            raise csv.Error(f"{error} in line {reader.line_num}") from None
    if not names:
        raise RdrError(f"{file} is empty; give a table with a header.")
    return names, rows, separator


def _header(names: list[str], first: str, file: Path) -> list[str]:
    """The names of the columns, which must be names and each another.

    A first column without a name is what pandas and R write for the rows' own names.
    """
    if all(_is_number(name) for name in names):
        raise RdrError(f"{file} has no header: its first line is {first.strip()!r:.60}. Name the columns there.")
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise RdrError(f"{file} has two columns named {twice[0]!r}; give each a name of its own.")
    return names


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
