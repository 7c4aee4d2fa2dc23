"""The process of a job: ``python -m rdr_viz.explorer.worker RUNS/.jobs/ID FOLDER...`` (:mod:`rdr_viz.explorer.jobs`).

The folders are those besides RUNS in which it may make analyses of their runs.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rdr_core.errors import RdrError
from rdr_core.files.whole import write_json
from rdr_viz.explorer.job_tasks import read_request


def main(place: Path, folders: Collection[Path] = ()) -> None:
    """Do what the job's request asks for, and tell how it ended in its outcome.json."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # before the imports, which take seconds
    if hasattr(os, "nice"):
        os.nice(5)  # the page and its kernel go first
    try:
        request = read_request(place, folders)
        outcome = _measure(request["measure"], place) if "measure" in request else _work(request["tasks"])
    except KeyboardInterrupt:
        outcome = _ended("stopped")
    except RdrError as error:
        outcome = _ended("failed", str(error))
    except Exception as error:  # a page shows sentences; the log has the rest
        traceback.print_exc()
        name = type(error).__name__
        outcome = _ended("failed", f"The work failed ({name}: {error}); {place / 'log.txt'} tells where.")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write_json(place / "outcome.json", outcome)


def _work(asked: list[dict[str, Any]]) -> dict[str, Any]:
    from rdr_core.jobs.task import Task, Training
    from rdr_core.jobs.work import work_through
    from rdr_core.runs import RunConfig
    from rdr_viz.papers.tasks import Analysing

    tasks: list[Task] = []
    for task in asked:
        config, runs = RunConfig.from_dict(task["config"]), Path(task["runs"])
        tasks.append(Analysing(config, runs, task["what"]) if task["what"] else Training(config, runs))
    outcome = work_through(tasks, progress=False)
    if outcome.failed:
        return _ended("failed", outcome.failed[0].sentence)
    if outcome.busy:
        return _ended("failed", f"Another process is at {outcome.busy[0]}; resume when it has ended.")
    return _ended("stopped" if outcome.unfinished else "done")


def _measure(configs: list[dict[str, Any]], place: Path) -> dict[str, Any]:
    from rdr_core.jobs.cost import seconds_of
    from rdr_core.jobs.space import bytes_of
    from rdr_core.plain import total
    from rdr_core.runs import RunConfig

    asked = [RunConfig.from_dict(config) for config in configs]
    seconds, space = seconds_of(asked, runs=place.parents[1]), bytes_of(asked)
    return _ended("done") | {"seconds": total(seconds.values()), "bytes": total(space.values())}


def _ended(state: str, error: str = "") -> dict[str, Any]:
    return {"state": state, "error": error}


if __name__ == "__main__":
    main(Path(sys.argv[1]), [*map(Path, sys.argv[2:])])
