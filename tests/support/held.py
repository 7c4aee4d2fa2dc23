"""A process that stands still for a while."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held(pid: int) -> Iterator[None]:
    """Inside, the process does nothing: what a test looks at and asks of it comes before its end on any machine.

    What is sent to it meanwhile reaches it afterwards.
    """
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
