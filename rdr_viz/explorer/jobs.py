"""Trainings and analyses that a page asks for, each in a process of its own that outlives the page and its kernel.

RUNS/.jobs/ID/request.json    what was asked for; ID is its hash, so that the same request is the same job
               process.json   the process that is at it, and whether it was asked to stop
               outcome.json   how it ended, written by that process
               log.txt        what it printed

Everything is read from these files and from the runs' folders each time, so that whoever opens the folder next finds
the jobs as they are. Nothing here imports torch; the process itself is :mod:`rdr_viz.explorer.worker`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rdr_core.errors import RdrError
from rdr_core.files.inside import inside
from rdr_core.files.whole import read_json, write_json
from rdr_core.plain import total
from rdr_core.runs import Run, RunConfig
from rdr_viz.explorer.alike import Estimate, bytes_when_done, seconds_left
from rdr_viz.explorer.job_process import is_at, start_process
from rdr_viz.explorer.job_tasks import opened, place_of, read_request, seconds_left_of, share_of, task_of, title_of

if TYPE_CHECKING:
    import pandas as pd


State = Literal["running", "stopped", "failed", "done"]
#: Those in which a process may end.
_ENDS = ("stopped", "failed", "done")


class Jobs:
    """The jobs of a folder of runs.

    Args:
        folder: of runs, to which trainings and analyses are written; need not be there yet.
        others: folders of runs in which analyses of their runs are made (default: none). What a request on disk asks
            for in any folder but these is not done: a stranger may have written it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Jobs(folder).all()
        []
    """

    def __init__(self, folder: str | Path = "runs", others: Iterable[str | Path] = ()) -> None:
        self.folder = Path(folder).absolute()
        self.others = {Path(other).absolute() for other in others}

    def train(self, configs: Sequence[RunConfig]) -> Job:
        """Train runs, one after the other; what is finished stays, what was stopped goes on.

        Raises:
            RdrError: the folder can't be written.
        """
        tasks = [task_of(config, self.folder) for config in configs]
        return self._start({"title": title_of(configs), "tasks": tasks})

    def analyse(self, run: Run, what: str) -> Job:
        """Compute an analysis of a finished run; a run that was shipped without its weights is first trained again.

        Args:
            run: of any folder. The result is stored in its own, or in that of the run trained again in this one.
            what: a name of :data:`rdr_viz.analysis.catalogue.ANALYSES`.

        Raises:
            RdrError: the folder can't be written.
        """
        tasks = [] if run.has_weights else [task_of(run.config, self.folder)]
        folder = run.path.parent.absolute() if run.has_weights else self.folder
        self.others.add(folder)
        title = f"{what.capitalize()} of {title_of([run.config])}"
        return self._start({"title": title, "tasks": [*tasks, task_of(run.config, folder, what)]})

    def estimate(self, configs: Sequence[RunConfig]) -> Estimate:
        """What trainings would take: by runs like them that were trained in this folder, else measured.

        To measure takes some seconds, in a process of its own; ask again. What was measured is kept.

        Raises:
            RdrError: the folder can't be written.
        """
        known = seconds_left(self.folder, configs)
        if known is not None:
            return Estimate(known, measuring=False, bytes=bytes_when_done(self.folder, configs))
        request = {"title": f"Time of {title_of(configs)}", "measure": [config.to_dict() for config in configs]}
        job = self._job(request)
        if job.asked and job.state in ("done", "failed"):
            return Estimate(job.outcome.get("seconds"), measuring=False, bytes=job.outcome.get("bytes"))
        # One at a time: several at once would be slow, and each would find the others in its way.
        if not any(other.state == "running" for other in self._jobs() if not other.tasks):
            self._start(request)
        return Estimate(None, measuring=True)

    def all(self) -> list[Job]:
        """Every training and analysis that was asked for here, the latest first."""
        return sorted((job for job in self._jobs() if job.tasks), key=lambda job: job.asked, reverse=True)

    def running(self) -> list[Job]:
        """Those of :meth:`all` that a process is at."""
        return [job for job in self.all() if job.state == "running"]

    def under_way(self) -> set[tuple[str, str]]:
        """What a process is at: a run's name, and what is computed of it, "" for its training."""
        tasks = [task for job in self.running() for task in job.tasks]
        return {(RunConfig.from_dict(task["config"]).name, task["what"]) for task in tasks}

    def find(self, id: str) -> Job:
        """The job of that id.

        Raises:
            RdrError: there is none.
        """
        for job in self.all():
            if job.id == id:
                return job
        raise RdrError(f"There is no job {id!r} in {self.folder}; ask for the training or the analysis again.")

    def _jobs(self) -> list[Job]:
        """Of both kinds: what was asked for, and measurements of the time it would take. What is no job is passed over.

        A link is none: all that a job writes would go where it leads.
        """
        found = []
        for place in sorted(self.folder.glob(".jobs/*/request.json")):
            with suppress(RdrError):
                job = Job(self, inside(self.folder, place.parent.relative_to(self.folder).as_posix()))
                _ = job.request
                found.append(job)
        return found

    def _job(self, request: dict[str, Any]) -> Job:
        digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:10]
        return Job(self, self.folder / ".jobs" / digest)

    def _start(self, request: dict[str, Any]) -> Job:
        """Start the request's process, unless one is at it already."""
        from filelock import FileLock

        job = self._job(request)
        for name in ("", "/.lock", "/log.txt"):
            inside(self.folder, f".jobs/{job.id}{name}")
        try:
            job.path.mkdir(parents=True, exist_ok=True)
            with FileLock(job.path / ".lock"):  # two pages may ask at once
                if job.state != "running":
                    write_json(job.path / "request.json", request)
                    (job.path / "outcome.json").unlink(missing_ok=True)
                    process = start_process(job.path, self.others)
                    write_json(job.path / "process.json", {"pid": process, "asked_to_stop": False})
        except OSError as error:
            raise RdrError(f"{self.folder} can't be written ({error}); choose another folder of runs.") from None
        return job


