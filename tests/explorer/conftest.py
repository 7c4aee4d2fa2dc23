"""What the tests of the explorer share: the shipped runs."""

from __future__ import annotations

import pytest

from rdr_core.runs.archive import shipped
from rdr_viz.explorer.at_hand import Catalogue


@pytest.fixture(scope="session")
def stored():
    """The folder of the shipped runs: digits, several tails and methods, some of them analysed."""
    return shipped()


@pytest.fixture(scope="session")
def catalogue(stored):
    return Catalogue([stored])
