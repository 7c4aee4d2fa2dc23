"""NumPy's and torch's scalars, taken for the numbers that they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def plain(value: Any) -> Any:
    """A NumPy or torch scalar as Python's own; anything else as it is.

    Example:
        >>> import numpy as np
        >>> plain(np.int64(3)), plain(np.float32(0.5)), plain("rdr")
        (3, 0.5, 'rdr')
    """
    return value.item() if getattr(value, "ndim", None) == 0 else value


def plain_numbers(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function, given Python's own numbers where it is called with scalars of NumPy's or torch's.

    Example:
        >>> import numpy as np
        >>> plain_numbers(lambda seed: type(seed).__name__)(np.uint8(3))
        'int'
    """

    @wraps(function)
    def called(*given: _P.args, **named: _P.kwargs) -> _T:
        return function(*map(plain, given), **{name: plain(value) for name, value in named.items()})

    return called


def total(numbers: Iterable[float | None]) -> float | None:
    """Their sum; None where one of them is not known.

    Example:
        >>> total([1.0, 2.5]), total([1.0, None])
        (3.5, None)
    """
    found = 0.0
    for number in numbers:
        if number is None:
            return None
        found += number
    return found


def for_json(value: Any) -> Any:
    """As :func:`json.dumps` asks for what it doesn't know itself.

    Raises:
        TypeError: no scalar.
    """
    found = plain(value)
    if found is value:
        raise TypeError(f"{value!r} of type {type(value).__name__} can't be stored")
    return found
