"""A Dask scheduler and workers as a user would start them: processes of their own, which a test may kill."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from waiting import wait_for


class DaskProcesses(AbstractContextManager):
    """A scheduler, and the workers that a test asks for.

    Args:
        folder: for its files and what its processes say.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.started: list[subprocess.Popen] = []
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Anew, at another address."""
        self._known = self.folder / f"scheduler-{len(self.started)}.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1")
        wait_for(self._known.is_file, "the scheduler's file", seen=self.said)

    @property
    def address(self) -> str:
        import json

        return json.loads(self._known.read_text())["address"]

    def worker(self, *options: str, **environment: str) -> subprocess.Popen:
        """One more, which takes one task at a time unless the options say otherwise."""
        words = ("worker", "--nthreads", "1", "--no-nanny", "--death-timeout", "60", "--local-directory")
        return self._start(*words, str(self.folder), *options, **environment)

    def until_joined(self, count: int) -> None:
        """Wait until that many workers are there."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == count, f"{count} workers",
                     seen=self.said)  # fmt: skip

    def said(self) -> str:
        """All that its processes printed."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.txt")))

    def _start(self, what: str, *options: str, **environment: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard"]
        command += ["--scheduler-file", str(self._known), *options]
        with open(self.folder / f"{what}-{len(self.started)}.txt", "w") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, cwd=self.folder, env=os.environ | environment)
        self.started.append(process)
        return process

    def __exit__(self, *_: Any) -> None:
        for process in self.started:
            process.kill()
            process.wait()
