"""Runs that share their beginning: who goes on from what another has made, and who makes it.

Until its weights begin, a run with deferred weights is the run without weights. That beginning, the trunk, is made once
and kept (:mod:`rdr_core.runs.trunks`); every run whose weights begin later goes on from it and is, bit for bit, the run
it would have been from nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rdr_core.data.settings import settings_of
from rdr_core.errors import RdrError, RunBusy
from rdr_core.files.inside import inside
from rdr_core.methods.fork import Fork, fork_of
from rdr_core.own_settings import own_settings
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.trunks import Beginning, kept_states, machine, state_file, trunk_config, trunks_of
from rdr_core.visible import tell

if TYPE_CHECKING:
    import torch

    from rdr_core.data import LongTailedData
    from rdr_core.runs.conditions import Conditions

#: A trunk is made where at least this share of the run is its; below that, sharing saves less than it complicates.
LEAST_SHARE = 0.5


def shared_fork(config: RunConfig) -> Fork | None:
    """Where the run leaves its trunk; None where it has none that is worth sharing, or has no weights.

    Example:
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="inverse+drw", epochs=10, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> shared_fork(config).epoch
        8
    """
    if config.spec.get("second stage"):
        return None
    fork = fork_of(config.method, config.epochs)
    return fork if fork and fork.weights and fork.epoch >= LEAST_SHARE * config.epochs else None


def beginning_of(
    runs: Path, config: RunConfig, data: LongTailedData, device: torch.device, how: Conditions
) -> Beginning | None:
    """What a fresh run goes on from, made here where the run's weights begin late and nobody has made it yet.

    A run without weights takes what there is and makes nothing. What can't be used is told in a line on stderr.

    Args:
        runs: folder that holds the run's folder.
        config, data, device: of the run.
        how: under which conditions the run is made, and so its trunk.

    Returns:
        None where the run is to be trained from nothing.

    Raises:
        RunBusy: another process makes the trunk, and ``how.aside``.
    """
    fork = shared_fork(config)
    if fork is None:
        fork = fork_of(config.method, config.epochs)
        if fork is None or fork.weights:
            return None
    whole = trunks_of(runs, config, fork.trunk)
    folder = inside(whole, machine(str(device), settings_of(config.dataset).threads))
    if not fork.weights:
        fork = fork._replace(epoch=max((e for e in kept_states(folder) if e < config.epochs), default=0))
        if not fork.epoch:
            return None
    elif not state_file(folder, fork.epoch).is_file():
        others = [path.name for path in whole.glob("*/") if path != folder and kept_states(path)]
        if others:
            _say(f"{whole} was made with {', '.join(others)}, not with {folder.name} as here, so it is not used.")
        try:
            made = make_trunk(folder, config, fork, data, device, how)
        except RunBusy as error:
            if how.aside:
                raise
            _say(f"The run starts from scratch, since its trunk can't be used: {error}")
            return None
        if not made:
            _say(f"{folder} is past epoch {fork.epoch} and keeps no state of it, so the run starts from scratch.")
            return None
    from rdr_core.runs.folder import restored
    from rdr_core.training.randomness import fold, isolated
    from rdr_core.training.trunk import TrunkState

    try:
        with isolated(fold(config.seed, "run")):  # what was kept must fit a trunk whole, before any of it is taken
            tree = restored(state_file(folder, fork.epoch), TrunkState(trunk_config(config, fork.trunk), data, device))
        seconds = sum(row["seconds"] for row in tree["history"])
        if (tree["epoch"], tree["batch"], len(tree["history"])) != (fork.epoch, 0, fork.epoch):
            raise RdrError(f"{state_file(folder, fork.epoch)} is of epoch {tree['epoch']}.")
    except (RdrError, KeyError, TypeError) as error:
        _say(f"A trunk is damaged, so the run starts from scratch: {error}")
        return None
    return Beginning(tree, folder, f"{whole.name}/{folder.name}", fork.epoch, seconds)


def left_to_make(runs: Path, config: RunConfig, fork: Fork, device: torch.device) -> int:
    """Epochs of the run's trunk that nobody has made yet on such a machine."""
    folder = trunks_of(runs, config, fork.trunk) / machine(str(device), settings_of(config.dataset).threads)
    if state_file(folder, fork.epoch).is_file():
        return 0
    done = Run.open(folder).epochs_done if (folder / "config.json").is_file() else 0
    return max(0, fork.epoch - done)


def make_trunk(
    folder: Path, config: RunConfig, fork: Fork, data: LongTailedData, device: torch.device, how: Conditions
) -> bool:
    """Train a run's trunk up to its fork, or go on with it; False where it is past the fork and kept no state of it.

    Raises:
        RunBusy: another process is at it.
        TrainingStopped, TrainingDiverged: as for :func:`rdr_core.training.loop.train_to_end`.
    """
    from rdr_core.files.trees import save_tree
    from rdr_core.runs.environment import environment
    from rdr_core.runs.folder import RunFolder
    from rdr_core.training.loop import train_to_end
    from rdr_core.training.randomness import fold, isolated
    from rdr_core.training.threads import using_threads
    from rdr_core.training.trunk import TrunkState

    written = RunFolder(folder)
    own = trunk_config(config, fork.trunk)
    threads = settings_of(config.dataset).threads
    with (
        written.locked(), isolated(fold(config.seed, "run")), using_threads(threads), own_settings(), written.writing()
    ):  # fmt: skip
        if state_file(folder, fork.epoch).is_file():
            return True
        state = TrunkState(own, data, device)
        written.begin(own, data, environment(str(device)))
        written.restore(state)
        if state.epoch > fork.epoch or (state.epoch == fork.epoch and state.batch):
            return False
        train_to_end(state, written, go_on=how.go_on, progress=how.progress, deadline=how.deadline, until=fork.epoch)
        save_tree(state_file(folder, fork.epoch), state.tree())
    return True


def _say(sentence: str) -> None:
    tell(f"rdr: {sentence}")
