"""Labels as people have them: words, numbers with gaps, whole floats; and which classes they make."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rdr_core.data.own.unusable import Unusable
from rdr_core.errors import RdrError
from rdr_core.plain import plain
from rdr_core.shapes import Int


def read_labels(labels: Iterable[Any], what: str = "labels") -> list[str | None]:
    """Each label's class in words; None where it is missing (None, NaN, an empty word).

    Numbers that are whole have one name, whatever their type: 3, 3.0 and "3" are the same class.

    Args:
        labels: words, numbers or booleans; an array, a tensor or a column of a table.
        what: name of the input for the error.

    Raises:
        RdrError: a number with a fraction, or what is neither a word nor a number.

    Example:
        >>> read_labels(["cat", 3, 3.0, " 3 ", float("nan"), "", None, True])
        ['cat', '3', '3', '3', None, None, None, 'True']
    """
    if hasattr(labels, "detach"):
        labels = labels.detach().cpu().numpy()
    if getattr(labels, "ndim", 1) != 1:
        shape = " x ".join(map(str, getattr(labels, "shape", ())))
        raise RdrError(f"{what} has shape {shape}; give one label a sample, in one dimension.")
    return [_one_label(plain(label), at, what) for at, label in enumerate(labels)]


def _one_label(label: Any, at: int, what: str) -> str | None:
    if label is None or type(label).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(label, str):
        word = label.strip()
        try:
            whole = float(word) if word and word[0] in "+-.0123456789" and "_" not in word else math.nan
        except ValueError:
            whole = math.nan
        return f"{int(whole)}" if math.isfinite(whole) and whole == int(whole) and abs(whole) < 2**53 else word or None
    if isinstance(label, bool):
        return str(label)
    if isinstance(label, (int, float)):
        if label != label:
            return None
        if not math.isfinite(label) or label != int(label):
            raise RdrError(
                f"{what} holds {label!r} (sample {at}), a number that is not whole, but labels are classes; for a "
                "quantity, cut its range into classes first."
            )
        return f"{int(label)}"
    raise RdrError(f"{what} holds {label!r:.40} (sample {at}), a {type(label).__name__}; labels are words or numbers.")


def class_names(labels: Sequence[str | None]) -> tuple[str, ...]:
    """The classes in order: by number where all are numbers, else by word.

    Example:
        >>> class_names(["10", "2", None, "2"]), class_names(["b", "a", "10"])
        (('2', '10'), ('10', 'a', 'b'))
    """
    found = {label for label in labels if label is not None}
    try:
        return tuple(sorted(found, key=lambda name: int(name)))
    except ValueError:
        return tuple(sorted(found))


def numbered(labels: Sequence[str | None], names: Sequence[str]) -> Int[np.ndarray, "N"]:
    """Each label's place among the names, -1 where it is none of them.

    Example:
        >>> numbered(["b", None, "a", "c"], ("a", "b")).tolist()
        [1, -1, 0, -1]
    """
    places = {name: place for place, name in enumerate(names)}
    return np.array([-1 if label is None else places.get(label, -1) for label in labels], dtype=np.int64)


def note_unlabelled(labels: Sequence[str | None], unusable: Unusable) -> None:
    """Note the samples that have no label."""
    unusable.add("have no label", np.array([label is None for label in labels], dtype=bool))


def note_classes_of_one_part(
    train: Sequence[str | None], test: Sequence[str | None], in_train: Unusable, in_test: Unusable
) -> None:
    """Note the samples of classes that only one of the two parts has, which can't be learnt or can't be tested."""
    known, tested = (
        {label for label, out in zip(labels, part.out, strict=True) if label is not None and not out}
        for labels, part in ((train, in_train), (test, in_test))
    )
    in_test.add("are of classes without a training sample", np.array([x not in known for x in test], dtype=bool))
    in_train.add("are of classes without a test sample", np.array([x not in tested for x in train], dtype=bool))


def refuse_one_class(names: Sequence[str], where: str) -> None:
    """Raise RdrError where there is nothing to tell apart."""
    if len(names) < 2:
        raise RdrError(f"{where} has one class only ({', '.join(names) or 'none'}); give samples of two or more.")
