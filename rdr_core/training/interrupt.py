"""Ctrl-C, or a deadline, as a request: the step under way is finished, then the run is saved."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class TrainingStopped(KeyboardInterrupt):
    """Training was stopped and saved; the message says how to continue."""


@contextmanager
def stop_requests(deadline: float | None = None) -> Iterator[Callable[[], bool]]:
    """Inside, SIGINT and SIGTERM only set a flag, which the given function reads; a second one stops at once.

    Outside the main thread, where Python takes no signal handlers, the flag is never set; a deadline counts there too.

    Args:
        deadline: of :func:`time.monotonic`, from which on the function says yes too; None (default) is never.

    Example:
        >>> with stop_requests() as stop, stop_requests(deadline=time.monotonic()) as late:
        ...     stop(), late()
        (False, True)
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    def stop() -> bool:
        return asked or (deadline is not None and time.monotonic() >= deadline)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupted_at(deadline: float) -> Iterator[None]:
    """Inside, KeyboardInterrupt is raised at a deadline: for work that nothing of is saved before it is whole.

    Where Python takes no signal handlers (outside the main thread, or on a system without timers) it is not.

    Args:
        deadline: of :func:`time.monotonic`; infinite is never.

    Example:
        >>> try:
        ...     with interrupted_at(time.monotonic() + 0.01):
        ...         time.sleep(60)
        ... except KeyboardInterrupt:
        ...     "in time"
        'in time'
    """
    main = threading.current_thread() is threading.main_thread()
    if math.isinf(deadline) or not main or not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    left, every = signal.setitimer(signal.ITIMER_REAL, max(deadline - time.monotonic(), 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, every)
        signal.signal(signal.SIGALRM, before)