@dataclass(frozen=True)
class Job:
    """Something a page asked for; all of it is read from disk, anew each time.

    Attributes:
        jobs: whose it is.
        path: its folder.
    """

    jobs: Jobs
    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def request(self) -> dict[str, Any]:
        """As :func:`rdr_viz.explorer.job_tasks.read_request` reads it.

        Raises:
            RdrError: it is none, or of other folders.
        """
        return read_request(self.path, self.jobs.others)

    @property
    def title(self) -> str:
        """As "RDR on digits, IF 50, seed 0"."""
        return self.request["title"]

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """What there is to do: a run's ``config``, its folder ``runs``, and ``what`` to compute of it, "" to train."""
        return self.request.get("tasks", [])

    @property
    def configs(self) -> list[RunConfig]:
        """The runs that it trains."""
        return [RunConfig.from_dict(task["config"]) for task in self.tasks if not task["what"]]

    @property
    def asked(self) -> float:
        """When its process was last started, in seconds since 1970; 0 if never."""
        with suppress(OSError):
            return (self.path / "request.json").stat().st_mtime
        return 0.0

    @property
    def outcome(self) -> dict[str, Any]:
        """What its process told at its end; empty before."""
        told = self._told("outcome.json", state=str, error=str)
        return told if told.get("state") in _ENDS else {}

    @property
    def state(self) -> State:
        """Whether it is running, was stopped or killed, failed, or is done."""
        if ended := self.outcome:
            return ended["state"]
        if is_at(self._process.get("pid"), self.path):
            return "running"
        return self.outcome.get("state", "stopped")  # it may have told, and ended, just now

    @property
    def error(self) -> str:
        """Why it failed, or that it was killed, in a sentence; else ""."""
        state = self.state
        if state == "stopped" and not self.outcome and not self._process.get("asked_to_stop"):
            return "Its process was killed, or the machine was started anew; what it had saved is kept: resume it."
        return self.outcome.get("error", "")

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1, runs and analyses counted equally."""
        if self.state == "done":
            return 1.0
        return sum(share_of(task) for task in self.tasks) / len(self.tasks)

    @property
    def seconds_left(self) -> float | None:
        """Until it is done, None where that is unknown: before the first epoch, or an analysis' second piece."""
        if self.state != "running":
            return None
        times = [seconds_left_of(task) for task in self.tasks if task["what"]]
        times.append(seconds_left(self.jobs.folder, self.configs))
        return total(times)

    def curves(self) -> pd.DataFrame:
        """History of the run that is being trained, of the last one when all are: :attr:`rdr_core.runs.Run.history`."""
        import pandas as pd

        runs = [run for task in self.tasks if not task["what"] and (run := opened(place_of(task)))]
        shown = next((run for run in runs if not run.done), runs[-1] if runs else None)
        return pd.DataFrame() if shown is None else shown.history

    def stop(self) -> None:
        """Ask it to stop: training saves first, in the middle of its epoch; an analysis ends without a result.

        It goes on running until that is done, a moment later. To ask twice is the same as once.
        """
        process = self._process
        if self.state != "running" or process["asked_to_stop"]:  # a second signal would not let it save
            return
        write_json(self.path / "process.json", process | {"asked_to_stop": True})
        with suppress(ProcessLookupError):
            os.kill(process["pid"], signal.SIGTERM)

    def resume(self) -> None:
        """Go on with it in a new process; nothing happens while one is at it."""
        self.jobs._start(self.request)

    @property
    def _process(self) -> dict[str, Any]:
        return self._told("process.json", pid=int, asked_to_stop=bool)

    def _told(self, name: str, **kinds: type) -> dict[str, Any]:
        """A file of its process; empty where it is not there, or says something else than that."""
        path = self.path / name
        with suppress(RdrError):
            told = read_json(path) if path.is_file() else {}
            if isinstance(told, dict) and all(type(told.get(key)) is kind for key, kind in kinds.items()):
                return told
        return {}
