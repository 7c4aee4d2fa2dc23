"""What a process that was killed leaves in a run's folder beside what is whole, and nobody reads."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rdr_core.files.whole import HALF_WRITTEN
from rdr_core.runs.layout import finished


def remove_left_over(folder: Path) -> None:
    """Remove it from a folder that nobody else writes to: files half written, and a finished run's checkpoint.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name:
        ...     for left in (".history.csv.x9a_b2c1", ".tmp58hVK0", ".lock", "history.csv"):
        ...         Path(name, left).touch()
        ...     remove_left_over(Path(name))
        ...     sorted(path.name for path in Path(name).iterdir())
        ['.lock', 'history.csv']
    """
    with suppress(OSError):  # of a folder that can't be written it does no harm
        places = [place for place in (folder, folder / "weights") if place.is_dir() and not place.is_symlink()]
        for path in (path for place in places for path in place.iterdir()):
            if HALF_WRITTEN.fullmatch(path.name) or (path == folder / "checkpoint.safetensors" and finished(folder)):
                path.unlink()
