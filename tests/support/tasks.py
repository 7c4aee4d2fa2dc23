"""Tasks whose doings tests can count, in a module of its own so that other processes find them."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from rdr_core.methods.grammar import parse
from rdr_core.papers.tasks import Training
from rdr_core.runs import RunConfig
from rdr_core.runs.folder import RunFolder


def digits(method: str = "rdr", **settings) -> RunConfig:
    """A run of half a second."""
    small = {"dataset": "digits", "imbalance_factor": 20, "epochs": 2, "model": "small", "batch_size": 64}
    return RunConfig(**small | {"method": parse(method).name, "learning_rate": 0.1} | settings)


@dataclass(frozen=True)
class Counted(Training):
    """A run that notes which process began to train it, each time; the notes lie beside the runs."""

    def run(self, deadline: float) -> None:
        begin = RunFolder.begin

        def noted(folder: RunFolder, *args) -> None:
            with open(self.notes, "a") as notes:
                notes.write(f"{os.getpid()}\n")
            begin(folder, *args)

        RunFolder.begin = noted
        try:
            super().run(deadline)
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

    def run(self, deadline: float) -> None:
        checkpoint = RunFolder.checkpoint

        def deadly(folder: RunFolder, tree: dict) -> None:
            checkpoint(folder, tree)
            if len(self.began) == 1:
                os.kill(os.getpid(), signal.SIGKILL)

        RunFolder.checkpoint = deadly
        try:
            super().run(deadline)
        finally:
            RunFolder.checkpoint = checkpoint


@dataclass(frozen=True)
class Written:
    """A file to write, which may need others; one that is not ``honest`` ends without it."""

    path: Path
    needs: tuple[Path, ...] = ()
    honest: bool = True
    key = None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def done(self) -> bool:
        return self.path.is_file()

    @property
    def share(self) -> float:
        return float(self.done)

    def run(self, deadline: float) -> None:
        if self.honest:
            self.path.write_text("")
