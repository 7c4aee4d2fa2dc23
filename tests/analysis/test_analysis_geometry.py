"""Neural collapse on constructed simplices, norms and drift by loops, surfaces around real networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.training.inference import Inputs
from rdr_viz.analysis.geometry import (
    as_arrays,
    class_mean_features,
    collapse,
    features,
    mean_drift,
    neural_collapse,
    norms_and_angles,
)
from rdr_viz.analysis.surface import class_losses, filter_direction, loss_surface, surface_by_group


def simplex(d: int = 5, size: int = 8) -> np.ndarray:
    """(d, size) rows of a simplex equiangular tight frame, turned at random."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(size, size)))[0][:, :d]
    return (np.eye(d) - 1 / d) @ turn.T


@pytest.mark.parametrize("counts", [[4] * 5, [50, 20, 5, 2, 1]], ids=["balanced", "imbalanced"])
def test_complete_collapse_is_zero_whatever_the_counts(counts):
    labels = np.repeat(np.arange(5), counts)
    found = collapse(3 * simplex()[labels] + 7, labels, 0.5 * simplex() + 2)
    assert [found.nc1, found.nc2_norm, found.nc2_angle, found.nc3] == pytest.approx([0] * 4, abs=1e-10)
    assert collapse(3 * simplex()[labels], labels, 0.5 * simplex()).nc4 == 0


def test_nc1_has_its_closed_form():
    # Isotropic spread s^2 in each of Z directions round a simplex with S_B = c P: tr(S_W S_B^+) = s^2 (d - 1) / c.
    d, means = 5, simplex()
    offsets = np.concatenate([np.eye(8), -np.eye(8)])
    labels = np.repeat(np.arange(d), 16)
    points = means[labels] + 0.3 * np.tile(offsets, (d, 1))
    spread, between = 0.3**2 * 2 / 16, 1 / d
    assert collapse(points, labels, means).nc1 == pytest.approx(spread * (d - 1) / between / d)


def test_measures_by_loops():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), [9, 5, 3, 2])
    points, weight, bias = rng.normal(size=(19, 6)), rng.normal(size=(4, 6)), rng.normal(size=4)
    found = collapse(points, labels, weight, bias)
    means = [sum(points[labels == k]) / sum(labels == k) for k in range(4)]
    middle = sum(means) / 4
    within = np.zeros((6, 6))
    between = np.zeros((6, 6))
    for k in range(4):
        for point in points[labels == k]:
            within += np.outer(point - means[k], point - means[k]) / sum(labels == k) / 4
        between += np.outer(means[k] - middle, means[k] - middle) / 4
    assert found.nc1 == pytest.approx(np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / 4)
    centred = [mean - middle for mean in means]
    norms = [np.sqrt(sum(v * v)) for v in centred]
    assert found.nc2_norm == pytest.approx(np.std(norms) / np.mean(norms))
    gaps = [abs(centred[i] @ centred[j] / norms[i] / norms[j] + 1 / 3) for i in range(4) for j in range(4) if i != j]
    assert found.nc2_angle == pytest.approx(np.mean(gaps))
    wrong = 0
    for point in points:
        distances = [np.linalg.norm(point - mean) for mean in means]
        wrong += int(np.argmin(distances) != np.argmax([w @ point + b for w, b in zip(weight, bias, strict=True)]))
    assert found.nc4 == pytest.approx(wrong / 19)


def test_the_global_mean_does_not_lean_to_large_classes():
    labels = np.repeat([0, 1], [99, 1])
    means = class_mean_features(np.where(labels[:, None] == 0, 0.0, 2.0), labels, 2)
    assert means.mean() == 1
    with pytest.raises(RdrError, match="class 1 has no sample"):
        class_mean_features(np.zeros((2, 1)), np.array([0, 2]), 3)


def test_collapse_of_runs(one_seed):
    table = neural_collapse(one_seed, epochs=[5, 10])
    assert table["epoch"].tolist() == [5, 10] * 3
    run = one_seed[0]
    layer = run.model(5).classifier
    values, labels = as_arrays(features(run, epoch=5))
    one = collapse(values, labels, layer.weight.detach().numpy(), layer.bias.detach().numpy())
    assert table.iloc[0]["nc1"] == pytest.approx(one.nc1)
    assert neural_collapse([run])["epoch"].tolist() == list(run.kept)


