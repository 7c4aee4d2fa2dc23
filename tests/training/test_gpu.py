"""What only a CUDA device can show; runs wherever there is one."""

from __future__ import annotations

import copy

import pytest
import torch
from train_states import train

import rdr_core
from rdr_core.methods.ratio import RIDGE
from rdr_core.runs import RunConfig
from rdr_core.training.auto_augment import auto_augment, draw_choices
from rdr_core.training.loop import close_epoch, plain_steps, train_epoch
from rdr_core.training.recorded import CudaGraphs, RecordedSteps
from rdr_core.training.state import TrainingState

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]

METHODS = [
    "ce", "la", "focal+cb", "ldam+cb+drw:start=0.4", "vs", "rdr", "rdr+la", "rdr:update=epoch", "sam", "rdr+sam",
    "inverse:gamma=0.5+imbsam", "ccsam", "cb+drw:start=0.4", "cdb:images=5",
]  # fmt: skip


def state_of(method: str, *, recorded: bool = True, precision: str = "fp32", epochs: int = 4) -> TrainingState:
    data = rdr_core.load_data("digits", imbalance_factor=20, held_out=5 if "cdb" in method else 0)
    config = RunConfig(dataset="digits", imbalance_factor=20, method=method, epochs=epochs, model="small",
                       batch_size=32, learning_rate=0.05, precision=precision)  # fmt: skip
    torch.manual_seed(0)
    state = TrainingState(config, data, torch.device("cuda"))
    if not recorded:
        state.steps = plain_steps
    return state


def weights_of(state: TrainingState) -> torch.Tensor:
    return torch.cat([p.detach().double().flatten() for p in state.model.parameters()])


