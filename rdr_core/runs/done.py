"""The mark that a run is finished: written last, and again where it alone was lost."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rdr_core.errors import RdrError
from rdr_core.files.sealed import open_plain
from rdr_core.files.trees import LARGEST
from rdr_core.files.whole import write_json
from rdr_core.runs.contents import read_metrics
from rdr_core.runs.layout import DONE
from rdr_core.runs.records import read_classes, read_history
from rdr_core.runs.run import Run


def file_hash(path: Path) -> str:
    """Of a file of weights, as ``done.json`` notes it.

    Raises:
        Damaged: it can't be read.
    """
    with open_plain(path, LARGEST) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def mark_done(folder: Path, epochs: int) -> None:
    """Say that the run in a folder is finished, after so many epochs."""
    network = folder / "model.safetensors"
    weights = {"weights": file_hash(network)} if network.is_file() else {}  # a recorded run may come without
    write_json(folder / DONE, {"epochs": epochs} | weights)


def bring_back_done(folder: Path) -> bool:
    """Mark a run as finished of which all but the mark is there, and as it was written; whether it was one.

    A run that was stopped still has its checkpoint, and one without a mark that has none would be made again from
    nothing.
    """
    there = [(folder / name).is_file() for name in ("config.json", "model.safetensors", "metrics.json")]
    if (folder / "checkpoint.safetensors").exists() or not all(there):
        return False
    from rdr_core.runs.trained_network import check_weights  # loads PyTorch

    try:
        run = Run.open(folder)
        d = len(run.class_counts)
        epochs = len(read_history(folder / "history.csv"))
        whole = epochs == run.epochs == len(read_classes(folder / "classes.safetensors", d)["accuracy"])
        read_metrics(folder)
        check_weights(folder / "model.safetensors", run.config, d, run.channels)
    except RdrError:
        return False
    if whole:
        mark_done(folder, epochs)
    return whole
