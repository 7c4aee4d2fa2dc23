"""The process's own settings left outside, and NumPy's and torch's scalars taken for the numbers that they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_P, _T = ParamSpec("_P"), TypeVar("_T")


@contextmanager
def own_settings() -> Iterator[None]:
    """Inside, what a process can set for all its computing is as the toolkit's numbers want it; after it, as before.

    Tensors are float32 where nothing else is said, on the CPU; gradients can be had; nothing is cast to half precision
    unasked; NumPy warns where it does by default. It decorates functions too.

    Example:
        >>> import torch
        >>> with torch.no_grad(), own_settings():
        ...     torch.is_grad_enabled(), torch.ones(1).dtype
        (True, torch.float32)
    """
    import numpy as np
    import torch

    with ExitStack() as outside:
        outside.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float32)
        outside.enter_context(torch.inference_mode(False))
        outside.enter_context(torch.enable_grad())
        outside.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        if torch.get_default_device().type != "cpu":  # only then: such a mode costs every operation inside
            outside.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                outside.enter_context(torch.autocast(kind, enabled=False))
        yield


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


def for_json(value: Any) -> Any:
    """As :func:`json.dumps` asks for what it doesn't know itself.

    Raises:
        TypeError: no scalar.
    """
    found = plain(value)
    if found is value:
        raise TypeError(f"{value!r} of type {type(value).__name__} can't be stored")
    return found
