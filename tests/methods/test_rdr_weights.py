"""RDR's weights: prototypes against a plain-Python reference, every option, and what must not cost anything."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

import rdr_core
from rdr_core import RDRWeights
from rdr_core.methods.weighting import mean_one

COUNTS = torch.tensor([60, 30, 10])


def batches(number: int, z: int = 8, size: int = 20):
    draw = torch.Generator().manual_seed(number)
    for _ in range(number):
        labels = torch.multinomial(COUNTS.float(), size, replacement=True, generator=draw)
        yield torch.randn(size, z, generator=draw).relu() + labels[:, None] * 0.3, labels


def reference(steps, *, gamma=1.0, momentum=0.5, floor=0.0, ratio="sample", count="batch", start="mean", prior=1.0):
    """Algorithm 1 in NumPy float64, a loop over classes."""
    pi = (COUNTS / COUNTS.sum()).double().numpy()
    prototypes = {c: np.zeros(8) for c in range(3)} if start == "zero" else {}
    weights = None
    for features, labels in steps:
        x, y = features.double().numpy(), labels.numpy()
        r, own = np.empty(len(y)), np.empty(len(y))
        for c in np.unique(y):
            rows = np.flatnonzero(y == c)
            mean = x[rows].mean(0)
            f = prototypes.get(c, mean)
            phi = x[rows].T
            r[rows] = 1 + len(rows) * np.linalg.pinv(phi) @ (f - mean)
            if count == "dataset":
                r[rows] *= COUNTS[c].item() / len(rows)
            own[rows] = r[rows]
            if ratio == "class":
                r[rows] = r[rows].mean()
            elif ratio == "permuted":
                r[rows] = np.roll(r[rows], -1)
            prototypes[c] = momentum * f + (1 - momentum) * mean
        raw = (np.maximum(r, floor) / pi[y] ** prior) ** gamma
        weights = raw / raw.mean()
    return weights, prototypes, own


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gamma": 0.5},
        {"gamma": 0.0},
        {"momentum": 0.9},
        {"momentum": 0.0},
        {"floor": 0.1},
        {"ratio": "class"},
        {"ratio": "permuted"},
        {"count": "dataset"},
        {"start": "zero"},
        {"prior": 0.0},
        {"prior": 0.3, "gamma": 0.7, "momentum": 0.3},
    ],
    ids=str,
)
def test_every_option_follows_the_algorithm_written_out(options):
    rdr = RDRWeights(COUNTS, 8, **options)
    steps = list(batches(6, size=16))
    for features, labels in steps:
        weighed = rdr.weigh(features, labels)
    weights, prototypes, ratios = reference(steps, **options)
    np.testing.assert_allclose(weighed.ratios, ratios, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(weighed.weights, weights, rtol=2e-3, atol=2e-3)
    for c, prototype in prototypes.items():
        np.testing.assert_allclose(rdr.prototypes[c], prototype, rtol=1e-5, atol=1e-6)
    assert weighed.weights.mean().item() == pytest.approx(1, abs=1e-5)


def test_the_first_batch_gives_inverse_frequency():
    features, labels = next(batches(1))
    weights = RDRWeights(COUNTS, 8)(features, labels)
    torch.testing.assert_close(weights, mean_one(1 / COUNTS[labels].float()))


def test_a_class_seen_first_later_starts_at_its_own_mean():
    rdr = RDRWeights(COUNTS, 8)
    features = torch.rand(6, 8)
    rdr(features[:3], torch.tensor([0, 0, 1]))
    weighed = rdr.weigh(features[3:], torch.tensor([2, 2, 0]))
    assert weighed.ratios[:2].tolist() == [1.0, 1.0]
    torch.testing.assert_close(rdr.prototypes[2], features[3:5].mean(0))


def test_warm_up_weighs_one_while_prototypes_follow():
    rdr = RDRWeights(COUNTS, 8, warmup_steps=2)
    plain = RDRWeights(COUNTS, 8)
    for step, (features, labels) in enumerate(batches(4)):
        weights, expected = rdr(features, labels), plain(features, labels)
        assert torch.equal(weights, torch.ones(20) if step < 2 else expected)
    assert torch.equal(rdr.prototypes, plain.prototypes)


def test_update_by_epoch_moves_prototypes_to_the_epochs_mean_once():
    rdr = RDRWeights(COUNTS, 8, update="epoch", momentum=0.25)
    means = []
    for number in (3, 4):
        seen = list(batches(number))
        for features, labels in seen:
            before = rdr.prototypes.clone()
            rdr(features, labels)
            assert torch.equal(rdr.prototypes, before)
        rdr.finish_epoch()
        x, y = (torch.cat(part) for part in zip(*seen, strict=True))
        means.append(torch.stack([x[y == c].mean(0) for c in range(3)]))
    torch.testing.assert_close(rdr.prototypes, 0.25 * means[0] + 0.75 * means[1])


def test_evaluation_mode_learns_nothing():
    rdr = RDRWeights(COUNTS, 8)
    (first, first_labels), (second, second_labels) = batches(2)
    rdr(first, first_labels)
    before = {name: value.clone() for name, value in rdr.state_dict().items()}
    rdr.eval()
    once, again = rdr(second, second_labels), rdr(second, second_labels)
    assert torch.equal(once, again)
    assert all(torch.equal(value, before[name]) for name, value in rdr.state_dict().items())


def test_state_dict_carries_everything():
    rdr, copy = RDRWeights(COUNTS, 8, warmup_steps=2), RDRWeights(COUNTS, 8, warmup_steps=2)
    steps = list(batches(5))
    for features, labels in steps[:3]:
        rdr(features, labels)
    copy.load_state_dict(rdr.state_dict())
    for features, labels in steps[3:]:
        assert torch.equal(rdr(features, labels), copy(features, labels))
    assert not list(rdr.parameters())


def test_no_gradient_reaches_the_features():
    features, labels = next(batches(1))
    weights = RDRWeights(COUNTS, 8)(features.requires_grad_(), labels)
    assert not weights.requires_grad


def test_bfloat16_features_give_float32_weights():
    rdr = RDRWeights(COUNTS, 8)
    for features, labels in batches(3):
        weights = rdr(features.bfloat16(), labels)
    assert weights.dtype == torch.float32
    assert weights.isfinite().all()


@pytest.mark.parametrize(("size", "z"), [(20, 32), (128, 64), (32, 8)])
def test_all_ones_where_no_ratio_is_above_zero(size, z):
    cold = RDRWeights(COUNTS, z, start="zero")
    features, labels = next(batches(1, z=z, size=size))
    weighed = cold.weigh(features, labels)
    assert torch.equal(weighed.ratios, torch.zeros(size)), "against a prototype of 0 the ratio is 0"
    assert torch.equal(weighed.weights, torch.ones(size))


def test_all_ones_where_every_ratio_is_clamped():
    opposite = RDRWeights(COUNTS, 32)
    features, labels = next(batches(1, z=32))
    opposite(features, labels)
    opposite.prototypes.neg_()
    weighed = opposite.weigh(features, labels)
    assert (weighed.ratios < 0).all()
    assert torch.equal(weighed.weights, torch.ones(20))


@pytest.mark.parametrize("update", ["step", "epoch"])
def test_an_infinite_feature_does_not_spoil_the_prototypes(update):
    rdr = RDRWeights(COUNTS, 8, update=update)
    steps = list(batches(4))
    rdr(*steps[0])
    broken = steps[1][0].clone()
    broken[3, 2] = torch.inf
    rdr(broken, steps[1][1])
    rdr.finish_epoch()
    assert rdr.prototypes.isfinite().all()
    weights = [rdr(*step) for step in steps[2:]]
    assert all(w.isfinite().all() and w.std() > 0 for w in weights)


def test_counts_as_a_list_and_int32_labels_are_welcome():
    features, labels = next(batches(1))
    weights = inspect.unwrap(RDRWeights.weigh)(RDRWeights(COUNTS, 8), features, labels.int()).weights
    torch.testing.assert_close(weights, RDRWeights(COUNTS, 8)(features, labels))


def test_a_million_classes_touch_only_the_rows_of_the_batch():
    """A step makes no tensor with a row for each class: it reads and writes rows of its own buffers."""
    d = 1_000_000
    rdr = RDRWeights(torch.full((d,), 3), 4)
    made = []
    own = {buffer.untyped_storage().data_ptr() for buffer in rdr.buffers()}

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            for tensor in torch.utils._pytree.tree_leaves(result):
                large = isinstance(tensor, torch.Tensor) and tensor.numel() >= d
                if large and tensor.untyped_storage().data_ptr() not in own:
                    made.append(function.__name__)
            return result

    with Watch():
        rdr(torch.rand(8, 4), torch.tensor([0, 5, 5, 999_999, 7, 7, 7, 1]))
    assert made == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"gamma": -1.0}, "gamma is -1.0; it must be 0 or larger"),
        ({"momentum": 1.0}, r"momentum is 1.0; it must be in \[0, 1\)"),
        ({"ratio": "median"}, "ratio is 'median'; it must be one of sample, class"),
        ({"start": "one"}, "start is 'one'"),
        ({"update": "never"}, "update is 'never'"),
        ({"count": "all"}, "count is 'all'"),
    ],
)
def test_options_out_of_range_are_refused(options, said):
    with pytest.raises(rdr_core.RdrError, match=said):
        RDRWeights(COUNTS, 8, **options)


def test_an_empty_class_is_refused():
    with pytest.raises(rdr_core.RdrError, match="class 1 has no training sample"):
        RDRWeights(torch.tensor([3, 0]), 8)


def test_a_checkpoint_brings_its_prototypes_and_leaves_the_class_counts_that_were_said():
    """Weights of 30 and 10 were given for 30 and 300; right is what a fresh module gives with the same prototypes."""
    draw = torch.Generator().manual_seed(0)
    features, labels = torch.randn(6, 4, generator=draw), torch.tensor([0, 0, 0, 0, 1, 1])
    old = RDRWeights(torch.tensor([30, 10]), 4)
    new = RDRWeights(torch.tensor([30, 300]), 4)
    new.load_state_dict(old.state_dict())
    expected = RDRWeights(torch.tensor([30, 300]), 4)(features, labels)
    assert torch.equal(new(features, labels), expected)
    assert expected[[0, 4]].tolist() == pytest.approx([1.4286, 0.1429], abs=1e-4)
    old(features, labels)
    new.load_state_dict(old.state_dict())
    assert torch.equal(new.prototypes, old.prototypes)
    assert new.class_counts.tolist() == [30, 300]
    inside = torch.nn.ModuleList([RDRWeights(torch.tensor([30, 300]), 4)])
    inside.load_state_dict(torch.nn.ModuleList([old]).state_dict())
    assert inside[0].class_counts.tolist() == [30, 300]


def test_a_checkpoint_of_other_classes_is_refused():
    state = RDRWeights(torch.tensor([30, 20, 10]), 4).state_dict()
    with pytest.raises(rdr_core.RdrError, match="prototypes of 3 classes and 4 features, these weights 2 and 4"):
        RDRWeights(torch.tensor([30, 10]), 4).load_state_dict(state)
