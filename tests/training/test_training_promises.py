"""What a run promises beyond its pieces: settings that arrive, options that act, nothing bad saved, nothing ignored."""

from __future__ import annotations

import os
import signal

import pytest
import torch
import torch.nn.functional as F

import rdr_core
from rdr_core.methods.parts import PARTS, part
from rdr_core.runs import RunConfig
from rdr_core.training.state import TrainingState
from rdr_core.training.visits import Visits

REQUEST = {"imbalance_factor": 20, "seed": 1, "progress": False, "device": "cpu"}


def state_of(method: str = "rdr", **changes) -> TrainingState:
    config = {"dataset": "digits", "imbalance_factor": 20, "method": method, "epochs": 4, "model": "small",
              "batch_size": 64, "learning_rate": 0.1} | changes  # fmt: skip
    return TrainingState(RunConfig(**config), rdr_core.load_data("digits", imbalance_factor=20), torch.device("cpu"))


def weight_table(run):
    return run.classes.pivot(index="epoch", columns="class", values="weight")


def test_the_papers_optimizer():
    (group,) = state_of().step.optimizer.param_groups
    assert (group["momentum"], group["weight_decay"], group["nesterov"]) == (0.9, 2e-4, False)


def test_warm_up_weighs_one_for_its_share_of_the_run(tmp_path):
    run = rdr_core.train("digits", method="rdr:warmup=0.5", epochs=4, runs=tmp_path, **REQUEST)
    weights = weight_table(run)
    assert (weights.loc[:2] == 1).all(axis=None)
    assert (weights.loc[3, 0] < 0.9) & (weights.loc[3, 9] > 1.5)


def test_beside_logit_adjustment_the_weights_leave_the_prior_to_the_loss(tmp_path):
    spread = {}
    for method in ("rdr:warmup=0", "rdr:warmup=0+la", "rdr:prior=1,warmup=0+la"):
        weights = weight_table(rdr_core.train("digits", method=method, epochs=3, runs=tmp_path, **REQUEST)).loc[3]
        spread[method] = weights[9] / weights[0]
    assert spread["rdr:warmup=0"] > 10, "n is 124 and 6"
    assert 0.3 < spread["rdr:warmup=0+la"] < 3
    assert spread["rdr:prior=1,warmup=0+la"] > 10


def test_prototypes_updated_by_epoch_start_after_the_first(tmp_path):
    run = rdr_core.train("digits", method="rdr:update=epoch,warmup=0", epochs=3, runs=tmp_path, **REQUEST)
    ratios = run.classes.pivot(index="epoch", columns="class", values="ratio")
    assert (ratios.loc[1] == 1).all()
    assert (ratios.loc[2] != 1).all()


@pytest.fixture
def noisy_loss():
    """A loss that draws from torch's global generator, as dropout does."""
    part("noisy_t", kind="loss", summary="noisy", formula="ce * u", source="")(
        lambda logits, labels, class_counts: F.cross_entropy(logits, labels, reduction="none") * torch.rand(len(labels))
    )
    yield "noisy_t"
    PARTS.remove("noisy_t")


def test_global_random_states_resume_too(noisy_loss, tmp_path, monkeypatch):
    whole = rdr_core.train("digits", method=noisy_loss, epochs=3, runs=tmp_path / "whole", **REQUEST)
    write, calls = Visits.write, 0

    def interrupt(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == 20:
            os.kill(os.getpid(), signal.SIGINT)
        write(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Visits, "write", interrupt)
        with pytest.raises(rdr_core.TrainingStopped):
            rdr_core.train("digits", method=noisy_loss, epochs=3, runs=tmp_path, **REQUEST)
    resumed = rdr_core.train("digits", method=noisy_loss, epochs=3, runs=tmp_path, **REQUEST)
    assert resumed.history.loss.tolist() == whole.history.loss.tolist()


@pytest.fixture
def poisoned_gradient():
    """Finite losses whose gradient is no number."""
    part("nan_t", kind="loss", summary="", formula="", source="")(
        lambda logits, labels, class_counts: (
            F.cross_entropy(logits, labels, reduction="none") + (logits - logits.detach()).square().sum(1).sqrt()
        )
    )
    yield "nan_t"
    PARTS.remove("nan_t")


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_network_of_nans_is_never_saved(poisoned_gradient, epochs, tmp_path):
    with pytest.raises(rdr_core.TrainingDiverged, match=r"weights are no longer finite at step 1 of epoch 1; no epoch"):
        rdr_core.train("digits", method=poisoned_gradient, epochs=epochs, batch_size=2000, runs=tmp_path, **REQUEST)
    assert not list(tmp_path.glob("*/*.safetensors")) or not list(tmp_path.glob("*/checkpoint.safetensors"))
    assert not list(tmp_path.glob("*/done.json"))


def stop_at_once(monkeypatch):
    def interrupt(self, *arguments):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Visits, "write", interrupt)
    monkeypatch.setattr(Visits, "first_bad_batch", lambda *_: None)


