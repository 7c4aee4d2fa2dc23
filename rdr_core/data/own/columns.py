"""A table's columns as numbers: numbers as they are, words as a column of 0 and 1 for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rdr_core.data.own.unusable import Unusable
from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Int
from rdr_core.visible import tell

if TYPE_CHECKING:
    import pandas as pd

#: Words for 'no value' in a column of numbers.
MISSING = ("", "na", "nan", "n/a", "null", "none", "?")
#: Different words of a column at most: more are names or free text, from which nothing general is learnt.
WORDS = 100


class Encoding(NamedTuple):
    """How a column becomes numbers.

    Attributes:
        column: its name.
        words: those that get a column of 0 and 1; None of a column of numbers.
    """

    column: str
    words: tuple[str, ...] | None


def as_numbers(column: pd.Series) -> Float[np.ndarray, "N"] | None:
    """A column's numbers, NaN where there is none; None of a column that holds words.

    Example:
        >>> import pandas as pd
        >>> as_numbers(pd.Series(["1", " 2.5", "?", None])), as_numbers(pd.Series(["red", "1"]))
        (array([1. , 2.5, nan, nan]), None)
    """
    import pandas as pd

    if column.dtype.kind in "biuf":
        return column.to_numpy(np.float64, na_value=np.nan)
    words = column.astype("string").str.strip()
    gone = (words.isna() | words.str.lower().isin(MISSING)).to_numpy(bool)
    if gone.all():
        return np.full(len(column), np.nan)
    try:
        found = np.full(len(column), np.nan)
        found[~gone] = pd.to_numeric(words[~gone]).to_numpy(np.float64)
    except (ValueError, TypeError):
        return None
    return found


def note_missing(table: pd.DataFrame, columns: list[str], unusable: Unusable) -> None:
    """Note the rows without a number in a column of numbers."""
    for name in columns:
        numbers = as_numbers(table[name])
        if numbers is not None:
            unusable.add(f"have no finite number in column {name!r}", ~np.isfinite(numbers))


def learn_encodings(table: pd.DataFrame, columns: list[str], rows: Int[np.ndarray, "N"]) -> list[Encoding]:
    """How each column becomes numbers, by the training rows alone; columns that never change are left out, and told.

    Args:
        table: with all its rows.
        columns: to look at.
        rows: those trained on.

    Raises:
        RdrError: a column of dates or of too many words, or nothing that changes.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"size": [1.5, 2, 3], "colour": ["red", "blue", "red"]})
        >>> [encoding.words for encoding in learn_encodings(table, ["size", "colour"], np.arange(3))]
        [None, ('blue', 'red')]
    """
    found, constant = [], []
    for name in columns:
        if table[name].dtype.kind in "mM":
            raise RdrError(
                f"Column {name!r} holds dates or times; make numbers of them, or leave it out with columns=."
            )
        numbers = as_numbers(table[name])
        words = None if numbers is not None else tuple(sorted(set(_words(table[name])[rows])))
        values = words if numbers is None else np.unique(numbers[rows])
        if values is None or len(values) < 2:
            constant.append(name)
            continue
        if words is not None and len(words) > WORDS:
            raise RdrError(
                f"Column {name!r} holds {len(words)} different words (as {words[0]!r:.40}), more than {WORDS}: names "
                "or free text, perhaps. Leave it out with columns=, or make fewer words of them."
            )
        found.append(Encoding(name, words))
    if not found:
        raise RdrError(
            f"No column of {', '.join(map(repr, columns)) or 'the table'} has two different values to learn from."
        )
    if constant:
        tell(f"{len(constant)} columns have one value only and are left out: {', '.join(map(repr, constant[:10]))}.")
    return found


def encode(table: pd.DataFrame, encodings: list[Encoding], rows: Int[np.ndarray, "K"]) -> Float[np.ndarray, "K F"]:
    """Rows of a table as float32 numbers; a word that training has not seen is 0 in all columns of its own.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"size": [1.5, 2], "colour": ["red", "green"]})
        >>> encode(table, [Encoding("size", None), Encoding("colour", ("blue", "red"))], np.arange(2)).tolist()
        [[1.5, 0.0, 1.0], [2.0, 0.0, 0.0]]
    """
    parts = []
    for name, words in encodings:
        if words is None:
            numbers = as_numbers(table[name])
            if numbers is None:
                raise RdrError(f"Column {name!r} holds numbers for training and words for tests; give it one type.")
            parts.append(numbers[rows, None])
        else:
            parts.append(_words(table[name])[rows, None] == np.array(words, dtype=object))
    return np.hstack(parts).astype(np.float32)


def _words(column: pd.Series) -> np.ndarray:
    """Words of a column, "" where there is none."""
    return column.astype("string").str.strip().fillna("").to_numpy(object)
