"""What a run's folder says of weights that something stood in for (:mod:`rdr_core.methods.replaced`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rdr_core.files.whole import read_json, write_json
from rdr_core.methods.replaced import KINDS, told

_NAME = "replaced.json"


def keep_replaced(folder: Path, counts: Mapping[str, int]) -> None:
    """Write them where there are any, so that other runs' folders are as they were.

    Args:
        folder: the run's.
        counts: of the whole training, by kind, and ``visits``, of how many.
    """
    if told(counts):
        write_json(folder / _NAME, {name: count for name, count in counts.items() if count})


def replaced(folder: Path) -> dict[str, int]:
    """The counts; {} where nothing was replaced, of a run that is not finished, and of older ones.

    Raises:
        Damaged: the file is not as it was written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as name:
        ...     keep_replaced(Path(name), {"visits": 9, "one_class": 1, "unseen": 0})
        ...     replaced(Path(name)), replaced(Path(name, "no such"))
        ({'one_class': 1, 'visits': 9}, {})
    """
    path = folder / _NAME
    if not path.is_file():
        return {}
    found = read_json(path, {"visits": int, **dict.fromkeys((f"{kind}?" for kind in KINDS), int)})
    return {name: count for name, count in found.items() if name in (*KINDS, "visits")}
