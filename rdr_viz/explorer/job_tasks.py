"""What a job consists of, as its request keeps it: runs to train and analyses to make, and how far each is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label
from rdr_core.runs import Run, RunConfig

if TYPE_CHECKING:
    from rdr_viz.analysis.pieces import HowFar


def task_of(config: RunConfig, runs: Path, what: str = "") -> dict[str, Any]:
    """A run to train into a folder of runs, or an analysis of it, as a request keeps it."""
    return {"config": config.to_dict(), "runs": str(runs), "what": what}


def place_of(task: dict[str, Any]) -> Path:
    """The run's folder."""
    return Path(task["runs"]) / RunConfig.from_dict(task["config"]).name


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
