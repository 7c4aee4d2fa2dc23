"""From a request to a run on disk: open it if it is there, go on if it is half done, train it if not."""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.data.load import load_data
from rdr_core.errors import RdrError
from rdr_core.files.inside import inside
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.asked import asked, check_names
from rdr_core.runs.conditions import Conditions
from rdr_core.runs.layout import finished
from rdr_core.runs.session import Session
from rdr_core.training.recipes import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from rdr_core.data import LongTailedData


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
    class_order: str | int = "file",
    model: str | nn.Module | Callable[..., nn.Module] | None = None,
    features: str = "",
    recipe: str = DEFAULT,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    weight_decay: float | None = None,
    warmup: float | None = None,
    schedule: str | None = None,
    augmentation: str | None = None,
    precision: str = "fp32",
    device: str = "auto",
    root: str | Path | None = None,
    progress: bool = True,
    trunk: bool = True,
) -> Run:
    """Train a network on a long-tailed data set; the same call again opens the finished run.

    Args:
        dataset: name (`rdr datasets`), or a :class:`LongTailedData`, which brings its own
            imbalance, noise and seed.
        imbalance_factor: n_max / n_min (default 100; list-file sets and trees of images keep their own imbalance).
        method: composed by name, as "rdr", "inverse:gamma=0.5" or "rdr+la" (:mod:`rdr_core.methods.grammar`).
        model: by name; None is the data set's (:mod:`rdr_core.data.settings`; CIFAR: ResNet-32, as the paper), or the
            one for such samples. Or a network of your own: a module, of which a copy is trained from the weights that
            it has, or what makes one, such as a class or function, called with ``num_classes`` where it takes that.
            Its last linear layer is the classifier, and what enters it are the features; or it returns (logits,
            features).
        features: the layer of your own network whose output are the features, by name, where it is another.
        recipe: the settings below and the epochs under one name: "paper", "strong" (our CIFAR grid's), "authors" or
            "cdb", of CDB-loss's code (:data:`rdr_core.training.recipes.RECIPES`).
        epochs, batch_size, learning_rate, weight_decay, warmup, schedule, augmentation: each replaces the recipe's
            value if given (:class:`~rdr_core.runs.RunConfig`).
        seed: of initialisation, order and augmentation; the same seed gives the same run, bit for
            bit on a CPU with the same number of threads.
        runs: folder that holds the run's folder.
        profile, noise_rate, noise, data_seed, class_order: of the data set (:func:`load_data`); the order of the
            classes is ``"file"`` or the seed that draws it.
        precision: "fp32" or "bf16".
        device: "auto" (a GPU if there is one), "cpu", "cuda" or "cuda:1".
        root: folder of the data files.
        progress: show a bar with the time left.
        trunk: if weights begin in the second half of the run, share its unweighted beginning with other runs
            (:mod:`rdr_core.runs.branching`); False trains it from scratch, with the same result.

    Returns:
        The finished run.

    Raises:
        RdrError: an input that can't be used, in one sentence.
        TrainingDiverged: the loss is not a number; the last good state stays on disk.
        TrainingStopped: Ctrl-C (a KeyboardInterrupt), saved, with the command that goes on.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = train("digits", imbalance_factor=50, method="rdr", epochs=1, runs=folder, progress=False)
        ...     run.done, len(run.history)
        (True, 1)
    """
    wanted = asked(
        dataset, imbalance_factor=imbalance_factor, method=method, epochs=epochs, seed=seed, profile=profile,
        noise_rate=noise_rate, noise=noise, data_seed=data_seed, class_order=class_order, model=model,
        features=features, recipe=recipe, batch_size=batch_size, learning_rate=learning_rate,
        weight_decay=weight_decay, warmup=warmup, schedule=schedule, augmentation=augmentation, precision=precision,
        root=root,
    )  # fmt: skip
    place = inside(Path(runs), wanted.config.name)
    how = Conditions(device, root, progress, trunk=trunk)
    return Session(place, wanted.config, wanted.data, how, own_model=wanted.own_model).run()


#: What of :func:`train` is no setting of a run.
_CONDITIONS = {"dataset", "features", "runs", "device", "root", "progress", "trunk"}


def settings_of_train() -> dict[str, Any]:
    """The settings that :func:`train` takes by name, with their defaults.

    Example:
        >>> settings_of_train()["method"], settings_of_train()["seed"]
        ('rdr', 0)
    """
    taken = signature(train).parameters.values()
    return {one.name: one.default for one in taken if one.name not in _CONDITIONS}


def configure(dataset: str, *, root: str | Path | None = None, **settings: Any) -> RunConfig:
    """The configuration of the run that :func:`train` would make.

    Args:
        dataset: by name.
        root: folder of the data files, which are looked at where only they tell what the samples are.
        settings: as for :func:`train`.

    Raises:
        RdrError: as for :func:`train`, or a setting that it does not have.

    Example:
        >>> configure("digits", imbalance_factor=50, method="inverse", seed=3).name[:22]
        'digits-if50-inverse-s3'
    """
    from rdr_core.errors import unknown_name

    usual = settings_of_train()
    if odd := set(settings) - set(usual):
        raise unknown_name("setting of a run", min(odd), usual)
    return asked(dataset, **usual | settings, features="", root=root).config


