"""The density ratio against a float64 solve class by class, its identities, and its singular cases."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import rdr_core
from rdr_core.methods.batch_classes import class_means
from rdr_core.methods.ratio import RIDGE, check_batch, newton_inverse, solver_by_products


def per_class_reference(features, labels, prototypes) -> np.ndarray:
    """r_i = b_i (Phi_i^T Phi_i)^-1 Phi_i^T F_i, one class at a time, as the paper prints it."""
    x, y, f = features.double().numpy(), labels.numpy(), prototypes.double().numpy()
    ratios = np.empty(len(y))
    for c in np.unique(y):
        rows = np.flatnonzero(y == c)
        phi = x[rows].T
        ratios[rows] = len(rows) * np.linalg.solve(phi.T @ phi, phi.T @ f[c])
    return ratios


def relative_error(ours: torch.Tensor, reference: np.ndarray) -> float:
    return float(np.linalg.norm(ours.double().numpy() - reference) / np.linalg.norm(reference))


def random_batch(seed: int, d: int, kind: str = "normal", size: int = 128, z: int = 64, dtype=torch.float32):
    draw = torch.Generator().manual_seed(seed)
    features, prototypes = (torch.randn(n, z, generator=draw, dtype=dtype) for n in (size, d))
    if kind == "relu":
        features, prototypes = features.relu(), prototypes.relu()
    return features, torch.randint(d, (size,), generator=draw), prototypes


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["normal", "relu"])
@pytest.mark.parametrize("d", [5, 10, 100])
def test_equals_the_float64_solve_class_by_class_on_random_features(d, kind, seed):
    features, labels, prototypes = random_batch(seed, d, kind)
    ours = rdr_core.density_ratio(features, labels, prototypes)
    assert relative_error(ours, per_class_reference(features, labels, prototypes)) < 1e-4


@pytest.mark.parametrize("d", [5, 100])
def test_without_a_ridge_it_is_the_plain_solve(d):
    features, labels, prototypes = random_batch(1, d, dtype=torch.float64)
    ours = rdr_core.density_ratio(features, labels, prototypes, ridge=0.0)
    assert relative_error(ours, per_class_reference(features, labels, prototypes)) < 1e-8


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 40), st.integers(1, 20))
def test_exactly_one_where_prototypes_are_the_batch_means(seed, d, size, z):
    """Singular or not: more samples than features, equal samples, a single sample, any of them."""
    features, labels, prototypes = random_batch(seed, d, size=size, z=z, dtype=torch.float64)
    prototypes[labels] = class_means(features, labels)[0]
    assert torch.equal(rdr_core.density_ratio(features, labels, prototypes), torch.ones(size, dtype=torch.float64))


def test_one_where_prototypes_are_means_computed_otherwise():
    """In float32, with means summed in another order than ours, ReLU features, d = 10."""
    features, labels, _ = random_batch(2, 10, "relu")
    means = torch.stack([features[labels == c].mean(0) for c in range(10)])
    torch.testing.assert_close(rdr_core.density_ratio(features, labels, means), torch.ones(128), rtol=1e-4, atol=1e-4)


def test_first_moments_match_where_the_samples_can_reach_the_prototype():
    """The weighted batch mean is the prototype's projection on the span of the samples."""
    features, labels, prototypes = random_batch(3, 8, dtype=torch.float64)
    ratios = rdr_core.density_ratio(features, labels, prototypes, ridge=0.0)
    for c in labels.unique():
        phi = features[labels == c].T
        reached = phi @ ratios[labels == c] / phi.shape[1]
        basis = torch.linalg.qr(phi).Q
        torch.testing.assert_close(reached, basis @ (basis.T @ prototypes[c]))


