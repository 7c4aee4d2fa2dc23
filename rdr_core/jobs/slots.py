"""What a Dask worker does of ours: it hands each task to a process beside it, and stops these on request.

The processes are kept from task to task, since starting one takes seconds. Nothing here imports torch: the worker
itself stays small, and free to answer.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import Connection

from rdr_core.jobs.child import Told
from rdr_core.runs.conditions import PLACE
from rdr_core.safe_path import SAFE_PATH

_lock = threading.Lock()
#: Processes without a task, and those at one, by who asked for it.
_idle: list[Child] = []
_at_work: dict[str, set[Child]] = {}
#: Who asked to stop.
_stopped: set[str] = set()


class Child:
    """A process that does tasks (:mod:`rdr_core.jobs.child`).

    Args:
        place: its own among those of this worker, 0 and up. Of several GPUs it takes the one of that number, the next
            round's first beyond the last.
    """

    def __init__(self, place: int) -> None:
        self.place = place
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rdr_core.jobs.child", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                env=os.environ | SAFE_PATH | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", PLACE: str(place)},
                start_new_session=True,  # a terminal's Ctrl-C reaches who asked for the work, and comes here from there
            )
        self._socket = Connection(ours.detach())

    @property
    def alive(self) -> bool:
        """Whether it takes another task: one without work ends after a while, which closes the socket."""
        with suppress(OSError, EOFError):
            return self._process.poll() is None and not self._socket.poll()
        return False

    def do(self, pickled: bytes, needed_is_made: bool) -> Told:
        """What became of the task; "lost" where the process did not live to tell."""
        with suppress(EOFError, OSError):
            self._socket.send((pickled, needed_is_made))
            return self._socket.recv()
        return Told("lost", _how_it_ended(self._process.wait()))

    def stop(self) -> None:
        """Ask it to save what it is at, and to end."""
        self._process.terminate()

    def end(self) -> None:
        """End it at once."""
        with self._process:  # waits for it, and closes its pipe
            self._process.kill()
        self._socket.close()


def do(pickled: bytes, asker: str, needed: Iterable[Told] = ()) -> Told:
    """Have a task done by a process beside this one, and wait for it.

    Args:
        pickled: the task, by cloudpickle.
        asker: whose it is, by which it can be stopped.
        needed: what became of the tasks that make what it needs.
    """
    with _lock:
        if asker in _stopped:
            return Told("stopped")
        for gone in [child for child in _idle if not child.alive]:
            _idle.remove(gone)
            gone.end()
        child = _idle.pop() if _idle else Child(_free_place())
        _at_work.setdefault(asker, set()).add(child)
    told = Told("lost")
    try:
        told = child.do(pickled, bool(needed) and all(one.what in ("made", "found") for one in needed))
        return Told("stopped") if told.what == "lost" and asker in _stopped else told
    finally:
        with _lock:
            _at_work[asker].discard(child)
            if told.what in ("lost", "stopped"):
                child.end()
            else:
                _idle.append(child)


def _free_place() -> int:
    taken = {child.place for child in _children()}
    return next(place for place in range(len(taken) + 1) if place not in taken)


def _children() -> list[Child]:
    return [*_idle, *(child for several in _at_work.values() for child in several)]


def stop(asker: str) -> None:
    """Stop and save all that was asked for by them, and begin nothing of it any more."""
    with _lock:
        if asker not in _stopped:  # workers of one process hear of it each, and to ask twice lets nothing be saved
            for child in _at_work.get(asker, ()):
                child.stop()
        _stopped.add(asker)


def end_all() -> None:
    """End all processes at once; what one was at when it could not be stopped is lost since it was last saved."""
    with _lock:
        for child in _children():
            child.end()
        _idle.clear()


def _how_it_ended(status: int) -> str:
    if status >= 0:
        return f"status {status}, after what it printed"
    name = f"signal {-status}"
    with suppress(ValueError):
        name = signal.Signals(-status).name
    return name + (", as where memory runs out" if -status == signal.SIGKILL else "")
