"""What is said of the authors' code: that it exists, where, and what it covers; held in one place, paper.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rdr_viz.papers.paper import load_paper

ROOT = Path(__file__).resolve().parents[2]
ADDRESS, COMMIT = "github.com/GoodMorningPeter/RDR", "bb55ea9f906f"
UNTRUE = re.compile(r"no\s+code|published\s+no|README\s+only", re.IGNORECASE)


def texts() -> list[Path]:
    listed = [ROOT / "README.md"]
    for folder in ("docs", "notebooks", "data/paper", "data/runs", "data/measurements", "rdr_core", "rdr_viz"):
        listed += [p for p in (ROOT / folder).rglob("*") if p.suffix in {".md", ".py", ".ipynb", ".toml", ".j2"}]
    return listed


def test_the_paper_says_where_the_authors_code_is_and_what_it_covers():
    about = load_paper("rdr").about
    assert f"released code for CIFAR with cross-entropy ({ADDRESS}, commit {COMMIT})" in about
    assert "It does not cover logit adjustment, SAM, noisy labels, ImageNet-LT, Places-LT or the Hessian" in about


@pytest.mark.parametrize(
    "name", ["README.md", "docs/index.md", "docs/methods/three-rdrs.md", "notebooks/05_the_paper.ipynb",
             "notebooks/07_reading_group.ipynb", "rdr_core/methods/presets.py"]
)  # fmt: skip
def test_who_speaks_of_it_names_the_same_address_and_commit(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert ADDRESS in text
    assert COMMIT in text


def test_nobody_says_that_there_is_none():
    found = {str(path.relative_to(ROOT)) for path in texts() if UNTRUE.search(path.read_text(encoding="utf-8"))}
    assert found == set()
