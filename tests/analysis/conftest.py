"""Short real runs on digits, trained once for all tests of analyses."""

from __future__ import annotations

import pytest

import rdr_core

EPOCHS = 10


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """CE, 1/n and RDR on digits, ten epochs, one seed; and RDR with a second."""
    folder = tmp_path_factory.mktemp("runs")
    asked = [("ce", 0), ("inverse", 0), ("rdr", 0), ("rdr", 1)]
    return [
        rdr_core.train(
            "digits", imbalance_factor=50, method=method, seed=seed, epochs=EPOCHS, runs=folder, progress=False
        )
        for method, seed in asked
    ]


@pytest.fixture(scope="session")
def rdr_run(trained):
    return trained[2]


@pytest.fixture(scope="session")
def one_seed(trained):
    return trained[:3]
