"""The runs of a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from rdr_core.errors import Damaged, RdrError, unknown_name
from rdr_core.runs.run import Run
from rdr_core.training.config import RunConfig

#: What holds several values of which a run must have one.
ALTERNATIVES = (list, tuple, set, frozenset, range)


def list_runs(folder: str | Path = "runs", **wanted: object) -> list[Run]:
    """The runs in a folder, sorted by name; damaged ones are skipped with a line on stderr.

    Args:
        folder: that holds the runs' folders; a missing folder holds none.
        wanted: fields of :class:`RunConfig`, each with the value that a run must have, or with several (such as a
            list), one of which it must have (default: all runs).

    Raises:
        RdrError: no such field.

    Example:
        >>> from rdr_core.runs.archive import shipped
        >>> runs = list_runs(shipped(), dataset="digits", schedule="cosine", imbalance_factor=50, noise_rate=0,
        ...                  method=["ce", "rdr"], seed=0)
        >>> [run.config.method for run in runs]
        ['ce', 'rdr']
    """
    known = {field.name for field in fields(RunConfig)}
    for name in wanted:
        if name not in known:
            raise unknown_name("field of a run's configuration", name, known)
    allowed = {name: value if isinstance(value, ALTERNATIVES) else (value,) for name, value in wanted.items()}
    found = []
    for path in sorted(Path(folder).glob("*/config.json")):
        with _passing_over(RdrError):
            run = Run.open(path.parent)
            if all(getattr(run.config, name) in values for name, values in allowed.items()):
                _look_at(run)
                found.append(run)
    return found


def open_runs(paths: Iterable[str | Path]) -> list[Run]:
    """The runs of some folders; a damaged one is passed over with a line on stderr.

    Args:
        paths: the runs' own folders.

    Raises:
        RdrError: a folder that is none of a run, or no run that is not damaged.
    """
    found, given = [], list(paths)
    for path in given:
        with _passing_over(Damaged):
            run = Run.open(path)
            _look_at(run)
            found.append(run)
    if given and not found:
        raise RdrError("All of these runs are damaged; `rdr check --repair` brings back what can be.")
    return found


def _look_at(run: Run) -> None:
    """Read what all that is told of runs begins with."""
    _ = run.groups, run.last_epoch


@contextmanager
def _passing_over(errors: type[RdrError]) -> Iterator[None]:
    try:
        yield
    except (errors, OSError) as error:
        print(f"passed over: {error}", file=sys.stderr)
