"""The three RDRs against an independent reference, and where they agree with each other and where not.

``authors_rdr.json`` holds three batches of features, labels, prototypes, raw ratios and weights in float64, computed by
the formulas of the authors' code (m 0.9).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import rdr_core
from rdr_core import RDRWeights
from rdr_core.methods.fork import fork_of, kept_paths
from rdr_core.methods.grammar import parse
from rdr_core.methods.presets import PRESETS

REFERENCE = json.loads((Path(__file__).parent / "authors_rdr.json").read_text())
COUNTS = torch.tensor([60, 30, 10])
Z = 24


def test_released_is_the_authors_code_to_1e_9():
    rdr = RDRWeights(torch.tensor(REFERENCE["counts"]), 16, preset="released", dtype=torch.float64)
    assert rdr.momentum == REFERENCE["m"]
    for batch in REFERENCE["batches"]:
        known = {name: torch.tensor(batch[name], dtype=torch.float64) for name in batch if name != "labels"}
        torch.testing.assert_close(rdr.prototypes, known["prototypes_before"], rtol=0, atol=1e-9)
        weighed = rdr.weigh(known["features"], torch.tensor(batch["labels"]))
        torch.testing.assert_close(weighed.ratios, known["raw_ratio"], rtol=0, atol=1e-9)
        torch.testing.assert_close(weighed.weights, known["weights"], rtol=0, atol=1e-9)
        torch.testing.assert_close(rdr.prototypes, known["prototypes_after"], rtol=0, atol=1e-9)


def algorithm_1(batches, *, m):
    """As it is printed, in NumPy, class by class; ratios below 0 as 0, of which it does not speak."""
    pi = (COUNTS / COUNTS.sum()).double().numpy()
    prototypes = np.zeros((3, Z))
    for features, labels in batches:
        x, y = features.numpy(), labels.numpy()
        r = np.empty(len(y))
        for c in np.unique(y):
            phi = x[y == c].T
            r[y == c] = phi.shape[1] * np.linalg.inv(phi.T @ phi) @ phi.T @ prototypes[c]
            prototypes[c] = m * prototypes[c] + (1 - m) * phi.mean(1)
        w = np.maximum(r, 0) / pi[y]
    return w / w.mean(), prototypes, r


def batch_of(seed: int, size: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """Well-conditioned: fewer samples of each class than features, and all of them apart; every class occurs."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.cat([torch.arange(3), torch.randint(3, (size - 3,), generator=draw)])
    return torch.randn(size, Z, generator=draw, dtype=torch.float64), labels


def test_text_is_algorithm_1_written_out():
    rdr = RDRWeights(COUNTS, Z, preset="text", dtype=torch.float64)
    batches = [batch_of(seed) for seed in range(4)]
    for features, labels in batches:
        weighed = rdr.weigh(features, labels)
    weights, prototypes, ratios = algorithm_1(batches, m=rdr.momentum)
    np.testing.assert_allclose(weighed.ratios, ratios, atol=1e-9)
    np.testing.assert_allclose(weighed.weights, weights, atol=1e-9)
    np.testing.assert_allclose(rdr.prototypes, prototypes, atol=1e-12)


def weighed_by(preset: str, prototypes: torch.Tensor, features: torch.Tensor, labels: torch.Tensor):
    rdr = RDRWeights(COUNTS, Z, preset=preset, dtype=torch.float64)
    rdr.prototypes.copy_(prototypes)
    rdr.started.fill_(True)
    return rdr.weigh(features, labels)


