"""Many tasks, done by any number of processes: each takes what nobody is at, and what is done is never done again.

What a process may take is decided by the lock on each run's folder alone. So workers of one command, and commands
started side by side, on one machine or on several with a shared folder, share the work in the same way, and a killed
process loses what it was at and nothing else.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawArray
from typing import Literal, NamedTuple

import torch

from rdr_core.errors import MissingData, RdrError, RunBusy
from rdr_core.jobs.progress import shown
from rdr_core.jobs.task import Task
from rdr_core.safe_path import safe_path
from rdr_core.training.interrupt import stop_requests

#: Seconds between looks at what another process has, and at whether this one is to stop.
LOOK_EVERY = 0.2


class Failure(NamedTuple):
    """Why tasks can't be done, in one sentence, and which."""

    sentence: str
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What has become of the tasks, by name and in their order.

    Attributes:
        finished: done, whoever did it and when.
        made_here: of them, those that this call did.
        unfinished: neither done nor failed; the same call goes on with them.
        busy: of them, those that a process outside this call is at.
        failed: a sentence for each mistake, with the tasks that it concerns.
        lost: workers that were killed or broke down.
        stopped_by: why work is left: the budget was spent, or Ctrl-C.
    """

    finished: tuple[str, ...]
    made_here: tuple[str, ...]
    unfinished: tuple[str, ...]
    busy: tuple[str, ...]
    failed: tuple[Failure, ...]
    lost: int
    stopped_by: Literal["budget", "interrupt"] | None


def work_through(
    tasks: Sequence[Task], *, budget: float | None = None, parallel: int = 1, progress: bool = True
) -> Outcome:
    """Do the tasks in their order, but for those that another process is at, and come back to these at the end.

    Tasks left to another process are not waited for. Ctrl-C and SIGTERM stop the work and save it; the same call goes
    on. Of a mistake it is told at the end, and the other tasks are done all the same.

    Args:
        tasks: what is to be done.
        budget: seconds after which to stop, with the run under way saved in the middle of its epoch; None (default) is
            no limit.
        parallel: worker processes (default 1: this process alone). Each has its share of torch's threads, so that on a
            CPU, runs of data sets that leave the number of threads open may differ in their last bits with this number.
            A script that asks for more than one does so below ``if __name__ == "__main__":``.
        progress: show a bar over all tasks.

    Raises:
        RdrError: a budget or number of workers that can't be.

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
    if parallel < 1:
        raise RdrError(f"parallel is {parallel!r}; it must be a number of processes, 1 or more.")
    deadline = math.inf if budget is None else time.monotonic() + budget
    workers = min(parallel, sum(not task.done for task in tasks))
    with shown(tasks) if progress else nullcontext():
        news = _side_by_side(tasks, workers, deadline) if workers > 1 else _alone(tasks, deadline)
    return news.outcome(tasks, late=time.monotonic() >= deadline)


@dataclass
class _News:
    """What workers told: tasks by their index."""

    made: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)
    failed: dict[str, set[int]] = field(default_factory=dict)
    lost: int = 0
    interrupted: bool = False

    def add(self, other: _News) -> None:
        self.made |= other.made
        self.busy |= other.busy
        for sentence, indices in other.failed.items():
            self.failed.setdefault(sentence, set()).update(indices)

    def outcome(self, tasks: Sequence[Task], *, late: bool) -> Outcome:
        done = {index for index, task in enumerate(tasks) if task.done}
        left = set(range(len(tasks))) - done - {index for indices in self.failed.values() for index in indices}

        def names(indices: set[int]) -> tuple[str, ...]:
            return tuple(tasks[index].name for index in sorted(indices))

        return Outcome(
            finished=names(done),
            made_here=names(self.made),
            unfinished=names(left),
            busy=names(self.busy & left),
            failed=tuple(Failure(sentence, names(indices)) for sentence, indices in self.failed.items()),
            lost=self.lost,
            stopped_by="interrupt" if self.interrupted else "budget" if late and left else None,
        )


