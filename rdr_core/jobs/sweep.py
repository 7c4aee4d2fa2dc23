"""A sweep: the runs of a grid, trained wherever there is room, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rdr_core.files.inside import inside
from rdr_core.files.whole import read_json, write_json
from rdr_core.jobs.beside import processors
from rdr_core.jobs.grid import grid_configs
from rdr_core.jobs.notice import Notice
from rdr_core.jobs.outcome import Outcome
from rdr_core.jobs.size import data_size
from rdr_core.jobs.slurm import Slurm
from rdr_core.jobs.task import Task, Training
from rdr_core.jobs.work import work_through
from rdr_core.runs import RunConfig
from rdr_core.runs.conditions import pick_device


def sweep(
    grid: Mapping[str, Any] | str | Path, *, runs: str | Path = "runs", parallel: int | str | Slurm | None = None,
    budget: float | None = None, device: str = "auto", root: str | Path | None = None, progress: bool = True,
) -> Outcome:  # fmt: skip
    """Train all runs of a grid; what is finished stays, what was stopped goes on.

    The longest come first, so that no long one is left alone at the end, and a beginning that several share is made
    once, before them.

    Args:
        grid: a TOML file or a dict (:func:`rdr_core.jobs.grid.grid_configs`).
        runs: folder that they are made in, which all workers see.
        parallel: as for :func:`rdr_core.jobs.work.work_through`; None (default) is one for each processor, or one
            for each GPU.
        budget: seconds after which to stop, with all saved; None (default) is no limit.
        device, root: as for :func:`rdr_core.train`.
        progress: show a bar.

    Raises:
        RdrError: a grid, device or number that can't be.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     grid = {"dataset": "digits", "imbalance_factor": 50, "method": ["ce", "rdr"], "epochs": 1}
        ...     outcome = sweep(grid, runs=folder, parallel=1, device="cpu", progress=False)
        ...     [name.rpartition("-")[0] for name in outcome.finished]
        ['digits-if50-ce-s0', 'digits-if50-rdr-s0']
    """
    tasks = tasks_of_grid(grid_configs(grid, root=root), Path(runs), device=device, root=root)
    title = f"Sweep of {Path(grid).name}" if isinstance(grid, (str, Path)) else f"Sweep of {len(tasks)} runs"
    where = usual_parallel(device) if parallel is None else parallel
    return make_runs(tasks, Path(runs), title, parallel=where, budget=budget, progress=progress)


def make_runs(
    tasks: Sequence[Task], runs: Path, title: str, *, parallel: int | str | Slurm, budget: float | None = None,
    progress: bool = True,
) -> Outcome:  # fmt: skip
    """Do tasks that make runs in a folder, which tells meanwhile how far they are, and later why some can't be made.

    Args:
        tasks: in the order in which they are best done.
        runs: the folder.
        title: of the whole, as "Sweep of grid.toml".
        parallel, budget, progress: as for :func:`rdr_core.jobs.work.work_through`.
    """
    notice = Notice(runs.absolute(), title, tuple(task.name for task in tasks))
    outcome = work_through(tasks, budget=budget, parallel=parallel, progress=progress, notice=notice)
    note_failures(outcome, runs)
    return outcome


def tasks_of_grid(
    configs: Iterable[RunConfig], runs: Path, *, device: str = "auto", root: str | Path | None = None
) -> list[Training]:
    """Trainings, the longest first, and of those that are alike in length, one seed of all before the next seed."""
    place = Path(runs).absolute()  # a worker may have another working folder
    tasks = [Training(config, place, device, None if root is None else Path(root).absolute()) for config in configs]
    return sorted(tasks, key=lambda task: (-_images_seen(task.config), task.config.seed))


def usual_parallel(device: str = "auto") -> int:
    """How many runs side by side, unless told: one for each processor that this process may use, or one for each GPU.

    Example:
        >>> usual_parallel("cpu") >= 1
        True
    """
    if pick_device(device).type == "cpu":
        return processors()
    import torch

    return torch.cuda.device_count() if device in ("auto", "cuda") else 1


@dataclass(frozen=True)
class State:
    """How far a run of a sweep is.

    Attributes:
        name: of the run.
        what: "finished", "begun" or "waiting", or "failed" when it was last tried.
        share: how much of it is done, 0 to 1.
        why: it failed, in a sentence.
    """

    name: str
    what: Literal["finished", "begun", "waiting", "failed"]
    share: float
    why: str = ""


def note_failures(outcome: Outcome, runs: Path) -> None:
    """Keep beside the runs why some can't be made, for whoever looks later; forget it of those that are made by now.

    Example:
        >>> import tempfile
        >>> from rdr_core.jobs.outcome import Failure
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     note_failures(Outcome((), (), (), (), (Failure("Why.", ("a",)),), 0, None), Path(folder))
        ...     read_json(Path(folder) / ".failed" / "a.json")
        {'why': 'Why.'}
    """
    for name in outcome.finished:
        _note(runs, name).unlink(missing_ok=True)
    for failure in outcome.failed:
        for name in failure.tasks:
            note = _note(runs, name)
            note.parent.mkdir(parents=True, exist_ok=True)
            write_json(note, {"why": failure.sentence})


def _note(runs: Path, name: str) -> Path:
    return inside(runs, f".failed/{name}.json")


def states_of(tasks: Iterable[Training]) -> list[State]:
    """How far the runs are, read from disk.

    Example:
        >>> configs = grid_configs({"dataset": "digits", "imbalance_factor": 50, "epochs": 1})
        >>> [(state.what, state.share) for state in states_of(tasks_of_grid(configs, Path("nowhere")))]
        [('waiting', 0.0)]
    """
    found = []
    for task in tasks:
        note = _note(task.runs, task.name)
        if task.done:
            found.append(State(task.name, "finished", 1.0))
        elif note.is_file():
            found.append(State(task.name, "failed", task.share, read_json(note, {"why": str})["why"]))
        else:
            found.append(State(task.name, "begun" if (task.runs / task.name).is_dir() else "waiting", task.share))
    return found


def _images_seen(config: RunConfig) -> float:
    """In all epochs: what decides how long a run takes among those of one network. 0 where it is not known."""
    size = data_size(config)
    return 0.0 if size is None else float(config.epochs * size.counts.sum() * size.image[1] * size.image[2])
