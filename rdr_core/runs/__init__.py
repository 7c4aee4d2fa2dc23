"""Runs on disk: configuration in, histories, metrics and weights out."""

from rdr_core.runs.run import Run
from rdr_core.runs.run_list import list_runs
from rdr_core.training.config import RunConfig

__all__ = ["Run", "RunConfig", "list_runs"]
