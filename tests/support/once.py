"""What several test processes need and one of them makes: pytest-xdist's workers share it by a lock, as it advises."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from waiting import WHOLE_TEST


def once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder ``name`` of this run of the tests, filled by ``make(folder)`` in one process while others wait.

    Who only reads it may share it; it is not to be written to. Where ``make`` raises, the next who asks tries anew.

    Raises:
        AssertionError: another process was at it longer than :data:`waiting.WHOLE_TEST`.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of all workers
    folder, done = shared / name, shared / f"{name}.made"
    try:
        with FileLock(shared / f"{name}.lock", timeout=WHOLE_TEST):
            if not done.exists():
                for attempt in range(1000):  # what a failed attempt has left behind stays, for whoever looks into it
                    if not folder.exists():
                        break
                    folder.rename(shared / f"{name}.failed-{attempt}")
                folder.mkdir()
                make(folder)
                done.touch()
    except Timeout:
        raise AssertionError(f"waited {WHOLE_TEST:.0f} s for another process to make {folder}; it still does") from None
    return folder
