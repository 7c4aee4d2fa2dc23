"""What a folder of runs tells of those at work in it: RUNS/.under_way/ID.json, for as long as they are.

A notice is put anew every few seconds, also by a command on another machine that sees the folder; one that nobody has
put for a minute was left by a process that was killed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rdr_core.errors import RdrError
from rdr_core.files.inside import inside
from rdr_core.files.whole import read_json, write_json

_FOLDER = ".under_way"
#: Seconds between two puts of a notice, and after which one that was not put again is of nobody.
EVERY, STALE = 5.0, 60.0


@dataclass(frozen=True)
class Notice:
    """Tells others how far a piece of work is.

    Args:
        runs: folder that it makes runs in.
        title: of the work, as "Sweep of grid.toml".
        names: of its tasks. The same work, started again or beside, has the same notice.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     notice = Notice(Path(folder), "Sweep of grid.toml", ("a", "b", "c"))
        ...     notice.put([1.0, 0.5, 0.0], seconds_left=60.0)
        ...     found = under_way(Path(folder))
        ...     notice.take_down()
        ...     [one[1:] for one in found], under_way(Path(folder))
        ([('Sweep of grid.toml', 1, 3, 0.5, 60.0)], [])
    """

    runs: Path
    title: str
    names: tuple[str, ...]

    @property
    def _path(self) -> Path:
        digest = hashlib.sha256(repr((self.title, self.names)).encode()).hexdigest()[:10]
        return inside(self.runs, f"{_FOLDER}/{digest}.json")

    def put(self, shares: Sequence[float], seconds_left: float | None) -> None:
        """Say how far it is; where the folder can't be written, say nothing.

        Args:
            shares: how much of each task is done, 0 to 1.
            seconds_left: until all are; None where that is not known yet.
        """
        told = {
            "title": self.title, "done": sum(share == 1 for share in shares), "total": len(shares),
            "share": sum(shares) / max(1, len(shares)), "seconds_left": seconds_left,
        }  # fmt: skip
        with suppress(OSError, RdrError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._path, told)

    def take_down(self) -> None:
        """Nobody is at it any more."""
        with suppress(OSError, RdrError):
            self._path.unlink(missing_ok=True)
            self._path.parent.rmdir()  # unless others are at work


class UnderWay(NamedTuple):
    """A notice, read.

    Attributes:
        id: by which it is known again.
        title: of the work.
        done, total: how many of its tasks are done, and how many there are.
        share: how much of it is done, 0 to 1.
        seconds_left: until it is; None where that is not known.
    """

    id: str
    title: str
    done: int
    total: int
    share: float
    seconds_left: float | None


def under_way(runs: Path) -> list[UnderWay]:
    """What is being done in a folder of runs, by whatever process on whatever machine."""
    found = []
    for path in sorted((runs / _FOLDER).glob("*.json")):
        with suppress(OSError, RdrError):
            told = read_json(
                inside(runs, f"{_FOLDER}/{path.name}"),
                {"title": str, "done": int, "total": int, "share": float, "seconds_left": (float, None)},
            )
            one = UnderWay(path.stem, *(told[name] for name in UnderWay._fields[1:]))
            fresh = time.time() - path.stat().st_mtime < STALE
            if fresh and 0 <= one.done <= one.total and 0 <= one.share <= 1 and (one.seconds_left or 0) >= 0:
                found.append(one)
    return found
