"""A published page of shipped runs, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from once import once
from published_page import digits, opened

import rdr_core
from rdr_core.runs import list_runs
from rdr_core.runs.archive import shipped
from rdr_viz.analysis.replayed_ratios import ratio_reliability
from rdr_viz.explorer.publish import publish


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Path:
    """The page: digits at two imbalances, three seeds, two seeds of Fashion-MNIST, and short runs on digits."""

    def make(folder: Path) -> None:
        runs = digits("ce", "inverse", "la", "rdr") + digits("ce", "inverse", "rdr", factor=10)
        methods = ["ce", "inverse+drw", "rdr:preset=released"]
        runs += list_runs(shipped(), dataset="fashion-mnist", method=methods, seed=[0, 1])
        # Of runs with weights, since ratios are replayed with them.
        short = {"imbalance_factor": 50, "epochs": 3, "runs": folder / "runs", "progress": False}
        for method, seed in (("ce", 0), ("rdr", 0), ("rdr", 1), ("rdr+la", 0), ("rdr+la", 1), ("rdr", 2)):
            run = rdr_core.train("digits", method=method, seed=seed, **short)
            runs.append(run)
            if method != "ce" and seed < 2:
                ratio_reliability(run)
        publish(runs, folder / "page.html", made="Made for a test.")

    return once(tmp_path_factory, "published", make) / "page.html"


@pytest.fixture
def seen(browser, published):
    """The published page, opened."""
    found = opened(browser, published)
    yield found
    assert found.errors == []
    assert [url for url in found.requests if not url.startswith(("data:", "blob:", published.as_uri()))] == []
    found.page.close()
