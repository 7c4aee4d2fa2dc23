"""The command that makes a run."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path

from rdr_core.data.settings import settings_of
from rdr_core.errors import RdrError
from rdr_core.methods.parts import format_value
from rdr_core.training.config import RunConfig
from rdr_core.training.recipes import DEFAULT, nearest_recipe

#: What `rdr train` has no option for.
_NO_OPTION = ("momentum", "data_hash")


def command_of(config: RunConfig, runs: Path | None = None) -> str:
    """The `rdr train` command that makes this run, quoted for a shell.

    Only the method, which no reader should have to know the default of, and what differs from the defaults is said.

    Args:
        config: of the run.
        runs: folder that holds the run's folder; None (default) is the command's own, "runs".

    Raises:
        RdrError: a run that the command line can't ask for: on arrays, or with values it has no options for.

    Example:
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="rdr+sam", epochs=5, seed=2,
        ...                    model="small", batch_size=32, learning_rate=0.1)
        >>> command_of(config, Path("my runs"))
        "rdr train digits -i 50 -m rdr+sam --epochs 5 --seed 2 --runs 'my runs'"
    """
    recipe, values = nearest_recipe(config.dataset, vars(config))
    usual = {field.name: field.default for field in fields(RunConfig)} | vars(settings_of(config.dataset)) | values
    for name in _NO_OPTION:
        if getattr(config, name) != usual[name]:
            raise RdrError(
                f"`rdr train` has no option for {name} = {getattr(config, name)!r}; train it with Python instead."
            )
    command = ["rdr", "train", config.dataset]
    if config.imbalance_factor != _usual_imbalance(config):
        command += ["-i", format_value(config.imbalance_factor)]
    command += ["-m", config.method]
    if recipe != DEFAULT:
        command += ["--recipe", recipe]
    options: tuple[str, ...]
    options = ("epochs", "seed", "noise_rate", "noise", "data_seed", "class_order", "model", "batch_size",
               "learning_rate", "weight_decay", "warmup", "schedule", "augmentation", "precision")  # fmt: skip
    if config.imbalance_factor is not None:
        options = ("profile", *options)
    for name in options:
        value = getattr(config, name)
        if value != usual[name]:
            command += [f"--{name.replace('_', '-')}", format_value(value)]
    if runs is not None:
        command += ["--runs", str(runs)]
    return shlex.join(command)


def how_to_train_again(config: RunConfig, runs: Path) -> str:
    """The end of a sentence: what trains a run anew that is in a folder of runs without its weights."""
    # In the usual folder the command would only open it.
    usual = runs.absolute() == Path("runs").absolute()
    try:
        return f"`{command_of(config, Path('retrained') if usual else None)}` trains it again"
    except RdrError:
        return "train it again with rdr_core.train, as its config.json says"


def _usual_imbalance(config: RunConfig) -> float | None:
    """The imbalance factor that the command takes unless told; RdrError where it can't be told this run's."""
    from rdr_core.data.sources import find_source

    source, _ = find_source(config.dataset)
    usual, factor = source.usual_imbalance, config.imbalance_factor
    if (factor is None) != (config.profile is None) or (factor is None and usual is not None):
        raise RdrError(f"`rdr train` can't use {config.dataset} with its own imbalance; train it with Python instead.")
    if factor is not None and source.long_tailed:
        raise RdrError(f"{config.dataset} comes long-tailed; no run of it has an imbalance factor.")
    return usual
