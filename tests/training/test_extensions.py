"""The methods to come fit without a change to the loop: sharpness-aware steps, samplers, schedules, difficulty.

Each is defined here, registered, and trained through the public `train` on real digits.
"""

from __future__ import annotations

import pytest
import torch

import rdr_core
from rdr_core import RdrError
from rdr_core.methods.contract import Weighing, Weighting
from rdr_core.methods.parts import PARTS, at_least, between, part
from rdr_core.methods.weighting import Unweighted, mean_one
from rdr_core.training.objective import WeightedObjective
from rdr_core.training.randomness import generator


class SharpnessAware:
    """SAM: the second pass at w + rho g / ||g|| with the first one's weights, BatchNorm statistics untouched."""

    def __init__(self, optimizer, rho):
        self.optimizer, self.rho = optimizer, rho
        self.passes = []

    def __call__(self, objective: WeightedObjective, images, labels):
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        norms = [m for m in objective.model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        self.optimizer.zero_grad()
        first = objective(images, labels)
        first.loss.backward()
        with torch.no_grad():
            size = torch.stack([p.grad.norm() for p in parameters]).norm()
            moves = [self.rho * p.grad / size for p in parameters]
            torch._foreach_add_(parameters, moves)
        self.optimizer.zero_grad()
        for norm in norms:
            norm.momentum, kept = 0.0, norm.momentum
        second = objective(images, labels, weights=first.weights)
        second.loss.backward()
        for norm in norms:
            norm.momentum = kept
        with torch.no_grad():
            torch._foreach_sub_(parameters, moves)
        self.optimizer.step()
        assert torch.equal(second.weights, first.weights)
        return first


class Deferred(Weighting):
    """Weights 1 until a share of the epochs has passed."""

    def __init__(self, inner, start):
        super().__init__()
        self.inner, self.start = inner, start
        self.register_buffer("active", torch.tensor(False))

    def start_epoch(self, epoch):
        self.active.fill_(epoch >= self.start)
        self.inner.start_epoch(epoch)

    def weigh(self, features, labels):
        weighed = self.inner.weigh(features, labels)
        plain = Unweighted().weigh(features, labels)
        return Weighing(torch.where(self.active, weighed.weights, plain.weights), weighed.ratios)


class Difficulty(Weighting):
    """Weights from the network's own accuracy by class, asked for at the start of each epoch."""

    def __init__(self, context):
        super().__init__()
        self.context = context
        self.register_buffer("class_weights", torch.ones(len(context.class_counts)))

    def start_epoch(self, epoch):
        images = torch.randn(50, 1, 8, 8, generator=generator(0, epoch))
        predicted = self.context.model(images).argmax(1)
        self.class_weights.copy_(1 + torch.bincount(predicted, minlength=len(self.class_weights)) * (epoch + 1))

    def weigh(self, features, labels):
        return Weighing(mean_one(self.class_weights[labels]))


class Oversampled:
    """As many visits of each class as of the largest."""

    def __init__(self, context):
        self.labels, self.seed = context.labels, context.seed
        self.visits = int(context.class_counts.max()) * len(context.class_counts)

    def order(self, epoch):
        weights = 1 / torch.bincount(self.labels)[self.labels].double()
        return torch.multinomial(weights, self.visits, replacement=True, generator=generator(self.seed, "over", epoch))


@pytest.fixture(autouse=True)
def registered_parts():
    part("sam_t", kind="optimizer", summary="SAM", formula="w + rho g / ||g||", source="",
         ranges={"rho": at_least(0)})(lambda context, sgd, rho=0.05: SharpnessAware(sgd, rho))  # fmt: skip
    part("drw_t", kind="schedule", summary="deferred", formula="1, then w", source="", ranges={"start": between(0, 1)})(
        lambda context, weighting, start=0.5: Deferred(weighting, start * context.epochs)
    )
    part("cdb_t", kind="weighting", summary="difficulty", formula="1 - A", source="")(
        lambda context: Difficulty(context)
    )
    part("over_t", kind="sampler", summary="over-sampling", formula="", source="")(Oversampled)
    yield
    for name in ("sam_t", "drw_t", "cdb_t", "over_t"):
        PARTS.remove(name)


def train(method, folder, **more):
    return rdr_core.train("digits", imbalance_factor=20, epochs=4, method=method, runs=folder, progress=False, **more)


def test_a_sharpness_aware_step_composes_with_weights_and_loss(tmp_path):
    run, plain = train("rdr+la+sam_t", tmp_path), train("rdr+la", tmp_path)
    assert run.config.method == "rdr+la+sam_t"
    assert run.history.loss.iloc[-1] < run.history.loss.iloc[0]
    assert run.history.loss.iloc[0] != plain.history.loss.iloc[0]


def test_sam_with_radius_zero_is_sgd_bit_for_bit(tmp_path):
    sam, plain = train("rdr+sam_t:rho=0", tmp_path).model().state_dict(), train("rdr", tmp_path).model().state_dict()
    for name in plain:
        if "num_batches" not in name:
            torch.testing.assert_close(sam[name], plain[name], rtol=0, atol=0)


def test_a_deferred_schedule_wraps_any_weighting(tmp_path):
    run = train("inverse+drw_t", tmp_path)
    weights = run.classes.pivot(index="epoch", columns="class", values="weight")
    assert (weights.loc[:2] == 1).all(axis=None)
    assert (weights.loc[3:, 0] < 0.9).all()
    assert (weights.loc[3:, 9] > 1.1).all()
    with pytest.raises(RdrError, match=r"defers weights but has none; add a weighting, as in 'inverse\+drw_t'"):
        train("la+drw_t", tmp_path)


def test_a_difficulty_weighting_sees_the_network_at_each_epochs_start(tmp_path):
    run = train("cdb_t+la", tmp_path)
    weights = run.classes.pivot(index="epoch", columns="class", values="weight")
    assert (weights.std(axis=1) > 0).all(), "weights from the network's own answers"
    assert len(weights.drop_duplicates()) == 4, "refreshed each epoch"


def test_a_sampler_decides_what_an_epoch_visits(tmp_path):
    run = train("over_t+ce", tmp_path)
    assert run.config.method == "ce+over_t"
    assert run.history.accuracy.iloc[-1] > 50


def test_parts_with_state_resume_exactly(tmp_path):
    import os
    import signal

    from rdr_core.training.visits import Visits

    whole = train("rdr+drw_t", tmp_path / "whole")
    write, calls = Visits.write, 0

    def interrupt(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == 38:
            os.kill(os.getpid(), signal.SIGINT)
        write(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Visits, "write", interrupt)
        with pytest.raises(rdr_core.TrainingStopped):
            train("rdr+drw_t", tmp_path)
    resumed = train("rdr+drw_t", tmp_path)
    assert resumed.metrics == whole.metrics
    assert resumed.history.drop(columns="seconds").equals(whole.history.drop(columns="seconds"))
