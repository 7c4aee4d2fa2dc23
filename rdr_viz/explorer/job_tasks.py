"""What a job consists of, as its request keeps it: runs to train and analyses to make, and how far each is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError
from rdr_core.files.inside import inside
from rdr_core.files.whole import read_json
from rdr_core.methods.names import method_label
from rdr_core.runs import Run, RunConfig
from rdr_viz.analysis.catalogue import ANALYSES

if TYPE_CHECKING:
    from rdr_viz.analysis.pieces import HowFar


def task_of(config: RunConfig, runs: Path, what: str = "") -> dict[str, Any]:
    """A run to train into a folder of runs, or an analysis of it, as a request keeps it."""
    return {"config": config.to_dict(), "runs": str(runs), "what": what}


def read_request(place: Path, folders: Collection[Path]) -> dict[str, Any]:
    """What a job was asked to do. It may be a stranger's, handed over in a folder of runs, so it is looked at first.

    Args:
        place: ``RUNS/.jobs/ID``.
        folders: of runs, in which analyses may be made besides; trainings go to RUNS alone.

    Returns:
        ``title``, and either ``tasks``, as :func:`task_of` makes them, or ``measure``, configurations of runs.

    Raises:
        RdrError: it can't be read, is no request, or would write into other folders than these.
    """
    request, own = read_json(place / "request.json"), place.parents[1].resolve()
    try:
        title, tasks, measured = request["title"], request.get("tasks", []), request.get("measure", [])
        if not isinstance(title, str) or not (isinstance(tasks, list) and isinstance(measured, list)) or (
            bool(tasks) == bool(measured)
        ):  # fmt: skip
            raise TypeError("it asks for nothing, or for two things")
        for config in measured:
            _ = RunConfig.from_dict(config).name
        for task in tasks:
            what, runs = task["what"], Path(task["runs"]).resolve()
            allowed = {own, *(folder.resolve() for folder in folders)} if what else {own}
            if runs not in allowed or (what and ANALYSES.get(what) is None):
                raise RdrError(
                    f"{place / 'request.json'} asks for work in another folder of runs ({str(runs)!r}, {what!r}), "
                    "which is not done; ask for it anew."
                )
            _ = place_of(task)
    except (KeyError, TypeError, ValueError, AttributeError, OSError, RuntimeError) as error:
        if isinstance(error, RdrError):
            raise
        raise RdrError(f"{place / 'request.json'} is no request of a job ({error}); remove {place}.") from None
    return request


def place_of(task: dict[str, Any]) -> Path:
    """The run's folder.

    Raises:
        RdrError: it is a link that leads out of the folder of runs.
    """
    return inside(Path(task["runs"]), RunConfig.from_dict(task["config"]).name)


def share_of(task: dict[str, Any]) -> float:
    """How much of it is done, 0 to 1."""
    run = opened(place_of(task))
    if run is None:
        return 0.0
    if task["what"]:
        done, total, _ = how_far(run, task["what"])
        return done / total
    return 1.0 if run.done else run.epochs_done / run.epochs


def seconds_left_of(task: dict[str, Any]) -> float | None:
    """Of an analysis, None where that is unknown."""
    run = opened(place_of(task))
    if run is None:
        return None
    done, total, seconds = how_far(run, task["what"])
    return None if seconds is None else seconds * (total - done)


def how_far(run: Run, what: str) -> HowFar:
    """How much of an analysis is stored."""
    from rdr_viz.analysis.catalogue import progress_of
    from rdr_viz.analysis.pieces import HowFar

    return progress_of(run, what) if run.done else HowFar(0, 1)


def opened(place: Path) -> Run | None:
    """The run there; None where there is none yet, or a damaged one."""
    with suppress(RdrError):
        return Run.open(place)
    return None


def title_of(configs: Sequence[RunConfig]) -> str:
    """What runs to train are called."""

    def words(config: RunConfig, *, method: str) -> str:
        factor = "" if config.imbalance_factor is None else f", IF {config.imbalance_factor:g}"
        return f"{method} on {config.dataset}{factor}"

    first = configs[0]
    if len(configs) == 1:
        return f"{words(first, method=method_label(first.method))}, seed {first.seed}"
    methods = ", ".join(dict.fromkeys(method_label(config.method) for config in configs))
    places = "; ".join(dict.fromkeys(words(config, method="") for config in configs))
    return f"{len(configs)} runs of {methods}{places}"