@dataclass
class _Board:
    """What the workers of a call tell each other, in memory that they share.

    Attributes:
        given_up: for each task, whether one of them found that it can't be done.
        at_work: for each worker, whether it may yet do what others wait for.
    """

    given_up: MutableSequence[int]
    at_work: MutableSequence[int]


def _work(tasks: Sequence[Task], me: int, board: _Board, deadline: float, tell: Callable[[_News], object]) -> None:
    """Rounds over the tasks, until nothing is left to do, or only what processes outside this call are at."""
    while True:
        busy, progressed = set(), False
        for index, task in enumerate(tasks):
            if time.monotonic() >= deadline:
                return
            if board.given_up[index] or task.done or not all(path.is_file() for path in task.needs):
                continue
            board.at_work[me] = True
            try:
                task.run(deadline)
                if not task.done:  # or it would be run for ever
                    raise RdrError(f"{task.name} ended without a result.")
            except RunBusy:
                busy.add(index)
                continue
            except RdrError as error:
                missing = isinstance(error, MissingData)
                alike = [i for i, other in enumerate(tasks) if i == index or (missing and other.key == task.key)]
                for i in alike:
                    board.given_up[i] = True
                tell(_News(failed={str(error): set(alike)}))
            else:
                tell(_News(made={index}))
            progressed = True
        if progressed:
            continue
        board.at_work[me] = False
        # While another worker is at work it may do what a task here needs, or be killed, and leave its own to be taken.
        if not any(board.at_work):
            tell(_News(busy=busy))
            return
        time.sleep(LOOK_EVERY)


def _alone(tasks: Sequence[Task], deadline: float) -> _News:
    news = _News()
    board = _Board(bytearray(len(tasks)), bytearray(1))
    with _sigterm_as_ctrl_c():
        try:
            _work(tasks, 0, board, deadline, news.add)
        except KeyboardInterrupt:  # training that stops by its deadline ends in one too
            news.interrupted = time.monotonic() < deadline
    return news


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


def _side_by_side(tasks: Sequence[Task], workers: int, deadline: float) -> _News:
    """Workers in processes of their own, which share nothing but the board with one another."""
    news, context = _News(), get_context("spawn")
    board = _Board(RawArray("b", len(tasks)), RawArray("b", [1] * workers))
    threads = max(1, torch.get_num_threads() // workers)
    team: dict[Connection, tuple[int, BaseProcess]] = {}
    told = False
    with stop_requests(deadline) as stop:
        try:
            with _without_ctrl_c(), safe_path():
                for me in range(workers):
                    ear, mouth = context.Pipe(duplex=False)
                    process: BaseProcess = context.Process(
                        target=_worker, args=(tasks, me, board, deadline, threads, mouth)
                    )
                    process.start()
                    mouth.close()  # so that the ear hears when the worker's own is gone
                    team[ear] = me, process
            while team:
                ready = wait(list(team), timeout=LOOK_EVERY)
                for ear in [ear for ear in team if ear in ready]:
                    try:
                        heard = ear.recv()
                    except (EOFError, OSError):
                        me, process = team.pop(ear)
                        process.join()
                        board.at_work[me] = False
                        news.lost += process.exitcode != 0 and not told
                    else:
                        news.add(heard)
                if stop() and not told:
                    news.interrupted = time.monotonic() < deadline
                    told = True
                    _stop(team.values())
        finally:  # a second Ctrl-C: they stop at once
            _stop(team.values())
            for _, process in team.values():
                process.join()
    return news


def _stop(team: Iterable[tuple[int, BaseProcess]]) -> None:
    for _, process in team:
        process.terminate()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes started inside never get SIGINT: a terminal would send it to them too, but one request is enough."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _worker(tasks: Sequence[Task], me: int, board: _Board, deadline: float, threads: int, mouth: Connection) -> None:
    """A process's whole life."""
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    with suppress(KeyboardInterrupt), _sigterm_as_ctrl_c():
        _work(tasks, me, board, deadline, mouth.send)


def _stop_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
