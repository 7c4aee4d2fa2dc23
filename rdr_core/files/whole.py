"""Files that are whole or not there: written beside, synced, and put in place; stored ones with their checksum."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from errno import EACCES, EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP, EPERM
from pathlib import Path
from typing import Any

from rdr_core.errors import Damaged
from rdr_core.files.expected import of_shape
from rdr_core.files.sealed import BLANK, KEY, damaged, fill, read_sealed
from rdr_core.plain import for_json

#: The name of a file that is being written beside the one whose place it will take; the second form is safetensors'.
HALF_WRITTEN = re.compile(r"\..+\.[a-z0-9_]{8}|\.tmp[A-Za-z0-9]{6}")


def write_whole(path: Path, write: Callable[[str], object]) -> None:
    """Let ``write`` fill a new file beside ``path``, sync it to disk, and put it in ``path``'s place."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        write(beside)
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        with _where_it_can():
            os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    with _where_it_can():
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _where_it_can() -> Iterator[None]:
    """Inside, what a file system has no notion of is left: some have no modes, and some sync files but no folders."""
    try:
        yield
    except OSError as error:
        if error.errno not in (EINVAL, ENOTSUP, EOPNOTSUPP, ENOSYS, EPERM, EACCES):
            raise


def write_sealed(path: Path, write: Callable[[str], object]) -> None:
    """As :func:`write_whole`; ``write`` leaves a :data:`~rdr_core.files.sealed.BLANK`, which its checksum fills."""

    def write_and_fill(beside: str) -> None:
        write(beside)
        fill(beside)

    write_whole(path, write_and_fill)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """JSON with sorted keys and its checksum, so that equal content gives equal bytes."""
    text = json.dumps({**content, KEY: BLANK}, indent=1, sort_keys=True, default=for_json) + "\n"
    write_sealed(path, lambda beside: Path(beside).write_text(text, encoding="utf-8"))


def read_json(path: Path, shape: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The object that a file holds.

    Args:
        path: the file.
        shape: what it must have (:func:`rdr_core.files.expected.of_shape`); None (default) is any object.

    Raises:
        Damaged: missing, not as it was written, or of another shape; in one sentence.
    """
    try:
        content = json.loads(read_sealed(path).decode())
    except RecursionError:
        raise damaged(path, "it is nested too deeply") from None
    except Damaged:
        raise
    except ValueError as error:  # no JSON, no text, or a number of 5,000 digits
        raise damaged(path, error) from None
    if not isinstance(content, dict):
        raise damaged(path, "it holds no object")
    content.pop(KEY, None)
    if wrong := of_shape(content, shape or {}):
        raise damaged(path, wrong)
    return content
