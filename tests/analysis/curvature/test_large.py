"""Spectra too large for a dense matrix: Lanczos with restarts, budgets, saddles, and what PyHessian gives there."""

from __future__ import annotations

import networks
import numpy as np
import pytest
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import nn

from rdr_core.errors import RdrError
from rdr_viz.analysis.curvature import Hessian, eigenvalues
from rdr_viz.analysis.curvature.eigenvalues import extreme_eigenpairs


def diagonal_case(size: int = 2000) -> torch.Tensor:
    """A bulk around 0 with outliers: largest 40, smallest just below the bulk."""
    values = torch.from_numpy(np.random.default_rng(0).normal(0, 0.2, size))
    values[:6] = torch.tensor([40, 22, 9, 5, -1.1, -0.95], dtype=torch.float64)
    return values


def random_start(size: int = 2000) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).normal(size=size))


@pytest.mark.parametrize("room", [256, 24])
@pytest.mark.parametrize("which", ["largest", "smallest", "both"])
def test_known_spectrum(which, room, monkeypatch):
    """With room for all vectors that it takes, and with so little that it starts again and again."""
    monkeypatch.setattr(eigenvalues, "MOST", room)
    monkeypatch.setattr(eigenvalues, "SPARE", 4)
    values = diagonal_case()
    pairs = extreme_eigenpairs(lambda v: values * v, random_start(), k=2, which=which, tolerance=1e-6, budget=2000)
    expected = {"largest": [40, 22], "smallest": [-0.95, -1.1], "both": [40, 22, -0.95, -1.1]}[which]
    np.testing.assert_allclose(pairs.values, expected, rtol=1e-9)
    assert pairs.converged
    assert (pairs.residuals <= 1.01e-6 * np.abs(expected)).all()
    if which == "both":
        assert pairs.products < (60 if room == 256 else 90)
    places = {40: 0, 22: 1, -1.1: 4, -0.95: 5}
    picked = [abs(float(pairs.vectors[places[value], i])) for i, value in enumerate(expected)]
    assert picked == pytest.approx([1] * len(expected), abs=1e-6)


def test_scipys_eigsh_finds_the_same_with_more_products():
    """The reference: ARPACK, one call an end."""
    values, made = diagonal_case().numpy(), []
    operator = LinearOperator((2000, 2000), matvec=lambda v: made.append(1) or values * v.ravel(), dtype=np.float64)
    start = random_start()
    reference = [eigsh(operator, 3, which=end, v0=start.numpy(), tol=1e-6)[0] for end in ("LA", "SA")]
    expected = np.sort(np.concatenate(reference))[::-1]
    pairs = extreme_eigenpairs(
        lambda v: torch.from_numpy(values) * v, start, k=3, which="both", tolerance=1e-6, budget=500
    )
    np.testing.assert_allclose(pairs.values, expected, rtol=1e-9)
    assert pairs.products < len(made)


@pytest.mark.parametrize(
    ("values", "k"),
    [([3.0] * 2 + [1.0] * 60, 2), ([2.0] * 90, 3), ([5.0, 5.0, 5.0, 1.0, -4.0, -4.0] + [0.0] * 80, 2)],
)
def test_eigenvalues_that_several_vectors_share(values, k):
    values = torch.tensor(values, dtype=torch.float64)
    pairs = extreme_eigenpairs(lambda v: values * v, random_start(len(values)), k=k, which="both", tolerance=1e-6,
                               budget=80)  # fmt: skip
    ordered = values.sort(descending=True).values
    np.testing.assert_allclose(pairs.values, torch.cat([ordered[:k], ordered[-k:]]), atol=1e-12)
    assert pairs.converged
    torch.testing.assert_close(pairs.vectors.T @ pairs.vectors, torch.eye(2 * k, dtype=torch.float64))


def test_a_spent_budget_gives_the_best_so_far_with_its_residual():
    values = diagonal_case()
    ask = {"k": 1, "which": "smallest", "tolerance": 1e-10}
    pairs = extreme_eigenpairs(lambda v: values * v, random_start(), budget=20, **ask)
    assert not pairs.converged
    assert pairs.products == 21
    assert -1.1 <= pairs.values[0] < -0.9
    # An eigenvalue lies within the residual.
    assert (values - pairs.values[0]).abs().min() <= pairs.residuals[0]
    later = extreme_eigenpairs(lambda v: values * v, random_start(), budget=60, **ask)
    assert later.residuals[0] < pairs.residuals[0]


def test_a_zero_hessian_is_zero():
    pairs = extreme_eigenpairs(lambda v: 0 * v, random_start(500), k=1, which="both", tolerance=1e-4, budget=100)
    assert (pairs.values == 0).all()
    assert (pairs.residuals == 0).all()


def test_the_same_bits_on_every_call():
    model, x, y = networks.with_batch_norm()
    first, second = (Hessian(model, x, y).eigenvalues(2, "both", vectors=True) for _ in range(2))
    assert np.array_equal(first.values, second.values)
    assert np.array_equal(first.vectors, second.vectors)


def test_a_saddle_has_both_signs():
    model, x, y = networks.saddle()
    exact = np.linalg.eigvalsh(networks.dense_hessian(model, x, y).numpy())
    assert exact[-1] == pytest.approx(-exact[0], rel=1e-2)
    for dtype in (torch.float64, torch.float32):
        found = Hessian(model, x, y, dtype=dtype).eigenvalues(which="both")
        np.testing.assert_allclose(found.values, exact[[-1, 0]], rtol=1e-4)


