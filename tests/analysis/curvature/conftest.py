"""What the tests of curvature share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """A real digits run of four epochs."""
    import rdr_core

    return rdr_core.train("digits", imbalance_factor=50, method="rdr+la", epochs=4, progress=False,
                          runs=tmp_path_factory.mktemp("runs"))  # fmt: skip
