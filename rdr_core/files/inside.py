"""Names that files tell: they may come from anywhere, and must lead nowhere but into the folder that they are of."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from rdr_core.errors import RdrError


def below(folder: Path, name: str) -> Path:
    """Where a name that a file tells lies below a folder, by the name alone; links there are followed.

    For what a user may well have linked, such as folders of images. Where anything is written, :func:`inside` is asked.

    Args:
        folder: that the name is relative to.
        name: separated by "/".

    Raises:
        RdrError: a name that is none below the folder: an absolute one, one with "..", a backslash or a NUL.

    Example:
        >>> below(Path("images"), "val/1.jpg").as_posix()
        'images/val/1.jpg'
        >>> below(Path("images"), "../1.jpg")
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: '../1.jpg' leads out of images, in which it must stay; nothing was written.
    """
    parts = PurePosixPath(name).parts if isinstance(name, str) else ()
    if not parts or parts[0].startswith("/") or ".." in parts or "\\" in name or "\0" in name:
        raise _leads_out(name, folder)
    return folder.joinpath(*parts)


def inside(folder: Path, name: str) -> Path:
    """The same where something may be written: no link leads out of the folder either, on the way or at its end.

    Args:
        folder: may be a link itself, since it is the user who named it; need not be there.
        name: separated by "/".

    Raises:
        RdrError: as :func:`below`, or a link that leads out of the folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     (Path(folder) / "weights").symlink_to("/tmp")
        ...     inside(Path(folder), "weights")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: 'weights' leads out of ..., in which it must stay; nothing was written.
    """
    place = below(folder, name)
    try:
        within = place.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a circle of links, or a name that no file can have
        within = False
    if not within:
        raise _leads_out(name, folder)
    return place


def _leads_out(name: object, folder: Path) -> RdrError:
    shown = repr(name)
    if len(shown) > 200:
        shown = f"{shown[:200]}…"
    return RdrError(f"{shown} leads out of {folder}, in which it must stay; nothing was written.")
