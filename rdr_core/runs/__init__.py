"""Runs on disk: configuration in, histories, metrics and weights out."""

from rdr_core.runs.config import RunConfig
from rdr_core.runs.run import Run, list_runs

__all__ = ["Run", "RunConfig", "list_runs"]
