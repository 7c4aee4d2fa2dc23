"""How much memory a process takes for itself at most, for benchmarks that ask it of a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from rdr_core.errors import RdrError


def own_memory() -> float:
    """GiB that the process has for itself now, without the pages of files, which the system takes back as it needs."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 2**20
    raise RdrError("This system does not tell a process's own memory; run this on Linux.")


class Peak:
    """Looks at the process's memory until it is left.

    Attributes:
        gib: the most that was seen.
    """

    def __init__(self) -> None:
        self.gib, self._over = own_memory(), threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.gib = max(self.gib, own_memory())

    def __enter__(self) -> Peak:
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._watcher.join()


def in_own_process(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the call gives, in a process that does nothing else and inherits nothing."""
    context = get_context("spawn")
    ear, mouth = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(mouth, call, arguments))
    process.start()
    mouth.close()
    answer = ear.recv()
    process.join()
    return answer


def _answer(mouth: Connection, call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    mouth.send(call(*arguments))
