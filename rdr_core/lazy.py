"""Public names that are loaded when they are first used, so that importing a package costs nothing (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's ``__getattr__`` and ``__dir__``.

    Args:
        package: its name.
        homes: each public name and the module that defines it.

    Example:
        >>> getattr_, dir_ = lazily("rdr_core.lazy", {"plain": "rdr_core.plain"})
        >>> getattr_("plain").__module__
        'rdr_core.plain'
        >>> getattr_("plan")
        Traceback (most recent call last):
            ...
        AttributeError: module 'rdr_core.lazy' has no attribute 'plan'
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names
