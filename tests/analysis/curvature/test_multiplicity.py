"""An eigenvalue is found as often as it is there, at both ends, in single and double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rdr_viz.analysis.curvature import Hessian
from rdr_viz.analysis.curvature.eigenvalues import extreme_eigenpairs

#: Distinct values of a spectrum's ends and how often each is there; hundreds of others lie between -1 and 1.
ENDS = st.lists(st.tuples(st.integers(3, 60), st.integers(1, 9)), min_size=1, max_size=4, unique_by=lambda end: end[0])


def spectrum(top: list[tuple[int, int]], bottom: list[tuple[int, int]], bulk: np.ndarray) -> np.ndarray:
    ends = [np.full(times, float(value)) for value, times in top]
    ends += [np.full(times, -float(value)) for value, times in bottom]
    return np.concatenate([*ends, bulk])


def operator(values: np.ndarray, seed: int, dtype: torch.dtype):
    """A symmetric matrix of that spectrum whose products round as ``dtype`` does."""
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values), len(values))))
    matrix = torch.from_numpy((basis * values) @ basis.T)
    return lambda v: (matrix.to(dtype) @ v.to(dtype)).double()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@given(top=ENDS, bottom=ENDS, k=st.integers(1, 8), seed=st.integers(0, 1000))
def test_as_often_as_it_is_there(dtype, top, bottom, k, seed):
    draw = np.random.default_rng(seed)
    k = min(k, *(sum(times for _, times in ends) for ends in (top, bottom)))  # so many stand clear of the others
    values = spectrum(top, bottom, draw.uniform(-1, 1, 300))
    start = torch.from_numpy(draw.standard_normal(len(values)))
    found = extreme_eigenpairs(
        operator(values, seed, dtype), start, k=k, which="both", tolerance=1e-4, budget=2000, dtype=dtype
    )
    ordered = np.sort(values)[::-1]
    assert found.converged
    np.testing.assert_allclose(found.values, np.r_[ordered[:k], ordered[-k:]], rtol=2e-5, atol=1e-5)
    assert (found.residuals <= 1.01e-4 * np.maximum(np.abs(found.values), 1e-2)).all() or dtype == torch.float32
    together = found.vectors.T @ found.vectors
    torch.testing.assert_close(together, torch.eye(2 * k, dtype=torch.float64), rtol=0, atol=1e-4)


@pytest.mark.parametrize("which", ["largest", "smallest", "both"])
@given(k=st.integers(2, 6), rank=st.integers(0, 8), seed=st.integers(0, 1000))
def test_of_few_directions_the_rest_is_zero(which, k, rank, seed):
    """More values asked for than there are: what is left over is the flat rest, found as such."""
    draw = np.random.default_rng(seed)
    values = np.concatenate([draw.integers(1, 4, rank).astype(float), np.zeros(120)])
    start = torch.from_numpy(draw.standard_normal(len(values)))
    found = extreme_eigenpairs(operator(values, seed, torch.float64), start,
                               k=k, which=which, tolerance=1e-6, budget=1000)  # fmt: skip
    ordered = np.sort(values)[::-1]
    wanted = {"largest": ordered[:k], "smallest": ordered[-k:], "both": np.r_[ordered[:k], ordered[-k:]]}[which]
    assert found.converged
    np.testing.assert_allclose(found.values, wanted, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_linear_network_at_zero_has_each_nine_times(dtype):
    """H = (I / 10 - 11' / 100) kron X'X / n: nine classes' directions share each eigenvalue of the images."""
    torch.manual_seed(0)
    x = torch.randn(500, 64)
    model = nn.Linear(64, 10, bias=False)
    nn.init.zeros_(model.weight)
    found = Hessian(model, x, torch.arange(500) % 10, dtype=dtype).eigenvalues(12, budget=4000)
    of_images = np.linalg.eigvalsh((x.double().T @ x.double() / 500).numpy())[::-1]
    np.testing.assert_allclose(found.values, np.repeat(of_images / 10, 9)[:12], rtol=1e-5)
    assert found.converged


def test_close_but_distinct_ones_are_both_found():
    """Missed once in some 400 tries: the second smallest was -1.908, the third, where -1.915 is."""
    for seed in range(60):
        draw = np.random.default_rng(seed)
        values = np.concatenate([[-2.4, -1.915, -1.908], draw.gamma(0.4, 0.6, 400) - 0.3, [25.0, 14.0]])
        start = torch.from_numpy(draw.standard_normal(len(values)))
        found = extreme_eigenpairs(operator(values, seed, torch.float64), start, k=2, which="both", tolerance=1e-4,
                                   budget=1000)  # fmt: skip
        assert found.converged
        np.testing.assert_allclose(found.values, [25, 14, -1.915, -2.4], atol=2e-4)  # the tolerance, of each


def test_a_budget_that_ends_before_it_is_sure_does_not_say_converged():
    values = spectrum([(5, 3), (3, 1)], [], np.random.default_rng(0).uniform(-1, 1, 300))
    product = operator(values, 0, torch.float64)
    start = torch.from_numpy(np.random.default_rng(1).standard_normal(len(values)))
    budgets = range(6, 80)
    found = [extreme_eigenpairs(product, start, k=3, which="largest", tolerance=1e-4, budget=b) for b in budgets]
    right = [np.allclose(one.values, 5, rtol=1e-6) for one in found]
    assert all(good for one, good in zip(found, right, strict=True) if one.converged)
    assert found[-1].converged
    assert not all(right)
