"""Numbers that break, at random: weights stay finite, at least 0 and of mean 1, or they say that they are none.

Every weighting and loss that is registered is asked, in batches with NaN, infinities, features that are 0, constant,
huge or tiny, classes not seen before, one class alone, one sample alone, in every type of float.
"""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tried import tried

import rdr_core
from rdr_core import RdrError, RDRWeights, density_ratio
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import PARTS
from rdr_core.methods.presets import PRESETS
from rdr_core.methods.replaced import FEATURELESS, INFINITE, UNSEEN, WEIGHTLESS
from rdr_core.methods.weighting import ClassWeights, check_class_weights, mean_one
from rdr_core.runs import RunConfig
from rdr_core.training.state import TrainingState

TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
#: What rounding to a type may make of a mean of 1 over at most 24 weights.
NEAR = {torch.float16: 2e-3, torch.bfloat16: 2e-2, torch.float32: 1e-5, torch.float64: 1e-12}
WEIGHTINGS = sorted(
    f"inverse+{p.name}" if p.kind == "schedule" else p.name
    for p in PARTS.all().values()
    if p.kind in ("class weights", "weighting", "schedule")
)
OPTIONS = [
    {}, {"gamma": 0.5}, {"ratio": "class"}, {"ratio": "permuted"}, {"ratio": "matched"}, {"count": "dataset"},
    {"start": "zero"}, {"unseen": "zero"}, {"update": "epoch"}, {"floor": 0.1}, {"prior": 0.0}, {"momentum": 0.0},
]  # fmt: skip
EXAMPLES = 150


@st.composite
def batches(draw, d: int, z: int, dtypes=TYPES):
    """Features and labels of a batch, as bad as they come, and which samples have a feature that is not finite."""
    dtype = draw(st.sampled_from(dtypes))
    size = draw(st.sampled_from([1, 2, 3, 9, 24]))
    random = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    labels = torch.randint(draw(st.sampled_from([1, 2, d])), (size,), generator=random)
    labels = (labels + draw(st.integers(0, d - 1))) % d
    # Up to what a sum of squares in float32 can hold, and less than a sum of few in half precision.
    scale = 10.0 ** draw(st.sampled_from([0, 0, 0, -30, -7, 3, 15] if dtype != torch.float16 else [0, 0, -7, 3]))
    features = torch.randn(size, z, generator=random, dtype=torch.float64) * scale
    match draw(st.sampled_from(["as they are", "relu", "constant", "dead", "alike in a class"])):
        case "relu":
            features = features.relu()
        case "constant":
            features = features[:1].expand(size, z).clone()
        case "dead":
            features.zero_()
        case "alike in a class":
            features = features[labels.unique(return_inverse=True)[1] % size]
    features = features.to(dtype)
    bad = torch.zeros(size, dtype=torch.bool)
    for row in draw(st.lists(st.integers(0, size - 1), max_size=3)):
        features[row, draw(st.integers(0, z - 1))] = draw(st.sampled_from([math.nan, math.inf, -math.inf]))
        bad[row] = True
    return features, labels, bad


def assert_weights(weights: torch.Tensor, dtype: torch.dtype = torch.float32) -> None:
    assert weights.dtype == dtype
    assert weights.isfinite().all(), weights
    assert (weights >= 0).all(), weights
    assert weights.double().mean().item() == pytest.approx(1, abs=NEAR[dtype])


@settings(max_examples=EXAMPLES)
@given(st.lists(batches(d=5, z=4), min_size=1, max_size=4), st.sampled_from(OPTIONS), st.sampled_from(TYPES))
def test_rdrs_weights_are_finite_whatever_the_features(steps, options, dtype):
    counts = torch.tensor([9000, 300, 20, 2, 1])
    rdr = RDRWeights(counts, 4, dtype=dtype, **options)
    for features, labels, bad in steps:
        weighed = rdr.weigh(features, labels)
        assert_weights(weighed.weights, dtype)
        assert rdr.prototypes.isfinite().all()
        assert weighed.replaced[bad].tolist() in ([INFINITE] * int(bad.sum()), [WEIGHTLESS] * int(bad.sum()))
        assert not (weighed.replaced[~bad] == INFINITE).any()
    tried("Numbers", "batches with broken features for RDR's weights", len(steps))


