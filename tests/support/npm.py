"""The front end's packages, installed as its lock says: what bundles it, and what judges its accessibility."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from once import once
from waiting import run

FRONT = Path(__file__).resolve().parents[2] / "rdr_viz" / "explorer" / "front"


def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the front end's folder with its packages; without npm tests are skipped, on CI they fail."""
    if shutil.which("npm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no npm in CI; install Debian's packages nodejs and npm")
        pytest.skip("no npm here")

    def make(folder: Path) -> None:
        shutil.copytree(FRONT, folder / "front", ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        done = run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder / "front")
        assert done.returncode == 0, done.stderr

    return once(tmp_path_factory, "npm", make) / "front"
