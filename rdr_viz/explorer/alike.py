"""What trainings would take: by runs like them that a folder has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rdr_core.plain import total
from rdr_core.runs import Run, RunConfig
from rdr_viz.explorer.job_tasks import opened


class Estimate(NamedTuple):
    """What trainings would take on this machine.

    Attributes:
        seconds: alone; None while it is being measured, and where it can't be told.
        measuring: whether it is being measured, so that it is worth asking again in a second or two.
        bytes: of disk, when they are finished; None where it can't be told.
    """

    seconds: float | None
    measuring: bool
    bytes: float | None = None


def seconds_left(folder: Path, configs: Iterable[RunConfig]) -> float | None:
    """Of trainings, by the time that epochs took, their own or those of runs like them; None where none is known."""

    def of(config: RunConfig) -> float | None:
        run = opened(folder / config.name)
        left = config.epochs if run is None else run.epochs - run.epochs_done
        if not left:
            return 0.0
        known = [run] if run and run.epochs_done else _alike(folder, config)
        pace = next((_epoch_seconds(one) for one in known if one.epochs_done), None)
        return None if pace is None else left * pace

    return total(map(of, configs))


def bytes_when_done(folder: Path, configs: Iterable[RunConfig]) -> float | None:
    """Of disk, by runs like them that are whole, with their weights; None where there is none."""

    def of(config: RunConfig) -> int | None:
        whole = (run for run in _alike(folder, config) if run.has_weights and run.epochs == config.epochs)
        return next(map(_bytes_of, whole), None)

    return total(map(of, configs))


def _alike(folder: Path, config: RunConfig) -> list[Run]:
    """Runs of the folder whose epochs take as long as this one's would, the nearest imbalance first."""
    runs = (opened(path.parent) for path in sorted(folder.glob("*/config.json")))
    alike = [run for run in runs if run is not None and _kind(run.config) == _kind(config)]
    return sorted(alike, key=lambda run: abs(_imbalance(run.config) - _imbalance(config)))


def _epoch_seconds(run: Run) -> float:
    # The median: an epoch during which the machine was asleep, or busy, is not how long one takes.
    return float(run.history["seconds"].median())


def _bytes_of(run: Run) -> int:
    return sum(path.stat().st_size for path in run.path.iterdir() if path.is_file())


def _kind(config: RunConfig) -> tuple[object, ...]:
    """Runs of one kind take the same time an epoch, but for the number of images and the parameters of parts."""
    parts = frozenset(part.partition(":")[0] for part in config.method.split("+"))
    return config.dataset, config.model, config.batch_size, config.precision, config.augmentation, config.profile, parts


def _imbalance(config: RunConfig) -> float:
    return config.imbalance_factor or 1.0
