"""What the tests of pictures share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for made_up_runs

from made_up_runs import make_run


@pytest.fixture
def three_runs():
    """CE, 1/n and RDR with one seed, in an order that is not the pictures'."""
    return [make_run(method) for method in ("rdr", "ce", "inverse")]
