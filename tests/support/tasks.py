"""Tasks whose doings tests can count, in a module of its own so that other processes find them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from waiting import wait_for

from rdr_core.jobs import cluster, work
from rdr_core.jobs.task import Training
from rdr_core.methods.grammar import parse
from rdr_core.runs import RunConfig
from rdr_core.runs.folder import RunFolder
from rdr_core.training import interrupt
from rdr_core.training.visits import Visits

#: Seconds.
YEAR = 31_556_952.0


def digits(method: str = "rdr", **settings) -> RunConfig:
    """A run of half a second."""
    small = {"dataset": "digits", "imbalance_factor": 20, "epochs": 2, "model": "small", "batch_size": 64}
    return RunConfig(**small | {"method": parse(method).name, "learning_rate": 0.1} | settings)


@dataclass(frozen=True)
class Counted(Training):
    """A run that notes which process began to train it, each time; the notes lie beside the runs."""

    def run(self, deadline: float) -> bool:
        begin = RunFolder.begin

        def noted(folder: RunFolder, *args) -> None:
            with open(self.notes, "a") as notes:
                notes.write(f"{os.getpid()}\n")
            begin(folder, *args)

        RunFolder.begin = noted
        try:
            return super().run(deadline)
        finally:
            RunFolder.begin = begin

    @property
    def notes(self) -> Path:
        return self.runs / f"{self.name}.began"

    @property
    def began(self) -> list[int]:
        """The processes that did."""
        return [int(line) for line in self.notes.read_text().splitlines()] if self.notes.is_file() else []


@dataclass(frozen=True)
class Killed(Counted):
    """A run that kills its process, as ``kill -9`` does, when it has saved its first epoch for the first time."""

    def run(self, deadline: float) -> bool:
        checkpoint = RunFolder.checkpoint

        def deadly(folder: RunFolder, tree: dict) -> None:
            checkpoint(folder, tree)
            if len(self.began) == 1:
                os.kill(os.getpid(), signal.SIGKILL)

        RunFolder.checkpoint = deadly
        try:
            return super().run(deadline)
        finally:
            RunFolder.checkpoint = checkpoint


def of_all_kinds(runs: Path) -> list[Counted]:
    """Ten runs: plain ones, with a shared beginning, and with a second stage."""
    methods = ("ce", "rdr", "inverse+drw", "cb+drw", "inverse+crt")
    return [Counted(digits(method, seed=seed, epochs=3), runs, "cpu") for seed in range(2) for method in methods]


def all_saved(runs: Path, count: int) -> bool:
    """Whether that many runs of the folder have saved an epoch."""
    return len(list(runs.glob("*/checkpoint.safetensors"))) >= count


@contextmanager
def late_once_saved(runs: Path, count: int) -> Iterator[Callable[[], bool]]:
    """Inside, this process's clock jumps by a year at the moment at which :func:`all_saved`; tells whether it has."""

    def late() -> bool:
        return all_saved(runs, count)

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + YEAR * late(), sleep=time.sleep)
    clocks = [mock.patch.object(module, "time", clock) for module in (work, cluster, interrupt)]
    with clocks[0], clocks[1], clocks[2]:
        yield late


@dataclass(frozen=True)
class Clocked(Counted):
    """A run by the clock of :func:`late_once_saved` that notes each step that it takes when it is late.

    Attributes:
        count: runs that are to be saved before it is late.
    """

    count: int = 1

    def run(self, deadline: float) -> bool:
        write = Visits.write

        def noted(visits: Visits, *args) -> None:
            write(visits, *args)
            if late():
                with open(self.late_steps, "a") as notes:
                    notes.write(".")

        with late_once_saved(self.runs, self.count) as late, mock.patch.object(Visits, "write", noted):
            return super().run(deadline)

    @property
    def late_steps(self) -> Path:
        return self.runs / f"{self.name}.late"


@dataclass(frozen=True)
class Patient(Counted):
    """A run whose process begins no other before ``count`` processes have begun one of the folder's."""

    count: int = 2

    def run(self, deadline: float) -> bool:
        here = super().run(deadline)
        wait_for(lambda: len(self._processes()) >= self.count, "another process to begin a run", seen=self._processes)
        return here

    def _processes(self) -> set[str]:
        return {pid for notes in self.runs.glob("*.began") for pid in notes.read_text().split()}


@dataclass(frozen=True)
class Written:
    """A file to write, which may need others; one that is not ``honest`` ends without it."""

    path: Path
    needs: tuple[Path, ...] = ()
    honest: bool = True
    key = None
    after = ()

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def makes(self) -> tuple[Path, ...]:
        return (self.path,)

    @property
    def done(self) -> bool:
        return self.path.is_file()

    @property
    def share(self) -> float:
        return float(self.done)

    def run(self, deadline: float) -> bool:
        if self.honest:
            self.path.write_text("")
        return True
