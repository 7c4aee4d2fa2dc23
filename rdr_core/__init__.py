"""The core of the RDR toolkit: long-tailed data, re-weighting methods, training, and runs on disk.

    >>> import rdr_core
    >>> data = rdr_core.load_data("digits", imbalance_factor=50)
    >>> data.class_counts.tolist()
    [124, 80, 51, 33, 21, 14, 9, 5, 3, 2]

Names are loaded when they are first used, so that `import rdr_core` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.lazy import lazily

if TYPE_CHECKING:
    from rdr_core.data import (
        CsvColumns,
        LongTailedData,
        from_arrays,
        from_csv,
        from_dataset,
        from_folder,
        from_frame,
        from_series,
        from_text,
        load_data,
    )
    from rdr_core.data.datasets import dataset
    from rdr_core.data.groups import GROUPS
    from rdr_core.errors import MissingData, RdrError, TrainingDiverged
    from rdr_core.jobs.sweep import sweep
    from rdr_core.measures.rare_class import at_threshold, moved_threshold, threshold_curve
    from rdr_core.methods.batch_classes import class_means
    from rdr_core.methods.contract import Weighing, Weighting
    from rdr_core.methods.explain import explain
    from rdr_core.methods.label_density import LabelBins, label_bins, smoothed_counts
    from rdr_core.methods.names import method_label, method_order
    from rdr_core.methods.parts import at_least, between, one_of, part
    from rdr_core.methods.ratio import RIDGE, density_ratio
    from rdr_core.methods.rdr import RDRWeights
    from rdr_core.methods.sharded import ShardedRDRWeights
    from rdr_core.methods.weighting import mean_one
    from rdr_core.runs import Run, RunConfig, list_runs
    from rdr_core.runs.archive import shipped
    from rdr_core.runs.evaluation import evaluate
    from rdr_core.runs.recording import record
    from rdr_core.runs.requests import refine, resume, train, train_config
    from rdr_core.training.interrupt import TrainingStopped
    from rdr_core.training.normalise import normalise

__version__ = "0.1.0"

_HOMES = {
    "GROUPS": "rdr_core.data.groups",
    "RIDGE": "rdr_core.methods.ratio",
    "CsvColumns": "rdr_core.data",
    "LabelBins": "rdr_core.methods.label_density",
    "LongTailedData": "rdr_core.data",
    "MissingData": "rdr_core.errors",
    "RDRWeights": "rdr_core.methods.rdr",
    "RdrError": "rdr_core.errors",
    "Run": "rdr_core.runs",
    "RunConfig": "rdr_core.runs",
    "ShardedRDRWeights": "rdr_core.methods.sharded",
    "TrainingDiverged": "rdr_core.errors",
    "TrainingStopped": "rdr_core.training.interrupt",
    "Weighing": "rdr_core.methods.contract",
    "Weighting": "rdr_core.methods.contract",
    "at_least": "rdr_core.methods.parts",
    "at_threshold": "rdr_core.measures.rare_class",
    "between": "rdr_core.methods.parts",
    "class_means": "rdr_core.methods.batch_classes",
    "dataset": "rdr_core.data.datasets",
    "density_ratio": "rdr_core.methods.ratio",
    "evaluate": "rdr_core.runs.evaluation",
    "explain": "rdr_core.methods.explain",
    "from_arrays": "rdr_core.data",
    "from_csv": "rdr_core.data",
    "from_dataset": "rdr_core.data",
    "from_folder": "rdr_core.data",
    "from_frame": "rdr_core.data",
    "from_series": "rdr_core.data",
    "from_text": "rdr_core.data",
    "label_bins": "rdr_core.methods.label_density",
    "list_runs": "rdr_core.runs",
    "load_data": "rdr_core.data",
    "mean_one": "rdr_core.methods.weighting",
    "method_label": "rdr_core.methods.names",
    "method_order": "rdr_core.methods.names",
    "moved_threshold": "rdr_core.measures.rare_class",
    "normalise": "rdr_core.training.normalise",
    "one_of": "rdr_core.methods.parts",
    "part": "rdr_core.methods.parts",
    "record": "rdr_core.runs.recording",
    "refine": "rdr_core.runs.requests",
    "resume": "rdr_core.runs.requests",
    "shipped": "rdr_core.runs.archive",
    "smoothed_counts": "rdr_core.methods.label_density",
    "sweep": "rdr_core.jobs.sweep",
    "threshold_curve": "rdr_core.measures.rare_class",
    "train": "rdr_core.runs.requests",
    "train_config": "rdr_core.runs.requests",
}

__all__ = [
    "GROUPS",
    "RIDGE",
    "CsvColumns",
    "LabelBins",
    "LongTailedData",
    "MissingData",
    "RDRWeights",
    "RdrError",
    "Run",
    "RunConfig",
    "ShardedRDRWeights",
    "TrainingDiverged",
    "TrainingStopped",
    "Weighing",
    "Weighting",
    "at_least",
    "at_threshold",
    "between",
    "class_means",
    "dataset",
    "density_ratio",
    "evaluate",
    "explain",
    "from_arrays",
    "from_csv",
    "from_dataset",
    "from_folder",
    "from_frame",
    "from_series",
    "from_text",
    "label_bins",
    "list_runs",
    "load_data",
    "mean_one",
    "method_label",
    "method_order",
    "moved_threshold",
    "normalise",
    "one_of",
    "part",
    "record",
    "refine",
    "resume",
    "shipped",
    "smoothed_counts",
    "sweep",
    "threshold_curve",
    "train",
    "train_config",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)
