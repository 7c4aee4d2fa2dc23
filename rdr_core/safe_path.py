"""Processes that import nothing from the working folder, where files of strangers may lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

#: What tells Python so, and IPython's kernels. A file torch.py beside somebody's runs would run otherwise.
SAFE_PATH = {"PYTHONSAFEPATH": "1"}


@contextmanager
def safe_path() -> Iterator[None]:
    """Processes started inside leave the working folder, and that of their script, out of where they import from.

    Example:
        >>> with safe_path():
        ...     os.environ["PYTHONSAFEPATH"]
        '1'
    """
    before = {name: os.environ.get(name) for name in SAFE_PATH}
    os.environ.update(SAFE_PATH)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