@given(seed=st.integers(0, 10_000))
def test_all_three_agree_on_well_conditioned_features_of_classes_seen(seed):
    """Given the same prototypes: what they differ in then is how these came about."""
    features, labels = batch_of(seed)
    prototypes = torch.randn(3, Z, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    ours, released, text = (weighed_by(preset, prototypes, features, labels) for preset in PRESETS)
    torch.testing.assert_close(text.ratios, released.ratios, rtol=0, atol=1e-12)
    torch.testing.assert_close(text.weights, released.weights, rtol=0, atol=1e-6)  # a floor of 1e-9
    gram = torch.stack([torch.linalg.eigvalsh(features[labels == c] @ features[labels == c].T)[0] for c in range(3)])
    scale = torch.stack([(features[labels == c] ** 2).sum(1).mean() for c in range(3)])
    assume((gram > 0.06 * scale).all())  # where our ridge is told to be invisible
    torch.testing.assert_close(ours.ratios, released.ratios, rtol=0, atol=2e-3)


@given(seed=st.integers(0, 10_000))
def test_of_a_class_not_seen_before_ours_has_1_and_the_others_0(seed):
    features, labels = batch_of(seed)
    found = {preset: RDRWeights(COUNTS, Z, preset=preset).weigh(features.float(), labels) for preset in PRESETS}
    assert (found["ours"].ratios == 1).all()
    assert (found["released"].ratios == 0).all()
    assert (found["text"].ratios == 0).all()
    # The floor of 1e-9 cancels: the first batch weighs 1/n in the released code, and all alike in the text.
    torch.testing.assert_close(found["released"].weights, found["ours"].weights)
    assert (found["text"].weights == 1).all()


def test_of_a_class_seen_first_beside_known_ones_the_released_weight_all_but_vanishes():
    rdr = RDRWeights(COUNTS, Z, preset="released")
    features, labels = (part[:10] for part in batch_of(0))
    rdr(features.float()[labels < 2], labels[labels < 2])
    weights = rdr(features.float(), labels)
    assert weights[labels == 2].max() < 1e-6 < weights[labels < 2].max()


def test_features_that_are_all_zero_give_1_in_ours_and_0_in_the_others():
    features, labels = (part[:12] for part in batch_of(1))
    features[labels == 1] = 0
    ratios = {preset: weighed_by(preset, torch.ones(3, Z), features, labels).ratios for preset in PRESETS}
    assert (ratios["ours"][labels == 1] == 1).all()
    assert (ratios["released"][labels == 1] == 0).all(), "the pseudo-inverse of 0 is 0"
    torch.testing.assert_close(ratios["released"][labels != 1], ratios["text"][labels != 1], rtol=0, atol=1e-9)


def test_equal_features_share_a_ratio_whose_mean_all_three_agree_on():
    features, labels = (part[:12] for part in batch_of(2))
    features[labels == 0] = features[0].clone()
    prototypes = torch.ones(3, Z, dtype=torch.float64)
    projected = (features[0].sum() / (features[0] ** 2).sum()).item()
    for preset in ("ours", "released"):
        ratios = weighed_by(preset, prototypes, features, labels).ratios[labels == 0]
        assert ratios.mean().item() == pytest.approx(projected, rel=1e-3, abs=1e-3)


def test_more_samples_than_features_leave_ours_calm_and_not_the_released():
    """Their Gram matrix is singular but for rounding, which the plain inverse blows up and a ridge does not."""
    rdrs = {preset: RDRWeights(torch.tensor([500, 20]), 8, preset=preset) for preset in ("ours", "released")}
    draw = torch.Generator().manual_seed(0)
    spread = {preset: [] for preset in rdrs}
    for _ in range(20):
        features = torch.randn(64, 8, generator=draw).relu()
        labels = (torch.arange(64) >= 60).long()
        for preset, rdr in rdrs.items():
            spread[preset].append(rdr.weigh(features, labels).ratios[labels == 0].std().item())
    assert np.median(spread["ours"][1:]) < 1
    assert np.median(spread["released"][1:]) > 10 * np.median(spread["ours"][1:])


def test_canonical_names_tell_the_presets_apart_and_nothing_else():
    assert parse("rdr:preset=ours").name == "rdr"
    spelled = ",".join(f"{key}={value}" for key, value in PRESETS["released"].items())
    assert parse(f"rdr:{spelled}").name == "rdr:preset=released"
    assert parse("rdr:preset=released,momentum=0.9").name == "rdr:preset=released"
    half = parse("rdr:preset=released,momentum=0.5")
    assert half.name == "rdr:momentum=0.5,preset=released"
    assert half.get("weighting").arguments["momentum"] == 0.5
    assert parse(half.name).name == half.name
    assert parse("rdr:momentum=0.9").name == "rdr:momentum=0.9"


@given(
    preset=st.sampled_from(list(PRESETS)),
    changed=st.dictionaries(
        st.sampled_from(["momentum", "ridge", "floor", "warmup", "gamma"]), st.sampled_from([0.0, 0.5, 0.8, 0.9])
    ),
    start=st.sampled_from(["", "mean", "zero"]),
)
def test_a_name_and_its_canonical_form_mean_the_same(preset, changed, start):
    given_ = {"preset": preset} | changed | ({"start": start} if start else {})
    spec = parse("rdr:" + ",".join(f"{key}={value}" for key, value in given_.items()))
    again = parse(spec.name)
    assert again.name == spec.name
    mine, theirs = (dict(s.get("weighting").arguments) for s in (spec, again))
    wanted = {**parse("rdr").get("weighting").arguments, **PRESETS[preset], **changed}
    wanted |= {"start": start} if start else {}
    for found in (mine, theirs, wanted):
        found.pop("preset")
    assert mine == theirs == wanted


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(rdr_core.RdrError, match="no preset of RDR named 'release'; did you mean 'released'"):
        RDRWeights(COUNTS, Z, preset="release")


@pytest.mark.parametrize(
    ("method", "trunk", "epoch"),
    [
        ("ce", "ce", 60),
        ("la+sam", "la+sam", 60),
        ("inverse+drw", "ce", 48),
        ("inverse:gamma=0.5+drw:start=0.5", "ce", 30),
        ("cb+ldam+drw", "ldam", 48),
        ("rdr:preset=released", "ce", 48),
        ("rdr:preset=released,gamma=0.5+la", "la", 48),
        ("rdr:warmup=0.8+sam", "ce+sam", 48),
        ("rdr", "ce", 1),  # 2.5 % of 60 epochs: its warm-up ends within the second
        ("rdr+drw", "ce", 48),
    ],
)
def test_where_a_method_leaves_the_run_without_weights(method, trunk, epoch):
    fork = fork_of(method, 60)
    assert (fork.trunk, fork.epoch) == (trunk, epoch)


@pytest.mark.parametrize("method", ["inverse", "rdr:warmup=0", "cdb", "cdb+drw", "rdr:momentum=0.7,warmup=0.8"])
def test_methods_that_never_are_the_run_without_weights_or_learn_what_no_trunk_keeps(method):
    assert fork_of(method, 60) is None


def test_a_trunk_follows_each_preset_once():
    assert list(kept_paths()) == list(PRESETS)
    assert len(set(kept_paths().values())) == len(PRESETS)
