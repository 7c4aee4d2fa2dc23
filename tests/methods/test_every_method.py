"""Every part there is, asked of the catalogue: each trains, makes a difference, and survives the hard cases.

The parts' formulas have tests of their own; here each is trained through the public `train`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

import rdr_core
from rdr_core import from_arrays, load_data
from rdr_core.data import LongTailedData
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import PARTS

#: What a part needs beside it: a schedule weights, and what weighs experts a loss that trains some.
BESIDE = {"drw": "inverse", "agreement": "sade"}
#: Each part in the plainest method that has it.
METHODS = sorted("+".join(filter(None, [BESIDE.get(name), name])) for name in PARTS.all())

#: Of those whose epoch is a step or two, as many epochs as make about as many steps; and of what is made for a network
#: that has learnt a little, as many as it takes to do so.
LONGER = {"undersampling": 60, "ilr": 15}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def train(method, runs, **more):
    request = {"imbalance_factor": 50, "epochs": 3} | more
    return rdr_core.train("digits", method=method, runs=runs, progress=False, device="cpu", **request)


def finite(run: rdr_core.Run) -> bool:
    weights = run.classes.weight.to_numpy()  # NaN for a class that the epoch never visited
    return (
        bool(np.isfinite(run.history.loss).all())
        and bool(np.isfinite(weights[~np.isnan(weights)]).all())
        and all(tensor.isfinite().all() for tensor in run.model().state_dict().values() if tensor.is_floating_point())
    )


@pytest.mark.parametrize("method", METHODS)
def test_it_learns_and_is_not_cross_entropy(method, runs):
    run = train(method, runs, epochs=LONGER.get(method, 3))
    assert finite(run)
    assert run.metrics["top1"] > 20, "chance is 10"
    if method != "ce":
        one, other = run.model().state_dict(), train("ce", runs).model().state_dict()
        assert any(name not in one or not torch.equal(one[name], other[name]) for name in other)


@pytest.mark.parametrize("method", METHODS)
def test_a_class_of_one_sample_which_is_missing_from_nearly_all_batches(method, runs):
    smallest_is_one = 124 - parse(method).held_out
    run = train(method, runs, imbalance_factor=smallest_is_one, epochs=1)
    assert run.class_counts.min() == 1
    assert finite(run)


@pytest.mark.parametrize("method", METHODS)
def test_a_single_class_in_a_batch_and_a_last_batch_of_one(method, runs):
    """Batches of two on 30 images of class 0 and 3 of class 1, in half precision as well."""
    data = two_classes(parse(method).held_out)
    for precision in ("fp32", "bf16"):
        run = rdr_core.train(
            data, method=method, epochs=1, batch_size=2, precision=precision, runs=runs, progress=False, device="cpu"
        )
        assert run.class_counts.tolist() == [30, 3]
        assert finite(run), precision


@pytest.mark.parametrize("method", METHODS)
def test_bf16_learns_as_fp32_does(method, runs):
    full, half = train(method, runs), train(method, runs, precision="bf16")
    assert finite(half)
    assert half.history.loss.iloc[0] == pytest.approx(full.history.loss.iloc[0], rel=0.15)


@cache
def two_classes(held_out: int) -> LongTailedData:
    digits = load_data("digits", imbalance_factor=None)
    wanted = {0: 30 + held_out, 1: 3 + held_out}
    chosen = np.concatenate([np.flatnonzero(digits.train.labels == c)[:n] for c, n in wanted.items()])
    images, labels = digits.train.inputs[torch.from_numpy(chosen)], digits.train.labels[torch.from_numpy(chosen)]
    return from_arrays(images, labels, images, labels, held_out=held_out)


@cache
def balanced(held_out: int) -> LongTailedData:
    """30 images of each digit, the same for all methods beyond those held out."""
    digits = load_data("digits", imbalance_factor=None)
    of_class = [np.flatnonzero(digits.train.labels == c) for c in range(10)]
    chosen = torch.from_numpy(np.concatenate([indices[: 30 + held_out] for indices in of_class]))
    test = (digits.test.inputs, digits.test.labels)
    return from_arrays(digits.train.inputs[chosen], digits.train.labels[chosen], *test, held_out=held_out)


def train_balanced(method, runs):
    data = balanced(parse(method).held_out)
    return rdr_core.train(data, method=method, epochs=1, runs=runs, progress=False, device="cpu", batch_size=32)


@pytest.mark.parametrize("method", METHODS)
def test_balanced_classes(method, runs):
    run = train_balanced(method, runs)
    assert run.class_counts.tolist() == [30] * 10
    assert finite(run)


@pytest.mark.parametrize("method", ["inverse", "cb", "inverse+drw", "la", "balanced_softmax", "vs", "vs:tau=0"])
def test_what_follows_the_counts_is_cross_entropy_where_they_are_equal(method, runs):
    loss, plain = (train_balanced(m, runs).history.loss.iloc[0] for m in (method, "ce"))
    assert loss == pytest.approx(plain, rel=1e-3)


@pytest.mark.parametrize(
    "method",
    ["inverse", "cb", "rdr", "cdb", "inverse+drw", "la", "balanced_softmax", "vs", "ldam", "cb+ldam+drw",
     "inverse:gamma=0.1+la:tau=0.9+drw", "ce+crt"],
)  # fmt: skip
def test_few_are_recalled_better_than_by_cross_entropy(method, runs):
    """What these methods are for: with 2 to 5 images a class, cross-entropy has found none of Few by then."""
    few = {m: train(m, runs, epochs=20).metrics["few"] for m in (method, "ce")}
    assert few[method] > few["ce"] + 5


def test_ldams_margins_are_reached_by_rare_classes(runs):
    """The true class's cosine leads the next one's on training images: margins add to that, most for Few."""
    lead = {}
    for method in ("ldam:max_margin=0", "ldam"):
        run = train(method, runs, epochs=60)
        data = run.data()
        mean, std = (torch.tensor(value)[:, None, None] for value in (data.mean, data.std))
        with torch.no_grad():
            logits = run.model()((data.train.inputs / 255 - mean) / std)
        labels = data.train.labels
        true = logits.gather(1, labels[:, None])[:, 0]
        others = logits.scatter(1, labels[:, None], -torch.inf).max(1).values
        of_group = [torch.isin(labels, torch.from_numpy(classes)) for _, classes in data.groups.items()]
        lead[method] = np.array([float((true - others)[mine].mean() / 30) for mine in of_group])
    many, _, few = lead["ldam"] - lead["ldam:max_margin=0"]
    assert few > 0.15, lead
    assert few > many, lead
