"""Where the papers and the runs that are shipped with the toolkit lie, and what a user says lies elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from rdr_core.errors import RdrError


def papers_folder() -> Path:
    """Where the papers lie: ``data/paper`` of a checkout, or inside the package where it was installed.

    Raises:
        RdrError: in neither.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "data" / "paper", package / "data" / "paper"):
        if folder.is_dir():
            return folder
    raise RdrError(f"The papers' folder data/paper is not beside {package}; install the toolkit again.")


def own_place(path: str | os.PathLike[str], asked_by: str) -> Path:
    """A place that a user named, absolute; ``~`` at its beginning is a home folder.

    Args:
        path: as it was named.
        asked_by: what it was named by, for the message: "RDR_DATA".

    Raises:
        RdrError: there is no such home folder, or no path can be so.

    Example:
        >>> own_place("~nobody-at-all/data", "RDR_DATA")
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: RDR_DATA is '~nobody-at-all/data', but there is no such home folder; name another.
    """
    try:
        found = Path(path).expanduser().absolute()
        os.fsencode(found)
    except RuntimeError:
        raise RdrError(f"{asked_by} is {str(path)!r}, but there is no such home folder; name another.") from None
    except ValueError:
        raise RdrError(f"{asked_by} is {str(path)!r}, which no folder can be called; name another.") from None
    if "\0" in str(found):
        raise RdrError(f"{asked_by} is {str(path)!r}, which no folder can be called; name another.")
    return found
