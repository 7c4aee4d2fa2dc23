"""Curvature without its scale: what the three ratios do not see, and what they see all the same."""

from __future__ import annotations

import networks
import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from rdr_viz.analysis.curvature import Hessian, scale_free
from rdr_viz.analysis.curvature.scale import ends_ratio, per_loss

RATIOS = ["lambda_ratio", "lambda_max_per_loss", "trace_per_loss"]


def dense(model: nn.Module, x: torch.Tensor, y: torch.Tensor, *, logits: float = 1.0, loss: float = 1.0) -> pd.Series:
    """All that is made of a Hessian, by brute force in float64: logits and the loss multiplied by constants."""
    model = model.double()
    sizes = [p.numel() for p in model.parameters()]

    def mean_loss(vector: torch.Tensor) -> torch.Tensor:
        parts = zip(model.named_parameters(), vector.split(sizes), strict=True)
        weights = {name: part.view_as(p) for (name, p), part in parts}
        return loss * F.cross_entropy(logits * functional_call(model, weights, (x,)), y)

    at = nn.utils.parameters_to_vector(model.parameters()).detach()
    values = torch.linalg.eigvalsh(torch.autograd.functional.hessian(mean_loss, at))
    one = {"lambda_min": values[0], "lambda_max": values[-1], "trace": values.sum(), "mean_loss": mean_loss(at)}
    return scale_free(pd.DataFrame({name: [float(value)] for name, value in one.items()})).iloc[0]


def test_ours_are_the_dense_ones():
    model, x, y = networks.plain()
    hessian = Hessian(model, x, y, dtype=torch.float64)
    ends = hessian.eigenvalues(which="both", tolerance=1e-8)
    trace = sum(float(hessian.hvp(row) @ row) for row in torch.eye(hessian.parameters, dtype=torch.float64))
    one = {"lambda_min": ends.smallest, "lambda_max": ends.largest, "trace": trace, "mean_loss": hessian.mean_loss()}
    found = scale_free(pd.DataFrame([one])).iloc[0]
    np.testing.assert_allclose(found[RATIOS], dense(model, x, y)[RATIOS], rtol=1e-10)


@pytest.mark.parametrize("factor", [0.25, 0.001, 7.0])
def test_a_loss_times_a_constant_changes_no_ratio_and_every_curvature(factor):
    case = networks.plain()
    before, after = dense(*case), dense(*case, loss=factor)
    np.testing.assert_allclose(after[RATIOS], before[RATIOS], rtol=1e-12)
    for name in ("lambda_min", "lambda_max", "trace"):
        assert after[name] == pytest.approx(factor * before[name], rel=1e-12)


def test_logits_times_a_constant_change_every_ratio():
    """Another network: its weights' second derivatives grow with the square of what its logits are multiplied by."""
    case = networks.plain()
    before, after = dense(*case), dense(*case, logits=3.0)
    assert (np.abs(after[RATIOS] / before[RATIOS] - 1) > 0.1).all()


def test_weights_rescaled_to_the_same_network_change_every_ratio():
    """As they change the Hessian: of two layers, one times a and the other over a (Dinh et al. 2017)."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.ReLU(), nn.Linear(3, 3, bias=False))
    x, y = networks.images(11, 4, classes=3)
    before = dense(model, x, y)
    with torch.no_grad():
        model[0].weight.mul_(4)
        model[2].weight.div_(4)
    after = dense(model, x, y)
    assert after["mean_loss"] == pytest.approx(before["mean_loss"], rel=1e-12)
    assert (np.abs(after[RATIOS] / before[RATIOS] - 1) > 0.1).all()


@pytest.mark.parametrize("margin", [-3.0, 0.0, 2.0, 8.0, 20.0])
def test_logistic_regression_of_one_weight_in_closed_form(margin):
    """L = log(1 + exp(-w x)) and H = p (1 - p) x^2; for a sure network H / L is x^2, however small the loss."""
    x = 2.0
    weight = torch.tensor([margin / x], dtype=torch.float64)
    images, labels = torch.tensor([[x]], dtype=torch.float64), torch.tensor([1])
    model = nn.Linear(1, 1, bias=False)
    model.weight.data = weight.view(1, 1)
    hessian = Hessian(model, images, labels, loss=lambda out, _: F.softplus(-out[:, 0]), dtype=torch.float64)
    wrong, loss = 1 / (1 + np.exp(margin)), np.log1p(np.exp(-margin))
    assert hessian.mean_loss() == pytest.approx(loss, rel=1e-12)
    found = per_loss(hessian.trace().value, hessian.mean_loss())
    assert found == pytest.approx(wrong * (1 - wrong) * x**2 / loss, rel=1e-7)
    if margin >= 8:
        assert found == pytest.approx(x**2, rel=1e-3)


def test_what_cannot_be_divided_is_missing():
    np.testing.assert_array_equal(per_loss([1.0, 1.0, 1.0], [2.0, 0.0, np.nan]), [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(ends_ratio([-1.0, -2.0], [0.0, -1.0]), [np.nan, np.nan])


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=5))
def test_the_ends_ratio_is_at_most_1_and_minus_1_where_they_mirror_each_other(values):
    low, high = min(values), max(values)
    found = float(ends_ratio(low, high))
    assert np.isnan(found) == (high <= 0)
    if high > 0:
        assert found <= 1
        assert ends_ratio(-high, high) == -1
