"""A paper small enough to be trained in a test: two methods on digits, one epoch."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdr_viz.papers.paper import Paper, load_paper

_FILES = {
    "paper.toml": """
title = "A tiny paper"
cite = "Nobody."
about = "It has one table, one figure and one claim."
[datasets]
toy-lt = "Toy-LT"
[parts]
none = ""
[[tables]]
name = "1"
caption = "Two methods."
""",
    "tables.csv": """table,dataset,imbalance_factor,loss,method,group,top1,std,note
1,toy-lt,100,ce,none,all,70.0,0.5,
1,toy-lt,100,ce,none,few,40.0,,
1,toy-lt,100,ce,rdr,all,75.0,0.5,a slip
""",
    "grids.toml": """
[[grids]]
name = "tiny"
scale = "paper"
title = "One epoch"
note = "Takes a second."
seeds = 2
datasets = { toy-lt = "digits" }
factors = { 100 = 20 }
settings = { epochs = 1 }
""",
    "figures.toml": """
[[figures]]
number = "1"
caption = "Groups."
shows = "Bars."
[[figures.pictures]]
kind = "accuracy"
datasets = ["toy-lt"]
factors = [100]
methods = ["ce", "rdr"]
""",
    "claims.toml": """
[[claims]]
says = "RDR beats CE."
measure = "all"
method = "rdr"
against = "ce"
above = 0
datasets = ["toy-lt"]
factors = [100]
""",
}


def write_tiny(folder: Path, epochs: int = 1) -> None:
    """The paper's files, into ``folder/tiny``; its runs have so many epochs."""
    (folder / "tiny").mkdir()
    for name, text in _FILES.items():
        (folder / "tiny" / name).write_text(text.replace("epochs = 1", f"epochs = {epochs}"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Paper:
    """The paper, read from its files."""
    folder = tmp_path_factory.mktemp("papers")
    write_tiny(folder)
    return load_paper("tiny", folder)


@pytest.fixture
def longer_tiny(tmp_path) -> Path:
    """Folder of the paper with runs that are not over after their first epoch."""
    folder = tmp_path / "papers"
    folder.mkdir()
    write_tiny(folder, epochs=3)
    return folder


@pytest.fixture
def papers_with_tiny(tmp_path) -> Path:
    """Folder of the paper."""
    write_tiny(tmp_path)
    return tmp_path
