"""The trace's standard error holds what it says, though sampling stops on it; traces of parts add up."""

from __future__ import annotations

import networks
import numpy as np
import pytest
import torch

from rdr_core.errors import RdrError
from rdr_viz.analysis.curvature import Hessian
from rdr_viz.analysis.curvature.trace import PILOT, estimate_trace, standard_error


def estimates(matrix: np.ndarray, seed: int, relative_error: float):
    """The estimator on a dense matrix, all probes of a round at once."""
    draw = np.random.default_rng(seed)

    def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
        probes = draw.integers(0, 2, (n, len(matrix))) * 2.0 - 1
        images = probes @ matrix
        units = images / np.linalg.norm(images, axis=1, keepdims=True)
        cosines = np.append(np.nan, (units[1:] * units[:-1]).sum(1) ** 2)
        return np.einsum("np,np->n", images, probes), cosines

    return estimate_trace(sample, relative_error=relative_error, exact_part=0.0, probes=None, maximum=5000)


def dense_case() -> np.ndarray:
    """300 x 300 with a spectrum like a network's: a few outliers, most near 0."""
    draw = np.random.default_rng(0)
    basis, _ = np.linalg.qr(draw.standard_normal((300, 300)))
    values = np.concatenate([np.linspace(6, 1, 10), 0.4 * draw.gamma(0.3, 1, 290)])
    return (basis * values) @ basis.T


@pytest.mark.parametrize("relative_error", [0.1, 0.03, 0.01])
def test_the_truth_lies_within_two_standard_errors_as_often_as_it_should(relative_error):
    matrix = dense_case()
    found = [estimates(matrix, seed, relative_error) for seed in range(200)]
    inside = np.mean([abs(one.value - np.trace(matrix)) <= 2 * one.standard_error for one in found])
    assert 0.93 <= inside <= 0.97
    assert all(one.converged and one.standard_error <= relative_error * abs(one.value) for one in found)
    assert all(len(one.samples) >= PILOT for one in found)


@pytest.mark.slow
def test_the_same_on_a_network_through_the_class():
    model, x, y = networks.with_batch_norm()
    exact = float(networks.dense_hessian(model, x, y).trace())
    inside = []
    for seed in range(400):
        found = Hessian(model, x, y, dtype=torch.float64, seed=seed).trace(0.1)
        inside.append(abs(found.value - exact) <= 2 * found.standard_error)
    assert 0.93 <= np.mean(inside) <= 0.97


def test_standard_error_widens_for_few_samples():
    draw = np.random.default_rng(3)
    for n in (4, 16, 100):
        samples = draw.normal(size=(20_000, n))
        inside = [abs(row.mean()) <= 2 * standard_error(row) for row in samples[:4000]]
        assert np.mean(inside) == pytest.approx(0.9545, abs=0.012)


def test_traces_of_classes_add_up_with_the_same_probes():
    model, x, _ = networks.with_batch_norm()
    y = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 0, 0, 0])
    probes = {"probes": 12}
    whole = Hessian(model, x, y, batch_size=4, dtype=torch.float64).trace(**probes)
    parts = [Hessian(model, x[y == c], y[y == c], batch_size=4, dtype=torch.float64).trace(**probes) for c in range(3)]
    shares = [int((y == c).sum()) / len(y) for c in range(3)]
    assert sum(share * part.value for share, part in zip(shares, parts, strict=True)) == pytest.approx(
        whole.value, rel=1e-12
    )
    # Probe by probe, not just in the mean.
    summed = sum(share * part.samples for share, part in zip(shares, parts, strict=True))
    np.testing.assert_allclose(summed, whole.samples, rtol=1e-11)


def test_deflation_cuts_the_probes_and_keeps_the_value():
    model, x, y = networks.with_batch_norm()
    exact = float(networks.dense_hessian(model, x, y).trace())
    plain = Hessian(model, x, y, dtype=torch.float64).trace(0.02, maximum=5000)
    hessian = Hessian(model, x, y, dtype=torch.float64)
    deflated = hessian.trace(0.02, maximum=5000, deflate=hessian.eigenvalues(1, "both"))
    assert deflated.products < plain.products / 2
    assert abs(deflated.value - exact) <= 3 * deflated.standard_error
    assert deflated.exact_part != 0


def test_what_was_asked_before_changes_no_answer():
    """Only what is handed over is taken out of the probes."""
    model, x, y = networks.with_batch_norm()
    fresh, asked = (Hessian(model, x, y, dtype=torch.float64) for _ in range(2))
    asked.eigenvalues(1, "both")
    assert np.array_equal(asked.trace(probes=5).samples, fresh.trace(probes=5).samples)
    assert np.array_equal(asked.spectral_density(2, steps=5).nodes, fresh.spectral_density(2, steps=5).nodes)


def test_eigenvalues_of_another_network_are_refused():
    model, x, y = networks.with_batch_norm()
    small = Hessian(torch.nn.Linear(2, 3), torch.eye(2), torch.tensor([0, 1])).eigenvalues()
    with pytest.raises(RdrError, match=r"of a Hessian of 9 parameters, this one has \d+; give what this Hessian's own"):
        Hessian(model, x, y).trace(deflate=small)


def test_a_trace_of_zero_stops_at_the_maximum():
    found = estimate_trace(
        lambda n: (np.tile([1.0, -1.0], n)[:n], np.zeros(n)),
        relative_error=0.03,
        exact_part=0.0,
        probes=None,
        maximum=40,
    )
    assert len(found.samples) == 40
    assert not found.converged