def train_config(
    config: RunConfig, *, runs: str | Path = "runs", device: str = "auto", root: str | Path | None = None,
    progress: bool = True, deadline: float | None = None, data: LongTailedData | None = None, trunk: bool = True,
) -> Run:  # fmt: skip
    """Train the run of a complete configuration; :func:`train` fills in a data set's defaults first.

    Args:
        config: all that decides the run's result, its method by its canonical name.
        runs, device, root, progress, trunk: as for :func:`train`.
        deadline: of :func:`time.monotonic`, when to stop by itself, as Ctrl-C does; None (default) is never.
        data: the user's own arrays, where the configuration is of such.

    Returns:
        The finished run.

    Raises:
        RunBusy: another process is training it, or the first stage or the trunk that it needs.
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
    if (data.content_hash if data else "") != config.data_hash:
        raise RdrError("The configuration is not of the data given; data of your own come with one that names them.")
    how = Conditions(device, root, progress, deadline, trunk, aside=True)
    return _session(config, runs, how, data).run()


def make_run(
    config: RunConfig, *, runs: str | Path = "runs", device: str = "auto", root: str | Path | None = None,
    deadline: float | None = None,
) -> bool:  # fmt: skip
    """Make the run of a configuration where it is not there, and tell whether it was made here.

    Args:
        config, runs, device, root, deadline: as for :func:`train_config`.

    Raises:
        RunBusy, TrainingStopped, RdrError, TrainingDiverged: as for :func:`train_config`.

    Example:
        >>> import tempfile
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="ce", epochs=1, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     [make_run(config, runs=folder) for _ in range(2)]
        [True, False]
    """
    how = Conditions(device, root, progress=False, deadline=deadline, aside=True)
    _, here = _session(config, runs, how).make()
    return here


def _session(config: RunConfig, runs: str | Path, how: Conditions, data: LongTailedData | None = None) -> Session:
    check_names(config)
    return Session(inside(Path(runs), config.name), config, data, how)


def make_beginning(
    config: RunConfig, *, runs: str | Path = "runs", device: str = "auto", root: str | Path | None = None,
    deadline: float | None = None,
) -> None:  # fmt: skip
    """Make the trunk of a run whose weights begin late, which every run that shares it takes from then on.

    Args:
        config: of the run.
        runs, device, root, deadline: as for :func:`train_config`.

    Raises:
        RunBusy, TrainingStopped, RdrError, TrainingDiverged: as for :func:`train_config`.

    Example:
        >>> import tempfile
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="inverse+drw", epochs=5, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     make_beginning(config, runs=folder)
        ...     [path.name for path in Path(folder).glob("trunks/*/*/epoch-*")]
        ['epoch-0004.safetensors']
    """
    from rdr_core.runs.branching import beginning_of
    from rdr_core.runs.conditions import pick_device

    data = load_data(config.dataset, **config.data_request, held_out=config.spec.held_out, root=root)
    how = Conditions(device, root, progress=False, deadline=deadline, aside=True)
    beginning_of(Path(runs), config, data, pick_device(device), how)


def refine(
    run: Run | str | Path, method: str = "crt", *, device: str = "auto", root: str | Path | None = None,
    progress: bool = True, data: LongTailedData | None = None,
) -> Run:  # fmt: skip
    """Give a finished run's network a second stage, in a separate run beside it; the same call again opens that run.

    ``train(method="rdr+crt")`` does the same, and trains the first stage too if it is missing.

    Args:
        run: the first stage, finished.
        method: a second stage by name: "crt", "taunorm:tau=0.5" or "posthoc" (:mod:`rdr_core.methods.second_stage`).
        device, root, progress: as for :func:`train`.
        data: the user's own arrays, where the run was trained on such.

    Returns:
        The refined run. Its history has only the second stage's epochs, or one row if nothing is learnt.

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
        raise RdrError(f"{method!r} is not a second stage; refine a run with 'crt', 'taunorm' or 'posthoc'.")
    if not base.done:
        raise RdrError(f"{base.path} is not finished, so there is nothing to refine; continue it first.")
    config = replace(base.config, method=whole.name)
    path = inside(base.path.parent, config.name)
    if finished(path) and data is None:
        return Run(path, config, own_model=base.own_model)
    given = base.data(data, root) if data is not None or base.config.data_hash else None
    return Session(path, config, given, Conditions(device, root, progress), base, base.own_model).run()


def resume(
    path: str | Path, *, device: str = "auto", root: str | Path | None = None, progress: bool = True,
    data: LongTailedData | None = None, model: nn.Module | Callable[..., nn.Module] | None = None, features: str = "",
) -> Run:  # fmt: skip
    """Continue a run that was stopped or killed; the result equals, bit for bit on a CPU, that of a run never stopped.

    Args:
        path: the run's folder.
        device, root, progress: as for :func:`train`.
        data: the user's own, where the run was trained on such.
        model, features: the user's own network, as :func:`train` was given it.

    Raises:
        RdrError: no run's folder, or a run on data or a network of the user's own that are not given.
    """
    run = Run.open(path, model=model, features=features)
    if run.done and data is None:
        return run
    given = run.data(data, root) if data is not None or run.config.data_hash else None
    if run.config.model_hash and run.own_model is None:
        raise RdrError(f"{run.path} trains a network of your own ({run.config.model}); give it with model=...")
    return Session(run.path, run.config, given, Conditions(device, root, progress), own_model=run.own_model).run()
