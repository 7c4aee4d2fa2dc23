"""A run made: its folder taken, its data read, its state built, or found where it was left, and trained to the end."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rdr_core.errors import MissingData, RdrError
from rdr_core.own_settings import own_settings
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.settings import settings_of

if TYPE_CHECKING:
    import torch

    from rdr_core.branching import Beginning
    from rdr_core.data import LongTailedData
    from rdr_core.runs.folder import RunFolder
    from rdr_core.training.ranks import Ranks
    from rdr_core.training.state import TrainingState


@dataclass(frozen=True)
class Conditions:
    """How a run is made, of which its result does not depend (but for a device's last bits).

    Attributes:
        device, root, progress, trunk: as for :func:`rdr_core.train`.
        deadline: of :func:`time.monotonic`, when to stop by itself; None is never.
        aside: stand aside (RunBusy) where another process makes the run's trunk, rather than start from nothing.
    """

    device: str = "auto"
    root: str | Path | None = None
    progress: bool = True
    deadline: float | None = None
    trunk: bool = True
    aside: bool = False


def pick_device(device: str) -> torch.device:
    """The device of that name; "auto" is a GPU if there is one.

    Raises:
        RdrError: an unknown name, or a GPU where there is none.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and "LOCAL_RANK" in os.environ:  # torchrun's: a GPU for each process of this machine
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise RdrError(f"device is {device!r}; it must be 'auto', 'cpu', 'cuda' or 'cuda:N'.")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise RdrError(
            f"device is {device!r}, but this machine has {torch.cuda.device_count()} usable GPU(s); "
            "use 'cpu' or 'auto', or install a torch build for your GPU."
        )
    return torch.device(device)


def make(
    path: Path, config: RunConfig, data: LongTailedData | None, how: Conditions, *, base: Run | None = None
) -> Run:
    """The finished run in a folder, made or finished here where it is not there yet.

    Args:
        path: the run's folder.
        config: the run's.
        data: the user's own, or None where it is loaded by name.
        how: under which conditions.
        base: the first stage, where the run is a second one and it is known.

    Raises:
        RunBusy, TrainingStopped, TrainingDiverged, RdrError: as for :func:`rdr_core.train_config`.
    """
    from rdr_core.training.ranks import joined

    if (path / "done.json").is_file():
        done = Run.open(path)
        _check_source(done, how.root)
        return done
    chosen = pick_device(how.device)
    go_on = _how_to_go_on(path, config, how)
    with joined(chosen, go_on=go_on) as ranks:
        return _train(path, config, data, ranks, chosen, how, base=base, go_on=go_on)


def _check_source(run: Run, root: str | Path | None) -> None:
    """Refuse a finished run in place of the one asked for where the user's own files are others by now."""
    from rdr_core.data.sources import find_source

    if not run.config.data_hash and find_source(run.config.dataset)[0].asks:
        with suppress(MissingData):  # nothing says that they have changed
            run.load_data(root)


def _train(
    path: Path, config: RunConfig, data: LongTailedData | None, ranks: Ranks, device: torch.device, how: Conditions, *,
    base: Run | None, go_on: str,
) -> Run:  # fmt: skip
    from rdr_core.runs.folder import RunFolder

    if (path / "done.json").is_file():
        return Run.open(path)
    folder = RunFolder(path)
    # Before data are read, which may take long only to find that another process has the run.
    with folder.locked() if ranks.first else nullcontext():
        # That process may have finished it just now.
        if not ranks.any(ranks.first and (path / "done.json").is_file()):
            _train_locked(folder, config, data, ranks, device, how, base=base, go_on=go_on)
    return Run.open(path)


def _train_locked(
    folder: RunFolder, config: RunConfig, data: LongTailedData | None, ranks: Ranks, device: torch.device,
    how: Conditions, *, base: Run | None, go_on: str,
) -> None:  # fmt: skip

    from rdr_core.branching import beginning_of
    from rdr_core.data import load_data
    from rdr_core.data.load import data_root
    from rdr_core.methods.grammar import parse
    from rdr_core.models.pretrained import pretrained_weights, start_from
    from rdr_core.runs.environment import environment
    from rdr_core.training.evaluation import final_measures
    from rdr_core.training.loop import train_to_end
    from rdr_core.training.randomness import fold, isolated
    from rdr_core.training.second_stage import SecondStageState
    from rdr_core.training.state import TrainingState
    from rdr_core.training.threads import using_threads

    path = folder.path
    threads = settings_of(config.dataset).threads
    first = parse(config.method).first_stage.name
    # Looked for before data are read, which may take long; a checkpoint and a first stage have them in them.
    fresh = first == config.method and not (path / "checkpoint.safetensors").is_file()
    start = pretrained_weights(config.model, data_root(how.root)) if fresh else None
    if data is None:
        data = load_data(config.dataset, **config.data_request, held_out=parse(config.method).held_out, root=how.root)
    if first != config.method and base is None:
        before = replace(config, method=first)
        name = Run(path, config).base or before.name  # where it was refined from another folder, it has noted that
        base = _train(path.parent / name, before, data, ranks, device, how, base=None, go_on="the same request again")
    beginning = None
    if fresh and how.trunk and ranks.size == 1 and start is None:
        beginning = beginning_of(path.parent, config, data, device, progress=how.progress, deadline=how.deadline,
                                 go_on=go_on, aside=how.aside)  # fmt: skip
    stage = "run" if base is None else "second stage"
    with isolated(fold(config.seed, stage)), using_threads(threads), own_settings():
        if base is None:
            state = TrainingState(config, data, device, ranks)
            if start is not None:
                start_from(state.model, start, config.model)
        else:
            state = SecondStageState(config, data, device, base.model(), ranks)
        with folder.writing():
            if ranks.first:
                stage = {"base": base.name, "epochs": state.config.epochs} if base else None
                folder.begin(config, data, environment(str(device)), stage)
                if fresh:
                    _begin_at(folder, state, beginning, progress=how.progress)
            ranks.wait()
            saved = folder.load_checkpoint()
            if saved is not None:
                state.restore(saved)
                if ranks.first:
                    folder.publish(saved)
            train_to_end(state, folder, go_on=go_on, progress=how.progress, deadline=how.deadline)
            if ranks.first:
                folder.finish(state.tree(), final_measures(state))
            ranks.wait()


def _begin_at(folder: RunFolder, state: TrainingState, beginning: Beginning | None, *, progress: bool) -> None:
    """Take the trunk's epochs over as the run's own beginning, and say so."""
    from rdr_core.training.trunk import branch_tree

    if beginning is None:
        folder.begin_from_nothing()
        return
    folder.begin_at(branch_tree(beginning.tree, state), beginning)
    if progress:
        print(
            f"{state.config.method} goes on from epoch {beginning.epoch} of {state.config.epochs} of trunk "
            f"{beginning.trunk}, which took {beginning.seconds:.0f} s.", file=sys.stderr,
        )  # fmt: skip


def _how_to_go_on(path: Path, config: RunConfig, how: Conditions) -> str:
    """What a user types to go on with a run that was stopped."""
    from rdr_core.training.ranks import launched

    if config.data_hash:
        return f"rdr_core.resume({str(path)!r}, data=...) with the same arrays"
    options = ["--device", how.device] if how.device != "auto" else []
    options += ["--root", str(how.root)] if how.root is not None else []
    start = ["torchrun", "--nproc-per-node", os.environ["WORLD_SIZE"], "-m", "rdr_core"] if launched() else ["rdr"]
    return shlex.join([*start, "resume", str(path), *options])
