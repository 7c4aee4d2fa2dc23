"""Parts of the site that several files of tests look at: made once for all of them, by `make docs`'s own code."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from once import once

ROOT = Path(__file__).resolve().parents[2]


def builder() -> ModuleType:
    """docs/build.py."""
    spec = importlib.util.spec_from_file_location("build_site", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def work_with_the_paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what the site's build keeps, with the shipped paper in it: drawing that takes longest of all."""
    module = builder()
    return once(tmp_path_factory, "site-work", lambda folder: module.kept(folder, "paper", [], module.paper)).resolve()


def shipped_paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page that `rdr paper` makes of the shipped runs."""
    (page,) = work_with_the_paper(tmp_path_factory).glob("kept/paper-*/paper/index.html")
    return page
