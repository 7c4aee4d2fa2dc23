"""What shape the plain values of a stored file must have."""

from __future__ import annotations

import math
from typing import Any

#: Whole numbers are below it, so that they are numbers to everything else too; Python's own may have 4,300 digits.
_LARGEST = 2**63


def of_shape(content: object, shape: Any, place: str = "it") -> str | None:
    """What is wrong with a plain value; None where it is of the shape.

    Args:
        content: dicts, lists, strings, numbers, booleans and None.
        shape: a type, where ``float`` is any finite number and ``int`` a whole one; ``[shape]``, a list of such;
            ``{str: shape}``, an object of any names with such values;
            ``{name: shape}``, an object with at least these, or, where the name ends in "?", with these or without
            them; ``(shape, ...)``, one of several; a plain value is that value.

    Example:
        >>> of_shape({"epochs": 3, "names": ["a", 5]}, {"epochs": int, "names": [str], "note?": str})
        'names[1] is 5, not of type str'
        >>> of_shape({"epochs": 3}, {"epochs": (float, None)})
    """
    if isinstance(shape, tuple):
        found = [of_shape(content, one, place) for one in shape]
        return None if None in found else found[0]
    if isinstance(shape, list):
        if not isinstance(content, list):
            return f"{place} is {_short(content)}, not a list"
        return next((w for i, item in enumerate(content) if (w := of_shape(item, shape[0], f"{place}[{i}]"))), None)
    if isinstance(shape, dict):
        if not isinstance(content, dict):
            return f"{place} is {_short(content)}, not an object"
        if str in shape:
            return next(
                (w for name, item in content.items() if (w := of_shape(item, shape[str], f"{place}.{name}"))), None
            )
        for name, inner in shape.items():
            key = name.removesuffix("?")
            if key not in content:
                if key == name:
                    return f"{key} is missing"
            elif wrong := of_shape(content[key], inner, key):
                return wrong
        return None
    if not isinstance(shape, type):
        return None if content == shape and type(content) is type(shape) else f"{place} is {_short(content)}"
    fits = isinstance(content, (int, float) if shape is float else shape) and not (
        isinstance(content, bool) and shape is not bool
    )
    large = isinstance(content, int) and abs(content) >= _LARGEST
    if not fits or large or (isinstance(content, float) and not math.isfinite(content)):
        return f"{place} is {_short(content)}, not of type {shape.__name__}"
    return None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