SINGULAR = {
    "equal features": lambda x: x[:1].expand_as(x).clone(),
    "all zero": torch.zeros_like,
    "one feature alive": lambda x: x * (torch.arange(x.shape[1]) == 0),
    "copies of two": lambda x: x[torch.arange(len(x)) % 2],
    "tiny": lambda x: 1e-20 * x,
    "huge": lambda x: 1e15 * x,
    "nearly equal": lambda x: 1 + 1e-6 * x,
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("case", SINGULAR)
def test_finite_on_singular_features_and_the_weights_stay_sensible(case, d, dtype):
    """b > Z, equal, dead or degenerate features: finite, and after the clamp no sample takes over the batch."""
    features, labels, _ = random_batch(4, d, "relu", z=16)
    features = SINGULAR[case](features)
    means = torch.stack([features[labels == c].mean(0) for c in range(d)])
    prototypes = means * 0.9 + 0.1 * means.mean(0)
    ratios = rdr_core.density_ratio(features.to(dtype), labels, prototypes)
    assert ratios.dtype == torch.float32
    assert ratios.isfinite().all()
    weights = ratios.clamp_min(0)
    assert weights.sum() > 0
    assert weights.sum() ** 2 / weights.square().sum() > 0.25 * len(labels), "effective sample size"


@given(st.integers(0, 10_000), st.integers(1, 70))
def test_a_lone_sample_gets_its_projection_on_the_prototype(seed, z):
    """r = <x, F> / ||x||^2; the part of F beside x is out of reach."""
    x, _, prototype = random_batch(seed, 1, size=1, z=z, dtype=torch.float64)
    found = rdr_core.density_ratio(x, torch.tensor([0]), prototype)
    expected = (x * prototype).sum() / x.square().sum()
    assert found.item() == pytest.approx(expected.item(), rel=1e-6, abs=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 8), st.floats(0.1, 3))
def test_few_samples_around_a_prototype_have_ratios_below_one(seed, size, spread):
    """x = F + e with the e at right angles to F and to each other: r = ||F||^2 / (||F||^2 + ||e||^2 / b)."""
    draw = torch.Generator().manual_seed(seed)
    axes = torch.linalg.qr(torch.randn(20, 1 + size, generator=draw, dtype=torch.float64)).Q.T
    prototype, own = axes[:1], spread * axes[1:]
    found = rdr_core.density_ratio(prototype + own, torch.zeros(size, dtype=torch.int64), prototype, ridge=0.0)
    torch.testing.assert_close(found, torch.full_like(found, 1 / (1 + spread**2 / size)))


@given(st.integers(0, 1000), st.floats(1e-3, 1e3))
def test_scale_and_order_play_no_part(seed, scale):
    features, labels, prototypes = random_batch(seed, 4, size=30, z=40, dtype=torch.float64)
    ratios = rdr_core.density_ratio(features, labels, prototypes)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(seed))
    shuffled = rdr_core.density_ratio(features[order], labels[order], prototypes)
    torch.testing.assert_close(shuffled, ratios[order], rtol=1e-6, atol=1e-8)
    scaled = rdr_core.density_ratio(scale * features, labels, scale * prototypes)
    torch.testing.assert_close(scaled, ratios, rtol=1e-6, atol=1e-8)


def test_classes_do_not_touch_each_other():
    features, labels, prototypes = random_batch(5, 3)
    together = rdr_core.density_ratio(features, labels, prototypes)
    alone = labels == 1
    apart = rdr_core.density_ratio(features[alone], labels[alone], prototypes)
    torch.testing.assert_close(together[alone], apart, rtol=1e-4, atol=1e-5)


def test_no_gradient_flows():
    features, labels, prototypes = random_batch(6, 3)
    ratios = rdr_core.density_ratio(features.requires_grad_(), labels, prototypes.requires_grad_())
    assert not ratios.requires_grad
    assert features.grad is None