@pytest.fixture
def repeatable(monkeypatch):
    """Convolutions by algorithms that repeat themselves: what is left is the order of other sums."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


@pytest.mark.parametrize("method", METHODS)
def test_recorded_steps_train_as_plain_ones_do(method, repeatable):
    """Two epochs: the way that the weights went agrees to a part in a hundred, and so does what was recorded."""
    begun = weights_of(state_of(method))
    recorded, plain = train(state_of(method), 2), train(state_of(method, recorded=False), 2)
    assert recorded.steps.replay is not None, "it was recorded"
    here, there = weights_of(recorded), weights_of(plain)
    assert (here - there).norm() < 0.01 * (there - begun).norm()
    for one, other in zip(recorded.history, plain.history, strict=True):
        assert one["learning_rate"] == other["learning_rate"]
        assert one["loss"] == pytest.approx(other["loss"], rel=0.01)
        assert one["bound_terms"] == pytest.approx(other["bound_terms"], rel=0.05)
    for name, value in recorded.weighting.state_dict().items():
        torch.testing.assert_close(value, plain.weighting.state_dict()[name], rtol=0.02, atol=0.02)


def test_recorded_steps_take_what_strong_augmentation_made_of_each_epochs_images(repeatable):
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (600, 3, 32, 32), dtype=torch.uint8, generator=draw)
    data = rdr_core.data.from_arrays(images, torch.arange(600) % 4, images[:40], torch.arange(40) % 4)
    config = RunConfig(dataset="arrays", imbalance_factor=None, method="rdr", epochs=4, model="small", batch_size=48,
                       learning_rate=0.02, augmentation="strong")  # fmt: skip
    weights = []
    for recorded in (True, False):
        torch.manual_seed(0)
        state = TrainingState(config, data, torch.device("cuda"))
        begun = weights_of(state)
        if not recorded:
            state.steps = plain_steps
        train(state, 2)
        assert not recorded or state.steps.replay is not None
        weights.append(weights_of(state))
    here, there = weights
    assert (here - there).norm() < 0.01 * (there - begun).norm()


def test_strong_augmentation_is_that_of_the_cpu():
    """But for rounding: single pixels may fall on the other side of a threshold."""
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (500, 3, 32, 32), dtype=torch.uint8, generator=draw)
    choices = draw_choices(500, draw)
    here, there = auto_augment(images, choices), auto_augment(images.cuda(), choices).cpu()
    assert (here != there).double().mean() < 0.01


def test_each_replay_takes_the_next_batch(repeatable):
    """Step by step: the losses that are recorded are those of the plain steps, batch after batch."""
    recorded, plain = state_of("rdr"), state_of("rdr", recorded=False)
    for state in (recorded, plain):
        train_epoch(state, tick=lambda: None, stop=lambda: False)
    for name in ("loss", "weight", "logit"):
        torch.testing.assert_close(recorded.visits[name], plain.visits[name], rtol=0.02, atol=0.02)


def test_two_recordings_of_the_same_run_are_the_same_run(repeatable):
    one, other = (weights_of(train(state_of("rdr+la"), 2)) for _ in range(2))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("method", ["rdr", "rdr+sam"])
@pytest.mark.parametrize("steps", [2, 20])
def test_stopped_within_an_epoch_and_restored(method, steps, repeatable):
    taken: list[int] = []
    stopped = state_of(method)
    while len(taken) < steps:
        if stopped.batch == stopped.batches:
            close_epoch(stopped)
        train_epoch(stopped, tick=lambda: taken.append(1), stop=lambda: len(taken) == steps)
    resumed = state_of(method)
    resumed.restore(copy.deepcopy(stopped.tree()))
    here, there = weights_of(train(resumed, 2)), weights_of(train(state_of(method), 2))
    assert (here - there).norm() < 0.01 * there.norm()


def test_a_step_that_waits_for_the_device_is_not_recorded_and_goes_on(capsys, repeatable):
    """As a real recording refuses it: the run is the plain one, and other runs can be recorded after it."""
    state = state_of("ce")
    take = state.step

    class Asks:
        optimizer = take.optimizer

        def __call__(self, objective, images, labels):
            outcome = take(objective, images, labels)
            outcome.loss.detach().item()
            return outcome

    state.step = Asks()
    train(state, 2)
    assert state.steps.replay is None
    assert capsys.readouterr().err.count("can't be recorded, so the run will be slower") == 1
    plain = weights_of(train(state_of("ce", recorded=False), 2))
    assert (weights_of(state) - plain).norm() < 0.01 * plain.norm()
    assert train(state_of("ce"), 2).steps.replay is not None


def test_a_recording_belongs_to_its_device():
    last = torch.device("cuda", torch.cuda.device_count() - 1)
    assert CudaGraphs(last).stream.device == last
    assert RecordedSteps(last, CudaGraphs(last)).rate.device == last


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("method", METHODS)
def test_nothing_in_an_epoch_waits_for_the_host(method, precision, recorded):
    state = train(state_of(method, precision=precision, recorded=recorded), 1)  # kernels are compiled
    torch.cuda.set_sync_debug_mode("error")
    try:
        train_epoch(state, tick=lambda: None, stop=lambda: False)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("ridge", [RIDGE, 1e-6])
@pytest.mark.parametrize("size", [1, 32, 128])
def test_ratios_are_those_of_the_cpu(size, ridge):
    """There by matrix products, here by elimination."""
    draw = torch.Generator().manual_seed(0)
    features, labels = torch.randn(size, 64, generator=draw).relu(), torch.randint(10, (size,), generator=draw)
    prototypes = torch.randn(10, 64, generator=draw)
    there = rdr_core.density_ratio(features.cuda(), labels.cuda(), prototypes.cuda(), ridge=ridge)
    here = rdr_core.density_ratio(features, labels, prototypes, ridge=ridge)
    torch.testing.assert_close(there.cpu(), here, rtol=1e-4, atol=1e-5)


def test_a_run_trains_and_opens_on_the_cpu(tmp_path):
    run = rdr_core.train("digits", imbalance_factor=20, epochs=6, device="cuda", runs=tmp_path, progress=False)
    assert run.history.loss.iloc[-1] < run.history.loss.iloc[0]
    assert next(run.model().parameters()).device.type == "cpu"


def test_the_fused_update_with_a_rate_on_the_device_is_sgd():
    """Against the definition, in float64: momentum, weight decay, and a rate that changes between steps."""
    weight = torch.randn(50, device="cuda").requires_grad_()
    expected, velocity = weight.detach().double(), torch.zeros(50, device="cuda", dtype=torch.float64)
    rate = torch.zeros((), device="cuda")
    sgd = torch.optim.SGD([weight], lr=0.1, momentum=0.9, weight_decay=2e-4)
    sgd.param_groups[0].update(lr=rate, fused=True)
    for step, value in enumerate((0.1, 0.07, 0.02)):
        weight.grad = torch.randn(50, device="cuda")
        gradient = weight.grad.double() + 2e-4 * expected
        velocity = 0.9 * velocity + gradient if step else gradient
        expected = expected - value * velocity
        rate.fill_(value)
        sgd.step()
    torch.testing.assert_close(weight.detach().double(), expected, rtol=1e-5, atol=1e-6)
