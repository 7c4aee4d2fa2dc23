"""Whether a folder's file system can keep two processes apart."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rdr_core.errors import RdrError


def refuse_lockless(folder: Path) -> None:
    """Refuse a folder in which no file can be locked, as of some network file systems.

    A lock that is only asked for would leave two processes to write one run, each over what the other has done.

    Args:
        folder: that is there.

    Raises:
        RdrError: files there can't be locked.
        OSError: none can be written.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     refuse_lockless(Path(folder))
    """
    try:
        import fcntl
    except ImportError:  # a system with locks of another kind
        return
    with tempfile.TemporaryFile(dir=folder) as trial:
        try:
            fcntl.flock(trial, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RdrError(
                f"{folder} lies where files can't be locked ({error.strerror or error}), so two processes might write "
                "one run; choose a folder on another disk with --runs."
            ) from None
