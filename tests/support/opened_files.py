"""Which files were read, in the order of their opening."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch


@contextmanager
def opened_files() -> Iterator[list[Path]]:
    """A list that fills with each file that Python code of this process opens meanwhile, as often as it does."""
    opened, real = [], io.open

    def noted(file, *arguments, **options):
        opened.append(Path(file))
        return real(file, *arguments, **options)

    with patch("builtins.open", noted), patch("io.open", noted):  # `pathlib` asks for the second
        yield opened
