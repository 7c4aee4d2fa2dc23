"""What is sent to a cluster as code, not by name, so that machines without this package, or with another, can take it.

Nothing of the package is imported here.
"""

from __future__ import annotations

from typing import Any

from distributed import Status, Worker, WorkerPlugin

#: What a worker has of, where our tasks can be done on it: as many as it has threads.
RESOURCE = "rdr"


def misfit(wanted: dict[str, str]) -> str:
    """What is wrong with this machine's packages, as the end of a sentence; empty where nothing is.

    Args:
        wanted: versions by package.
    """
    from importlib import import_module, metadata

    for name, version in wanted.items():
        try:
            found = getattr(import_module(name), "__version__", "") if name == "rdr_core" else metadata.version(name)
        except ImportError as error:
            return f"has no {name} ({error})"
        if found != version:
            return f"has {name} {found}, not {version}"
    return ""


async def opened(wanted: dict[str, str], dask_worker: Worker) -> str:
    """Let a worker take our tasks where it has our packages; what :func:`misfit` says of it.

    Args:
        wanted: as of :func:`misfit`.
        dask_worker: given by Dask.
    """
    if why := misfit(wanted):
        return why
    if RESOURCE not in dask_worker.state.total_resources:
        await dask_worker.set_resources(**{RESOURCE: dask_worker.state.nthreads})
        # The scheduler looks for who can take a waiting task when a worker begins to run, not when it can do more.
        if dask_worker.status is Status.running:
            dask_worker.status = Status.paused
            dask_worker.status = Status.running
    return ""


class Fit(WorkerPlugin):
    """Opens workers that join later.

    Args:
        wanted: as of :func:`misfit`.
    """

    idempotent = True

    def __init__(self, wanted: dict[str, str]) -> None:
        self.wanted = wanted
        self.name = "rdr " + " ".join(f"{name} {version}" for name, version in wanted.items())

    async def setup(self, worker: Worker) -> None:
        await opened(self.wanted, worker)


def call(module: str, name: str, *arguments: Any) -> Any:
    """A function of the worker's own package, by name."""
    from importlib import import_module

    return getattr(import_module(module), name)(*arguments)
