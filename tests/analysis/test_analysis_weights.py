"""Effective sample sizes and shares: closed forms, and one backward pass over everything."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from rdr_core import RDRWeights
from rdr_core.errors import RdrError
from rdr_viz.analysis.over_epochs import weights_by_class
from rdr_viz.analysis.times import training_seconds
from rdr_viz.analysis.weights import (
    effective_sample_size,
    effective_sizes,
    ratios_below_zero,
    replayed_visits,
    shares,
)


def test_effective_sample_size_of_two_kinds():
    # a weights of 1 and b of w: (a + b w)^2 / (a + b w^2)
    assert effective_sample_size([1] * 6 + [3] * 2) == pytest.approx(12**2 / (6 + 18))
    assert effective_sample_size([0.2] * 5) == pytest.approx(5)
    assert np.isnan(effective_sample_size([0, 0]))


def test_a_replay_visits_each_image_once_with_weights_of_mean_one(one_seed):
    for run in one_seed:
        visits = replayed_visits(run)
        assert sorted(visits["image"]) == list(range(run.class_counts.sum()))
        np.testing.assert_allclose(visits.groupby("batch")["weight"].mean(), 1, rtol=1e-5)
        assert visits["ratio"].isna().all() == (run.config.method != "rdr")


def test_replayed_losses_and_weights_by_loops(one_seed):
    run = one_seed[1]
    data, visits = run.data(), replayed_visits(run)
    model = run.model()
    images = data.train.inputs.float() / 255
    images = (images - torch.tensor(data.mean).view(1, -1, 1, 1)) / torch.tensor(data.std).view(1, -1, 1, 1)
    with torch.no_grad():
        losses = F.cross_entropy(model(images), data.train.labels, reduction="none").numpy()
    np.testing.assert_allclose(visits["loss"], losses[visits["image"]], rtol=1e-4, atol=1e-6)
    for _, batch in visits.groupby("batch"):
        inverse = 1 / run.class_counts[batch["class"]]
        np.testing.assert_allclose(batch["weight"], inverse / inverse.mean(), rtol=1e-5)


def test_shares_against_one_backward_pass_per_group(rdr_run):
    data, visits, found = rdr_run.data(), replayed_visits(rdr_run), shares(rdr_run).set_index("group")
    model = rdr_run.model().double()
    images = data.train.inputs.double() / 255
    images = (images - torch.tensor(data.mean).double().view(1, -1, 1, 1)) / torch.tensor(data.std).double().view(
        1, -1, 1, 1
    )
    weight = torch.zeros(len(images), dtype=torch.float64)
    weight[visits["image"].tolist()] = torch.tensor(visits["weight"].tolist(), dtype=torch.float64)
    losses = weight * F.cross_entropy(model(images), data.train.labels, reduction="none") / len(images)
    gradients = {}
    for group, classes in rdr_run.groups.items():
        mine = torch.isin(data.train.labels, torch.tensor(classes))
        parts = torch.autograd.grad(losses[mine].sum(), list(model.parameters()), retain_graph=True)
        gradients[group] = torch.cat([part.flatten() for part in parts])
        assert found.loc[group, "images"] == pytest.approx(100 * mine.double().mean().item())
        assert found.loc[group, "loss"] == pytest.approx(100 * (losses[mine].sum() / losses.sum()).item(), rel=1e-3)
    whole, norms = sum(gradients.values()), {group: g.norm().item() for group, g in gradients.items()}
    for group, gradient in gradients.items():
        assert found.loc[group, "norm"] == pytest.approx(norms[group], rel=1e-3)
        assert found.loc[group, "gradient"] == pytest.approx(100 * norms[group] / sum(norms.values()), rel=1e-3)
        along = 100 * (gradient @ whole / (whole @ whole)).item()
        assert found.loc[group, "along"] == pytest.approx(along, abs=0.1)
    np.testing.assert_allclose(found[["images", "weight", "loss", "gradient", "along"]].sum(), 100)


def test_rdrs_replayed_weights_by_two_passes(rdr_run):
    """Prototypes from a first pass of the epoch's batches, weights from a second, by the public RDRWeights."""
    data, visits = rdr_run.data(), replayed_visits(rdr_run)
    images = data.train.inputs.float() / 255
    images = (images - torch.tensor(data.mean).view(1, -1, 1, 1)) / torch.tensor(data.std).view(1, -1, 1, 1)
    with torch.no_grad():
        found = rdr_run.model().features(images)
    rdr = RDRWeights(data.class_counts, found.shape[1])
    for _ in range(2):
        weights = []
        for _, batch in visits.groupby("batch"):
            chosen = batch["image"].tolist()
            weights.append(rdr(found[chosen], data.train.labels[chosen]))
    np.testing.assert_allclose(visits["weight"], torch.cat(weights), rtol=2e-3, atol=2e-3)


def test_ces_weights_are_the_images(trained):
    found = shares(trained[0])
    np.testing.assert_allclose(found["weight"], found["images"])
    sizes = effective_sizes(trained[0])
    np.testing.assert_allclose(sizes["percent"], 100)
    assert sizes["samples"].iloc[0] == trained[0].class_counts.sum()


def test_effective_sizes_by_loops(rdr_run):
    visits, sizes = replayed_visits(rdr_run), effective_sizes(rdr_run).set_index("of")
    own = [effective_sample_size(part["weight"]) / len(part) for _, part in visits.groupby("batch")]
    assert sizes.loc["batch", "percent"] == pytest.approx(100 * np.mean(own))
    whole = visits["weight"].sum() ** 2 / (visits["weight"] ** 2).sum()
    assert sizes.loc["epoch", "effective"] == pytest.approx(whole)
    assert sizes.loc["epoch", "percent"] < 100


def test_a_replay_leaves_the_random_states_alone_and_is_stored(rdr_run, monkeypatch):
    before = torch.get_rng_state()
    first = shares(rdr_run, epoch=5)
    assert torch.equal(torch.get_rng_state(), before)
    monkeypatch.setattr("rdr_viz.analysis.weights.state_at", lambda *_: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(shares(rdr_run, epoch=5), first)
    monkeypatch.undo()
    with pytest.raises(RdrError, match="keeps no weights of epoch 3"):
        shares(rdr_run, epoch=3)


def test_ratios(trained):
    below = ratios_below_zero(trained)
    assert list(below.columns) == ["method", "label", "seed", "epoch", "percent"]
    mine = below[(below["method"] == "rdr") & (below["seed"] == 1)]
    np.testing.assert_allclose(mine["percent"], 100 * trained[3].history["negative_ratios"])
    assert below.loc[below["method"] == "ce", "percent"].isna().all()
    by_class = weights_by_class(trained[2])
    np.testing.assert_array_equal(by_class["ratio"], trained[2].classes["ratio"])
    assert not by_class["warm_up"].any()


def test_seconds(trained):
    table = training_seconds(trained)
    assert table["method"].tolist() == ["ce", "inverse", "rdr", "rdr"]
    assert table["total"].iloc[0] == pytest.approx(trained[0].history["seconds"].sum())
    with pytest.raises(RdrError, match="no run"):
        training_seconds([])
