"""From a request to a run on disk: open it if it is there, go on if it is half done, train it if not."""

from __future__ import annotations

import os
import shlex
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rdr_core.errors import RdrError
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.settings import settings_of

if TYPE_CHECKING:
    import torch

    from rdr_core.data import LongTailedData
    from rdr_core.runs.folder import RunFolder
    from rdr_core.training.ranks import Ranks


def train(
    dataset: str | LongTailedData = "cifar10",
    *,
    imbalance_factor: float | None = None,
    method: str = "rdr",
    epochs: int | None = None,
    seed: int = 0,
    runs: str | Path = "runs",
    profile: str = "exponential",
    noise_rate: float = 0.0,
    noise: str = "symmetric",
    data_seed: int = 0,
    model: str | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    recipe: str = "plain",
    precision: str = "fp32",
    device: str = "auto",
    root: str | Path | None = None,
    progress: bool = True,
) -> Run:
    """Train a network on a long-tailed data set; the same request again opens the finished run.

    Args:
        dataset: name (`rdr datasets`), or a :class:`LongTailedData`, which brings its own
            imbalance, noise and seed.
        imbalance_factor: n_max / n_min (default 100; list-file sets and trees of images are taken as they are).
        method: composed by name, as "rdr", "inverse:gamma=0.5" or "rdr+la" (:mod:`rdr_core.methods.grammar`).
        epochs, batch_size, learning_rate, model: None is the data set's default
            (:mod:`rdr_core.runs.settings`; CIFAR: 200, 128, 0.1, ResNet-32, as the paper).
        seed: of initialisation, order and augmentation; the same seed gives the same run, bit for
            bit on a CPU with the same number of threads.
        runs: folder that holds the run's folder.
        profile, noise_rate, noise, data_seed: of the data set (:func:`load_data`).
        recipe: "plain", "strong" or "none" (:data:`rdr_core.training.augment.RECIPES`).
        precision: "fp32" or "bf16".
        device: "auto" (a GPU if there is one), "cpu", "cuda" or "cuda:1".
        root: folder of the data files.
        progress: show a bar with the time left.

    Returns:
        The finished run.

    Raises:
        RdrError: an input that can't be used, in one sentence.
        TrainingDiverged: the loss is no number; the last good state stays on disk.
        TrainingStopped: Ctrl-C (a KeyboardInterrupt), saved, with the command that goes on.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = train("digits", imbalance_factor=50, method="rdr", epochs=1, runs=folder, progress=False)
        ...     run.done, len(run.history)
        (True, 1)
    """
    from rdr_core.methods.grammar import parse

    canonical = parse(method).name
    name, data, facts = _data_facts(dataset, imbalance_factor, profile, noise_rate, noise, data_seed)
    settings = settings_of(name)
    config = RunConfig(
        dataset=name,
        method=canonical,
        epochs=settings.epochs if epochs is None else epochs,
        seed=seed,
        model=model or settings.model,
        batch_size=settings.batch_size if batch_size is None else batch_size,
        learning_rate=settings.learning_rate if learning_rate is None else learning_rate,
        recipe=recipe,
        precision=precision,
        **facts,
    )
    return train_config(config, runs=runs, device=device, root=root, progress=progress, data=data)


def train_config(
    config: RunConfig, *, runs: str | Path = "runs", device: str = "auto", root: str | Path | None = None,
    progress: bool = True, deadline: float | None = None, data: LongTailedData | None = None,
) -> Run:  # fmt: skip
    """Train the run of a whole configuration; :func:`train` fills in a data set's defaults first.

    Args:
        config: all that decides the run's result, its method by its canonical name.
        runs, device, root, progress: as for :func:`train`.
        deadline: of :func:`time.monotonic`, when to stop by itself, as Ctrl-C does; None (default) is never.
        data: the user's own arrays, where the configuration is of such.

    Returns:
        The finished run.

    Raises:
        RunBusy: another process is training it, or the first stage that it needs.
        TrainingStopped: Ctrl-C or the deadline; saved, with the command that goes on.
        RdrError, TrainingDiverged: as for :func:`train`.

    Example:
        >>> import tempfile
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="ce", epochs=1, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     train_config(config, runs=folder, progress=False).name == config.name
        True
    """
    _check_names(config)
    if (data.content_hash if data else "") != config.data_hash:
        raise RdrError("The configuration is not of the data given; arrays of your own come with one that names them.")
    return _go_on(
        Path(runs) / config.name, config, data, device=device, root=root, progress=progress, deadline=deadline
    )


