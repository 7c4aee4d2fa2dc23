"""What a worker is given to do: a run to train, or whatever else is made once and then lies on disk."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from rdr_core.errors import RdrError
from rdr_core.methods.fork import Fork
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.branching import shared_fork
from rdr_core.runs.layout import DONE, finished
from rdr_core.runs.requests import make_beginning, make_run
from rdr_core.runs.trunks import state_file, trunks_of


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
    def after(self) -> tuple[Path, ...]:
        """What it makes by itself where it is not there, and takes from another task where that makes it too."""
        ...

    @property
    def makes(self) -> tuple[Path, ...]:
        """What others need of it, or begin after."""
        ...

    @property
    def done(self) -> bool:
        """Whether its result is there, read from disk each time."""
        ...

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1, read from disk each time."""
        ...

    def run(self, deadline: float) -> bool:
        """Do it, or what is left of it; tells whether anything of it was done here.

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
        ...     made_here = task.run(deadline=float("inf"))
        ...     before, (task.done, task.share)
        ((False, 0.0), (True, 1.0))
    """

    config: RunConfig
    runs: Path
    device: str = "auto"
    root: Path | None = None

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
    def after(self) -> tuple[Path, ...]:
        beginning = self.beginning
        return beginning.makes if beginning else ()

    @property
    def beginning(self) -> Training | Trunk | None:
        """What it goes on from, and makes by itself where nobody has: its first stage, or its trunk."""
        first = self.config.spec.first_stage.name
        if first != self.config.method:
            return replace(self, config=replace(self.config, method=first))
        return Trunk(self.config, self.runs, self.device, self.root) if shared_fork(self.config) else None

    @property
    def makes(self) -> tuple[Path, ...]:
        return (self.runs / self.name / DONE,)

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

    def run(self, deadline: float) -> bool:
        return make_run(self.config, runs=self.runs, device=self.device, root=self.root, deadline=deadline)


@dataclass(frozen=True)
class Trunk:
    """The beginning that runs share until their weights begin (:mod:`rdr_core.runs.branching`).

    Attributes:
        config: of any of the runs.
        runs, device, root: as of :class:`Training`.
    """

    config: RunConfig
    runs: Path
    device: str = "auto"
    root: Path | None = None

    needs = after = ()

    @property
    def name(self) -> str:
        return f"the beginning of {self.config.name}"

    @property
    def key(self) -> Hashable:
        return Training(self.config, self.runs).key

    @property
    def makes(self) -> tuple[Path, ...]:
        # Each kind of machine makes its own, in a folder of its name; which one it will be is not known yet.
        return (state_file(trunks_of(self.runs, self.config, self._fork.trunk) / "machine", self._fork.epoch),)

    @property
    def done(self) -> bool:
        folder = trunks_of(self.runs, self.config, self._fork.trunk)
        return any(state_file(one, self._fork.epoch).is_file() for one in folder.glob("*/"))

    @property
    def share(self) -> float:
        return float(self.done)

    def run(self, deadline: float) -> bool:
        make_beginning(self.config, runs=self.runs, device=self.device, root=self.root, deadline=deadline)
        return True

    @property
    def _fork(self) -> Fork:
        fork = shared_fork(self.config)
        assert fork is not None
        return fork


def beginnings_of(tasks: Sequence[Task]) -> list[Task]:
    """First stages and trunks that several of the tasks go on from and none of them makes.

    Example:
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="inverse+drw", epochs=10, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> both = [Training(replace(config, method=name), Path("runs")) for name in ("inverse+drw", "rdr+drw")]
        >>> [task.name.partition("-s0")[0] for task in beginnings_of(both)]
        ['the beginning of digits-if50-inverse+drw']
    """
    made = {path for task in tasks for path in task.makes}
    wanted: dict[tuple[Path, ...], list[Task]] = {}
    for task in tasks:
        if isinstance(task, Training) and not task.done and task.beginning and not set(task.after) <= made:
            wanted.setdefault(task.after, []).append(task.beginning)
    return [several[0] for several in wanted.values() if len(several) > 1]
