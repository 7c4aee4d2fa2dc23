"""Deferred weights: 1 until the share of the run is over, while what is deferred learns from every batch."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import rdr_core
from rdr_core import RDRWeights, load_data
from rdr_core.methods.contract import Context
from rdr_core.methods.deferred import Deferred, drw
from rdr_core.methods.weighting import ClassWeights, Unweighted
from rdr_core.models import build_model

COUNTS = torch.tensor([30, 10, 2])


@cache
def context(epochs: int) -> Context:
    data = load_data("digits", imbalance_factor=20)
    model = build_model("small", num_classes=10, channels=1)
    return Context(
        data.class_counts, data.train.labels, 64, 10, epochs, 1.0, 0, lambda *_: torch.Generator(), model, data,
        lambda: torch.ones(10),
    )  # fmt: skip


def batches(count: int):
    draw = torch.Generator().manual_seed(0)
    for _ in range(count):
        yield torch.randn(8, 4, generator=draw), torch.randint(3, (8,), generator=draw)


def test_prototypes_follow_the_batches_before_the_start_as_they_would_without():
    plain, deferred = RDRWeights(COUNTS, 4), Deferred(RDRWeights(COUNTS, 4), start=2)
    for epoch in range(4):
        deferred.start_epoch(epoch)
        for features, labels in batches(3):
            expected, found = plain.weigh(features, labels), deferred.weigh(features, labels)
            assert torch.equal(found.weights, torch.ones(8) if epoch < 2 else expected.weights)
            assert torch.equal(found.ratios, expected.ratios)
        deferred.finish_epoch(epoch)
    for name, value in plain.state_dict().items():
        assert torch.equal(deferred.state_dict()[f"weighting.{name}"], value)


def test_the_epochs_hooks_reach_what_is_deferred():
    calls = []

    class Recorder(Unweighted):
        def start_epoch(self, epoch):
            calls.append(("start", epoch))

        def finish_epoch(self, epoch):
            calls.append(("finish", epoch))

    deferred = Deferred(Recorder(), start=1)
    deferred.start_epoch(0)
    deferred.finish_epoch(0)
    assert calls == [("start", 0), ("finish", 0)]


@given(epochs=st.integers(1, 400), share=st.floats(0, 1, exclude_max=True))
def test_the_start_scales_with_the_run_and_leaves_an_epoch_with_weights(epochs, share):
    start = drw(context(epochs), Unweighted(), start=share).start
    assert 0 <= start <= epochs - 1
    assert abs(start - share * epochs) <= 1
    if share == 0:
        assert start == 0


def test_the_fields_figure():
    assert drw(context(200), Unweighted()).start == 160


def test_state_within_an_epoch_survives_a_resume():
    """A run stopped in a weighted epoch goes on within it: no one starts the epoch again."""
    stopped = Deferred(ClassWeights(torch.tensor([0.5, 1.0, 1.5])), start=3)
    stopped.start_epoch(3)
    resumed = Deferred(ClassWeights(torch.ones(3)), start=3)
    resumed.load_state_dict(stopped.state_dict())
    features, labels = next(batches(1))
    assert torch.equal(resumed(features, labels), stopped(features, labels))
    assert not torch.equal(resumed(features, labels), torch.ones(8))


@pytest.mark.parametrize("weights", ["inverse", "cb", "rdr", "cdb"])
def test_recorded_weights_are_one_and_then_not(weights, tmp_path):
    run = rdr_core.train(
        "digits", imbalance_factor=20, epochs=5, method=f"{weights}+drw", runs=tmp_path, progress=False
    )
    table = run.classes.pivot(index="epoch", columns="class", values="weight")
    assert (table.loc[:4] == 1).all(axis=None)
    assert table.loc[5].std() > 0.05
