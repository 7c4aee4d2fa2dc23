"""Short real runs on digits, trained once for all tests of analyses."""

from __future__ import annotations

import numpy as np
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


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory):
    """The least there is: arrays of one's own with two classes, so no Medium, trained for one epoch; and the data."""
    rng = np.random.default_rng(0)
    labels, test_labels = np.repeat([0, 1], [30, 4]), np.repeat([0, 1], [10, 10])
    images, test_images = (
        np.clip(90 + 60 * which[:, None, None] + rng.normal(0, 30, (len(which), 8, 8)), 0, 255).astype(np.uint8)
        for which in (labels, test_labels)
    )
    data = rdr_core.from_arrays(images, labels, test_images, test_labels)
    folder = tmp_path_factory.mktemp("arrays")
    runs = [
        rdr_core.train(data, method=method, epochs=1, model="small", runs=folder, progress=False)
        for method in ("ce", "rdr")
    ]
    return runs, data
