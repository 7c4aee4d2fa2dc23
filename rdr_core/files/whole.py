"""Files that are whole or not there: written beside, synced, and put in place."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EACCES, EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP, EPERM
from pathlib import Path
from typing import Any

from rdr_core.errors import RdrError
from rdr_core.plain import for_json


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


def write_json(path: Path, content: Any) -> None:
    """JSON with sorted keys, so that equal content gives equal bytes."""
    text = json.dumps(content, indent=1, sort_keys=True, default=for_json) + "\n"
    write_whole(path, lambda beside: Path(beside).write_text(text, encoding="utf-8"))


def read_json(path: Path) -> Any:
    """The file's content.

    Raises:
        RdrError: missing or damaged, in one sentence.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RdrError(f"{path} is missing; the folder is no complete run.") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RdrError(f"{path} can't be read ({error}); remove the run's folder and train it again.") from None