def refine(
    run: Run | str | Path, method: str = "crt", *, device: str = "auto", root: str | Path | None = None,
    progress: bool = True, data: LongTailedData | None = None,
) -> Run:  # fmt: skip
    """Give a finished run's network a second stage, in a run of its own beside it; the same again opens it.

    ``train(method="rdr+crt")`` does the same, and trains the first stage where it is not there yet.

    Args:
        run: the first stage, finished.
        method: a second stage by name: "crt", "taunorm:tau=0.5" or "posthoc" (:mod:`rdr_core.methods.second_stage`).
        device, root, progress: as for :func:`train`.
        data: the user's own arrays, where the run was trained on such.

    Returns:
        The refined run. Its history has the second stage's epochs alone, one row where nothing is learnt.

    Raises:
        RdrError: a run that is not finished or has a second stage already, or a method that is none or does not fit.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = train("digits", imbalance_factor=50, method="ce", epochs=1, runs=folder, progress=False)
        ...     refine(run, "taunorm", progress=False).config.method
        'ce+taunorm'
    """
    from rdr_core.methods.grammar import parse

    base = run if isinstance(run, Run) else Run.open(run)
    whole = parse(f"{base.config.method}+{method}")
    if whole.first_stage.name != base.config.method:
        raise RdrError(f"{method!r} is no second stage; refine a run with 'crt', 'taunorm' or 'posthoc'.")
    if not base.done:
        raise RdrError(f"{base.path} is not finished, so there is nothing to refine; go on with it first.")
    config = replace(base.config, method=whole.name)
    path = base.path.parent / config.name
    if (path / "done.json").is_file():
        return Run.open(path)
    given = own_data(base, data, "refine")
    return _go_on(path, config, given, base=base, device=device, root=root, progress=progress)


def resume(
    path: str | Path, *, device: str = "auto", root: str | Path | None = None, progress: bool = True,
    data: LongTailedData | None = None,
) -> Run:  # fmt: skip
    """Go on with a run that was stopped or killed; equal, bit for bit on a CPU, to one never stopped.

    Args:
        path: the run's folder.
        device, root, progress: as for :func:`train`.
        data: the user's own arrays, where the run was trained on such.

    Raises:
        RdrError: no run's folder, or a run on arrays that are not given.
    """
    run = Run.open(path)
    if run.done:
        return run
    return _go_on(run.path, run.config, own_data(run, data, "resume"), device=device, root=root, progress=progress)


def own_data(run: Run, data: LongTailedData | None, verb: str) -> LongTailedData | None:
    """The data given, where the run needs them and they are its own.

    Raises:
        RdrError: the run was trained on the user's own arrays, and none or others are given to ``rdr_core.<verb>``.
    """
    if run.config.data_hash and data is None:
        raise RdrError(f"{run.path} was trained on arrays of your own; call rdr_core.{verb}(path, data=...) with them.")
    if data is not None and run.config.data_hash not in ("", data.content_hash):
        raise RdrError(f"{run.path} was trained on other arrays than those given; give the ones it was trained on.")
    return data


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


def _data_facts(
    dataset: str | LongTailedData, factor: float | None, profile: str, noise_rate: float, noise: str, data_seed: int
) -> tuple[str, LongTailedData | None, dict[str, object]]:
    from rdr_core.data.sources import find_source

    if isinstance(dataset, str):
        source, _ = find_source(dataset)
        if source.long_tailed and factor is not None:
            raise RdrError(f"{dataset} comes long-tailed; leave the imbalance factor out.")
        factor = source.usual_imbalance if factor is None else factor
        if factor is None and profile != "exponential":
            raise RdrError(f"{dataset} is taken with the imbalance it has; leave the profile out.")
        facts = {
            "imbalance_factor": factor,
            "profile": None if factor is None else profile,
            "noise_rate": noise_rate,
            "noise": noise,
            "data_seed": data_seed,
        }
        return dataset, None, facts
    if factor is not None or (profile, noise_rate, noise, data_seed) != ("exponential", 0.0, "symmetric", 0):
        raise RdrError(
            "the data given have their imbalance already, and their noise and seed; leave imbalance_factor, profile, "
            "noise_rate, noise and data_seed out."
        )
    facts = {
        "imbalance_factor": dataset.imbalance_factor,
        "profile": dataset.profile,
        "noise_rate": dataset.noise_rate,
        "noise": dataset.noise,
        "data_seed": dataset.seed,
        "data_hash": dataset.content_hash,
    }
    return dataset.name, dataset, facts


