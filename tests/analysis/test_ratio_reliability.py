"""How much of r belongs to the image, end to end: by the public RDRWeights and loops, on short runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import rdr_core
from rdr_core import RDRWeights
from rdr_core.errors import RdrError
from rdr_core.training.randomness import generator
from rdr_viz.analysis.catalogue import analyse
from rdr_viz.analysis.groups import t_interval
from rdr_viz.analysis.reliability import interval_of_mean
from rdr_viz.analysis.replayed_ratios import PASSES, ratio_reliability, reliability_of_methods, replayed_ratios
from rdr_viz.analysis.stored import how_made
from rdr_viz.analysis.weights import state_at

NUMBERS = ["ratio", "spread", "reliability", "low", "high"]


def by_hand(run, passes: int) -> np.ndarray:
    """(N, passes) ratios by the public weights, in the orders of a replay; prototypes from a pass before."""
    data = run.data()
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (data.mean, data.std))
    with torch.no_grad():
        features = run.model().features((data.train.inputs.float() / 255 - mean) / std)
    rdr, found = RDRWeights(data.class_counts, features.shape[1]), np.full((len(features), passes), np.nan)
    for at in range(-1, passes):
        order = torch.randperm(len(features), generator=generator(run.config.seed, "ratios", 0, at))
        for start in range(0, len(order), run.config.batch_size):
            batch = order[start : start + run.config.batch_size]
            ratios = rdr.weigh(features[batch], data.train.labels[batch]).ratios
            if at >= 0:
                found[batch.numpy(), at] = ratios.double().numpy()
    return found


def test_ratios_and_their_shares_by_hand(rdr_run):
    labels, ratios = replayed_ratios(state_at(rdr_run, rdr_run.config.epochs, None), rdr_run.config.epochs - 1, 3, 0)
    expected = by_hand(rdr_run, 3)
    np.testing.assert_allclose(ratios, expected, rtol=2e-3, atol=2e-3)
    found = ratio_reliability(rdr_run, passes=3)
    for row in found[found["level"] == "class"].itertuples():
        own = ratios[labels == row[2]]
        n, k = own.shape
        between = k * own.mean(1).var(ddof=1)
        within = own.var(axis=1, ddof=1).mean()
        assert row.images == n == rdr_run.class_counts[row[2]]
        assert row.ratio == pytest.approx(own.mean())
        assert row.reliability == pytest.approx((between - within) / (between + (k - 1) * within))
        assert row.spread == pytest.approx(np.sqrt((between - within) / k + within))
    everything = [ratios[labels == klass] for klass in range(10)]
    for group, classes in [("All", range(10)), *rdr_run.groups.items()]:
        row = found[(found["group"] == group) & (found["level"] != "class")].iloc[0]
        own = found[(found["level"] == "class") & found["class"].isin(list(classes))]
        assert row["images"] == own["images"].sum()
        np.testing.assert_allclose(row[NUMBERS[:3]].astype(float), own[NUMBERS[:3]].mean())
        assert (row["low"], row["high"]) == pytest.approx(interval_of_mean([everything[c] for c in own["class"]]))


def test_a_replay_gives_the_same_bits_twice_and_another_seed_others(rdr_run):
    epoch = rdr_run.config.epochs
    state = torch.get_rng_state()
    one, two, other = (replayed_ratios(state_at(rdr_run, epoch, None), epoch - 1, 2, seed)[1] for seed in (0, 0, 1))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_it_is_stored_by_what_decides_it(rdr_run, monkeypatch):
    found = analyse(rdr_run, "ratios", progress=False)
    made = {"epoch": rdr_run.config.epochs, "passes": PASSES, "seed": 0}
    assert how_made(rdr_run, "ratio-reliability", made)["parameters"] == made
    assert not ratio_reliability(rdr_run, epoch=5, passes=2).equals(found)
    monkeypatch.setattr("rdr_viz.analysis.replayed_ratios.replayed_ratios", lambda *_: pytest.fail("computed again"))
    pd.testing.assert_frame_equal(ratio_reliability(rdr_run), found)
    with pytest.raises(RdrError, match="passes is 1; an image needs two ratios or more"):
        ratio_reliability(rdr_run, passes=1)


def test_a_method_without_ratios_has_none(trained):
    found = ratio_reliability(trained[0], passes=2)
    assert found[NUMBERS].isna().all(axis=None)
    assert found["images"].iloc[0] == trained[0].class_counts.sum()


def test_a_class_of_one_image_has_no_share_and_its_group_is_told_by_the_others(tmp_path):
    run = rdr_core.train("digits", imbalance_factor=100, method="rdr", epochs=1, runs=tmp_path, progress=False)
    found = ratio_reliability(run, passes=3)
    by_class = found[found["level"] == "class"]
    alone = by_class["images"] == 1
    assert alone.sum() == 1
    assert by_class.loc[alone, NUMBERS[1:]].isna().all(axis=None)
    assert by_class.loc[alone, "ratio"].notna().all()
    few, group = by_class[by_class["group"] == "Few"], found[found["name"] == "Few"].iloc[0]
    assert group["reliability"] == pytest.approx(few.loc[few["images"] > 1, "reliability"].mean())
    assert group["ratio"] == pytest.approx(few["ratio"].mean())


def test_ratios_that_a_constant_network_cannot_tell_apart_have_no_share(rdr_run):
    """Features that are all alike: r is 1 for each image in each batch."""
    state = state_at(rdr_run, rdr_run.config.epochs, None)
    with torch.no_grad():
        for parameter in state.model.parameters():
            parameter.zero_()
    _, ratios = replayed_ratios(state, rdr_run.config.epochs - 1, 2, 0)
    np.testing.assert_array_equal(ratios, 1.0)


def test_over_seeds_means_and_students_intervals(trained):
    found = reliability_of_methods(trained, passes=2)
    seeds = [ratio_reliability(run, passes=2) for run in trained[2:]]
    own = found[found["method"] == "rdr"].reset_index(drop=True)
    np.testing.assert_allclose(own["reliability"], np.mean([table["reliability"] for table in seeds], axis=0))
    ends = t_interval(np.array([table["reliability"].iloc[0] for table in seeds]))
    assert (own["low"].iloc[0], own["high"].iloc[0]) == pytest.approx(ends)
    assert own["rank"].tolist() == [0] * 4 + list(range(1, 11))
    (alone,) = [reliability_of_methods([run], passes=2) for run in trained[2:3]]
    np.testing.assert_allclose(alone[["low", "high"]], seeds[0][["low", "high"]])
    assert set(alone["interval"]) == {"F over passes"}
