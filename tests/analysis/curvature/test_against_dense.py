"""Products, eigenvalues, trace and density against dense Hessians in float64, and a closed form."""

from __future__ import annotations

import warnings

import networks
import numpy as np
import pytest
import torch
from torch import nn

from rdr_viz.analysis.curvature import Hessian

CASES = {
    "plain": (networks.plain, "eval", 500),
    "plain, uneven last batch": (networks.plain, "eval", 4),
    "weights of no use": (networks.with_unused, "eval", 4),
    "BatchNorm, eval": (networks.with_batch_norm, "eval", 500),
    "BatchNorm, eval, uneven last batch": (networks.with_batch_norm, "eval", 4),
    "BatchNorm, train": (networks.with_batch_norm, "train", 500),
    "BatchNorm, train, uneven last batch": (networks.with_batch_norm, "train", 4),
    "saddle": (lambda: networks.saddle(0.3), "eval", 7),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request):
    """A Hessian and the same one dense, with its eigenvalues ascending."""
    make, mode, batch_size = request.param
    model, x, y = make()
    dense = networks.dense_hessian(model, x, y, batch_size=batch_size, train=mode == "train")
    return Hessian(model, x, y, mode=mode, batch_size=batch_size, dtype=torch.float64), dense.numpy()


def test_products_are_the_dense_hessian(case):
    hessian, dense = case
    eye = torch.eye(hessian.parameters, dtype=torch.float64)
    columns = torch.stack([hessian.hvp(row) for row in eye]).numpy()
    np.testing.assert_allclose(columns, dense, atol=1e-12)
    assert hessian.products == hessian.parameters + 4  # those that say whether products are a Hessian's


@pytest.mark.parametrize("memory", [2**30, 0], ids=["kept graphs", "fresh graphs"])
def test_products_of_rows_are_those_of_each(case, memory):
    hessian, dense = case
    products = hessian._products
    products.memory = memory
    eye = torch.eye(hessian.parameters, dtype=torch.float64)
    with products.many():
        assert products.width == (16 if memory else 1)
        np.testing.assert_allclose(products(eye).numpy(), dense, atol=1e-12)
    assert products.made == hessian.parameters
    assert products.width == 1  # rows of later calls may come with other weights


def test_a_layer_that_takes_no_rows_gets_one_at_a_time():
    class Outer(torch.autograd.Function):
        """outer times 2 x, which looks at what comes back before it multiplies; several say several things."""

        @staticmethod
        def forward(ctx, outer, x):
            ctx.save_for_backward(outer, x)
            return 2 * outer * x

        @staticmethod
        def backward(ctx, other):
            outer, x = ctx.saved_tensors
            return (2 * other * x, 2 * other * outer) if other.abs().sum().item() else (None, None)

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, outer):
            return Outer.apply(outer, *ctx.saved_tensors)

    class Layer(nn.Module):
        def forward(self, x):
            return Square.apply(x)

    _, x, y = networks.plain()
    model = nn.Sequential(nn.Linear(3, 4), Layer(), nn.Linear(4, 3))
    dense = networks.dense_hessian(model, x, y)
    products = Hessian(model, x, y, batch_size=4, dtype=torch.float64)._products
    with products.many():
        assert products.width > 1
        torch.testing.assert_close(products(torch.eye(len(dense), dtype=torch.float64)), dense, atol=1e-12, rtol=0)
        assert products.width == 1
    assert products.made == len(dense)


def test_eigenvalues_at_both_ends(case):
    hessian, dense = case
    values = np.linalg.eigvalsh(dense)
    found = hessian.eigenvalues(2, "both", tolerance=1e-9, vectors=True)
    np.testing.assert_allclose(found.values, values[[-1, -2, 1, 0]], rtol=1e-7, atol=1e-9)
    assert found.converged
    # A residual is what it says: the distance of H v from lambda v.
    residual = np.linalg.norm(dense @ found.vectors - found.vectors * found.values, axis=0)
    np.testing.assert_allclose(found.residuals, residual, atol=1e-12)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(4), atol=1e-10)
    largest, smallest = hessian.eigenvalues(), hessian.eigenvalues(which="smallest")
    assert largest.largest == pytest.approx(values[-1], rel=1e-6)
    assert smallest.smallest == pytest.approx(values[0], rel=1e-6)