@settings(max_examples=EXAMPLES)
@given(batches(d=3, z=4, dtypes=[torch.float32, torch.float64]), st.integers(0, 10**6), st.sampled_from(OPTIONS))
def test_the_others_are_weighed_as_if_the_broken_samples_were_not_there(batch, seed, options):
    features, labels, bad = batch
    first = torch.randn(12, 4, generator=torch.Generator().manual_seed(seed)), torch.arange(12) % 3
    one, other = (RDRWeights(torch.tensor([60, 30, 10]), 4, dtype=torch.float64, **options) for _ in range(2))
    one(*first), other(*first)
    whole = one.weigh(features, labels)
    if bad.all():
        assert torch.equal(one.prototypes, other.prototypes)
        return
    without = other.weigh(features[~bad], labels[~bad])
    torch.testing.assert_close(whole.ratios[~bad], without.ratios, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(mean_one(whole.weights[~bad]), without.weights, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(one.prototypes, other.prototypes, rtol=1e-9, atol=1e-9)


@given(batches(d=3, z=4, dtypes=[torch.float32]))
def test_density_ratios_are_finite(batch):
    features, labels, bad = batch
    ratios = density_ratio(features, labels, torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))
    assert (ratios[bad] == 1).all()
    # Features so short beside their prototype have ratios that float32 can't hold; infinite is what they are.
    assert not ratios.isnan().any()


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "ours"])
@given(batch=batches(d=3, z=4))
def test_without_a_ridge_weights_are_right_or_none(preset, batch):
    """Inverses of singular matrices can overflow: then all weights are NaN, never 1, and training stops."""
    features, labels, _ = batch
    rdr = RDRWeights(torch.tensor([60, 30, 10]), 4, preset=preset)
    for _ in range(2):
        weights = rdr(features, labels)
        if not weights.isnan().all():
            assert_weights(weights)


@cache
def state_of(method: str) -> TrainingState:
    config = RunConfig(dataset="digits", imbalance_factor=20, method=parse(method).name, epochs=4, model="small",
                       batch_size=64, learning_rate=0.1)  # fmt: skip
    data = rdr_core.load_data("digits", imbalance_factor=20, held_out=parse(method).held_out)
    return TrainingState(config, data, torch.device("cpu"))


@pytest.mark.parametrize("method", WEIGHTINGS)
@given(data=st.data())
def test_every_weighting_gives_weights_or_says_that_it_has_none(method, data):
    state = state_of(method)
    state.weighting.start_epoch(3)  # deferred ones weigh by then
    features, labels, _ = data.draw(batches(d=10, z=state.model.feature_dim))
    weighed = state.weighting.weigh(features, labels)
    assert_weights(weighed.weights)
    assert weighed.replaced is None or len(weighed.replaced) == len(labels)
    tried("Numbers", "batches with broken features for every registered weighting", 1)


LOSSES = sorted(p.name for p in PARTS.all().values() if p.kind == "loss")


@pytest.mark.parametrize("method", LOSSES)
@given(data=st.data())
def test_every_loss_is_finite_and_near_float64s_or_says_that_it_is_none(method, data):
    loss = state_of(method).objective.loss
    dtype = data.draw(st.sampled_from(TYPES))
    size = data.draw(st.sampled_from([1, 2, 9]))
    random = torch.Generator().manual_seed(data.draw(st.integers(0, 10**6)))
    largest = data.draw(st.sampled_from([0.0, 1.0, 30.0, 1e4]))
    logits = (torch.randn(size, 10, generator=random) * largest).to(dtype)
    labels = torch.randint(10, (size,), generator=random)
    losses, exact = loss(logits, labels), loss(logits.double(), labels)
    assert losses.dtype == torch.promote_types(dtype, torch.float32)
    assert losses.isfinite().all()
    assert (losses >= 0).all()
    torch.testing.assert_close(losses.double(), exact, rtol=2e-5, atol=2e-5 * (1 + 0.03 * largest))
    row = data.draw(st.integers(0, size - 1))
    logits[row, data.draw(st.integers(0, 9))] = math.nan
    assert loss(logits, labels)[row].isnan()
    tried("Numbers", "batches with extreme or broken logits for every registered loss", 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("how", ["made so", "cast"])
@given(seed=st.integers(0, 10**6))
def test_weights_in_half_precision_are_those_of_float64_rounded(dtype, how, seed):
    """Of a class of 1 among 100,000 the prior's inverse is more than float16 holds."""
    draw = torch.Generator().manual_seed(seed)
    counts = torch.tensor([100_000, 300, 1])
    exact = RDRWeights(counts, 8, dtype=torch.float64)
    half = RDRWeights(counts, 8, dtype=dtype) if how == "made so" else RDRWeights(counts, 8).to(dtype)
    classes = ClassWeights(1 / counts).to(dtype)
    eps = torch.finfo(dtype).eps
    for _ in range(4):
        features, labels = torch.randn(12, 8, generator=draw).to(dtype), torch.randint(3, (12,), generator=draw)
        wanted, found = exact(features.double(), labels), half(features, labels)
        assert found.dtype == (dtype if how == "made so" else torch.float32)
        # Prototypes in float32 leave a thousandth of a ratio at worst.
        torch.testing.assert_close(found.double(), wanted, rtol=eps, atol=1e-3)
        torch.testing.assert_close(classes(features, labels).double(), mean_one((1 / counts.double())[labels]),
                                   rtol=1e-5, atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_mean_of_half_types_does_not_overflow(dtype):
    weights = torch.tensor([60_000.0, 60_000.0, 1.0, 0.0], dtype=dtype)
    found = mean_one(weights.repeat(4000))
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), mean_one(weights.repeat(4000).double()), rtol=0.01, atol=1e-6)