def test_the_command_that_goes_on_is_quoted_and_whole(tmp_path, monkeypatch):
    stop_at_once(monkeypatch)
    with pytest.raises(rdr_core.TrainingStopped) as stopped:
        rdr_core.train("digits", epochs=2, runs=tmp_path / "my runs", root="some where", **REQUEST)
    (path,) = (tmp_path / "my runs").iterdir()
    assert str(stopped.value).endswith(f"rdr resume '{path}' --device cpu --root 'some where'")


def test_arrays_of_ones_own_go_on_in_python(tmp_path, monkeypatch):
    stop_at_once(monkeypatch)
    data = rdr_core.load_data("digits", imbalance_factor=20)
    with pytest.raises(
        rdr_core.TrainingStopped, match=r"rdr_core\.resume\('.*', data=\.\.\.\) with what it was trained on"
    ):
        rdr_core.train(data, epochs=2, runs=tmp_path, progress=False)


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    import safetensors.numpy
    from safetensors import SafetensorError

    def full(*_, **__):
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(rdr_core.RdrError, match=r"can't be written .*No space left on device.*; choose another folder"):
        rdr_core.train("digits", epochs=1, runs=tmp_path, **REQUEST)


@pytest.mark.parametrize("switch", [torch.no_grad, torch.inference_mode])
def test_gradients_switched_off_by_the_caller_do_not_matter(switch, tmp_path):
    with switch():
        run = rdr_core.train("digits", epochs=1, runs=tmp_path, **REQUEST)
    assert run.done


def test_the_default_dtype_of_the_caller_does_not_matter(tmp_path):
    plain = rdr_core.train("digits", epochs=1, runs=tmp_path / "a", **REQUEST)
    torch.set_default_dtype(torch.float64)
    try:
        other = rdr_core.train("digits", epochs=1, runs=tmp_path / "b", **REQUEST)
    finally:
        torch.set_default_dtype(torch.float32)
    assert other.history.loss.tolist() == plain.history.loss.tolist()


def test_nothing_said_of_given_data_is_ignored(tmp_path):
    data = rdr_core.load_data("digits", imbalance_factor=20)
    for option in ({"noise_rate": 0.1}, {"profile": "step"}, {"data_seed": 4}, {"imbalance_factor": 3}):
        with pytest.raises(rdr_core.RdrError, match="have their imbalance already, and their noise and seed"):
            rdr_core.train(data, runs=tmp_path, **option)


def test_other_facts_of_ones_own_arrays_are_another_run(tmp_path):
    raw = rdr_core.load_data("digits", imbalance_factor=20)
    arrays = (raw.train.inputs, raw.train.labels, raw.test.inputs, raw.test.labels)
    made = [
        rdr_core.from_arrays(*arrays, **facts)
        for facts in ({}, {"mean": (0.0,), "std": (9.0,)}, {"groups": "count"}, {"class_names": list("abcdefghij")})
    ]
    assert len({data.content_hash for data in made}) == 4


def test_parts_are_told_the_epochs_length_as_the_sampler_makes_it():
    class Twice:
        visits = 1000

        def order(self, epoch):
            return torch.zeros(1000, dtype=torch.int64)

    told = []
    part("twice_t", kind="sampler", summary="", formula="", source="")(lambda context: Twice())
    part("asks_t", kind="schedule", summary="", formula="", source="")(
        lambda context, weighting: (told.append(context.steps_per_epoch), weighting)[1]
    )
    try:
        state_of("inverse+twice_t+asks_t")
    finally:
        PARTS.remove("twice_t")
        PARTS.remove("asks_t")
    assert told == [16]


def test_a_damaged_run_does_not_hide_the_others(tmp_path, capsys):
    good = rdr_core.train("digits", epochs=1, runs=tmp_path, **REQUEST)
    for name, text in (("a", "{"), ("b", '{"format": 1}'), ("c", '{"format": 1, "config": 3}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(text)
    assert [run.name for run in rdr_core.list_runs(tmp_path)] == [good.name]
    assert capsys.readouterr().err.count("passed over: ") == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "a", None, 1.5])
def test_a_whole_number_is_asked_for_in_a_sentence(value):
    with pytest.raises(rdr_core.RdrError, match="it must be a whole number, 1 or larger"):
        RunConfig(dataset="digits", imbalance_factor=50, method="rdr", epochs=value, model="small", batch_size=64,
                  learning_rate=0.1)  # fmt: skip


def test_without_noise_its_kind_plays_no_part():
    config = {"dataset": "digits", "imbalance_factor": 50, "method": "rdr", "epochs": 1, "model": "small",
              "batch_size": 64, "learning_rate": 0.1}  # fmt: skip
    assert RunConfig(**config, noise="prior").digest == RunConfig(**config).digest
