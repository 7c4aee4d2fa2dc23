"""Processes that work beside this one: how many there is room for; they end with it, and leave Ctrl-C to it."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process


def processors() -> int:
    """How many processors this process may use.

    Example:
        >>> processors() >= 1
        True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stand_by() -> None:
    """First thing in a process that :mod:`multiprocessing` started: an executor's ``initializer``.

    An executor's processes don't notice by themselves that the one that started them was killed: they wait for work, or
    for someone to take what they have made, until the machine is switched off.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Wait for the process that started this one, if one did, and end when it does, however it ends."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