def test_buffers_stay_wide_when_cast_and_move_when_moved():
    rdr = RDRWeights(torch.tensor([5, 1]), 3)
    assert rdr.half().prototypes.dtype == torch.float32
    assert rdr.double().prototypes.dtype == torch.float64
    assert rdr.bfloat16().prototypes.dtype == torch.float64
    assert rdr.to("meta").prototypes.device.type == "meta"
    assert torch.nn.Sequential(ClassWeights(torch.ones(2))).half()[0].class_weights.dtype == torch.float32


@given(st.lists(st.sampled_from([0.0, 1e-45, 1e-30, 0.3, 1.0, 7.0, 1e30, 3e38]), min_size=1, max_size=5))
def test_mean_one_is_of_mean_one_or_nan(values):
    weights = torch.tensor(values, dtype=torch.float64)
    assert mean_one(weights).mean().item() == pytest.approx(1)


@given(st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=6), st.sampled_from([math.nan, math.inf, -20.0]))
def test_mean_one_of_what_are_no_weights_is_never_one_weight_for_all(values, broken):
    weights = torch.tensor([*values, broken, broken * 2])
    found = mean_one(weights)
    assert found.isnan().any() or (found < 0).any()


def test_codes_of_what_stands_in():
    rdr = RDRWeights(torch.tensor([30, 20, 10]), 2, warmup_steps=1)
    features = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0], [math.inf, 0.0], [0.0, 0.0]])
    assert rdr.weigh(features[:2], torch.tensor([0, 0])).replaced.isnan().all(), "the warm-up's weights are 1 by design"
    assert rdr.weigh(features, torch.tensor([0, 0, 1, 0, 0])).replaced.tolist() == [0, 0, UNSEEN, INFINITE, FEATURELESS]
    cold = RDRWeights(torch.tensor([30, 20]), 2, start="zero", prior=1.0)
    assert cold.weigh(features[:2], torch.tensor([0, 1])).replaced.tolist() == [WEIGHTLESS] * 2
    zero = ClassWeights(torch.tensor([0.0, 1.0]))
    assert zero.weigh(features[:2], torch.tensor([0, 0])).replaced.tolist() == [WEIGHTLESS] * 2
    assert zero.weigh(features[:2], torch.tensor([0, 1])).replaced.tolist() == [0, 0]


BROKEN = {
    "not a number": ([1.0, math.nan, 2.0], "the weight of class 1 is nan"),
    "infinite": ([1.0, 2.0, math.inf], "the weight of class 2 is inf"),
    "below zero": ([-1.0, -2.0, -1.0], "the weight of class 0 is -1"),
    "one below zero": ([1.0, 2.0, -0.5], "the weight of class 2 is -0.5"),
    "all zero": ([0.0, 0.0, 0.0], "weights of all 3 classes are 0"),
    "a table": ([[1.0], [2.0]], r"have shape \(2, 1\)"),
    "empty": ([], r"have shape \(0,\)"),
}


@pytest.mark.parametrize(("weights", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_class_weights_that_are_none_are_refused(weights, said):
    with pytest.raises(RdrError, match=f"mine: .*{said}"):
        check_class_weights(torch.tensor(weights), "mine")


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=6), st.integers(-300, 300))
def test_the_scale_of_class_weights_plays_no_part(weights, power):
    labels = torch.arange(len(weights))
    found = ClassWeights(torch.tensor(weights, dtype=torch.float64) * 10.0**power)(torch.zeros(len(weights), 1), labels)
    torch.testing.assert_close(found, mean_one(torch.tensor(weights)), rtol=1e-5, atol=0)


@pytest.mark.parametrize("options", [{"prior": 80.0}, {"gamma": 100.0}, {"gamma": 50.0, "prior": 2.0}])
def test_powers_that_leave_the_range_of_numbers_are_refused(options):
    with pytest.raises(RdrError, match=r"RDRWeights: prior=.*, gamma=.*: the weight of class 1 is inf"):
        RDRWeights(torch.tensor([100_000, 30, 1]), 4, **options)
