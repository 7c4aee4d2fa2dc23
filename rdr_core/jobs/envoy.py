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


class Fit(WorkerPlugin):
    """Opens a worker to our tasks where it has our packages, also one that joins later."""

    idempotent = True

    def __init__(self, wanted: dict[str, str]) -> None:
        self.wanted = wanted
        self.name = "rdr " + " ".join(f"{name} {version}" for name, version in wanted.items())

    async def setup(self, worker: Worker) -> None:
        if not misfit(self.wanted):
            await worker.set_resources(**{RESOURCE: worker.state.nthreads})
            # The scheduler looks for who can take a waiting task when a worker begins to run, not when it can do more.
            worker.status = Status.paused
            worker.status = Status.running


def call(module: str, name: str, *arguments: Any) -> Any:
    """A function of the worker's own package, by name."""
    from importlib import import_module

    return getattr(import_module(module), name)(*arguments)
