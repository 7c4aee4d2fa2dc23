"""What runs would cost here: the pace of a few steps (:mod:`.pace`) times the steps that are left to make.

The data's files are needed only where a data set does not say how many images it has. Reading the data and starting up
are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rdr_core.jobs.machines import machine_names, read_machine
from rdr_core.jobs.pace import Pace, measured_pace, visits_of
from rdr_core.jobs.size import data_size
from rdr_core.methods.grammar import parse
from rdr_core.plain import total
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.branching import left_to_make, shared_fork
from rdr_core.runs.conditions import pick_device
from rdr_core.runs.layout import finished
from rdr_core.runs.trunks import trunk_config
from rdr_core.training.classifier_stage import second_stage


def seconds_of(
    configs: Iterable[RunConfig], device: str = "auto", *, runs: str | Path | None = None, progress: bool = False
) -> dict[RunConfig, float | None]:
    """Seconds that each run would take, alone on this machine, or on another that was measured.

    A second stage's first one counts as part of it where it is neither among the runs nor finished, and a trunk
    (:mod:`rdr_core.runs.branching`) as part of the first run that needs it.

    Args:
        configs: of the runs.
        device: as for :func:`rdr_core.train`, on which a few steps are measured; or a machine that was measured before
            (:func:`rdr_core.jobs.machines.machine_names`), such as ``"xeon"``.
        runs: folder of runs; what is finished there, by whole epochs, costs nothing. None (default) is none.
        progress: show a bar.

    Returns:
        By run; None where it is not known: of the user's own images, whose number and size are not known here; of data
        sets that neither say how many images they have nor lie in the default data root, to be counted there; of
        photographs on the CPU here, where a single step may take minutes and a run would take weeks; and of networks or
        parts of methods that were not measured on the machine named.

    Raises:
        RdrError: a configuration or a device that can't be used.

    Example:
        >>> config = RunConfig(dataset="digits", imbalance_factor=50, method="rdr", epochs=60, model="small",
        ...                    batch_size=32, learning_rate=0.1)
        >>> 0.1 < seconds_of([config], "cpu")[config] < 600
        True
    """
    wanted = dict.fromkeys(configs)
    machine = read_machine(device) if device in machine_names() else None
    chosen = pick_device("cpu" if machine else device)
    folder = None if runs is None else Path(runs)
    paces: dict[RunConfig, Pace] = {}
    trunks: set[tuple[RunConfig, int]] = set()

    def cost(config: RunConfig) -> float | None:
        if folder and finished(folder / config.name):
            return 0.0
        size = data_size(config)
        if size is None:
            return None
        alike = _alike(config)
        if machine:
            told = machine.foretell(config, size)
            if told is None:
                return None
            paces[alike] = told.pace
        elif size.photographs and chosen.type == "cpu":
            return None
        elif alike not in paces:
            paces[alike] = measured_pace(alike, size, chosen)
        stage = second_stage(config)
        epochs = (stage.epochs or 1) if stage else config.epochs
        left = epochs - _finished(config, folder)
        fork = shared_fork(config) if left == epochs else None
        if fork:  # its beginning is another's, or is made once
            left -= fork.epoch
            trunk = trunk_config(config, fork.trunk), fork.epoch
            if trunk not in trunks:
                trunks.add(trunk)
                left += left_to_make(folder or Path(), config, fork, chosen)
        own = left * paces[alike].epoch(size, visits_of(config, size))
        first = replace(config, method=config.spec.first_stage.name)
        return own if first == config or first in wanted else total((own, cost(first)))

    if progress:
        from tqdm.auto import tqdm

        return {config: cost(config) for config in tqdm(wanted, desc="measuring", unit="run", disable=bool(machine))}
    return {config: cost(config) for config in wanted}


def _alike(config: RunConfig) -> RunConfig:
    """One configuration for all whose steps take the same time, but for what cannot be told from noise.

    Losses of one network and tables of class weights are such; the other parts are not, but for their parameters.
    """
    spec = config.spec
    parts = [spec.get(kind) for kind in ("weighting", "mixing", "optimizer", "second stage")]
    named = [used.part.name for used in parts if used and used.part.kind != "class weights"]
    loss = spec.loss.part.name if spec.experts > 1 else "ce"
    return replace(
        config, method=parse("+".join([loss, *named])).name, seed=0, data_seed=0, epochs=100, noise_rate=0.0,
        imbalance_factor=config.imbalance_factor and 100.0, learning_rate=0.01,
    )  # fmt: skip


def _finished(config: RunConfig, folder: Path | None) -> int:
    """Epochs of the run that are done."""
    if folder is None or not (folder / config.name / "config.json").is_file():
        return 0
    return Run.open(folder / config.name).epochs_done
