"""Where the images lie: those of a list, also under other folders, and those of a tree with a folder for each class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rdr_core.errors import MissingData, RdrError
from rdr_core.files.inside import below
from rdr_core.visible import tell

#: Endings of image files in a tree; a list names its files itself.
ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".tif", ".tiff")


def find_files(names: Sequence[str], folder: Path) -> list[Path]:
    """The file of each name below ``folder``.

    Where a file is not at its name's path it is looked for by the end of that path: as many of its last parts as tell
    all names apart, which is the file's name alone for ``val/ILSVRC2012_val_00000001.JPEG``, with or without a class
    folder. Says on stderr how many were found so.

    Args:
        names: relative paths, separated by "/".
        folder: that they are relative to.

    Raises:
        MissingData: files that are nowhere, or in two places; their number, and the first ten.
        RdrError: a name that leads out of the folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     (Path(folder) / "val").mkdir()
        ...     _ = (Path(folder) / "val" / "1.jpg").write_bytes(b"")
        ...     [file.name for file in find_files(["val/1.jpg"], Path(folder))]
        ['1.jpg']
    """
    found = [below(folder, name) for name in names]
    astray = [row for row, file in enumerate(found) if not _is_file(file)]
    if not astray:
        return found
    parts = _parts_that_tell_apart(names)
    elsewhere = _files_by_end({_end(names[row], parts) for row in astray}, parts, folder)
    missing = []
    for row in astray:
        candidates = elsewhere.get(_end(names[row], parts), [])
        if len(candidates) == 1:
            found[row] = candidates[0]
        else:
            missing.append(names[row])
    if missing:
        raise MissingData(
            f"{len(missing)} of {len(names)} images are missing below {folder}, or are there more than once under its "
            f"folders: {_some(missing)}. Put them there, or link the folder that holds them."
        )
    tell(f"{len(astray)} of {len(names)} images lie under other folders of {folder} than listed; found by name.")
    return found


def find_classes(folder: Path, leave_out: bool = False) -> dict[str, list[Path]]:
    """Image files of each class of a tree, ``folder/class/.../image``, classes and files in order of their names.

    Args:
        folder: with a folder for each class.
        leave_out: go on without empty class folders and without links to nothing, and say which.

    Raises:
        MissingData: no such folder, no folder in it, or an image that is a link to nothing, or no plain file.
        RdrError: a class folder without an image.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("rose", "daisy"):
        ...         (Path(folder) / name).mkdir()
        ...         _ = (Path(folder) / name / "1.PNG").write_bytes(b"")
        ...     list(find_classes(Path(folder)))
        ['daisy', 'rose']
    """
    if not folder.is_dir():
        raise MissingData(f"There is no folder {folder}; put a folder of images for each class into it.")
    classes = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        raise MissingData(f"{folder} has no folder in it; put a folder of images for each class there.")
    images = {entry.name: sorted(_walk(entry, ENDINGS)) for entry in classes}
    odd = [str(file.relative_to(folder)) for files in images.values() for file in files if not file.is_file()]
    if odd:
        sentence = f"{len(odd)} images in {folder} are links to nothing, or no plain files: {_some(odd)}."
        if not leave_out:
            raise MissingData(f"{sentence} Mend or remove them.")
        tell(f"{sentence} They are left out.")
        images = {name: [file for file in files if file.is_file()] for name, files in images.items()}
    empty = [name for name, files in images.items() if not files]
    if empty:
        sentence = f"{len(empty)} class folders in {folder} hold no image ({', '.join(ENDINGS)}): {_some(empty)}."
        if not leave_out or len(empty) == len(images):
            raise RdrError(f"{sentence} Remove them or fill them.")
        tell(f"{sentence} They are left out.")
    return {name: files for name, files in images.items() if files}


def _parts_that_tell_apart(names: Sequence[str]) -> int:
    parts = 1
    while len({_end(name, parts) for name in names}) < len(names):
        parts += 1
    return parts


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is longer than a file's can be
        return False


def _end(name: str, parts: int) -> tuple[str, ...]:
    return tuple(name.split("/")[-parts:])


def _files_by_end(wanted: set[tuple[str, ...]], parts: int, folder: Path) -> dict[tuple[str, ...], list[Path]]:
    found: dict[tuple[str, ...], list[Path]] = {}
    endings = tuple({Path(end[-1]).suffix.lower() for end in wanted})
    for file in _walk(folder, endings):
        end = _end(file.relative_to(folder).as_posix(), parts)
        if end in wanted and file.is_file():
            found.setdefault(end, []).append(file)
    return found


def _walk(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """The files below a folder with one of these endings; of a circle of links each folder once."""
    found, seen = [], set()
    # Links are followed: image sets are large and often lie elsewhere.
    for inside, folders, names in os.walk(folder, followlinks=True):
        here = os.stat(inside)
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        found += [Path(inside, name) for name in names if name.lower().endswith(endings) and not name.startswith(".")]
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (" ..." if len(names) > 10 else "")
