"""How a run is made: on which device, with which files, for how long."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdr_core.errors import RdrError

if TYPE_CHECKING:
    import torch

#: Environment variable: which of the runs side by side on a machine a process makes, 0 and up.
PLACE = "RDR_PLACE"


@dataclass(frozen=True)
class Conditions:
    """How a run is made, of which its result does not depend (but for a device's last bits).

    Attributes:
        device, root, progress, trunk: as for :func:`rdr_core.train`.
        deadline: of :func:`time.monotonic`, when to stop by itself; None is never.
        aside: stand aside (RunBusy) where another process makes the run's trunk, rather than start from nothing.
        go_on: what a user types to go on with the run where it is stopped; "" leaves it to the run.
    """

    device: str = "auto"
    root: str | Path | None = None
    progress: bool = True
    deadline: float | None = None
    trunk: bool = True
    aside: bool = False
    go_on: str = ""


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
    elif device == "cuda" and PLACE in os.environ:  # of runs side by side: they take the GPUs by turns
        device = f"cuda:{int(os.environ[PLACE]) % max(1, torch.cuda.device_count())}"
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise RdrError(f"device is {device!r}; it must be 'auto', 'cpu', 'cuda' or 'cuda:N'.")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise RdrError(
            f"device is {device!r}, but this machine has {torch.cuda.device_count()} usable GPU(s); "
            "use 'cpu' or 'auto', or install a torch build for your GPU."
        )
    return torch.device(device)