def test_features_are_the_networks_and_stored(rdr_run, monkeypatch):
    table = features(rdr_run, split="test")
    data = rdr_run.data()
    images, labels = Inputs.of(data, "test"), data.test.labels
    with torch.no_grad():
        direct = rdr_run.model().features(images[:]).numpy()
    values, truth = as_arrays(table)
    np.testing.assert_allclose(values, direct, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(truth, labels)
    monkeypatch.setattr("rdr_core.training.inference.features_and_logits", lambda *_: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(features(rdr_run, split="test"), table)


def test_norms_and_angles_by_loops(rdr_run):
    table = norms_and_angles([rdr_run]).set_index("class")
    values, labels = as_arrays(features(rdr_run))
    layer = rdr_run.model().classifier
    weight = layer.weight.detach().double().numpy()
    means = np.array([values[labels == k].mean(0) for k in range(10)])
    centred, rows = means - means.mean(0), weight - weight.mean(0)
    for k in range(10):
        assert table.loc[k, "classifier_norm"] == pytest.approx(np.sqrt((weight[k] ** 2).sum()))
        assert table.loc[k, "feature_norm"] == pytest.approx(np.mean([np.linalg.norm(v) for v in values[labels == k]]))
        cosine = centred[k] @ rows[k] / np.linalg.norm(centred[k]) / np.linalg.norm(rows[k])
        assert table.loc[k, "angle"] == pytest.approx(np.degrees(np.arccos(cosine)))
        others = [
            np.degrees(np.arccos(centred[k] @ centred[j] / np.linalg.norm(centred[k]) / np.linalg.norm(centred[j])))
            for j in range(10)
            if j != k
        ]
        assert table.loc[k, "nearest_angle"] == pytest.approx(min(others))


def test_drift_by_loops(rdr_run):
    table = mean_drift(rdr_run)
    assert len(table) == 10 * (len(rdr_run.kept) - 1)
    row = table[(table["start"] == 5) & (table["class"] == 9)].iloc[0]
    before, after = (as_arrays(features(rdr_run, epoch=epoch)) for epoch in (row["start"], row["end"]))
    moved = after[0][after[1] == 9].mean(0) - before[0][before[1] == 9].mean(0)
    assert row["distance"] == pytest.approx(np.linalg.norm(moved))


def test_a_direction_has_the_filters_norms(rdr_run):
    model = rdr_run.model()
    direction = filter_direction(model, seed=3)
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            assert not direction[name].any()
            continue
        for own, drawn in zip(parameter, direction[name], strict=True):
            assert drawn.norm().item() == pytest.approx(own.norm().item(), rel=1e-5)
    again, other = filter_direction(model, seed=3), filter_direction(model, seed=3, number=1)
    assert torch.equal(again["classifier.weight"], direction["classifier.weight"])
    assert not torch.equal(other["classifier.weight"], direction["classifier.weight"])


def test_a_surface_by_moving_a_copy_and_the_network_unchanged(rdr_run):
    data = rdr_run.data()
    images, labels = Inputs.of(data, "test"), data.test.labels
    model = rdr_run.model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    direction = filter_direction(model, seed=0)
    state = torch.get_rng_state()
    losses, errors = class_losses(model, images, labels, [(0.0,), (0.4,)], [direction], 10, batch_size=77)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    for row, step in enumerate((0.0, 0.4)):
        copy = rdr_run.model()
        with torch.no_grad():
            for name, parameter in copy.named_parameters():
                parameter += step * direction[name]
            logits = copy(images[:])
        each = F.cross_entropy(logits, labels, reduction="none")
        for k in range(10):
            assert losses[row, k] == pytest.approx(each[labels == k].mean().item(), rel=1e-4, abs=1e-6)
            assert errors[row, k] == pytest.approx((logits.argmax(1) != labels)[labels == k].float().mean().item())


def test_opposite_directions_mirror_the_surface(rdr_run):
    data = rdr_run.data()
    images, labels = Inputs.of(data, "train"), data.train.labels
    model = rdr_run.model()
    direction = filter_direction(model, seed=0)
    opposite = {name: -value for name, value in direction.items()}
    there, _ = class_losses(model, images, labels, [(-0.3,), (0.0,), (0.3,)], [direction], 10)
    back, _ = class_losses(model, images, labels, [(0.3,), (0.0,), (-0.3,)], [opposite], 10)
    np.testing.assert_allclose(there, back, rtol=1e-12)


def test_stored_surfaces(rdr_run, monkeypatch):
    square = loss_surface(rdr_run, dimensions=2, span=0.5, points=3)
    line = loss_surface(rdr_run, span=0.5, points=3)
    on_line = square[square["b"] == 0].reset_index(drop=True)
    np.testing.assert_allclose(on_line["loss"], line["loss"], rtol=1e-6)
    monkeypatch.setattr("rdr_viz.analysis.surface.class_losses", lambda *_: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(loss_surface(rdr_run, span=0.5, points=3), line)
    groups = surface_by_group(line)
    centre = groups[groups["a"] == 0].set_index("group")
    rows = line[line["a"] == 0]
    assert centre.loc["All", "loss"] == pytest.approx(np.average(rows["loss"], weights=rows["images"]))
    few = rows[rows["group"] == "Few"]
    assert centre.loc["Few", "loss"] == pytest.approx(few["loss"].mean())  # over classes, whatever they have
    assert centre.loc["Few", "images"] == few["images"].sum()
    assert few["images"].nunique() > 1


@pytest.mark.parametrize("wrong", [{"dimensions": 3}, {"points": 10}, {"span": 0}, {"split": "all"}])
def test_surfaces_that_make_no_sense(rdr_run, wrong):
    with pytest.raises(RdrError):
        loss_surface(rdr_run, **wrong)


def test_one_class_has_nothing_beside_it_and_that_is_a_sentence(tmp_path):
    images = rdr_core.load_data("digits", imbalance_factor=1).test.inputs[:20]
    data = rdr_core.from_arrays(images, [0] * 20, images, [0] * 20)
    run = rdr_core.train(data, method="ce", epochs=2, runs=tmp_path, progress=False)
    for ask in (lambda: norms_and_angles([run]), lambda: neural_collapse([run]), lambda: mean_drift(run)):
        with pytest.raises(RdrError, match="has one class, so there are no classes"):
            ask()
