"""Two standard errors hold the truth as often as they promise, from two probes on, whatever the spectrum.

benchmarks/standard_errors.py has all numbers of probes and spectra, over four thousand seeds.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rdr_viz.analysis.curvature import Hessian
from rdr_viz.analysis.curvature.trace import EQUAL, standard_error, wider

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def simulation(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("standard_errors")


@pytest.mark.slow
@pytest.mark.parametrize("probes", [2, 5, 16])
@pytest.mark.parametrize("spectrum", ["flat", "falls as a power", "rank one"])
def test_in_a_simulation_of_fixed_seeds(simulation, spectrum, probes):
    """Of 200 seeds, 95.45 % is 191; 185 and 197 are as far as chance goes."""
    found = simulation.within(simulation.SPECTRA[spectrum], probes, seeds=200)
    assert 92.5 <= found["trace"] <= 98.5
    assert 92.5 <= found["density"] <= 98.5


def test_chi_squared_samples_of_any_freedom():
    """What the table of widenings is for: mean 1, and a sample that is small by chance looks narrow."""
    draw = np.random.default_rng(0)
    for freedom in (1, 3, 12):
        for n in (2, 7, 40):
            samples = draw.chisquare(freedom, (4000, n)) / freedom
            inside = [abs(row.mean() - 1) <= 2 * standard_error(row, 1 / freedom) for row in samples]
            assert np.mean(inside) == pytest.approx(0.9545, abs=0.015)


def test_the_widening_is_1_of_normal_samples_and_falls_with_both():
    assert wider(2, 0.0) == wider(500, 0.0) == 1
    grid = np.array(
        [[wider(n, alignment) for alignment in (1.0, 0.6, 0.3, 0.1, 0.01, 0.0)] for n in (3, 7, 20, 90, 400)]
    )
    assert (np.diff(grid, axis=0) <= 1e-12).all()
    assert (np.diff(grid, axis=1) <= 1e-12).all()
    assert (grid >= 1).all()


class Sum(nn.Module):
    """(w1 + w2)^2 / 2, by 2 parameters: its Hessian is all ones, and its trace 2."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([0.3, 0.4]))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weights.sum()


def test_the_smallest_input_that_was_wrong():
    """20 of 50 seeds gave 0 or 4 with a standard error of 0, and converged."""
    x, y = torch.ones(1, 1), torch.zeros(1)
    for seed in range(50):
        found = Hessian(Sum(), x, y, loss=lambda out, _: out[:, 0] ** 2 / 2, seed=seed).trace(probes=2)
        assert (found.value, found.standard_error, found.converged) == (pytest.approx(2), 0, True)


def test_equal_samples_prove_nothing_until_there_are_many():
    assert all(np.isnan(standard_error(np.full(n, 3.0))) for n in range(1, EQUAL))
    assert standard_error(np.full(EQUAL, 3.0)) == 0


def test_what_has_no_error_has_not_converged():
    """Three weights of which one direction counts: two probes agree by chance in some seeds."""

    class Three(Sum):
        def __init__(self) -> None:
            super().__init__()
            self.weights = nn.Parameter(torch.zeros(3))

    x, y = torch.ones(1, 1), torch.zeros(1)
    found = [
        Hessian(Three(), x, y, loss=lambda out, _: out[:, 0] ** 2 / 2, seed=seed).trace(probes=2) for seed in range(30)
    ]
    unknown = [one for one in found if np.isnan(one.standard_error)]
    assert len(unknown) > 3
    assert not any(one.converged for one in unknown)
    assert all(abs(one.value - 3) <= 2 * one.standard_error for one in found if one not in unknown)
