"""Labels as people have them: words, numbers with gaps, whole floats; and which classes they make."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rdr_core.data.own.unusable import Unusable
from rdr_core.errors import RdrError
from rdr_core.plain import plain
from rdr_core.shapes import Int

#: Words that are whole numbers, as "3", "3.0" and "3e0"; what begins with a needless 0 is a code.
_WHOLE = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,15})(?:\.0*)?(?:[eE]\+?0+)?")
_FRACTION = re.compile(r"[+-]?[0-9]{0,16}\.[0-9]*[1-9][0-9]*(?:[eE][+-]?[0-9]{1,2})?")


def read_labels(labels: Any, what: str = "labels") -> list[str | None]:
    """Each label's class in words; None where it is missing (None, NaN, an empty word).

    Numbers that are whole have one name, whatever their type: 3, 3.0 and "3" are the same class; "03" is a word.
    Classes may be negative, as in -1 and 1.

    Args:
        labels: words, numbers or booleans; an array, a tensor or a column of a table.
        what: name of the input for the error.

    Raises:
        RdrError: a number with a fraction, also in words that are all numbers, or what is neither a word nor a number.

    Example:
        >>> read_labels(["cat", 3, 3.0, " 3 ", float("nan"), "", None, True])
        ['cat', '3', '3', '3', None, None, None, 'True']
    """
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise RdrError(f"{what} is {labels!r:.40}; give a list of labels, one a sample.")
    if hasattr(labels, "detach"):
        labels = labels.detach().cpu().numpy()
    if getattr(labels, "ndim", 1) != 1:
        shape = " x ".join(map(str, getattr(labels, "shape", ())))
        raise RdrError(f"{what} has shape {shape}; give one label a sample, in one dimension.")
    found = [_one_label(plain(label), at, what) for at, label in enumerate(labels)]
    fraction = next((at for at, word in enumerate(found) if word and _FRACTION.fullmatch(word)), None)
    if fraction is not None and all(word is None or _FRACTION.fullmatch(word) or _WHOLE.fullmatch(word)
                                    for word in found):  # fmt: skip
        raise _not_whole(found[fraction], fraction, what)
    return found


def is_missing(value: Any) -> bool:
    """Whether a cell or a label holds nothing: None, NaN, or what pandas has for them.

    Example:
        >>> is_missing(None), is_missing(float("nan")), is_missing("")
        (True, True, False)
    """
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (
        isinstance(value, float) and value != value
    )  # fmt: skip


def _not_whole(number: object, at: int, what: str) -> RdrError:
    return RdrError(
        f"{what} holds {number!r:.40} (sample {at}), a number that is not whole, but labels are classes; for a "
        "quantity, cut its range into classes first."
    )


def _one_label(label: Any, at: int, what: str) -> str | None:
    if is_missing(label):
        return None
    if isinstance(label, str):
        word = label.strip()
        whole = float(word) if _WHOLE.fullmatch(word) else math.nan
        return f"{int(whole)}" if whole == whole and abs(whole) < 2**53 else word or None
    if isinstance(label, bool):
        return str(label)
    if isinstance(label, (int, float)):
        if not math.isfinite(label) or label != int(label):
            raise _not_whole(label, at, what)
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
        return tuple(sorted(found, key=lambda name: (int(name), name)))
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
    """Note the samples that have no label.

    Example:
        >>> unusable = Unusable("row", "table", range(3))
        >>> note_unlabelled(["a", None, "b"], unusable)
        >>> unusable.usable.tolist()
        [0, 2]
    """
    unusable.add("have no label", np.array([label is None for label in labels], dtype=bool))


def note_classes_of_one_part(
    train: Sequence[str | None], test: Sequence[str | None], in_train: Unusable, in_test: Unusable
) -> None:
    """Note the samples of classes that only one of the two parts has, which can't be learnt or can't be tested.

    Example:
        >>> parts = Unusable("row", "train", range(3)), Unusable("row", "test", range(2))
        >>> note_classes_of_one_part(["a", "b", "c"], ["b", "d"], *parts)
        >>> [part.usable.tolist() for part in parts]
        [[1], [0]]
    """
    known, tested = (
        {label for label, out in zip(labels, part.out, strict=True) if label is not None and not out}
        for labels, part in ((train, in_train), (test, in_test))
    )
    in_test.add("are of classes without a training sample", np.array([x not in known for x in test], dtype=bool))
    in_train.add("are of classes without a test sample", np.array([x not in tested for x in train], dtype=bool))


def refuse_one_class(names: Sequence[str], where: str) -> None:
    """Raise RdrError where there is nothing to tell apart.

    Example:
        >>> refuse_one_class(["cat"], "pets.csv")
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: pets.csv has one class only (cat); give samples of two or more.
    """
    if len(names) < 2:
        raise RdrError(f"{where} has one class only ({', '.join(names) or 'none'}); give samples of two or more.")
