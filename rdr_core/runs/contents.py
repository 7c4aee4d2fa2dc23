"""What the JSON files of a run's folder must hold, and the sentence where one holds something else."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from rdr_core.data.kinds import IMAGES, KINDS, TEXTS
from rdr_core.errors import RdrError
from rdr_core.files.sealed import damaged
from rdr_core.files.whole import read_json
from rdr_core.runs.layout import DONE, FORK, FORMAT
from rdr_core.training.config import RunConfig

_CLASSES = {"many": [int], "medium": [int], "few": [int]}
_DATA = {
    "class_names": [str], "class_counts": [int], "groups": _CLASSES, "indices_hash": str, "channels": int,
    "content_hash?": str, "mean?": [float], "std?": [float], "held_out?": int, "shape?": [int], "kind?": str,
}  # fmt: skip
_PERCENT = (float, None)
#: What is measured of a finished run, in percent.
MEASURED = {
    "top1": float, "many": _PERCENT, "medium": _PERCENT, "few": _PERCENT, "balanced_accuracy": _PERCENT,
    "macro_f1": _PERCENT, "roc_auc": _PERCENT, "average_precision": _PERCENT, "calibration_error": _PERCENT,
    "per_class": [_PERCENT],
}  # fmt: skip


def read_config(folder: Path) -> RunConfig:
    """What the run in a folder was asked to do.

    Raises:
        Damaged: it can't be read.
        RdrError: it is of another version of the toolkit.
    """
    path = folder / "config.json"
    stored = read_json(path)
    if stored.get("format") != FORMAT or isinstance(stored["format"], bool):
        raise RdrError(f"{folder} is not a run of this version of the toolkit (format {FORMAT}); train it again.")
    try:
        return RunConfig.from_dict(stored.get("config"))
    except RdrError as error:
        raise damaged(path, str(error).rstrip(".")) from None


def read_data(folder: Path) -> dict[str, Any]:
    """Class names, counts and groups, hashes and normalisation.

    Raises:
        Damaged: it can't be read, or its classes are not the same everywhere.
    """
    path = folder / "data.json"
    stored = read_json(path, _DATA)
    d = len(stored["class_counts"])
    of_groups = sorted(c for name in _CLASSES for c in stored["groups"][name])
    if of_groups != list(range(d)) or len(stored["class_names"]) != d:
        raise damaged(path, "its names, counts and groups are not of the same classes")
    if not all(0 <= count < 2**53 for count in stored["class_counts"]) or not 1 <= stored["channels"] < 2**20:
        raise damaged(path, "it has a number of images or channels that can't be")
    channels = {len(stored[name]) for name in ("mean", "std") if name in stored}
    wanted = 0 if stored.get("kind") == TEXTS.name else stored["channels"]
    if channels and (channels != {wanted} or not {"mean", "std"} <= set(stored)):
        raise damaged(path, "its mean and std are not one number a channel")
    if stored.get("kind", IMAGES.name) not in KINDS or not all(0 < size < 2**31 for size in stored.get("shape", [])):
        raise damaged(path, "its samples are of a kind or size that can't be")
    return stored


def _read(name: str, shape: dict[str, Any], folder: Path) -> dict[str, Any]:
    return read_json(folder / name, shape)


#: The measures on the test set, of a run's folder.
read_metrics = partial(_read, "metrics.json", MEASURED)
#: How many epochs it has, and the hash of its weights' file.
read_done = partial(_read, DONE, {"epochs?": int, "weights?": str})
#: Of a second stage: the run it started from, and its length.
read_stage = partial(_read, "stage.json", {"base": str, "epochs": int})
#: Of a run that went on from a trunk: which, after which epoch, and the seconds that saved.
read_fork = partial(_read, FORK, {"trunk": str, "epoch": int, "seconds": float})
