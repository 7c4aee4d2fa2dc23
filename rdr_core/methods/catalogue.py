"""All parts of methods: importing the files that define them registers them, the built-in ones and other packages'."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from rdr_core.errors import RdrError
from rdr_core.methods import ccsam, deferred, difficulty, imbsam, losses, rdr, sam, second_stage, weights  # noqa: F401
from rdr_core.methods.parts import Part, registered


def parts() -> dict[str, Part]:
    """Every part by name: the built-in ones, those of installed packages, and one's own.

    Raises:
        RdrError: an installed package offers parts that can't be imported.

    Example:
        >>> parts()["la"].formula
        '-log softmax(z + tau log pi)_y'
    """
    _import_installed()
    return registered()


@cache
def _import_installed() -> None:
    """Import what installed packages name as entry points of the group "rdr.parts"."""
    for entry in entry_points(group="rdr.parts"):
        try:
            entry.load()
        except Exception as error:  # another's code: anything can go wrong in it
            package = entry.dist.name if entry.dist else entry.name
            raise RdrError(
                f"The package {package} offers parts of methods in {entry.value}, which can't be imported "
                f"({type(error).__name__}: {error}); mend or uninstall it."
            ) from error
