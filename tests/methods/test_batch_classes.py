"""The classes of a batch, by mask and by class: the same numbers, and those of a loop over classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rdr_core.methods.batch_classes as module
from rdr_core import RDRWeights, density_ratio
from rdr_core.methods.batch_classes import ClassesByMask, SortedClasses, batch_classes
from rdr_core.methods.ratio import ratios_moving


def batch(seed: int, size: int, classes: int, width: int = 6, left_out: float = 0.2):
    """Features with 0 where a sample is not counted, labels with a tail and gaps, and which samples are counted."""
    draw = torch.Generator().manual_seed(seed)
    labels = (torch.rand(size, generator=draw) ** 3 * classes).long() * 7 % 1000
    counted = torch.rand(size, generator=draw) >= left_out
    x = torch.randn(size, width, generator=draw, dtype=torch.float64).abs() * counted[:, None]
    return x, labels, counted


BATCHES = st.builds(
    batch, seed=st.integers(0, 10_000), size=st.integers(1, 90), classes=st.integers(1, 40),
    width=st.sampled_from([1, 3, 8, 64]), left_out=st.sampled_from([0.0, 0.3, 1.0]),
)  # fmt: skip


@given(BATCHES)
def test_both_ways_are_those_of_a_loop(made):
    x, labels, counted = made
    values = torch.arange(len(labels), dtype=torch.float64) ** 2
    for way in (ClassesByMask, SortedClasses):
        found = way(x, labels, counted)
        total, following = found.total(values), found.following()
        for i, label in enumerate(labels.tolist()):
            own = [j for j in range(len(labels)) if labels[j] == label and counted[j]]
            assert found.size[i] == len(own)
            assert total[i] == pytest.approx(values[own].sum().item())
            assert found.same[i].nonzero()[:, 0].tolist() == own
            if own:
                torch.testing.assert_close(found.means[i], x[own].mean(0), rtol=1e-12, atol=1e-14)
                assert torch.equal(found.means[i], found.means[own[0]]), "a class has one mean"
            else:
                assert not found.means[i].any()
            if counted[i]:
                assert following[i] == own[(own.index(i) + 1) % len(own)]


@given(BATCHES)
def test_blocks_hold_each_counted_sample_once_with_its_class(made):
    x, labels, counted = made
    found = SortedClasses(x, labels, counted)
    seen = []
    for at, size in found.blocks():
        for places, number in zip(at.tolist(), size.tolist(), strict=True):
            own, filled = places[:number], places[number:]
            assert set(filled) <= {len(labels)}
            assert len({int(labels[place]) for place in own}) == 1
            assert number > at.shape[1] / 2, "the least power of two that holds it"
            seen += own
    assert sorted(seen) == counted.nonzero()[:, 0].tolist()


def by_loop(shift, x, labels, counted, ridge):
    """One least-squares problem a class, in NumPy: the iterated solve by the eigenvectors of its Gram matrix."""
    found = np.ones(len(labels))
    for label in labels.unique():
        own = ((labels == label) & counted).nonzero()[:, 0].numpy()
        if not len(own):
            continue
        phi = x[own].numpy()
        values, vectors = np.linalg.eigh(phi @ phi.T)
        penalty = ridge * (phi**2).sum() / len(own)
        filtered = (1 - (penalty / (values + penalty)) ** 3) / np.where(values > 1e-13 * values.max(), values, np.inf)
        rhs = len(own) * phi @ shift[own[0]].numpy()
        found[own] = 1 + vectors @ (filtered * (vectors.T @ rhs))
    return found


@settings(deadline=None)
@given(BATCHES, st.sampled_from([3e-3, 1e-2, 0.1]))
def test_ratios_by_class_are_the_others_to_1e10(made, ridge):
    x, labels, counted = made
    draw = torch.Generator().manual_seed(0)
    shift = 0.1 * torch.randn(1001, x.shape[1], generator=draw, dtype=torch.float64)[labels]
    masked = ratios_moving(shift, x, ClassesByMask(x, labels, counted), ridge)
    grouped = ratios_moving(shift, x, SortedClasses(x, labels, counted), ridge)
    torch.testing.assert_close(grouped, masked, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(grouped.numpy(), by_loop(shift, x, labels, counted, ridge), rtol=1e-7, atol=1e-7)


def test_large_batches_go_by_class_on_a_cpu_and_others_by_mask():
    for size, way in ((module.LARGE - 1, ClassesByMask), (module.LARGE, SortedClasses)):
        x, labels, counted = batch(0, size, 9)
        assert type(batch_classes(x, labels, counted)) is way


@pytest.mark.parametrize("options", [
    {}, {"ratio": "class"}, {"ratio": "permuted"}, {"ratio": "matched"}, {"preset": "text"}, {"preset": "released"},
    {"count": "dataset"}, {"update": "epoch"}, {"gamma": 0.5, "prior": 0.0},
])  # fmt: skip
def test_weights_of_a_large_batch_do_not_depend_on_the_way(options, monkeypatch):
    """Three steps and what the prototypes are after them, some samples to ignore and some features infinite."""
    draw = torch.Generator().manual_seed(1)
    labels = [(torch.rand(600, generator=draw) ** 2 * 40).long() for _ in range(3)]
    features = [torch.randn(600, 12, generator=draw).relu() for _ in range(3)]
    features[1][5, 3] = torch.inf
    kept = torch.rand(600, generator=draw) > 0.1
    counts = torch.bincount(torch.cat(labels), minlength=40).clamp(min=1)
    found = {}
    for large in (10_000, 512):
        monkeypatch.setattr(module, "LARGE", large)
        weigher = RDRWeights(counts, feature_dim=12, **options)
        steps = [weigher.weigh(x, y, kept) for x, y in zip(features, labels, strict=True)]
        weigher.finish_epoch()
        found[large] = steps, weigher.prototypes
    for one, other in zip(*(steps for steps, _ in found.values()), strict=True):
        torch.testing.assert_close(one.weights, other.weights, rtol=2e-5, atol=1e-6)
        torch.testing.assert_close(one.ratios, other.ratios, rtol=2e-5, atol=1e-6)
        assert torch.equal(one.replaced.isnan(), other.replaced.isnan())
    torch.testing.assert_close(found[10_000][1], found[512][1], rtol=1e-6, atol=1e-6)


def test_the_density_ratio_of_a_large_batch_is_that_of_its_classes_by_themselves():
    x, labels, _ = batch(3, 700, 30, left_out=0)
    prototypes = torch.rand(1000, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    whole = density_ratio(x, labels, prototypes)
    for label in labels.unique():
        own = labels == label
        torch.testing.assert_close(whole[own], density_ratio(x[own], labels[own], prototypes), rtol=1e-9, atol=1e-9)
