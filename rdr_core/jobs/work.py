"""Many tasks, in this process or on a cluster, be it of this machine alone: what is done is never done again."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from rdr_core.errors import MissingData, RdrError, RunBusy
from rdr_core.jobs.notice import Notice
from rdr_core.jobs.outcome import News, Outcome
from rdr_core.jobs.progress import shown
from rdr_core.jobs.slurm import Slurm
from rdr_core.jobs.task import Task


def work_through(
    tasks: Sequence[Task], *, budget: float | None = None, parallel: int | str | Slurm = 1, progress: bool = True,
    notice: Notice | None = None,
) -> Outcome:  # fmt: skip
    """Do the tasks in their order, but for those that another process is at, and come back to these at the end.

    One at a time is done in this process; several at once by Dask (:mod:`rdr_core.jobs.cluster`).
    Commands started side by side on one folder share the work. Ctrl-C and SIGTERM stop the work and save it; the same
    call goes on. Of a mistake it is told at the end, and the other tasks are done all the same.

    Args:
        tasks: what is to be done.
        budget: seconds after which to stop, with the run under way saved in the middle of its epoch; None (default) is
            no limit.
        parallel: tasks side by side on this machine (default 1); or the address of a running Dask scheduler, as
            "tcp://10.0.0.1:8786", whose workers do them, each as many at once as it has threads, and see the same
            folders as this machine; or how to start such workers on Slurm. Unless it is 1, each task has one thread of
            a CPU, so that the number of workers changes no bit.
        progress: show a bar over all tasks, and tell where Dask's dashboard is.
        notice: of this work, for whoever looks into the folder of runs; None (default) is no notice.

    Raises:
        RdrError: a budget or number that can't be, a scheduler that can't be reached, or Dask is not installed.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from rdr_core.jobs.task import Training
        >>> from rdr_core.runs import RunConfig
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="rdr", epochs=1, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     outcome = work_through([Training(config, Path(folder), device="cpu")], progress=False)
        ...     outcome.finished == outcome.made_here == (config.name,)
        True
    """
    if budget is not None and not budget > 0:
        raise RdrError(f"budget is {budget!r}; it must be a number of seconds above 0.")
    if isinstance(parallel, int) and parallel < 1:
        raise RdrError(f"parallel is {parallel!r}; it must be a number of processes, 1 or more.")
    deadline = math.inf if budget is None else time.monotonic() + budget
    left = sum(not task.done for task in tasks)
    where = min(parallel, left) if isinstance(parallel, int) else parallel
    with shown(tasks, notice, bar=progress) if progress or (notice and left) else nullcontext():
        if not left or where == 1:
            news = _alone(tasks, deadline)
        else:
            from rdr_core.jobs.cluster import on_cluster

            news = on_cluster(tasks, where, deadline, tell_dashboard=progress)
    return news.outcome(tasks)


def _alone(tasks: Sequence[Task], deadline: float) -> News:
    """In this process, one after the other."""
    news = News()
    with _sigterm_as_ctrl_c():
        try:
            while _round(tasks, news, deadline):
                pass
        except KeyboardInterrupt:  # training that stops by its deadline ends in one too
            news.stopped_by = "budget" if time.monotonic() >= deadline else "interrupt"
    return news


def _round(tasks: Sequence[Task], news: News, deadline: float) -> bool:
    """Over all the tasks once; tells whether another round may find something to do."""
    news.busy.clear()
    progressed = False
    for index, task in enumerate(tasks):
        if index in news.given_up or task.done or not all(path.is_file() for path in task.needs):
            continue
        if time.monotonic() >= deadline:
            news.stopped_by = "budget"
            return False
        try:
            here = task.run(deadline)
            if not task.done:  # or it would be run for ever
                raise RdrError(f"{task.name} ended without a result.")
        except RunBusy:
            news.busy.add(index)
            continue
        except RdrError as error:
            news.fail(str(error), index, tasks, missing_data=isinstance(error, MissingData))
        else:
            if here:  # not where another command has finished it just now
                news.made.add(index)
        progressed = True
    return progressed


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Inside, SIGTERM between two runs ends the work as Ctrl-C does; in the middle of one it is saved first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
