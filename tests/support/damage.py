"""Stored runs damaged in one place, and all that is read of a run, so that the two can be compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import rdr_core
from rdr_core import RdrError, Run
from rdr_core.files.trees import load_tree
from rdr_core.files.whole import read_json
from rdr_core.runs.folder import RunFolder
from rdr_viz.analysis.groups import confusion
from rdr_viz.analysis.predictions import predictions
from rdr_viz.analysis.weights import shares

#: Analyses that are stored with the runs of these tests.
ANALYSES = {"predictions": predictions, "confusion": confusion, "shares": shares}


_REQUEST = {"imbalance_factor": 50, "epochs": 3, "device": "cpu", "progress": False}


def finished_run(folder: Path) -> Path:
    """A finished run with analyses and evaluations."""
    run = rdr_core.train("digits", method="rdr", runs=folder, **_REQUEST)
    for analysis in ANALYSES.values():
        analysis(run)
    for test in ("balanced", "reversed"):
        rdr_core.evaluate(run, test=test)
    return run.path


def stopped_run(folder: Path) -> Path:
    """A run that was killed before it was marked as finished."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "finish", lambda *_: (_ for _ in ()).throw(RdrError("killed")))
        with pytest.raises(RdrError, match="killed"):
            rdr_core.train("digits", method="rdr", runs=folder, **_REQUEST)
    return next(folder.iterdir())


def files_of(folder: Path) -> list[Path]:
    """All files of a run that hold something."""
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.name != ".lock")


def readings(folder: Path) -> dict[str, Callable[[], Any]]:
    """How each thing that is told of a run is read, by its name."""

    def of(get: Callable[[Run], Any]) -> Callable[[], Any]:
        return lambda: get(Run.open(folder))

    found = {
        "config": of(lambda run: run.config),
        "history": of(lambda run: run.history),
        "last epoch": of(lambda run: run.last_epoch),
        "classes": of(lambda run: run.classes),
        "names": of(lambda run: (run.class_names, run.class_counts.tolist(), run.channels)),
        "groups": of(lambda run: run.groups.of_class.tolist()),
        "hashes": of(lambda run: (run.content_hash(), run.normalisation())),
        "indices": of(lambda run: run.indices.tolist()),
        "environment": of(lambda run: run.environment),
        "weights": of(lambda run: run.model().state_dict()),
        "stage": of(lambda run: (run.base, run.epochs, run.inherited)),
        "hash": of(lambda run: run.weights_hash),
    }
    for epoch in (1, 2, 3):
        found[f"weights {epoch}"] = of(lambda run, epoch=epoch: run.model(epoch).state_dict())
    if (folder / "done.json").exists():
        found["metrics"] = of(lambda run: run.metrics)
        for test in ("balanced", "reversed"):
            found[f"evaluation {test}"] = of(lambda run, test=test: rdr_core.evaluate(run, test=test))
        for name, analysis in ANALYSES.items():
            found[name] = of(lambda run, analysis=analysis: analysis(run.as_stored))
            found[f"how {name}"] = lambda name=name: [
                read_json(file) for file in sorted((folder / "analysis").glob(f"{name}-*.json"))
            ]
    if (folder / "checkpoint.safetensors").exists():
        found["checkpoint"] = lambda: load_tree(folder / "checkpoint.safetensors")
    return found


def read(get: Callable[[], Any]) -> Any:
    """What is read, or the sentence instead; anything else that is raised is an error of the test."""
    try:
        return get()
    except RdrError as error:
        return error


def same(one: Any, other: Any) -> bool:
    """Whether two readings are equal."""
    if isinstance(one, pd.DataFrame):
        return isinstance(other, pd.DataFrame) and one.equals(other)
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one.nan_to_num(), other.nan_to_num())
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return one == other or (one != one and other != other)
