"""Many tasks side by side, by Dask: on this machine, or wherever a scheduler has workers that see the same folders.

Dask places the tasks, holds each for one worker at a time, notices a lost worker and gives its task to another. Each
is done in a process beside the worker (:mod:`.slots`, :mod:`.child`). What can't be done now, since a process outside
has it or its own was killed, is asked for again as long as anything else moves.
"""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rdr_core.errors import RdrError
from rdr_core.jobs.child import Told
from rdr_core.jobs.outcome import News
from rdr_core.jobs.slurm import Slurm
from rdr_core.jobs.task import Task, beginnings_of
from rdr_core.safe_path import safe_path
from rdr_core.training.interrupt import stop_requests
from rdr_core.visible import tell

if TYPE_CHECKING:
    from distributed import Client, Future

#: Seconds between looks at what workers told, and at whether to stop.
LOOK_EVERY = 0.05
#: Seconds within which a scheduler answers, and workers save what they are at.
PATIENCE = 60.0
#: How often a task's process may end under it before the task counts as one that can't be done.
LIVES = 3


def on_cluster(
    tasks: Sequence[Task], where: int | str | Slurm, deadline: float, *, tell_dashboard: bool = False
) -> News:
    """Do the tasks.

    Args:
        tasks: in the order in which they are best done; those that make what others need come first by themselves.
        where: how many at once on this machine, the address of a scheduler, or how to start workers on Slurm.
        deadline: of :func:`time.monotonic`.
        tell_dashboard: say where Dask's dashboard is, if there is one.

    Raises:
        RdrError: Dask is not installed, the scheduler can't be reached, or none of its workers fits.
    """
    news, tasks = News(), [*tasks, *beginnings_of(tasks)]
    with safe_path():  # or Python starts it at the first lock, and it imports from the working folder
        resource_tracker.ensure_running()
    with stop_requests(deadline) as stop, _connected(where, len(tasks)) as client:
        try:
            _open_workers(client)
            if tell_dashboard and (link := _dashboard(client, own=not isinstance(where, str))):
                tell(f"rdr: Dask's dashboard shows the workers: {link}")
            work = _Work(tasks, client, news)
            while work.round(stop):
                pass
        except (OSError, TimeoutError, CancelledError):
            if not _lost(client):
                raise
            news.stopped_by = "scheduler"
        if stop():
            news.stopped_by = "budget" if time.monotonic() >= deadline else "interrupt"
    return news


class _Work:
    """What one call asks of a cluster, and hears from it."""

    def __init__(self, tasks: Sequence[Task], client: Client, news: News) -> None:
        self.tasks, self.client, self.news = tasks, client, news
        self.asker = uuid.uuid4().hex
        self.rounds = 0
        self.losses = [0] * len(tasks)
        self.futures: dict[int, Future] = {}
        self.makers: dict[Path, int] = {}

    def round(self, stop: Any) -> bool:
        """Ask for all that is left, and wait for it; tells whether another round may find something to do."""
        self.news.busy.clear()
        self.rounds += 1
        left = [index for index, task in enumerate(self.tasks)
                if index not in self.news.made | self.news.found | self.news.given_up and not task.done]  # fmt: skip
        self.makers = {path: index for index in left for path in self.tasks[index].makes}
        for index in left:
            if all(path.is_file() or path in self.makers for path in self.tasks[index].needs):
                self._ask(index, priority=-index)
        moved = False
        while self.futures:
            if stop():
                self._stop()
                return False
            if self.client.status != "running":
                raise OSError("the scheduler is lost")
            ended = [index for index, future in self.futures.items() if future.done()]
            for index in ended:
                if index in self.futures:
                    moved |= self._hear(index, _told(self.futures.pop(index)))
            if not ended:
                time.sleep(LOOK_EVERY)
        return moved

    def _ask(self, index: int, priority: int) -> Future:
        """For a task, after those that make what it needs."""
        import cloudpickle

        from rdr_core.jobs import envoy

        if index not in self.futures:
            task = self.tasks[index]
            makers = {self.makers[path] for path in (*task.after, *task.needs) if path in self.makers}
            needed = [self._ask(other, priority) for other in sorted(makers - {index})]
            # By its place, so that whoever asks this scheduler for the same task has the same one.
            key = hashlib.sha256(repr((task.name, [*map(str, task.makes)])).encode()).hexdigest()[:16]
            self.futures[index] = self.client.submit(
                envoy.call, "rdr_core.jobs.slots", "do", cloudpickle.dumps(task), self.asker, needed,
                key=f"rdr-{key}-{self.rounds}", priority=priority, resources={envoy.RESOURCE: 1},
            )  # fmt: skip
        return self.futures[index]

    def _hear(self, index: int, told: Told) -> bool:
        """Take it down; tells whether things have moved, so that what could not be done may be done by now."""
        if told.what == "made":
            self.news.made.add(index)
        elif told.what == "found":
            self.news.found.add(index)
        elif told.what == "busy":
            self.news.busy.add(index)
        elif told.what == "failed":
            self.news.fail(told.why, index, self.tasks, missing_data=told.missing_data)
            for other in self.news.given_up & set(self.futures):
                self.futures.pop(other).cancel()
        elif told.what == "lost":
            self.news.lost += 1
            self.losses[index] += 1
            if self.losses[index] >= LIVES:
                sentence = f"Its process ended before it was done, {LIVES} times ({told.why})."
                self.news.fail(sentence, index, self.tasks, missing_data=False)
        return told.what not in ("busy", "waiting")

    def _stop(self) -> None:
        """Take back what nobody has begun, and have the rest saved."""
        from rdr_core.jobs import envoy

        self.client.run(envoy.call, "rdr_core.jobs.slots", "stop", self.asker, on_error="ignore")
        late = time.monotonic() + PATIENCE
        while any(not future.done() for future in self.futures.values()) and time.monotonic() < late:
            time.sleep(LOOK_EVERY)
        for index, future in self.futures.items():
            if future.done():
                self._hear(index, _told(future))
            else:
                future.cancel()
        self.futures.clear()


