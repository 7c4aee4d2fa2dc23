"""benchmarks/verdicts.py: the verdicts on Fashion-MNIST from the shipped files alone, by other code than the page's."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from built_site import shipped_paper
from scipy import stats

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def verdicts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verdicts", ROOT / "benchmarks" / "verdicts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(verdicts) -> pd.DataFrame:
    runs = pd.concat([verdicts.last_epochs(path) for path in (ROOT / "data" / "runs").glob("fashion*.tar.xz")])
    claims = tomllib.loads((ROOT / "data" / "paper" / "rdr" / "claims.toml").read_text())["claims"]
    return verdicts.judged(runs, claims)


def test_it_has_nothing_of_the_toolkit():
    source = (ROOT / "benchmarks" / "verdicts.py").read_text()
    imported = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import", "from"))
    }
    assert imported - {"__future__"} <= {*sys.stdlib_module_names, "numpy", "pandas"}


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 30])
def test_students_quantile_is_scipys(verdicts, freedom):
    assert verdicts.quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-6)


@pytest.mark.slow
def test_every_verdict_of_the_shipped_page_comes_out_again(verdicts, found, tmp_path_factory):
    page = pd.read_csv(shipped_paper(tmp_path_factory).parent / "claims.csv")
    assert len(found) >= 9
    assert verdicts.beside(found, page) == []


def test_another_number_verdict_or_claim_is_told(verdicts, found):
    page = found.assign(by="difference")
    assert verdicts.beside(found, page) == []
    for column, value in (("mean", 9.0), ("seeds", 3), ("verdict", "perhaps"), ("claim", "Another.")):
        other = page.copy()
        other.loc[0, column] = value
        assert len(verdicts.beside(found, other)) == (2 if column == "claim" else 1), column


def test_one_seed_and_equal_seeds_decide_nothing(verdicts):
    assert verdicts.verdict(np.array([5.0]), 0, np.inf)[-1] == "undecided"
    assert verdicts.verdict(np.array([5.0, 5.0]), 0, np.inf) == (5.0, 5.0, 5.0, "undecided")
    assert verdicts.verdict(np.array([5.0, 5.1, 4.9]), 0, np.inf)[-1] == "holds"
    assert verdicts.verdict(np.array([-5.0, -5.1, -4.9]), 0, np.inf)[-1] == "fails"
