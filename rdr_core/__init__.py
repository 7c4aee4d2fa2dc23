"""The core of the RDR toolkit: long-tailed data, re-weighting methods, training, and runs on disk.

    >>> import rdr_core
    >>> data = rdr_core.load_data("digits", imbalance_factor=50)
    >>> data.class_counts.tolist()
    [124, 80, 51, 33, 21, 14, 9, 5, 3, 2]

Names are loaded when they are first used, so that `import rdr_core` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData, from_arrays, load_data
    from rdr_core.errors import MissingData, RdrError, TrainingDiverged
    from rdr_core.evaluation import evaluate
    from rdr_core.experiment import refine, resume, train
    from rdr_core.methods.ratio import density_ratio
    from rdr_core.methods.rdr import RDRWeights
    from rdr_core.runs import Run, RunConfig, list_runs
    from rdr_core.training.interrupt import TrainingStopped

_HOME = {
    "LongTailedData": "rdr_core.data",
    "MissingData": "rdr_core.errors",
    "RDRWeights": "rdr_core.methods.rdr",
    "RdrError": "rdr_core.errors",
    "Run": "rdr_core.runs",
    "RunConfig": "rdr_core.runs",
    "TrainingDiverged": "rdr_core.errors",
    "TrainingStopped": "rdr_core.training.interrupt",
    "density_ratio": "rdr_core.methods.ratio",
    "evaluate": "rdr_core.evaluation",
    "from_arrays": "rdr_core.data",
    "list_runs": "rdr_core.runs",
    "load_data": "rdr_core.data",
    "refine": "rdr_core.experiment",
    "resume": "rdr_core.experiment",
    "train": "rdr_core.experiment",
}

__all__ = [
    "LongTailedData",
    "MissingData",
    "RDRWeights",
    "RdrError",
    "Run",
    "RunConfig",
    "TrainingDiverged",
    "TrainingStopped",
    "density_ratio",
    "evaluate",
    "from_arrays",
    "list_runs",
    "load_data",
    "refine",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rdr_core' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
