"""Waiting for what other processes, threads and pages do: one generous limit, that only a hang reaches.

A test never judges how long something takes: machines differ and are shared. It waits until something is so, and
where that never comes it says what it waited for and what it saw instead. Modelled on ``LONG_TIMEOUT`` and
``sleeping_retry`` of CPython's ``test.support``.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from forked import Forked

T = TypeVar("T")

#: How often longer than on an ordinary machine to wait before something counts as hung.
PATIENCE = float(os.environ.get("RDR_TEST_PATIENCE", "1"))
#: Seconds after which what a test waits for counts as hung: five minutes.
LIMIT = 300 * PATIENCE
#: The same for playwright, in milliseconds.
LIMIT_MS = LIMIT * 1000
#: Seconds after which a whole test counts as hung.
WHOLE_TEST = 10 * LIMIT
#: Seconds from one look to the next.
PAUSE = 0.02


def wait_for(
    condition: Callable[[], T],
    what: str,
    *,
    seen: Callable[[], object] = lambda: "",
    rest: Callable[[], Any] | None = None,
) -> T:
    """Look until ``condition()`` is true, and give what it gave.

    Args:
        condition: looked at again and again.
        what: is waited for, in words: "the run's first checkpoint".
        seen: what to tell of the state of things where it never comes: a page's text, a process's output.
        rest: what to do between two looks, in place of sleeping (a page has to go on meanwhile).

    Raises:
        AssertionError: it was not so within :data:`LIMIT`.
    """
    end = time.monotonic() + LIMIT
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(_told(what, seen))
        (rest or _rest)()
    return value


def wait_on(page: Any, condition: Callable[[], T], what: str) -> T:
    """:func:`wait_for` where a page of playwright's has to go on meanwhile."""
    return wait_for(
        condition, what, seen=lambda: page.inner_text("body"), rest=lambda: page.wait_for_timeout(1000 * PAUSE)
    )


async def wait_until(condition: Callable[[], T], what: str, *, seen: Callable[[], object] = lambda: "") -> T:
    """:func:`wait_for` where an event loop has to go on meanwhile."""
    end = time.monotonic() + LIMIT
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(_told(what, seen))
        await asyncio.sleep(PAUSE)
    return value


def ended(process: subprocess.Popen | Forked, what: str = "", limit: float = LIMIT) -> subprocess.CompletedProcess:
    """Wait for a process to end; what it said where it was piped. One that hangs is killed, and its words are told.

    Args:
        limit: :data:`LIMIT`, or :data:`WHOLE_TEST` of one that does minutes of work.

    Raises:
        AssertionError: it did not end within the limit.
    """
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        said = f"{out or ''}\n{err or ''}"
        raise AssertionError(_told(what or f"{process.args} to end", lambda: said, limit)) from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run(command: Sequence[object], *, limit: float = LIMIT, **options: Any) -> subprocess.CompletedProcess:
    """:func:`subprocess.run` of a command with its words as text, which is given up only when it hangs."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return ended(subprocess.Popen([str(word) for word in command], **pipes | options), limit=limit)


def _rest() -> None:
    time.sleep(PAUSE)


def _told(what: str, seen: Callable[[], object], limit: float = LIMIT) -> str:
    return f"waited {limit:.0f} s for {what}; seen instead: {str(seen())[-4000:] or 'nothing'}"
