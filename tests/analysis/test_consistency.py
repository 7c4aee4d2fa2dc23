"""Minimisers of expected losses, against minimising our own losses with our own class weights numerically."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import norm

from rdr_core import RdrError
from rdr_core.methods.grammar import parse
from rdr_viz.analysis.consistency import population_minimiser
from rdr_viz.displays.fisher_consistency import METHODS, FisherConsistency

KNOWN = [
    "ce", "focal", "focal:gamma=0.5", "focal:gamma=5", "la", "la:tau=0.4", "balanced_softmax", "inverse",
    "inverse:gamma=0.5", "cb:beta=0.9", "inverse+la", "inverse:gamma=0.5+la:tau=0.5", "inverse+focal", "inverse+drw",
]  # fmt: skip
COUNTS = np.array([60, 20, 3])


def minimised(posterior: np.ndarray, counts: np.ndarray, method: str) -> np.ndarray:
    """softmax of the logits with the least sum_c p(c | x) w_c loss(z, c), by BFGS on the parts' own functions."""
    spec, d = parse(method), len(counts)
    loss, weighting = spec.get("loss"), spec.get("weighting")
    counts, labels = torch.tensor(counts), torch.arange(d)
    weights = weighting.part.make(counts, **weighting.arguments).double() if weighting else torch.ones(d)
    chances = torch.tensor(posterior) * weights
    chances = chances / chances.sum()

    def risk(z: np.ndarray) -> tuple[float, np.ndarray]:
        logits = torch.tensor(z, requires_grad=True)
        losses = loss.part.make(logits.expand(d, d), labels, counts, **loss.arguments)
        value = (chances * losses).sum()
        (gradient,) = torch.autograd.grad(value, logits)
        return value.item(), gradient.numpy()

    found = minimize(risk, np.zeros(d), jac=True, method="BFGS", options={"gtol": 1e-11, "maxiter": 500})
    z = found.x - found.x.max()
    return np.exp(z) / np.exp(z).sum()


@pytest.mark.parametrize("method", KNOWN)
@settings(max_examples=5, deadline=None)
@given(parts=st.lists(st.floats(0.02, 1), min_size=3, max_size=3))
def test_it_is_the_minimum_of_our_own_losses(method, parts):
    posterior = np.array(parts) / np.sum(parts)
    found = population_minimiser(posterior[None], COUNTS, method)[0]
    np.testing.assert_allclose(found, minimised(posterior, COUNTS, method), rtol=0, atol=1e-6)
    assert found.sum() == pytest.approx(1)


@given(parts=st.lists(st.floats(0.001, 1), min_size=3, max_size=3))
def test_what_the_field_knows(parts):
    densities = np.array(parts)
    posterior = (densities * COUNTS / (densities * COUNTS).sum())[None]
    balanced = densities / densities.sum()

    def found(method: str, **options) -> np.ndarray:
        return population_minimiser(posterior, COUNTS, method, **options)[0]

    np.testing.assert_allclose(found("ce"), posterior[0], atol=1e-12)
    for method in ("inverse", "la", "balanced_softmax", "rdr", "rdr+la", "ce+posthoc", "inverse:gamma=0.5+la:tau=0.5"):
        np.testing.assert_allclose(found(method), balanced, atol=1e-6, err_msg=method)
    twice = densities / COUNTS / (densities / COUNTS).sum()
    for method in ("inverse+la", "rdr:prior=1+la"):
        np.testing.assert_allclose(found(method), twice, atol=1e-6, err_msg=method)
    focal = found("focal")
    assert (np.argsort(focal, kind="stable") == np.argsort(posterior[0], kind="stable")).all()
    assert focal.max() <= posterior.max() + 1e-12  # less sure than it may be
    ratios = np.array([1.0, 0.9, 0.7])
    np.testing.assert_allclose(found("rdr", ratios=ratios), densities * ratios / (densities * ratios).sum(), atol=1e-12)


def test_certain_classes_stay_certain():
    for method in ("ce", "focal", "la"):
        found = population_minimiser(np.array([[1.0, 0.0]]), np.array([9, 1]), method)
        np.testing.assert_allclose(found, [[1, 0]], atol=1e-12)


@pytest.mark.parametrize("method", ["ldam", "vs", "ce+sam", "cdb", "ce+crt"])
def test_other_parts_are_refused(method):
    with pytest.raises(RdrError, match=r"not known in closed form|depend on more than the class"):
        population_minimiser(np.array([[0.5, 0.5]]), np.array([9, 1]), method)


@pytest.mark.parametrize("factor", [1, 20, 100])
def test_the_pictures_boundaries_are_those_of_two_normals(factor):
    table = FisherConsistency.of(imbalance_factor=factor).boundaries().set_index("method")
    away = np.log(factor) / 2  # where the log-odds of means -1 and 1, 2 x, meet the prior's
    expected = {"ce": away, "focal": away, "inverse": 0, "la": 0, "rdr": 0, "inverse+la": -away}
    np.testing.assert_allclose(table["boundary"], [expected[method] for method in METHODS], atol=1e-4)
    np.testing.assert_allclose(table["rare"], 100 * norm.sf(table["boundary"], loc=1), atol=1e-9)
    assert table["balanced"].idxmax() in ("inverse", "la", "rdr", "ce")
    moved = FisherConsistency.of(["rdr"], imbalance_factor=factor, ratio=0.5).boundaries()["boundary"]
    np.testing.assert_allclose(moved, np.log(2) / 2, atol=1e-9)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_keep_apart_and_inside(theme):
    figure = FisherConsistency.of().in_theme(theme)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [text.get_window_extent(renderer) for text in texts]
    assert all(figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1 for box in boxes)
    assert not any(a.overlaps(b) for at, a in enumerate(boxes) for b in boxes[at + 1 :])


def test_lines_on_top_of_each_other_are_all_seen():
    ax = FisherConsistency.of().plot()
    widths = {line.get_color(): line.get_linewidth() for line in ax.lines if len(line.get_xdata()) > 2}
    from rdr_viz import method_style

    alike = [widths[method_style(method).color] for method in ("inverse", "la", "rdr")]
    assert len(set(alike)) == 3
    assert widths[method_style("ce").color] == min(alike)


def test_the_sentence_tells_who_decides_where():
    said = FisherConsistency.of(imbalance_factor=100).finding
    assert "1/n, LA and RDR decide at x = 0.00, the best place" in said
    assert "CE and Focal decide at x = 2.30" in said
    assert "1/n+LA decides at x = −2.30" in said
    assert "RDR decides at x = 0.35" in FisherConsistency.of(ratio=0.5).finding


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"imbalance_factor": 0.5}, "imbalance_factor is 0.5; it must be 1 to 1,000"),
        ({"ratio": 0}, "ratio is 0; it must be above 0"),
        ({"methods": []}, "no method to show"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, words):
    with pytest.raises(RdrError, match=words):
        FisherConsistency.of(**asked)
