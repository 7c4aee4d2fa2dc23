"""Three controls that leave each class its ratios and take away what a sample's says, against brute force."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from rdr_core import RDRWeights
from rdr_core.methods.batch_classes import class_means, next_of_class
from rdr_core.methods.fork import fork_of

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=40).map(torch.tensor)


def weigh(ratio: str, labels: torch.Tensor, **options):
    """The second batch of two, so that prototypes and means differ."""
    draw = torch.Generator().manual_seed(len(labels))
    rdr = RDRWeights(torch.tensor([50, 20, 10, 5, 2]), 6, ratio=ratio, **options)
    for _ in range(2):
        found = rdr.weigh(torch.randn(len(labels), 6, generator=draw).relu(), labels)
    return found


@given(LABELS)
def test_the_next_of_a_class_is_another_of_it_once(labels):
    _, same, size = class_means(torch.zeros(len(labels), 1), labels)
    found = next_of_class(same, size)
    expected = []
    for i, label in enumerate(labels.tolist()):
        places = [j for j, other in enumerate(labels.tolist()) if other == label]
        expected.append(places[(places.index(i) + 1) % len(places)])
    assert found.tolist() == expected
    assert sorted(found.tolist()) == list(range(len(labels)))


@given(LABELS, st.sampled_from(["ours", "released"]))
def test_permuted_ratios_are_the_same_in_each_class_and_another_image_s(labels, preset):
    """Before scaling: w / (1/pi) is the clamped ratio, up to the factor that makes the mean 1."""
    own, permuted = (weigh(ratio, labels, preset=preset) for ratio in ("sample", "permuted"))
    assert torch.equal(own.ratios, permuted.ratios)  # what is recorded is the sample's own
    counts = torch.tensor([50, 20, 10, 5, 2])[labels]
    clamped = own.ratios.double().clamp_min(0 if preset == "ours" else 1e-9)
    _, same, size = class_means(torch.zeros(len(labels), 1), labels)
    raw = clamped[next_of_class(same, size)] * 87 / counts
    assume(raw.mean() > 1e-6)
    torch.testing.assert_close(permuted.weights.double(), raw / raw.mean(), rtol=1e-5, atol=1e-7)
    for label in labels.unique():
        mine, theirs = (found.weights[labels == label].sort().values for found in (own, permuted))
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


@given(LABELS)
def test_class_ratios_are_the_mean_of_raw_ones(labels):
    own, mean = (weigh(ratio, labels) for ratio in ("sample", "class"))
    assert torch.equal(own.ratios, mean.ratios)
    counts = torch.tensor([50, 20, 10, 5, 2])[labels]
    means = torch.stack([own.ratios[labels == label].double().mean() for label in labels])
    raw = means.clamp_min(0) * 87 / counts
    assume(raw.mean() > 1e-6)
    torch.testing.assert_close(mean.weights.double(), raw / raw.mean(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("warmup", [0, 3])
def test_matched_ratios_are_the_means_of_earlier_batches_by_a_loop(warmup):
    draw = torch.Generator().manual_seed(0)
    counts = torch.tensor([50, 20, 10, 5, 2])
    own, matched = (RDRWeights(counts, 6, ratio=ratio, warmup_steps=warmup) for ratio in ("sample", "matched"))
    sums, sizes = [0.0] * 5, [0.0] * 5
    for step in range(150):
        labels = torch.multinomial(counts.double(), 16, replacement=True, generator=draw)
        features = torch.randn(16, 6, generator=draw).relu()
        ratios = own.weigh(features, labels).ratios.double()
        found = matched.weigh(features, labels)
        torch.testing.assert_close(found.ratios.double(), ratios)  # what is recorded is the sample's own
        means = [total / size if size else 1.0 for total, size in zip(sums, sizes, strict=True)]
        raw = torch.tensor([means[label] * 87 / int(counts[label]) for label in labels.tolist()], dtype=torch.float64)
        expected = torch.ones(16, dtype=torch.float64) if step < warmup else raw / raw.mean()
        torch.testing.assert_close(found.weights.double(), expected, rtol=1e-5, atol=1e-6)
        for label in labels.unique().tolist() if step >= warmup else ():
            here = ratios[labels == label].clamp_min(0)
            sums[label], sizes[label] = 0.99 * sums[label] + float(here.sum()), 0.99 * sizes[label] + len(here)


def test_matched_ratios_stay_in_evaluation_and_travel_with_a_checkpoint():
    counts, draw = torch.tensor([50, 20, 10, 5, 2]), torch.Generator().manual_seed(0)
    labels = torch.arange(5).repeat(4)
    one, other = (RDRWeights(counts, 6, ratio="matched") for _ in range(2))
    for _ in range(3):
        one.weigh(torch.randn(20, 6, generator=draw), labels)
    other.load_state_dict(one.state_dict())
    one.eval()
    features = torch.randn(20, 6, generator=draw)
    assert torch.equal(one.weigh(features, labels).weights, one.weigh(features, labels).weights)
    assert torch.equal(one.weigh(features, labels).weights, other.weigh(features, labels).weights)
    fresh = RDRWeights(counts, 6, ratio="matched")
    fresh.load_state_dict(RDRWeights(counts, 6).state_dict())  # a trunk's
    assert (fresh.ratio_count == 0).all()


@pytest.mark.parametrize("ratio", ["class", "permuted", "matched"])
def test_the_controls_of_the_released_rdr_fork_where_it_does(ratio):
    """So their difference is the ratio's alone, from one trunk."""
    assert fork_of(f"rdr:preset=released,ratio={ratio}", 50) == fork_of("rdr:preset=released", 50) == ("ce", 40, True)
