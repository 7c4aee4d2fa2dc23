"""A CSV file of one's own as a data set by name, so that every command takes it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.sources.raw import RawData
from rdr_core.data.sources.said import read_said
from rdr_core.errors import RdrError
from rdr_core.files.places import own_place

#: What may follow a file's name, with what it means.
OPTIONS = ("label", "path", "split", "size", "test_share", "leave_out")


@dataset("csv", "your own table, or images that it lists, in a CSV file with a header", asks="FILE", place=81,
         settings=Settings("", epochs=60, batch_size=64, threads=1))  # fmt: skip
def load_csv(root: Path, text: str) -> RawData:
    """The samples of a CSV file, as :func:`rdr_core.from_csv` reads them; rows for tests are drawn once.

    Args:
        root: folder of the data files.
        text: path of the file, relative to ``root`` or absolute, and after a question mark what is said of it, as in
            ``flowers.csv?label=species&leave_out=yes``.

    Raises:
        MissingData: no such file.
        RdrError: an unknown option, or what :func:`rdr_core.from_csv` refuses.
    """
    from rdr_core.data.own.csv_file import CsvColumns, read_csv  # by need: it brings torch

    path, asked = read_said(text, OPTIONS, "a CSV file")
    place = own_place(path, "csv:") if path.startswith("~") else root / path
    columns = CsvColumns(*(asked.get(name, "") for name in ("label", "path", "split")))
    try:
        size, share = int(asked.get("size", 64)), float(asked.get("test_share", 0.2))
    except ValueError:
        raise RdrError(f"{text!r} says a size or test_share that is no number; give such as size=32.") from None
    return read_csv(place, columns, size, share, asked.get("leave_out", "no") in ("yes", "true", "1"), seed=0)


def csv_name(file: str | Path, **said: object) -> str:
    """The name under which a file is a data set.

    Args:
        file: a path; relative ones are from the working folder.
        said: of :data:`OPTIONS`; what is None, False or "" is left out.

    Example:
        >>> csv_name("/data/pets.csv", label="kind", leave_out=True)
        'csv:/data/pets.csv?label=kind&leave_out=yes'
    """
    query = urlencode({name: "yes" if value is True else value for name, value in said.items() if value})
    return f"csv:{Path(file).expanduser().absolute()}{'?' if query else ''}{query}"
