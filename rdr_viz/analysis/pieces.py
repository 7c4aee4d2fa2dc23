"""The parts of a long analysis that are done, beside its result until all are: what was stopped goes on from there."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from rdr_core.errors import Damaged
from rdr_core.files.sealed import damaged
from rdr_core.files.whole import read_json, write_json


class Pieces:
    """Rows of a result, piece by piece: ``.WHAT-HASH/NUMBER.json`` beside ``WHAT-HASH.csv``.

    Pieces are kept for as long as the result is not there, so by one version of the toolkit, as a rule.

    Args:
        result: path of the result.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pieces = Pieces(Path(folder) / "curvature-0123.csv")
        ...     pieces.rows(0, lambda: [{"trace": 2.0}]), pieces.rows(0, lambda: [{"trace": 3.0}]), pieces.done()
        ([{'trace': 2.0}], [{'trace': 2.0}], 1)
    """

    def __init__(self, result: Path) -> None:
        self.folder = result.with_name(f".{result.stem}")

    def rows(self, number: int, compute: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """The rows of a piece: read if they are there and as they were written, computed and kept if not."""
        path = self.folder / f"{number}.json"
        try:
            kept = _rows(path)
        except Damaged:  # or not there yet
            rows = [{name: getattr(value, "item", lambda v=value: v)() for name, value in row.items()}
                    for row in compute()]  # fmt: skip
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(path, {"rows": [list(row.items()) for row in rows]})  # columns stay in their order
            kept = _rows(path)  # the same whether it was computed or read
        return kept

    def done(self) -> int:
        """How many are kept."""
        return len(self._times())

    def seconds_each(self) -> float | None:
        """What one takes, by the times at which they were written; None before the second."""
        times = self._times()
        # The median, since the analysis may have been stopped in between.
        return statistics.median(b - a for a, b in pairwise(times)) if len(times) > 1 else None

    def drop(self) -> None:
        """Remove them: the result is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _times(self) -> list[float]:
        try:
            return sorted(path.stat().st_mtime for path in self.folder.glob("[0-9]*.json"))
        except FileNotFoundError:  # another process has finished, and drops them
            return []


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = read_json(path, {"rows": [[list]]})["rows"]
    if not all(len(pair) == 2 and isinstance(pair[0], str) for row in rows for pair in row):
        raise damaged(path, "its rows are no names with their values")
    return [dict(row) for row in rows]


class HowFar(NamedTuple):
    """How much of an analysis is stored.

    Attributes:
        done, total: pieces, of all its results.
        seconds_each: what a piece takes; None where that is unknown.
    """

    done: int = 0
    total: int = 0
    seconds_each: float | None = None

    def __add__(self, other: tuple) -> HowFar:
        done, total, seconds = other
        return HowFar(self.done + done, self.total + total, self.seconds_each if seconds is None else seconds)
