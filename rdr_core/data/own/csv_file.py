"""A CSV file: of samples as rows, or a list of images with their labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

import numpy as np

from rdr_core.data.own.csv_table import read_table
from rdr_core.data.own.frame import rows_of
from rdr_core.data.own.image_files import decoded
from rdr_core.data.own.labels import read_labels
from rdr_core.data.own.train_and_test import split_off, two_parts
from rdr_core.data.own.unusable import Unusable
from rdr_core.data.sources.raw import RawData
from rdr_core.data.tail import Tail, make_tail
from rdr_core.errors import RdrError, unknown_name
from rdr_core.files.inside import below
from rdr_core.files.places import own_place
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data.long_tailed import LongTailedData

#: Names of columns that are found without being told, in this order.
LABELS = ("label", "labels", "class", "target", "y")
PATHS = ("path", "file", "filename", "image", "image_path")
SPLITS = ("split",)
#: What the column of parts calls rows for tests; validation rows are that where no others are.
TESTS = ("test", "val", "valid", "validation")


class CsvColumns(NamedTuple):
    """Which columns of a CSV file say what; "" finds them by their usual names.

    Example:
        >>> CsvColumns(label="species")
        CsvColumns(label='species', path='', split='')

    Attributes:
        label: with the class.
        path: with an image's file, relative to the CSV file; where there is none, the rows themselves are samples.
        split: with "train" or "test"; where there is none, test rows are drawn.
    """

    label: str = ""
    path: str = ""
    split: str = ""


_USUAL = CsvColumns()


@plain_numbers
@own_settings()
def from_csv(
    file: str | os.PathLike[str],
    *,
    columns: CsvColumns = _USUAL,
    size: int = 64,
    test_share: float = 0.2,
    leave_out: bool = False,
    name: str = "",
    **tail: Unpack[Tail],
) -> LongTailedData:
    """A long-tailed set of a CSV file with a header: of images that it lists, or of its rows.

    Cells are separated by commas, semicolons or tabs (:mod:`rdr_core.data.own.csv_table`). An image's path is relative
    to the file's folder, and leads nowhere else. A column without a name, as pandas writes its index, is left out.

    Args:
        file: with a column of labels named "label", "class", "target" or "y", and, for images, one of paths named
            "path", "file", "filename" or "image"; or as ``columns`` says. With a column "split", its words "train" and
            "test" tell the parts.
        columns: their names, where they are others.
        size: pixels of an image's side, in memory (default 64).
        test_share: share of each class that is drawn for tests where no column tells, by ``seed`` (default a fifth).
        leave_out: go on without rows that can't be used. By default they are an error, counted and named by their line.
        name: of the set, for reports (default: the file's).
        tail: as for :func:`rdr_core.from_arrays`; the usual imbalance is the file's own.

    Raises:
        MissingData: no such file.
        RdrError: no table with a header, no such columns, or rows that can't be used.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     lines = [f"{size},{'cat' if size % 3 else 'dog'}" for size in range(30)]
        ...     _ = Path(folder, "pets.csv").write_text("\\n".join(["size,class", *lines]))
        ...     from_csv(Path(folder, "pets.csv"))
        LongTailedData(pets, imbalance as given, 24 train and 6 test rows of 1 columns, 2 classes from 16 ('cat') to 8 \
('dog'))
    """
    place = own_place(file, "file")
    raw = read_csv(place, columns, size, test_share, leave_out, tail.get("seed", 0))
    return make_tail(raw, name or place.stem, **tail)


def read_csv(file: Path, columns: CsvColumns, size: int, test_share: float, leave_out: bool, seed: int) -> RawData:
    """What a CSV file holds, before any subset: see :func:`from_csv`."""
    table = read_table(file)
    label = _column(table, columns.label, LABELS, file)
    if not label:
        raise RdrError(
            f"{file} has no column named {', '.join(LABELS[:-1])} or {LABELS[-1]}; name the one with the classes "
            f"(--label): {', '.join(map(str, table.columns[:20]))}."
        )
    path, split = _column(table, columns.path, PATHS, file), _column(table, columns.split, SPLITS, file)
    train, test = table, None
    if split:
        train, test = _told_apart(table, split, file)
    if path:
        return _listed(file, train, test, (path, label), size, test_share, leave_out, seed)
    others = [name for name in table.columns if name not in (label, split, "")]
    return rows_of(train, label, test=test, test_share=test_share, columns=others, leave_out=leave_out, seed=seed,
                   where=file.name)  # fmt: skip


def _column(table: pd.DataFrame, asked: str, usual: Sequence[str], file: Path) -> str:
    if asked and asked not in table.columns:
        raise unknown_name(f"column in {file.name}", asked, {str(name): None for name in table.columns})
    small = {str(name).casefold(): str(name) for name in reversed(list(table.columns))}
    return asked or next((small[name] for name in usual if name in small), "")


def _told_apart(table: pd.DataFrame, split: str, file: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    words = table[split].str.strip().str.casefold()
    test = next((name for name in TESTS if (words == name).any()), None)
    odd = sorted(set(words) - {"train", *TESTS})
    if odd or test is None or not (words == "train").any():
        raise RdrError(
            f"Column {split!r} of {file.name} must say 'train' or 'test' in each row, and holds "
            f"{', '.join(map(repr, sorted(set(words))[:5]))}."
        )
    return table[words == "train"], table[words == test]


def _listed(
    file: Path, train: pd.DataFrame, test: pd.DataFrame | None, named: tuple[str, str], size: int, test_share: float,
    leave_out: bool, seed: int,
) -> RawData:  # fmt: skip
    """The images that a CSV file lists."""
    path, label = named

    def images(table: pd.DataFrame, where: str) -> tuple:
        unusable = Unusable("row", where, table.index)
        # Windows writes backslashes; a name that leads elsewhere is noted, and then not looked for.
        names = [str(name).replace("\\", "/") for name in table[path]]
        unusable.add("have no path", np.array([not name for name in names]))
        unusable.add(f"have a path that leads out of {file.parent}", np.array([_leads_out(name) for name in names]))
        places = [
            file.parent if out else below(file.parent, name) for name, out in zip(names, unusable.out, strict=True)
        ]
        pixels = decoded(places, size, unusable)
        return pixels, read_labels(table[label], f"column {label!r}"), unusable

    pixels, labels, unusable = images(train, file.name)
    if test is None:
        parts, tests = split_off(labels, unusable, leave_out, test_share, seed), pixels
    else:
        tests, test_labels, of_test = images(test, f"{file.name} for tests")
        parts = two_parts(labels, test_labels, unusable, of_test, leave_out)
    return RawData(pixels[parts.train], parts.train_labels, tests[parts.test], parts.test_labels, parts.names)


def _leads_out(name: str) -> bool:
    try:
        below(Path(), name)
    except RdrError:
        return True
    return False
