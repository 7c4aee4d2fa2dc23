"""Reading data files through torchvision: fetched once, quietly, with one sentence when that fails."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rdr_core.errors import MissingData
from rdr_core.visible import tell

T = TypeVar("T")


@dataclass(frozen=True)
class Download:
    """What a user would fetch by hand.

    Attributes:
        title: the data set's name.
        files: names of the official archives.
        page: where they are published.
        folder: folder below the root that the archives become, to delete if a file in it is damaged.
        put_into: folder below the root that the archives go into (unpacked there on the next try).
        size: of the download, such as ``"170 MB"``.
    """

    title: str
    files: str
    page: str
    folder: str
    put_into: str
    size: str


def read_or_fetch(
    read: Callable[[bool], T],
    download: Download,
    root: Path,
    would_fetch: Callable[[], bool],
    damaged: Callable[[], list[str]],
) -> T:
    """``read(False)``, or if the files are not right, ``read(True)``, which may fetch them.

    Files that are right are read without touching the network or writing to ``root``.

    Args:
        read: reads the files; its argument says whether it may fetch them first.
        download: what is read, for messages.
        root: folder of the data files.
        would_fetch: whether torchvision would fetch anything, the files being as they are.
        damaged: names of files that are there but not right, for the message.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
    """
    try:
        try:
            return read(False)
        except Exception:
            if not would_fetch():
                raise
        # Imported late, like torchvision: most calls never get here.
        from filelock import FileLock

        tell(f"Fetching {download.title} ({download.size}) into {root} ...")
        root.mkdir(parents=True, exist_ok=True)
        # Of two runs that start together, one fetches and the other waits; torchvision prints a bar per file.
        with FileLock(root / f".{download.title.lower()}.lock"), contextlib.redirect_stderr(io.StringIO()):
            return read(True)
    except Exception as error:
        # Whatever a damaged file does to its reader, or a network to its client, the way out is the same.
        raise MissingData(_sentence(download, root, damaged(), error)) from error


def _sentence(download: Download, root: Path, damaged: list[str], error: Exception) -> str:
    state = f"is damaged in {root} ({', '.join(damaged)})" if damaged else f"is not complete in {root}"
    reason = (str(error).splitlines() or [""])[0].split(". ")[0].rstrip(".:")
    return (
        f"{download.title} {state} and could not be read or fetched ({type(error).__name__}: {reason}): delete "
        f"{root / download.folder} if it is there and try again, or fetch {download.files} from {download.page} "
        f"into {root / download.put_into}, to be unpacked by the next try."
    )
