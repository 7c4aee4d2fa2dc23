"""How a command ends: with a status, and with one sentence where it could not do what it was asked for."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from rdr_core.errors import LostRank, RdrError
from rdr_core.printed import speaks
from rdr_core.visible import leave_stdout, tell


def run_app(commands: typer.Typer) -> NoReturn:
    """Run a command line. A user's mistake is one sentence on stderr and status 2, never a traceback.

    The same holds where only the viewer is installed (requirements-viewer.txt), which has no torch.

    Of several processes that torchrun started, the first one prints it, and any that has lost another.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a word may be none in the terminal's encoding
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            commands()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, where it can still be told that nobody got it
    except RdrError as error:
        if speaks() or isinstance(error, LostRank):
            tell(f"rdr: {error}")
        sys.exit(2)
    except OSError as error:
        leave_stdout()
        what = "The output" if error.filename is None else error.filename
        tell(f"rdr: {what} can't be read or written ({error.strerror or error}); choose another place, or make room.")
        sys.exit(2)
    except ModuleNotFoundError as missing:
        if missing.name not in ("torch", "torchvision"):
            raise
        tell(f"rdr: This needs {missing.name}, but only the viewer is installed here; "
             "install the whole toolkit: pip install .")  # fmt: skip
        sys.exit(2)
    raise AssertionError("typer ends by exiting")


@contextmanager
def stoppable() -> Iterator[None]:
    """On Ctrl-C, print what the interrupt says, such as the command that continues, and exit with status 130."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        if speaks():
            tell(str(stopped) or "Stopped.")
        raise typer.Exit(130) from None
