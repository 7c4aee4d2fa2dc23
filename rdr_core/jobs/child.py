"""The process that does a worker's tasks, one after the other: ``python -m rdr_core.jobs.child FD``.

A training holds Python for long, and a worker that can't answer its scheduler meanwhile is taken for lost; and what
kills a training must not take the worker with it. FD is a socket on which tasks come and what became of them goes back
(:mod:`rdr_core.jobs.slots`). Standard input is the worker's lifeline: when it closes, the worker is gone, and another
one may be given the same task at any moment, so this process ends at once.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from rdr_core.jobs.task import Task

#: Seconds after which a process without work ends.
IDLE = 60.0
#: Seconds that a task waits for files which another one has made on another machine to be seen on this one.
UNSEEN = 60.0
#: Seconds that a task waits for a process that is just ending to let go of its run.
ENDING = 3.0


class Told(NamedTuple):
    """What became of a task.

    Attributes:
        what: done "made" here, or "found" done; left "busy" to another process, "waiting" for what it needs, "stopped"
            on request, or "lost" with its process; "failed" for good.
        why: in a sentence, where it failed or was lost.
        missing_data: whether it failed since data are missing.
    """

    what: Literal["made", "found", "busy", "waiting", "stopped", "lost", "failed"]
    why: str = ""
    missing_data: bool = False


def main(file: int) -> None:
    """Do what comes, until nothing does, or SIGTERM: then what is under way is saved."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_end_with_worker, daemon=True).start()
    with Connection(file) as worker, suppress(KeyboardInterrupt, EOFError, ConnectionError):
        import torch

        torch.set_num_threads(1)  # whatever the number of workers, the result has the same bits
        while worker.poll(IDLE):
            worker.send(_done(*worker.recv()))


def _end_with_worker() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _done(pickled: bytes, needed_is_made: bool) -> Told:
    import cloudpickle

    from rdr_core.errors import MissingData, RdrError, RunBusy

    late = time.monotonic() + ENDING
    try:
        task: Task = cloudpickle.loads(pickled)  # of the worker's own socket, never of a file
        if not _there(task, UNSEEN if needed_is_made else 0.0):
            return Told("waiting")
        while True:
            if task.done:
                return Told("found")
            try:
                here = task.run(math.inf)
                break
            except RunBusy:
                if time.monotonic() >= late:
                    return Told("busy")
                time.sleep(0.1)
        if not task.done:
            raise RdrError(f"{task.name} ended without a result.")
    except KeyboardInterrupt:
        return Told("stopped")
    except RdrError as error:
        return Told("failed", str(error), isinstance(error, MissingData))
    return Told("made" if here else "found")


def _there(task: Task, seconds: float) -> bool:
    """Whether the files that a task needs are there, within so many seconds."""
    late = time.monotonic() + seconds
    while not all(path.is_file() for path in task.needs):
        if time.monotonic() >= late:
            return False
        time.sleep(0.1)
    return True


if __name__ == "__main__":
    from rdr_core.jobs.child import main as run  # so that what it tells is of the class that others know

    run(int(sys.argv[1]))
