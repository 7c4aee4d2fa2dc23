"""A paper's files, read: TOML and CSV, of which each entry must be of its field's kind, or a sentence says why.

Where a paper is from anywhere, as in a package, its names become files' names, so they are names and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rdr_core.errors import RdrError
from rdr_core.files import tomls
from rdr_core.files.expected import of_shape
from rdr_core.files.inside import inside
from rdr_core.files.tables import read_exactly

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")
#: Of each annotation of a part's fields what a file must say for it; parts of parts were made before.
_SHAPES: dict[str, Any] = {
    "str": str, "float": float, "int": int, "bool": bool, "float | None": float, "tuple[str, ...]": [str],
    "tuple[float, ...]": [float], "Mapping[str, str]": {str: str}, "Mapping[str, float]": {str: float},
    "Mapping[str, int]": {str: int}, "Mapping[str, Any]": {}, "tuple[Mapping[str, Any], ...]": [{}],
}  # fmt: skip
#: What is named in files' names of what is built.
_NAME = re.compile(r"\w[\w .+-]{0,60}")


def read_toml(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """The tables of a file; {} where it is missing and may be.

    Raises:
        RdrError: it is missing, or no TOML.
    """
    if optional and not path.is_file():
        return {}
    if not path.exists():
        raise RdrError(f"{path} is missing; a paper's folder has a paper.toml, a tables.csv and a grids.toml.")
    return tomls.read_toml(path, "fix it")


def read_printed(home: Path, file: str, columns: set[str]) -> pd.DataFrame:
    """A table of printed numbers.

    Args:
        home: the paper's folder.
        file: below it.
        columns: that it must have.

    Raises:
        RdrError: it is missing, no such table, or leads out of the folder.
    """
    path = inside(home, file)
    try:
        found = read_exactly(path, keep_default_na=False, na_values={"std": [""]}, dtype={"table": str})
    except (OSError, ValueError) as error:
        raise RdrError(f"{path} can't be read ({error}); fix it.") from None
    if gone := columns - set(found):
        raise RdrError(f"{path} has no column {min(gone)!r}; fix it.")
    return found


def all_of(cls: type[_T], rows: object, path: Path) -> tuple[_T, ...]:
    """The parts that a list of a file describes.

    Args:
        cls: a dataclass.
        rows: a mapping of values for each.
        path: of the file, for messages.

    Raises:
        RdrError: as :func:`made`.
    """
    if wrong := of_shape(rows, [{}], f"its list of {cls.__name__.lower()}s"):
        raise RdrError(f"{path}: {wrong}.")
    return tuple(made(cls, row, path) for row in rows)  # type: ignore[attr-defined] # a list, as it was found


def made(cls: type[_T], values: Mapping[str, Any], path: Path) -> _T:
    """The dataclass of these values: lists as tuples, and one value where several may be as a tuple of one.

    Raises:
        RdrError: a value that is unknown, missing, or of another kind than its field's.
    """
    known = {f.name: str(f.type) for f in fields(cls)}  # type: ignore[arg-type]
    what = cls.__name__.lower()
    odd = sorted(set(values) - set(known))
    if odd:
        raise RdrError(f"{path}: a {what} has no {odd[0]!r}; it may have {', '.join(known)}.")
    several = {name for name, kind in known.items() if kind.startswith("tuple")}
    fit = {
        name: (tuple(value) if isinstance(value, (list, tuple)) else (value,)) if name in several else value
        for name, value in values.items()
    }
    for name, value in fit.items():
        shape = _SHAPES.get(known[name])
        if shape is not None and (wrong := of_shape([*value] if name in several else value, shape, name)):
            raise RdrError(f"{path}: of a {what}, {wrong}.")
    try:
        return cls(**fit)
    except TypeError as error:
        raise RdrError(f"{path}: a {what} is incomplete ({error}).") from None


def named(name: str, path: Path) -> str:
    """A name that is a part of files' names, as it is.

    Raises:
        RdrError: it might lead elsewhere, or be no file's.
    """
    if not _NAME.fullmatch(name):
        raise RdrError(f"{path}: {name!r} is no name for a file; take letters, digits, spaces, dots and hyphens.")
    return name
