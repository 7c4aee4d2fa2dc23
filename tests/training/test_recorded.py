"""Recorded steps, without a GPU: they do what the plain ones do, and every part of a method repeats itself exactly.

A recorded step repeats the same operations on the same memory with the same numbers. ``Replica`` is the test's
stand-in for a recording: it runs the step each time and demands just that of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from train_states import train

import rdr_core
from rdr_core.methods.contract import Weighing, Weighting
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import PARTS, part
from rdr_core.runs import RunConfig
from rdr_core.training.classifier_stage import SecondStageState
from rdr_core.training.loop import close_epoch, plain_steps, train_epoch
from rdr_core.training.recorded import REHEARSALS, RecordedSteps, recordable
from rdr_core.training.state import TrainingState

CPU = torch.device("cpu")
#: Operations that wait for the device or copy from the host: a recording can't hold them.
FORBIDDEN = ("_local_scalar_dense", "is_nonzero", "nonzero", "lift_fresh", "masked_select", "_unique2", "equal")
METHODS = [
    "ce", "la", "focal", "vs", "balanced_softmax", "ldam+cb+drw:start=0.5", "inverse", "rdr", "rdr+la", "sam",
    "rdr:ratio=class,count=dataset,start=zero", "rdr:update=epoch,warmup=0.4", "rdr+sam",
    "rdr:ratio=matched,warmup=0.4", "inverse:gamma=0.5+imbsam",
    "ccsam", "rdr+ccsam", "cb+drw:start=0.5", "rdr+drw:start=0.5", "cdb", "seesaw", "las", "sade", "ilr",
    "ib+drw:start=0.5", "rdr+sqrt_sampling", "oversampling", "rdr+focalsam", "rdr+muon", "rdr+mixup", "ce+remix+sam",
]  # fmt: skip


class Operations(TorchDispatchMode):
    """What a step does: its operations with their numbers, and for each tensor where it came from.

    A tensor that the step made is named by the operation that made it, any other by its address.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []
        self.origin: dict[int, object] = {}  # by address
        self.kept: list[Tensor] = []  # so that an address means one tensor

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        given = tree_map_only(Tensor, self.name, (args, kwargs or {}))
        out = function(*args, **kwargs or {})
        if not str(function).startswith("profiler."):
            made_by = f"operation {len(self.seen)}"
            self.seen.append((str(function), repr(given)))
            tree_map_only(Tensor, lambda tensor: self.name(tensor, made_by), out)
        return out

    def name(self, tensor: Tensor, origin: str = "") -> tuple:
        place = tensor.untyped_storage().data_ptr()
        self.kept.append(tensor)
        origin = self.origin.setdefault(place, origin or place)
        return origin, tensor.storage_offset(), tuple(tensor.shape), tensor.stride(), tensor.dtype


class Direct:
    """Takes the step each time."""

    def rehearse(self, step: Callable[[], None]) -> None:
        step()

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        return step


class Replica(Direct):
    """Takes the step each time, and compares what it does with what it did when it was recorded."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, str]] = []
        self.replays = 0

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        return partial(self._replay, step)

    def _replay(self, step: Callable[[], None]) -> None:
        with Operations() as operations:
            step()
        self.recorded = self.recorded or operations.seen
        self.replays += 1
        for before, now in zip(self.recorded, operations.seen, strict=True):
            assert before == now
            assert before[0].split(".")[1] not in FORBIDDEN


class Refusing(Direct):
    """Takes steps but can't record them."""

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        raise RuntimeError("operation not permitted when stream is capturing\nCUDA kernel errors might be ...")


def state_of(method: str, recorder=None, **changes) -> TrainingState:
    data = rdr_core.load_data("digits", imbalance_factor=20, held_out=5 if "cdb" in method else 0)
    method = method.replace("cdb", "cdb:images=5")
    config = {"dataset": "digits", "imbalance_factor": 20, "method": method, "epochs": 4, "model": "small",
              "batch_size": 64, "learning_rate": 0.1} | changes  # fmt: skip
    torch.manual_seed(0)
    state = TrainingState(RunConfig(**config), data, CPU)
    state.steps = RecordedSteps(CPU, recorder) if recorder else plain_steps
    for group in state.step.optimizer.param_groups:
        group["fused"] = True  # as recorded steps have it
    return state


def tensors_of(state: TrainingState) -> dict[str, Tensor]:
    momentum = state.step.optimizer.state_dict()["state"]
    return {
        **state.model.state_dict(),
        **{f"weighting.{name}": value for name, value in state.weighting.state_dict().items()},
        **{f"momentum.{key}": value["momentum_buffer"] for key, value in momentum.items()},
    }


def assert_same(one: TrainingState, other: TrainingState) -> None:
    assert repr(one.history) == repr(other.history)
    for name, rows in one.classes.items():
        assert repr(rows) == repr(other.classes[name]), name
    here, there = tensors_of(one), tensors_of(other)
    assert here.keys() == there.keys()
    assert [name for name, value in here.items() if not torch.equal(value, there[name])] == []


