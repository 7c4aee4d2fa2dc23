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
    grids, claims = (
        tomllib.loads((ROOT / "data" / "paper" / "rdr" / f"{name}.toml").read_text())[name]
        for name in ("grids", "claims")
    )
    return verdicts.judged(grids, claims, verdicts.read(sorted((ROOT / "data" / "runs").glob("*.tar.xz"))))


def test_it_has_nothing_of_the_toolkit():
    source = (ROOT / "benchmarks" / "verdicts.py").read_text()
    imported = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import", "from"))
    }
    assert imported - {"__future__"} <= {*sys.stdlib_module_names, "numpy", "pandas"}


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 30])
@pytest.mark.parametrize("confidence", [0.95, 0.999])
def test_students_distribution_is_scipys(verdicts, freedom, confidence):
    quantile = verdicts.quantile(freedom, confidence)
    assert quantile == pytest.approx(stats.t.ppf((1 + confidence) / 2, freedom), rel=1e-6)
    for t in (-3.0, 0.0, 0.4, 12.0):
        assert verdicts.tail(freedom, t) == pytest.approx(stats.t.sf(t, freedom), rel=1e-4)


def test_its_order_is_scipys_kendall(verdicts):
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.integers(0, 5, (2, 8)).astype(float)
        assert verdicts.kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, nan_ok=True)


@pytest.mark.slow
def test_every_verdict_of_the_shipped_page_comes_out_again(verdicts, found, tmp_path_factory):
    page = pd.read_csv(shipped_paper(tmp_path_factory).parent / "claims.csv")
    assert len(found) == (page.verdict != "not measured").sum() > 100
    assert {"lambda_min", "trace_few", "seconds"} <= set(found.measure)
    assert verdicts.beside(found, page) == []


def test_another_number_verdict_or_claim_is_told(verdicts, found):
    page = found.copy()
    assert verdicts.beside(found, page) == []
    for column, value in (("mean", 9.0), ("seeds", 30.0), ("p", 2.0), ("verdict", "perhaps"), ("claim", "Another.")):
        other = page.copy()
        other.loc[0, column] = value
        assert len(verdicts.beside(found, other)) == (2 if column == "claim" else 1), column


def test_one_seed_and_equal_seeds_decide_nothing(verdicts):
    for values in ([5.0], [5.0, 5.0]):
        assert np.isnan(verdicts.p_value(np.array(values), 0, np.inf))
        assert verdicts.verdict(*verdicts.interval(np.array(values), 0.95), 0, np.inf) == "undecided"


def test_holms_rule_by_hand(verdicts):
    assert verdicts.holm(pd.Series([0.01, 0.04, 0.2, np.nan])) == 0.025
    assert verdicts.holm(pd.Series([0.2, 0.3])) == 0.025
    assert verdicts.holm(pd.Series([0.01, 0.02])) == 0.05
