"""What the tests of the explorer share: the shipped runs."""

from __future__ import annotations

import pytest

from rdr_core.papers.shipped import shipped
from rdr_viz.explorer.ahead import Ahead
from rdr_viz.explorer.catalogue import Catalogue


@pytest.fixture(scope="session")
def stored():
    """The folder of the shipped runs: digits, several tails and methods, some of them analysed."""
    return shipped()


@pytest.fixture(scope="session")
def catalogue(stored):
    return Catalogue([stored])


@pytest.fixture(autouse=True)
def _nothing_is_drawn_ahead_afterwards(monkeypatch):
    """An event loop that a browser's test has left would go on with it, a process for each test that made pictures."""
    made, init = [], Ahead.__init__

    def noted(self, *given) -> None:
        init(self, *given)
        made.append(self)

    monkeypatch.setattr(Ahead, "__init__", noted)
    yield
    for ahead in made:
        ahead.end()
