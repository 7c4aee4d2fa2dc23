"""Processes that run a script, for tests that start many: forked from one that has imported torch, which takes seconds.

What `python -c SCRIPT WORD ...` starts, in all that such tests are about: a process with an id, an environment, a
working folder and an exit status of its own, which a signal ends for good.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from types import ModuleType

#: What a training imports; `torch._dynamo` is what its optimiser does.
IMPORTED = ["torch._dynamo", "pandas", "rdr_core.training.loop", "rdr_core.jobs.work"]


class Forked:
    """A script's process: of :class:`subprocess.Popen` as much as :func:`waiting.ended` and tests use; pipes hold text.

    Args:
        script: Python, which finds the tests' modules.
        words: the rest of its ``sys.argv``, as text.

    Its shapes are not checked, and it has this process's environment and folder.
    """

    def __init__(self, script: str, *words: object) -> None:
        self.args = ["python", "-c", script.strip()[:80], *map(str, words)]
        self._out, self._err = (tempfile.NamedTemporaryFile("r") for _ in range(2))  # noqa: SIM115 - read later
        environment = os.environ | {"RDR_CHECK_SHAPES": "0"}
        said = self._out.name, self._err.name
        self._process = server().Process(target=_live, args=(script, self.args[3:], environment, os.getcwd(), said))
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self._out.read(), self._err.read()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@cache
def server() -> ForkServerContext:
    """Starts processes that have torch imported, with the environment that this one had when the first was started."""
    context, shapes = get_context("forkserver"), os.environ["RDR_CHECK_SHAPES"]
    context.set_forkserver_preload(IMPORTED)
    os.environ["RDR_CHECK_SHAPES"] = "0"  # read when the core is imported
    try:
        context.Process().start()  # one that does nothing, so that the server is there
    finally:
        os.environ["RDR_CHECK_SHAPES"] = shapes
    return context


def _live(script: str, words: list[str], environment: dict[str, str], folder: str, said: tuple[str, str]) -> None:
    for number, name in enumerate(said, 1):
        os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["-c", *words]
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(script, "<string>", "exec"), main.__dict__)
