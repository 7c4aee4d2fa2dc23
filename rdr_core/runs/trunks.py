"""Where trunks lie on disk: beginnings of runs that other runs go on from, beside the runs.

RUNS/trunks/NAME/MACHINE/          a run without weights, in training as far as a run needed it; no run of its own
                         epoch-0160.safetensors  all that runs whose weights begin after this epoch need

NAME is that of the run without weights, so a trunk is found by configuration alone. MACHINE names what the last bits
depend on, so no run goes on from a beginning that it would not have made itself.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rdr_core.files.inside import inside
from rdr_core.training.config import RunConfig


class Beginning(NamedTuple):
    """What a run goes on from.

    Attributes:
        tree: a trunk's state.
        folder, trunk: where it lies, and its name.
        epoch: epochs it has made.
        seconds: that they took.
    """

    tree: dict[str, Any]
    folder: Path
    trunk: str
    epoch: int
    seconds: float


def trunk_config(config: RunConfig, method: str) -> RunConfig:
    """The configuration of the trunk of a run, ``method`` being its own without weights."""
    return replace(config, method=method)


def trunks_of(runs: Path, config: RunConfig, method: str) -> Path:
    """The folder of a run's trunks, one of each machine.

    Raises:
        RdrError: it is a link that leads elsewhere.
    """
    return inside(runs, f"trunks/{trunk_config(config, method).name}")


def machine(device: str, threads: int | None) -> str:
    """What decides a run's last bits on this machine: torch, device, and on a CPU its kind and number of threads.

    Example:
        >>> machine("cpu", threads=1).endswith("-1-threads")
        True
    """
    import platform

    import torch

    where = [torch.cuda.get_device_name(device)] if device.startswith("cuda") else [
        platform.machine(), torch.backends.cpu.get_cpu_capability(), f"{threads or torch.get_num_threads()}-threads"
    ]  # fmt: skip
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(["torch", torch.__version__, *where]))


def state_file(folder: Path, epoch: int) -> Path:
    """Where a trunk keeps what it was after an epoch."""
    return folder / f"epoch-{epoch:04d}.safetensors"


def kept_states(folder: Path) -> dict[int, Path]:
    """The states that a trunk keeps, by epoch."""
    return {int(path.stem.partition("-")[2]): path for path in sorted(folder.glob("epoch-*.safetensors"))}
