"""A table's columns as numbers: numbers as they are, words as a column of 0 and 1 for each of them."""

from __future__ import annotations

import re
from collections.abc import Hashable
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
#: Numbers are below this, so that the squares of their distances can be summed.
LARGEST = 1e150
#: Different words of a column at most: more are names or free text, from which nothing general is learnt.
WORDS = 100


class Encoding(NamedTuple):
    """How a column becomes numbers.

    Attributes:
        column: its name.
        words: those that get a column of 0 and 1; None of a column of numbers.
        origin: taken from each number, where float32 could not tell the numbers apart without (times in seconds since
            1970 that are a day apart), or could not hold them.
        unit: that each is then divided by, likewise.
    """

    column: Hashable
    words: tuple[str, ...] | None
    origin: float = 0.0
    unit: float = 1.0


def as_numbers(column: pd.Series) -> Float[np.ndarray, "N"] | None:
    """A column's numbers, NaN where there is none; None of a column that holds words, or that pandas calls a category.

    Example:
        >>> import pandas as pd
        >>> as_numbers(pd.Series(["1", " 2.5", "?", None])), as_numbers(pd.Series(["red", "1"]))
        (array([1. , 2.5, nan, nan]), None)
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return None
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


def note_missing(table: pd.DataFrame, columns: list[Hashable], unusable: Unusable) -> None:
    """Note the rows without a number in a column of numbers.

    Example:
        >>> import pandas as pd
        >>> unusable = Unusable("row", "table", range(3))
        >>> note_missing(pd.DataFrame({"size": [1.5, None, 3]}), ["size"], unusable)
        >>> unusable.usable.tolist()
        [0, 2]
    """
    for name in columns:
        numbers = as_numbers(table[name])
        if numbers is not None:
            with np.errstate(invalid="ignore"):
                unusable.add(f"have no finite number in column {name!r}", ~(np.abs(numbers) < LARGEST))


def learn_encodings(table: pd.DataFrame, columns: list[Hashable], rows: Int[np.ndarray, "N"]) -> list[Encoding]:
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
        if not hasattr(table[name].dtype, "categories"):
            _tell_of_both(name, words or ())
        values = words if numbers is None else np.unique(numbers[rows])
        if values is None or len(values) < 2:
            constant.append(name)
            continue
        if words is not None and len(words) > WORDS:
            raise RdrError(
                f"Column {name!r} holds {len(words)} different words (as {words[0]!r:.40}), more than {WORDS}: names "
                "or free text, perhaps. Leave it out with columns=, or make fewer words of them."
            )
        found.append(Encoding(name, words) if numbers is None else _of_numbers(name, numbers[rows]))
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
    for name, words, origin, unit in encodings:
        if words is None:
            numbers = as_numbers(table[name])
            if numbers is None:
                raise RdrError(f"Column {name!r} holds numbers for training and words for tests; give it one type.")
            parts.append((numbers[rows, None] - origin) / unit)
        else:
            parts.append(_words(table[name])[rows, None] == np.array(words, dtype=object))
    limit = float(np.finfo(np.float32).max)  # of a test row that is far from all that training has seen
    return np.hstack(parts).astype(np.float64).clip(-limit, limit).astype(np.float32)


def _tell_of_both(name: Hashable, words: tuple[str, ...]) -> None:
    """Say of a column that it is taken for words, though many of its words are numbers."""
    numbers = [word for word in words if re.fullmatch(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?", word)]
    others = [word for word in words if word and word not in numbers]
    if numbers and others:
        tell(
            f"Column {name!r} holds numbers ({numbers[0]:.20}) and words ({others[0]:.20}), so each is taken for a "
            "word; if it should be numbers, mend the words or make them empty."
        )


def _of_numbers(name: Hashable, numbers: Float[np.ndarray, "N"]) -> Encoding:
    largest, deviation = float(np.abs(numbers).max()), float(numbers.std())
    if largest < 1e4 * deviation and 1e-15 < deviation < 1e15:
        return Encoding(name, None)
    return Encoding(name, None, float(numbers.mean()), deviation or 1.0)


def _words(column: pd.Series) -> np.ndarray:
    """Words of a column, "" where there is none."""
    return column.astype("string").str.strip().fillna("").to_numpy(object)