@pytest.mark.parametrize("method", METHODS)
def test_a_step_repeats_itself_and_trains_as_the_plain_one(method):
    """Bit for bit, over the epochs in which weights begin and warm-up ends."""
    replica = Replica()
    recorded = train(state_of(method, replica), 3)
    assert_same(recorded, train(state_of(method), 3))
    whole = recorded.sampler.visits // 64
    assert replica.replays == 3 * whole - REHEARSALS > 10


def test_every_part_of_the_package_is_held_to_that():
    """But what has no part in a step: samplers, of which two stand for all, and second stages."""
    named = {used.part.name for method in METHODS for used in parse(method).used}
    ours = {name for name, made in PARTS.all().items() if made.make.__module__.startswith("rdr_core.")}
    assert {name for name in ours - named if PARTS[name].kind not in ("second stage", "sampler")} == set()


class OnTheHost(Weighting):
    """Weights that are decided in Python, each in a way that a recording would miss or could not hold."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.calls = way, 0

    def weigh(self, features, labels):
        self.calls += 1
        weights = torch.ones(len(labels))
        match self.way:
            case "branch":
                weights = weights if self.calls < 8 else weights * 1
            case "number":
                weights = weights * self.calls
            case "new memory":
                self.kept = torch.full((1,), 2.0) if self.calls % 5 == 0 else getattr(self, "kept", weights)
                weights = weights * self.kept[0]
            case "reads":
                weights = weights * float(features.detach().sum() > 0)
            case "constant":
                weights = weights * torch.tensor(1.0)
        return Weighing(weights)


@pytest.mark.parametrize("way", ["branch", "number", "new memory", "reads", "constant"])
def test_what_is_decided_in_python_is_found_out(way):
    """That the check above can fail, and that such a part is never recorded."""
    part("host_t", kind="weighting", summary="", formula="", source="")(lambda context: OnTheHost(way))
    try:
        state = state_of("host_t", Replica())
        assert not recordable(state)
        with pytest.raises((AssertionError, ValueError)):
            train(state, 2)
    finally:
        PARTS.remove("host_t")


def test_what_can_be_recorded():
    state = state_of("rdr+la")
    assert recordable(state)
    state.inputs = None
    assert not recordable(state), "images on disk come from the host"


def test_recorded_steps_take_what_strong_augmentation_made_of_each_epochs_images():
    """Each epoch's images lie where the first epoch's did."""
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (200, 3, 32, 32), dtype=torch.uint8, generator=draw)
    labels = torch.arange(200) % 4
    data = rdr_core.data.from_arrays(images, labels, images[:40], labels[:40])
    config = RunConfig(dataset="arrays", imbalance_factor=None, method="rdr", epochs=3, model="small", batch_size=24,
                       learning_rate=0.05, augmentation="strong")  # fmt: skip
    states = []
    for recorder in (None, Replica()):
        torch.manual_seed(0)
        state = TrainingState(config, data, CPU)
        state.steps = RecordedSteps(CPU, recorder) if recorder else plain_steps
        for group in state.step.optimizer.param_groups:
            group["fused"] = True
        train(state, 3)
        states.append(state)
    assert recorder.replays > 10
    assert_same(*states)


@pytest.mark.parametrize("method", ["rdr+sam", "cb+drw:start=0.5"])
@pytest.mark.parametrize("steps", [2, 15])
def test_stopped_within_an_epoch_and_restored(method, steps):
    """Before the step is recorded, and after; what is saved is what the plain way saves."""
    taken = []
    stopped = state_of(method, Replica())
    while len(taken) < steps:
        if stopped.batch == stopped.batches:
            close_epoch(stopped)
        train_epoch(stopped, tick=lambda: taken.append(1), stop=lambda: len(taken) == steps)
    assert 0 < stopped.batch < stopped.batches
    tree = copy.deepcopy(stopped.tree())
    assert isinstance(tree["optimizer"]["param_groups"][0]["lr"], float)
    for recorder in (Replica(), None):
        resumed = state_of(method, recorder)
        resumed.restore(copy.deepcopy(tree))
        resumed.steps = RecordedSteps(CPU, recorder) if recorder else plain_steps
        resumed.step.optimizer.param_groups[0]["fused"] = True
        assert_same(train(resumed, 3), train(state_of(method), 3))


def test_a_step_that_cannot_be_recorded_is_taken_as_ever(capsys):
    assert_same(train(state_of("rdr", Refusing()), 2), train(state_of("rdr"), 2))
    assert capsys.readouterr().err.splitlines() == [
        "The step of rdr can't be recorded, so the run will be slower (operation not permitted when stream is "
        "capturing)."
    ]


@pytest.mark.parametrize("method", ["ce+crt:epochs=4", "ce+lws:epochs=4", "ce+taunorm"])
def test_second_stages_too(method):
    """A body that stays as it is, its BatchNorm's counts included, and a single look without a step."""
    first = train(state_of("ce"), 1)
    both = []
    for recorder in (Replica(), None):
        config = replace(first.config, method=method)
        torch.manual_seed(0)
        state = SecondStageState(config, first.data, CPU, copy.deepcopy(first.model))
        state.steps = RecordedSteps(CPU, recorder) if recorder else plain_steps
        state.step.optimizer.param_groups[0]["fused"] = True
        both.append(train(state, state.config.epochs))
    assert_same(*both)
    assert both[0].history[-1]["learning_rate"] == both[1].history[-1]["learning_rate"]
