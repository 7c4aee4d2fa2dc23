"""Memory that does not suffice, told in a sentence: Python, torch on a CPU and torch on a GPU each say it otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from rdr_core.errors import RdrError


@contextmanager
def memory_told(what: str, go_on: str) -> Iterator[None]:
    """Inside, running out of memory is one sentence.

    Args:
        what: was being done.
        go_on: the command that goes on with it.

    Raises:
        RdrError: there was not enough.

    Example:
        >>> with memory_told("A run", go_on="rdr resume RUN"):  # doctest: +ELLIPSIS
        ...     raise MemoryError
        Traceback (most recent call last):
        rdr_core.errors.RdrError: A run: there is not enough memory (MemoryError); finished epochs are kept. ...
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_of_memory(error):
            raise
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
        raise RdrError(
            f"{what}: there is not enough memory ({said}); finished epochs are kept. Free some; continue with: {go_on}"
        ) from None


def _is_of_memory(error: BaseException) -> bool:
    # On a CPU torch has no class of error for it.
    words = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(word in str(error) for word in words)
