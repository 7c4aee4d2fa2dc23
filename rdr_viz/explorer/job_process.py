"""The processes of jobs: started so that they outlive who asked, and known again by what they were started for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from rdr_core.safe_path import SAFE_PATH

#: Processes that this one started: kept, since an ended one stays a zombie until its parent has asked how it ended.
STARTED: list[subprocess.Popen] = []


def start_process(place: Path, others: Iterable[Path]) -> int:
    """Start the process of the job that lies there.

    Args:
        place: ``RUNS/.jobs/ID``.
        others: folders besides RUNS in which it may make analyses.

    Returns:
        Its id.
    """
    STARTED[:] = [process for process in STARTED if process.poll() is None]
    with (place / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "rdr_viz.explorer.worker", str(place), *map(str, sorted(others))],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | SAFE_PATH | {"MPLBACKEND": "agg"},  # a kernel's own backend draws into its page
            start_new_session=True,  # an interrupt of the kernel, and its end, go to its whole process group
        )
    STARTED.append(process)
    return process.pid


def is_at(pid: int | None, place: Path) -> bool:
    """Whether the process of that id is the job's. An id is soon used anew, so its command line has to name the job.

    A start time would tell too, but for the clock, which may be set while the process runs.
    """
    import psutil

    STARTED[:] = [process for process in STARTED if process.poll() is None]
    try:
        return pid is not None and str(place) in psutil.Process(pid).cmdline()
    except (psutil.Error, ValueError, OverflowError):  # ended, or no process' id
        return False