def test_trace_and_density(case):
    hessian, dense = case
    exact = float(np.trace(dense))
    for found in (hessian.eigenvalues(), None):
        trace = hessian.trace(0.02, maximum=1000, deflate=found)
        assert abs(trace.value - exact) < 3.5 * trace.standard_error + 1e-9
        assert trace.standard_error <= 0.02 * abs(trace.value) or not trace.converged
        density = hessian.spectral_density(100, steps=60, deflate=found)
        assert abs(density.trace - exact) < 4 * density.trace_standard_error + 1e-9
        assert density.agrees_with(trace, 4)
        assert np.trapezoid(density.density, density.grid) == pytest.approx(1, abs=1e-7)
        values = np.linalg.eigvalsh(dense)
        assert (density.lambda_min, density.lambda_max) == pytest.approx((values[0], values[-1]), rel=1e-4, abs=1e-9)
        # Share of eigenvalues above each of some thresholds, clear of eigenvalues by gaps of the spectrum.
        gaps = np.argsort(np.diff(values))[-3:]
        for gap in gaps:
            threshold = (values[gap] + values[gap + 1]) / 2
            share = (density.weights * (density.nodes > threshold)).sum() / len(density.nodes)
            assert share == pytest.approx((values > threshold).mean(), abs=0.06)


@pytest.mark.parametrize("train", [False, True])
def test_the_dense_hessian_itself_by_differences_of_the_loss(train):
    model, x, y = networks.plain()
    dense = networks.dense_hessian(model, x, y, batch_size=4, train=train)
    differences = networks.dense_by_differences(model, x, y, batch_size=4, train=train)
    torch.testing.assert_close(dense, differences, atol=1e-5, rtol=0)


def test_softmax_regression_in_closed_form():
    """H = 1/N sum_i (diag(p_i) - p_i p_i^T) kron x_i x_i^T for weights (d, Z) in rows."""
    torch.manual_seed(5)
    model, (x, y) = nn.Linear(5, 4, bias=False), networks.images(13, 5, classes=4)
    p = (x @ model.weight.double().detach().T).softmax(1)
    inner = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    exact = torch.einsum("nab,ni,nj->aibj", inner, x, x).reshape(20, 20) / 13
    hessian = Hessian(model, x, y, batch_size=6, dtype=torch.float64)
    columns = torch.stack([hessian.hvp(row) for row in torch.eye(20, dtype=torch.float64)])
    torch.testing.assert_close(columns, exact, atol=1e-14, rtol=1e-12)
    top = hessian.eigenvalues(tolerance=1e-8).largest
    assert top == pytest.approx(torch.linalg.eigvalsh(exact)[-1].item(), rel=1e-12)
    gradient = ((p - torch.eye(4, dtype=torch.float64)[y]).T @ x).reshape(-1) / 13
    torch.testing.assert_close(hessian.gradient(), gradient)


def test_single_precision_is_near():
    model, x, y = networks.with_batch_norm()
    exact = np.linalg.eigvalsh(networks.dense_hessian(model, x, y, batch_size=4).numpy())
    found = Hessian(model, x.float(), y, batch_size=4).eigenvalues(which="both")
    np.testing.assert_allclose(found.values, exact[[-1, 0]], rtol=1e-4)


@pytest.mark.parametrize("name", ["plain, uneven last batch", "BatchNorm, eval, uneven last batch"])
def test_curvlinops_gives_the_same_products(name):
    with warnings.catch_warnings():
        # linear_operator, which curvlinops imports, is compiled by torch.jit.script; PyTorch deprecates that.
        warnings.simplefilter("ignore")
        curvlinops = pytest.importorskip("curvlinops")
    make, _, batch_size = CASES[name]
    model, x, y = make()
    ours = Hessian(model, x, y, batch_size=batch_size, dtype=torch.float64)
    twin = model.double().eval()
    batches = list(zip(x.split(batch_size), y.split(batch_size), strict=True))
    with warnings.catch_warnings():
        # Its own deprecations and checks of determinism are no concern of ours.
        warnings.simplefilter("ignore")
        theirs = curvlinops.HessianLinearOperator(
            twin, nn.CrossEntropyLoss(), list(twin.parameters()), batches, check_deterministic=False
        )
        vector = torch.randn(ours.parameters, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        product = theirs @ vector
    torch.testing.assert_close(ours.hvp(vector), torch.as_tensor(product), atol=1e-12, rtol=1e-9)
