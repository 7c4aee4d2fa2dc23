"""Moments by chance, for tests that kill: when they come decides what is tried, never whether a test passes."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from forked import Forked


def random_delays(seed: int, most: int) -> Iterator[float]:
    """Seconds after which to kill a training of a second or two, many of them short; the same ones by seed."""
    draw = random.Random(seed)
    for _ in range(most):
        yield draw.choice((0.3, 1.0, 2.5)) * draw.random() * float(os.environ.get("RDR_STRESS_SCALE", "1"))


def ended_within(process: Forked | subprocess.Popen, seconds: float) -> bool:
    """Whether a process ends by itself before so many seconds are over."""
    end = time.monotonic() + seconds
    while process.returncode is None and time.monotonic() < end:
        time.sleep(min(0.005, seconds))
    return process.returncode is not None


def goes_on(seconds: float) -> Iterator[bool]:
    """Without end: whether so many seconds are not over yet."""
    end = time.monotonic() + seconds
    while True:
        yield time.monotonic() < end


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the wall's clock be so many seconds ahead of what it is, or behind."""
    now = _NOW
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


_NOW = time.time
