"""What a worker is given to do: a run to train, or whatever else is made once and then lies on disk."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rdr_core.errors import RdrError
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.layout import finished
from rdr_core.runs.requests import train_config


class Task(Protocol):
    """Work whose result lies on disk, so that every process sees what is done. It travels to processes by pickle."""

    @property
    def name(self) -> str:
        """By which it is told of."""
        ...

    @property
    def key(self) -> Hashable:
        """What missing data of one task say about others: all tasks of one key need the same files."""
        ...

    @property
    def needs(self) -> tuple[Path, ...]:
        """Files that must be there before it can start."""
        ...

    @property
    def done(self) -> bool:
        """Whether its result is there, read from disk each time."""
        ...

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1, read from disk each time."""
        ...

    def run(self, deadline: float) -> None:
        """Do it, or what is left of it.

        Args:
            deadline: of :func:`time.monotonic`, at which to stop; infinite where there is none.

        Raises:
            RunBusy: another process is at it.
            KeyboardInterrupt: Ctrl-C or the deadline; what is done of it is saved.
            RdrError: it can't be done, in one sentence.
        """
        ...


@dataclass(frozen=True)
class Training:
    """A run to train.

    Attributes:
        config: the run's.
        runs: folder that holds the run's folder.
        device, root: as for :func:`rdr_core.train`.

    Raises:
        RdrError: no such method.

    Example:
        >>> import tempfile
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="rdr", epochs=1, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     task = Training(config, Path(folder), device="cpu")
        ...     before = task.done, task.share
        ...     task.run(deadline=float("inf"))
        ...     before, (task.done, task.share)
        ((False, 0.0), (True, 1.0))
    """

    config: RunConfig
    runs: Path
    device: str = "auto"
    root: Path | None = None

    #: A second stage trains its first by itself.
    needs = ()

    def __post_init__(self) -> None:
        _ = self.config.spec  # a slip in a name comes to light before hours of work

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def key(self) -> Hashable:
        # A network may start from weights that are a file too, and held-out images may come by a list of their own.
        return self.config.dataset, self.config.model, self.config.spec.held_out > 0

    @property
    def done(self) -> bool:
        return finished(self.runs / self.name)

    @property
    def share(self) -> float:
        if self.done:
            return 1.0
        try:
            run = Run.open(self.runs / self.name)
            return run.epochs_done / run.epochs
        except RdrError:  # not begun, or damaged, which training it will tell
            return 0.0

    def run(self, deadline: float) -> None:
        train_config(self.config, runs=self.runs, device=self.device, root=self.root, progress=False, deadline=deadline)