def test_autocast_changes_nothing():
    features, labels, prototypes = random_batch(7, 10)
    plain = rdr_core.density_ratio(features, labels, prototypes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(rdr_core.density_ratio(features, labels, prototypes), plain)


def test_the_filter_beats_an_ordinary_ridge_of_the_same_strength():
    """Why the ridge is squared: an ordinary one of the same strength is off by a hundred times as much."""
    features, labels, prototypes = random_batch(8, 10)
    reference = per_class_reference(features, labels, prototypes)
    x, same = features.double(), (labels[:, None] == labels).double()
    gram = (x @ x.T) * same
    penalty = RIDGE * (same @ gram.diagonal()) / same.sum(1)
    rhs = same.sum(1) * (x * prototypes.double()[labels]).sum(1)
    ordinary = torch.linalg.solve(gram + penalty.diag(), rhs)
    ours = rdr_core.density_ratio(features, labels, prototypes)
    assert relative_error(ordinary, reference) > 100 * relative_error(ours, reference)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (((4, 3), (4,), (2, 5)), r"\(4, 3\), \(4,\) and \(2, 5\)"),
        (((4, 3), (5,), (2, 3)), r"\(4, 3\), \(5,\) and \(2, 3\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(shapes, said):
    features, labels, prototypes = (torch.zeros(shape) for shape in shapes)
    # Under the function, past the tests' own shape checks, which would speak first.
    with pytest.raises(rdr_core.RdrError, match=said):
        inspect.unwrap(check_batch)(features, labels.long(), prototypes)


def test_a_negative_ridge_is_refused():
    features, labels, prototypes = random_batch(9, 3)
    for ridge in (-1.0, math.nan):
        with pytest.raises(rdr_core.RdrError, match="ridge is"):
            rdr_core.density_ratio(features, labels, prototypes, ridge=ridge)


def test_the_ridge_keeps_ratios_small_on_nearly_collinear_features():
    """Features of a young network: one common direction and a little noise; prototypes a batch mean later."""
    draw = torch.Generator().manual_seed(3)
    common = torch.randn(64, generator=draw).relu()
    features, later = ((common + 0.03 * torch.randn(128, 64, generator=draw)).relu() for _ in range(2))
    labels = torch.arange(128) % 4
    prototypes = torch.stack([later[labels == c].mean(0) for c in range(4)])
    ratios = rdr_core.density_ratio(features, labels, prototypes)
    assert ratios.max() < 3
    assert rdr_core.density_ratio(features, labels, prototypes, ridge=1e-6).max() > 5, "what a weak one lets through"


def by_products(features, labels, prototypes, ridge=RIDGE) -> torch.Tensor:
    """The ratios as a GPU computes them, here on the CPU: the module's formula with this solver."""
    x = features.double()
    means, same, size = class_means(x, labels)
    rhs = (size * (x * (prototypes[labels] - means)).sum(1))[:, None]
    gram = (x @ x.T) * same
    square = (same @ gram.diagonal()) / size
    solve = solver_by_products(gram, size, square, ridge)
    delta = torch.zeros_like(rhs)
    for _ in range(3):
        delta = solve(rhs + ridge * square[:, None] * delta)
    return 1 + delta[:, 0]


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 130), st.integers(1, 70), st.floats(0, 30))
def test_matrix_products_give_the_ratios_of_elimination(seed, d, size, z, offset):
    """Singular batches and ones with a common offset too, which make the condition as bad as it gets."""
    features, labels, prototypes = random_batch(seed, d, "relu", size=size, z=z, dtype=torch.float64)
    features, prototypes = features + offset, prototypes + offset
    ours = by_products(features, labels, prototypes)
    reference = rdr_core.density_ratio(features, labels, prototypes)
    assert (ours - reference).norm() <= 1e-6 * (1 + reference.norm()), "1 + delta, and delta may be -1"


def test_matrix_products_on_features_of_a_network():
    """Many directions and a common one, as features after a ReLU have: then they agree far better."""
    features, labels, prototypes = random_batch(1, 10, "relu", dtype=torch.float64)
    features, prototypes = features + 3, prototypes + 3
    reference = rdr_core.density_ratio(features, labels, prototypes)
    assert relative_error(by_products(features, labels, prototypes), reference.numpy()) < 1e-11


def test_matrix_products_without_a_ridge_and_without_features():
    features, labels, prototypes = random_batch(2, 20, dtype=torch.float64)
    assert relative_error(by_products(features, labels, prototypes, 0.0),
                          per_class_reference(features, labels, prototypes)) < 1e-8  # fmt: skip
    features[labels == 3] = 0
    ratios = by_products(features, labels, prototypes)
    assert (ratios[labels == 3] == 1).all()
    assert ratios.isfinite().all()


@given(st.integers(0, 10_000), st.integers(1, 30), st.floats(1e-6, 1))
def test_newtons_inverse_is_as_exact_as_it_says(seed, size, least):
    """Any spectrum between ``least`` and ``2 - least``, both ends taken."""
    draw = torch.Generator().manual_seed(seed)
    axes = torch.linalg.qr(torch.randn(size, size, generator=draw, dtype=torch.float64))[0]
    values = least + (2 - 2 * least) * torch.rand(size, generator=draw, dtype=torch.float64)
    values[0], values[-1] = least, 2 - least
    identity = torch.eye(size, dtype=torch.float64)
    found = newton_inverse(identity - (axes * values) @ axes.T, least, identity)
    exact = (axes / values) @ axes.T
    assert (found - exact).norm() <= 1e-14 / least * exact.norm()