def test_pyhessian_is_lost_at_a_saddle_and_is_not_said_to_have_converged():
    """Power iteration cannot part +c from -c: it returns something between, with no hint of its own that it is off."""
    pytest.importorskip("pyhessian")
    model, x, y = networks.saddle()
    exact = np.linalg.eigvalsh(networks.dense_hessian(model, x, y).numpy())
    found = [
        Hessian(model, x, y, dtype=torch.float64, backend="pyhessian", seed=seed).eigenvalues(
            tolerance=1e-3, budget=100
        )
        for seed in range(8)
    ]
    largest = np.array([one.largest for one in found])
    errors = np.abs(largest - exact[-1]) / exact[-1]
    assert (errors > 0.05).sum() >= 6
    assert np.ptp(largest) > 0.1 * exact[-1]
    assert not any(one.converged for one in found)
    nearest = [np.abs(exact - value).min() for value in largest]
    assert all(near <= one.residuals[0] for near, one in zip(nearest, found, strict=True))


def test_pyhessian_where_it_is_right_and_what_it_leaves_behind():
    pytest.importorskip("pyhessian")
    model, x, y = networks.with_batch_norm()
    model = model.double().train()
    exact = np.linalg.eigvalsh(networks.dense_hessian(model, x, y, batch_size=4).numpy())
    state = torch.random.get_rng_state()
    hessian = Hessian(model, x, y, batch_size=4, dtype=torch.float64, backend="pyhessian")
    assert hessian.eigenvalues(tolerance=1e-9, budget=2000).largest == pytest.approx(exact[-1], rel=1e-3)
    trace = hessian.trace(1e-3, maximum=200)
    assert trace.value == pytest.approx(exact.sum(), rel=0.5)
    assert trace.how.backend == "pyhessian"
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(state, torch.random.get_rng_state())
    with pytest.raises(RdrError, match="no smallest eigenvalues"):
        hessian.eigenvalues(which="smallest")
    with pytest.raises(RdrError, match="density always fails"):
        hessian.spectral_density()


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("training", [False, True])
def test_nothing_of_the_model_is_changed(mode, training):
    model, x, y = networks.with_batch_norm()
    model = nn.Sequential(model, nn.Dropout(0.5)).double().train(training)
    model[0][0].weight.requires_grad_(False)
    next(iter(model[0][4].parameters())).grad = torch.ones(3, 12, dtype=torch.float64)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    random_state = torch.random.get_rng_state()
    hessian = Hessian(model, x, y, mode=mode, batch_size=4)
    hessian.eigenvalues(1, "both")
    hessian.trace(probes=3)
    hessian.spectral_density(2, steps=5)
    with pytest.raises(RdrError, match="one number for each"):
        Hessian(model, x, y, mode=mode, loss=lambda z, t: z.mean()).gradient()
    assert [m.training for m in model.modules()] == [training] * len(list(model.modules()))
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert [p.requires_grad for p in model.parameters()] == [False, True, True, True, True]
    grads = [p.grad for p in model.parameters()]
    assert torch.equal(grads[3], torch.ones(3, 12, dtype=torch.float64))
    assert [grad is None for grad in grads] == [True, True, True, False, True]
    assert torch.equal(random_state, torch.random.get_rng_state())
    assert hessian.parameters == sum(p.numel() for p in model.parameters()) - 27
    # Dropout is off: a product is the same each time.
    vector = torch.ones(hessian.parameters)
    assert torch.equal(hessian.hvp(vector), hessian.hvp(vector))


def test_kept_graphs_and_fresh_ones_agree():
    model, x, y = networks.with_batch_norm()
    results = [
        Hessian(model, x, y, batch_size=4, dtype=torch.float64, memory=memory).eigenvalues(2, "both").values
        for memory in (0, 1, 2**30)
    ]
    np.testing.assert_allclose(results[1:], [results[0]] * 2, rtol=1e-10)


def test_results_say_how_they_were_made():
    model, x, y = networks.plain()
    found = Hessian(model, x, y, batch_size=4, mode="train", seed=7).eigenvalues()
    assert (found.how.mode, found.how.dtype, found.how.images, found.how.batch_size) == ("train", "float32", 11, 4)
    assert (found.how.loss, found.how.parameters, found.how.seed, found.how.backend) == ("cross-entropy", 28, 7, "rdr")
    assert found.products > 1
    assert found.how.seconds > 0
    assert "vectors" not in repr(found)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": "test"}, "mode='test'"),
        ({"backend": "other"}, "backend='other'"),
        ({"dtype": torch.float16}, "float16"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_wrong_options_are_told(options, says):
    model, x, y = networks.plain()
    with pytest.raises(RdrError, match=says):
        Hessian(model, x, y, **options)


def test_wrong_input_is_told():
    model, x, y = networks.plain()
    with pytest.raises(RdrError, match="normalised floats"):
        Hessian(model, x.byte(), y)
    with pytest.raises(RdrError, match="not 0 and 0"):
        Hessian(model, x[:0], y[:0])
    with pytest.raises(RdrError, match="which='top'"):
        Hessian(model, x, y).eigenvalues(which="top")
    with pytest.raises(RdrError, match="budget=3 products are too few for 4"):
        Hessian(model, x, y).eigenvalues(2, "both", budget=3)
    with pytest.raises(RdrError, match="k=100 eigenvalues"):
        Hessian(model, x, y).eigenvalues(100)
    with pytest.raises(RdrError, match="not finite"):
        Hessian(model, x / 0, y).eigenvalues()
    with pytest.raises(RdrError, match="shape"):
        Hessian(model, x, y).hvp(torch.ones(3))
    model.requires_grad_(False)
    with pytest.raises(RdrError, match="unfreeze"):
        Hessian(model, x, y)
