"""A table of pandas: rows are samples, one column is the label, the others are what is learnt from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Unpack

from rdr_core.data.long_tailed import LongTailedData
from rdr_core.data.own.columns import encode, learn_encodings, note_missing
from rdr_core.data.own.labels import read_labels
from rdr_core.data.own.train_and_test import split_off, two_parts
from rdr_core.data.own.unusable import Unusable
from rdr_core.data.sources.raw import RawData
from rdr_core.data.tail import Tail, make_tail
from rdr_core.errors import RdrError, unknown_name
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers

if TYPE_CHECKING:
    import pandas as pd


@plain_numbers
@own_settings()
def from_frame(
    table: pd.DataFrame,
    label: Hashable,
    *,
    test: pd.DataFrame | None = None,
    test_share: float = 0.2,
    columns: Sequence[Hashable] | None = None,
    leave_out: bool = False,
    name: str = "table",
    **tail: Unpack[Tail],
) -> LongTailedData:
    """A long-tailed set of a table's rows.

    Numbers are taken as they are and scaled by the training rows; words get a column of 0 and 1 for each that training
    has. Classes keep their names.

    Args:
        table: a row a sample.
        label: name of the column with the classes: words, or whole numbers.
        test: rows for tests, with the same columns; None (default) draws some of the table's.
        test_share: share of each class that is drawn for tests (default a fifth), by ``seed``.
        columns: to learn from (default: all others).
        leave_out: go on without rows that can't be used: without a label or a number, or of a class that only training
            or only tests have. By default they are an error, counted and named.
        name: of the set, for reports.
        tail: imbalance_factor, profile, seed, noise_rate, noise, groups and held_out
            (:class:`rdr_core.data.tail.Tail`); the usual imbalance is the table's own.

    Raises:
        RdrError: no such column, rows that can't be used, fewer than two classes, or columns that are no numbers and no
            classes.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"size": range(30), "kind": ["cat"] * 20 + ["dog"] * 10})
        >>> from_frame(table, "kind")
        LongTailedData(table, imbalance as given, 24 train and 6 test rows of 1 columns, 2 classes from 16 ('cat') to \
8 ('dog'))
    """
    raw = rows_of(table, label, test=test, test_share=test_share, columns=columns, leave_out=leave_out,
                  seed=tail.get("seed", 0))  # fmt: skip
    return make_tail(raw, name, **tail)


def rows_of(
    table: pd.DataFrame, label: Hashable, *, test: pd.DataFrame | None, test_share: float,
    columns: Sequence[Hashable] | None, leave_out: bool, seed: int, where: str = "the table",
) -> RawData:  # fmt: skip
    """The rows of a table as numbers, before any subset.

    Args:
        table, label, test, test_share, columns, leave_out: as for :func:`from_frame`.
        seed: of the draw of rows for tests.
        where: what the table is called where rows of it can't be used.

    Raises:
        RdrError: as :func:`from_frame`.
    """
    chosen = _columns(table, label, columns, "table")
    unusable = Unusable("row", where, table.index)
    note_missing(table, chosen, unusable)
    labels = read_labels(table[label], f"column {label!r}")
    if test is None:
        parts, tests = split_off(labels, unusable, leave_out, test_share, seed), table
    else:
        _columns(test, label, chosen, "test")
        of_test = Unusable("row", f"{where} for tests", test.index)
        note_missing(test, chosen, of_test)
        parts, tests = two_parts(labels, read_labels(test[label], f"column {label!r} of test"), unusable, of_test,
                                 leave_out), test  # fmt: skip
    encodings = learn_encodings(table, chosen, parts.train)
    return RawData(
        encode(table, encodings, parts.train), parts.train_labels, encode(tests, encodings, parts.test),
        parts.test_labels, parts.names,
    )  # fmt: skip


def _columns(table: pd.DataFrame, label: Hashable, asked: Sequence[Hashable] | None, what: str) -> list[Hashable]:
    """The columns to learn from, which must be there and have names of their own."""
    if getattr(table, "columns", None) is None:
        raise RdrError(f"{what} is a {type(table).__name__}; give a pandas table (DataFrame).")
    if not len(table):
        raise RdrError(f"{what} has no rows.")
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise RdrError(f"{what} has two columns named {twice[0]!r}; give each a name of its own.")
    names = {str(name): name for name in table.columns}
    for wanted in (label, *(asked or ())):
        if wanted not in table.columns:
            raise unknown_name(f"column in {what}", str(wanted), names)
    chosen = [name for name in (table.columns if asked is None else asked) if name != label]
    if not chosen:
        raise RdrError(f"{what} has no column but the label's ({label!r}); give some to learn from.")
    return chosen
