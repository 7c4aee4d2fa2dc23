"""Eigenvalues that did not converge say so: a residual beside each, measured, and a mark where it is too large."""

from __future__ import annotations

import networks
import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from tried import tried

import rdr_core
from rdr_core.errors import RdrError
from rdr_viz.analysis.curvature import Hessian, class_curvature, class_density
from rdr_viz.analysis.curvature.eigenvalues import extreme_eigenpairs
from rdr_viz.analysis.curvature.residuals import doubtful, told
from rdr_viz.displays.eigenvalues_over_epochs import EigenvaluesOverEpochs
from rdr_viz.displays.trace_table import TraceTable


@given(
    size=st.integers(4, 60), seed=st.integers(0, 10**6), which=st.sampled_from(["largest", "smallest", "both"]),
    k=st.integers(1, 2), budget=st.integers(4, 80), power=st.floats(-12, 12), spread=st.floats(0, 12),
)  # fmt: skip
def test_converged_is_what_has_a_small_residual_and_residuals_are_true(size, seed, which, k, budget, power, spread):
    """Of random symmetric operators: each residual is ||Hv - lambda v||, and an eigenvalue lies as near as it says."""
    random = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(random.normal(size=(size, size)))
    spectrum = random.normal(size=size) * 10.0 ** (power - spread * random.random(size))
    matrix = torch.from_numpy((basis * spectrum) @ basis.T)
    matrix = (matrix + matrix.T) / 2
    start = torch.from_numpy(random.normal(size=size))
    pairs = extreme_eigenpairs(lambda v: matrix @ v, start, k=k, which=which, tolerance=1e-4, budget=budget)
    scale = np.abs(spectrum).max()
    measured = (matrix @ pairs.vectors - pairs.vectors * torch.from_numpy(pairs.values.copy())).norm(dim=0).numpy()
    np.testing.assert_allclose(pairs.residuals, measured, rtol=1e-6, atol=1e-13 * scale)
    nearest = np.abs(spectrum[:, None] - pairs.values).min(0)
    assert (nearest <= pairs.residuals + 1e-12 * scale).all()
    if pairs.converged:
        assert (pairs.residuals <= np.maximum(1e-4 * np.abs(pairs.values), 1e-12 * scale)).all()
    tried("Numbers", "spectra of which eigenvalues were asked with any budget", 1)


class AlwaysOn(nn.Dropout):
    """Dropout as Bayesian networks have it: on in evaluation mode too."""

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, training=True)


class NeverOff(nn.Dropout):
    """Dropout that no ``eval()`` turns off."""

    def train(self, mode: bool = True) -> NeverOff:
        return super().train(True)


def with_dropout(layer: nn.Module) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    x, y = networks.images(40, 6, classes=3)
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), layer, nn.Linear(16, 3)), x, y


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_dropout_that_was_left_on_is_off(mode):
    """The network given is in training mode, as it is after an epoch."""
    model, x, y = with_dropout(nn.Dropout(0.5))
    model.train()
    found = Hessian(model, x, y, mode=mode, dtype=torch.float64).eigenvalues(which="both")
    exact = torch.linalg.eigvalsh(networks.dense_hessian(model, x, y))
    np.testing.assert_allclose(found.values, [exact[-1], exact[0]], rtol=1e-6)
    assert found.converged
    assert (found.residuals <= 1e-4 * np.abs(found.values)).all()
    assert model.training
    assert model[2].training


@pytest.mark.parametrize("p", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("kind", [AlwaysOn, NeverOff])
@pytest.mark.parametrize("memory", [0, 2**30])
def test_dropout_that_stays_on_is_refused(kind, p, memory):
    model, x, y = with_dropout(kind(p))
    for seed in range(3):
        torch.manual_seed(seed)
        with pytest.raises(RdrError, match=rf"network is random: .* by '2' \({kind.__name__}\)"):
            Hessian(model, x, y, memory=memory, seed=seed).eigenvalues()


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> rdr_core.Run:
    return rdr_core.train("digits", imbalance_factor=50, epochs=2, method="ce", runs=tmp_path_factory.mktemp("runs"),
                          progress=False, device="cpu")  # fmt: skip


def test_what_did_not_converge_is_marked_where_it_is_shown(run):
    asked = {"classes": [8, 9], "epochs": [2], "progress": False, "relative_error": 0.5}
    good = class_curvature(run, **asked)
    assert good["converged"].all()
    assert not doubtful(good, "max").any()
    assert told(good) == ""
    spent = class_curvature(run, budget=2, **asked)
    assert not spent["converged"].any()
    assert (spent["residual_max"] > 0.01 * spent["lambda_max"].abs()).all()
    shown = TraceTable.from_runs([run], classes=[8, 9], budget=2, progress=False, relative_error=0.5)
    assert all(row[4].endswith("*") for row in shown.cells())
    assert "marked * in tables" in shown.finding
    assert "marked * in tables" in EigenvaluesOverEpochs.from_run(run, by="class", budget=2, **asked).finding
    clean = TraceTable.from_runs([run], classes=[8, 9], progress=False, relative_error=0.5)
    assert not any("*" in cell for row in clean.cells() for cell in row)
    assert "*" not in clean.finding


def test_densities_have_the_residuals_of_their_ends(run):
    table = class_density(run, classes=[9], probes=1, steps=5, progress=False)
    for end in ("min", "max"):
        assert (table[f"residual_{end}"] <= 1e-4 * table[f"lambda_{end}"].abs() + 1e-5).all()


def test_tables_without_residuals_say_nothing():
    table = pd.DataFrame({"lambda_max": [3.0], "lambda_min": [np.nan]})
    assert told(table) == ""
