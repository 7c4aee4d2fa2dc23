"""What all tests of jobs share: their tasks are found in other processes too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SUPPORT = Path(__file__).resolve().parents[1] / "support"


@pytest.fixture(autouse=True)
def _other_processes_find_the_tests_tasks_and_check_no_shapes(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT), prepend=os.pathsep)
    monkeypatch.setenv("RDR_CHECK_SHAPES", "0")
