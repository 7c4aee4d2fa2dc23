"""Where the papers and the runs that are shipped with the toolkit lie."""

from __future__ import annotations

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
