"""Pictures that may be asked for next, drawn in a process of their own: in the kernel they would stand in the way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING

from rdr_viz.beside import stand_by

if TYPE_CHECKING:
    from rdr_viz.explorer.pictures import Panel, Pictures
    from rdr_viz.explorer.views import Request

    Key = tuple[Request, str]

#: Seconds without another request before anything is drawn ahead.
QUIET = 0.2


class Ahead:
    """Has pictures drawn one by one while there are any wanted; without an event loop, as in a script, none.

    Args:
        keep: takes each of them.
    """

    def __init__(self, keep: Callable[[Key, Panel], object]) -> None:
        self._keep = keep
        self._wanted: Iterator[Key] = iter(())
        self._process: ProcessPoolExecutor | None = None
        self._drawn: Future | None = None
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, wanted: Iterable[Key]) -> None:
        """Want these, a request and its theme each, instead of what was wanted before."""
        self._wanted = iter(wanted)
        if self._timer is not None:
            self._timer.cancel()
        try:
            self._timer = asyncio.get_running_loop().call_later(QUIET, self._next)
        except RuntimeError:
            self._timer = None

    def end(self) -> None:
        """Want nothing, and end the process; it is started anew when something is wanted again."""
        self.ask(())
        if self._process is not None:
            self._process.shutdown(wait=False, cancel_futures=True)
        self._process = self._drawn = None

    def _next(self) -> None:
        if self._drawn is not None:  # it goes on when that is done
            return
        key = next(self._wanted, None)
        if key is None:
            return
        if self._process is None:
            # Not a fork: that of a kernel has its sockets and its threads' locks.
            self._process = ProcessPoolExecutor(1, get_context("spawn"), initializer=_make_way)
        loop = asyncio.get_running_loop()
        try:
            self._drawn = self._process.submit(_draw, *key)
        except BrokenExecutor:  # it was killed meanwhile
            self.end()
            return

        def tell(drawn: Future) -> None:
            with suppress(RuntimeError):  # the kernel's loop has ended meanwhile
                loop.call_soon_threadsafe(self._take, key, drawn)

        self._drawn.add_done_callback(tell)

    def _take(self, key: Key, drawn: Future) -> None:
        if drawn is not self._drawn:  # of a process that was ended
            return
        self._drawn, error = None, drawn.exception()
        if isinstance(error, BrokenExecutor):  # it was killed, maybe for its memory; it is started anew when asked
            self.end()
            return
        if error is None:  # else it is told when the picture is asked for
            self._keep(key, drawn.result())
        self._next()


def _make_way() -> None:
    """The kernel and the page go first."""
    stand_by()
    if hasattr(os, "nice"):
        os.nice(10)


def _draw(request: Request, theme: str) -> Panel:
    return _pictures().panel(request, theme)


@cache
def _pictures() -> Pictures:
    """That process's own: a figure in which only a mark moves is drawn once there too."""
    from rdr_viz.explorer.pictures import Pictures

    return Pictures()