def _told(future: Future) -> Told:
    """What became of a task, also where its worker can't say."""
    if future.status == "finished":
        try:
            return future.result(timeout=PATIENCE)
        except TimeoutError:  # the worker that had the answer is gone, and the task is to be done anew
            return Told("stopped")
    if future.status == "cancelled":
        return Told("stopped")
    error = future.exception()
    return Told("lost", f"{type(error).__name__}: {error}")


def _lost(client: Client) -> bool:
    """Whether its scheduler is gone, which a client may notice a moment later than who waits for an answer."""
    late = time.monotonic() + 5
    while client.status == "running" and time.monotonic() < late:
        time.sleep(LOOK_EVERY)
    return client.status != "running"


@contextmanager
def _quiet() -> Iterator[None]:
    """Inside, Dask prints no log: of what matters in it we tell in a sentence."""
    known = {*logging.root.manager.loggerDict, "distributed.http.proxy"}  # which a notebook's kernel imports later
    logs = [logging.getLogger(name) for name in known if name.partition(".")[0] == "distributed"]
    before = [log.disabled for log in logs]
    for log in logs:
        log.disabled = True
    try:
        yield
    finally:
        for log, disabled in zip(logs, before, strict=True):
            log.disabled = disabled


@contextmanager
def _connected(where: int | str | Slurm, tasks: int) -> Iterator[Client]:
    """A client of a cluster of this process's own, which ends with it, or of a running one."""
    try:
        import distributed
    except ImportError:
        raise RdrError(
            "Several tasks at once are done by Dask, which is not installed: pip install 'rdr-toolkit[cluster]', or "
            "start the same command several times; commands on one folder share the work."
        ) from None
    with _quiet():
        if isinstance(where, str):
            with _client_of(where) as client:
                yield client
            return
        if isinstance(where, Slurm):
            with where.cluster() as cluster, distributed.Client(cluster, set_as_default=False) as client:
                jobs = where.jobs_for(tasks)
                cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)  # one whose time is over is replaced
                yield client
            return
        from rdr_core.jobs.slots import end_all

        with distributed.LocalCluster(
            n_workers=where, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", memory_limit=0,
            silence_logs=False,
        ) as local, distributed.Client(local, set_as_default=False) as client:  # fmt: skip
            try:
                yield client
            finally:
                end_all()  # nobody waits for one that goes on after a second Ctrl-C


def _client_of(scheduler: str) -> Client:
    from distributed import Client

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions: of those that matter a worker tells
            return Client(scheduler, timeout=PATIENCE / 4, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise RdrError(
            f"The scheduler {scheduler!r} can't be reached ({error}); start one with `dask scheduler`, which prints "
            "its address, such as tcp://10.0.0.1:8786."
        ) from None


def _dashboard(client: Client, *, own: bool) -> str:
    """Its address; empty where there is none. That of a scheduler of our own answers to this machine alone."""
    link = client.dashboard_link or ""
    if not own:
        return link
    host = urlsplit(link).hostname
    return link.replace(host, "127.0.0.1", 1) if host and find_spec("bokeh") else ""


def _open_workers(client: Client) -> None:
    """Let those take tasks that have our packages, now and later; tell which of those that are there have not."""
    from importlib.metadata import version

    import cloudpickle

    import rdr_core
    from rdr_core.jobs import envoy

    wanted = {"rdr_core": rdr_core.__version__, "torch": version("torch")}
    cloudpickle.register_pickle_by_value(envoy)
    with suppress(OSError):  # a worker that ends just now; the others are asked below, and later ones are told
        client.register_plugin(envoy.Fit(wanted))
    found: dict[str, str] = client.run(envoy.opened, wanted, on_error="ignore")
    if not found:
        tell("rdr: The scheduler has no workers yet; the work begins when one joins.")
    wrong = [f"the worker {address} {why}" for address, why in sorted(found.items()) if why]
    if wrong and len(wrong) == len(found):
        raise RdrError(
            f"None of the scheduler's workers can do this: {'; '.join(wrong)}. Start them in the environment of this "
            "command."
        )
    for sentence in wrong:
        tell(f"rdr: {sentence}, so it is given nothing to do.")