def _check_names(config: RunConfig) -> None:
    """Refuse unknown names before a folder is made or a file fetched."""
    from rdr_core.errors import unknown_name
    from rdr_core.methods.grammar import parse
    from rdr_core.models import MODELS
    from rdr_core.training.augment import RECIPES

    canonical = parse(config.method).name
    if config.method != canonical:
        raise RdrError(f"The configuration's method is {config.method!r}; name it {canonical!r}, as its run is named.")
    if config.model not in MODELS:
        raise unknown_name("model", config.model, MODELS)
    if config.recipe not in RECIPES:
        raise unknown_name("recipe", config.recipe, RECIPES)


def _go_on(
    path: Path, config: RunConfig, data: LongTailedData | None, *, device: str, root: str | Path | None, progress: bool,
    base: Run | None = None, deadline: float | None = None,
) -> Run:  # fmt: skip
    from rdr_core.training.ranks import joined

    if (path / "done.json").is_file():
        return Run.open(path)
    chosen = pick_device(device)
    go_on = _how_to_go_on(path, config, device, root)
    with joined(chosen, go_on=go_on) as ranks:
        return _train(path, config, data, ranks, chosen, root=root, progress=progress, base=base, go_on=go_on,
                      deadline=deadline)  # fmt: skip


def _train(
    path: Path, config: RunConfig, data: LongTailedData | None, ranks: Ranks, device: torch.device, *,
    root: str | Path | None, progress: bool, base: Run | None, go_on: str, deadline: float | None = None,
) -> Run:  # fmt: skip
    from rdr_core.runs.folder import RunFolder

    if (path / "done.json").is_file():
        return Run.open(path)
    folder = RunFolder(path)
    # Before data are read, which may take long only to find that another process has the run.
    with folder.locked() if ranks.first else nullcontext():
        # That process may have finished it just now.
        if not ranks.any(ranks.first and (path / "done.json").is_file()):
            _train_locked(folder, config, data, ranks, device, root=root, progress=progress, base=base, go_on=go_on,
                          deadline=deadline)  # fmt: skip
    return Run.open(path)


def _train_locked(
    folder: RunFolder, config: RunConfig, data: LongTailedData | None, ranks: Ranks, device: torch.device, *,
    root: str | Path | None, progress: bool, base: Run | None, go_on: str, deadline: float | None,
) -> None:  # fmt: skip
    import torch

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
    start = pretrained_weights(config.model, data_root(root)) if fresh else None
    if data is None:
        data = load_data(config.dataset, **config.data_request, held_out=parse(config.method).held_out, root=root)
    if first != config.method and base is None:
        before = replace(config, method=first)
        name = Run(path, config).base or before.name  # where it was refined from another folder, it has noted that
        base = _train(path.parent / name, before, data, ranks, device, root=root, progress=progress, base=None,
                      go_on="the same request again", deadline=deadline)  # fmt: skip
    # The caller may have switched gradients off.
    stage = "run" if base is None else "second stage"
    with isolated(fold(config.seed, stage)), using_threads(threads), torch.inference_mode(False), torch.enable_grad():
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
            ranks.wait()
            saved = folder.load_checkpoint()
            if saved is not None:
                state.restore(saved)
                if ranks.first:
                    folder.publish(saved)
            train_to_end(state, folder, go_on=go_on, progress=progress, deadline=deadline)
            if ranks.first:
                folder.finish(state.tree(), final_measures(state))
            ranks.wait()


def _how_to_go_on(path: Path, config: RunConfig, device: str, root: str | Path | None) -> str:
    """What a user types to go on with a run that was stopped."""
    from rdr_core.training.ranks import launched

    if config.data_hash:
        return f"rdr_core.resume({str(path)!r}, data=...) with the same arrays"
    options = ["--device", device] if device != "auto" else []
    options += ["--root", str(root)] if root is not None else []
    start = ["torchrun", "--nproc-per-node", os.environ["WORLD_SIZE"], "-m", "rdr_core"] if launched() else ["rdr"]
    return shlex.join([*start, "resume", str(path), *options])
