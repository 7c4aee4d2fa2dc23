"""What runs would cost: to rounding what they take on a machine of made-up paces, and by what is known of lengths.

How well it foretells on a true machine is measured by `benchmarks/cost.py`.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from older import drop_checksum
from tasks import digits

import rdr_core
from rdr_core.data import DATASETS, load_data
from rdr_core.data.disk.lists import PUBLISHED
from rdr_core.jobs import cost, pace
from rdr_core.jobs.cost import seconds_of
from rdr_core.jobs.pace import Pace, measured_pace, state_of, step_pace
from rdr_core.jobs.size import data_size, made_up
from rdr_core.runs.folder import RunFolder
from rdr_core.runs.requests import train_config
from rdr_core.training import loop
from rdr_core.training.augment import EpochAugmentation
from rdr_core.training.objective import WeightedObjective
from rdr_core.training.visits import Visits


@pytest.fixture
def paces(monkeypatch):
    """A pace for every kind of step, so that lengths alone count; the kinds that were measured."""
    measured = []

    def made_up_pace(config, size, device):
        measured.append(config.method)
        return Pace(config.batch_size, step=1.0, closing=10.0, images=100, image=0.01)

    monkeypatch.setattr(cost, "measured_pace", made_up_pace)
    return measured


#: Seconds on the made-up machine, none of them a sum of others: a pass over a batch, an image made before an epoch's
#: first step, a test image, an epoch's files.
PASS, MADE, TESTED, FILES = 0.25, 0.003, 0.0007, 1.3


@pytest.fixture
def machine(monkeypatch):
    """A machine on which nothing takes time but these, whatever the true one is at; its clock, in seconds."""
    clock = SimpleNamespace(now=1000.0)

    def takes(owner, name, seconds) -> None:
        done = getattr(owner, name)

        def timed(*arguments, **options):
            found = done(*arguments, **options)
            clock.now += seconds(*arguments)
            return found

        monkeypatch.setattr(owner, name, timed)

    takes(WeightedObjective, "__call__", lambda *_: PASS)
    takes(EpochAugmentation, "prepare", lambda augment, images, order: MADE * len(order))
    for module in (pace, loop):
        takes(module, "predict", lambda model, images, *_: TESTED * len(images))
    takes(RunFolder, "checkpoint", lambda *_: FILES)
    monkeypatch.setattr(pace, "clock", lambda: clock.now)
    return clock


@pytest.mark.parametrize(
    ("method", "passes"),
    [
        ("ce", 1),
        ("rdr", 1),
        ("sam", 2),
        ("rdr+sam", 2),
        ("cdb+ccsam", None),
        ("ce+taunorm", None),
        ("ce+crt:epochs=2", None),
        ("sade", 1),
    ],
)
def test_the_cost_of_a_run_is_what_it_takes(method, passes, machine, tmp_path):
    """Of every kind of state; a second stage's first one is part of it."""
    config = digits(method, epochs=3)
    foretold = seconds_of([config], "cpu")[config]
    started = machine.now
    run = train_config(config, runs=tmp_path, device="cpu", progress=False)
    assert foretold == pytest.approx(machine.now - started)
    if passes:  # counted by hand
        data = run.data()
        images, tested = len(data.train), len(data.test)
        epoch = -(-images // 64) * passes * PASS + images * MADE + tested * TESTED + FILES
        assert foretold == pytest.approx(3 * epoch)


def test_what_views_of_test_images_take_is_not_counted_but_the_rest_is(machine):
    """A few passes over the test images, once."""
    both, first = digits("sade+agreement", epochs=3), digits("sade", epochs=3)
    assert seconds_of([both], "cpu")[both] > seconds_of([first], "cpu")[first]


def test_experts_are_foretold_by_steps_of_their_own(paces):
    seconds_of([digits("ce"), digits("la"), digits("sade"), digits("rdr+sade:tau=1")], "cpu")
    assert paces == ["ce", "sade", "rdr+sade"]


@pytest.mark.parametrize("number", [4, 5])
def test_a_step_that_other_work_held_up_costs_no_more(number, machine, monkeypatch):
    config = digits("rdr")
    quiet = seconds_of([config], "cpu")[config]
    write, steps = Visits.write, []

    def held_up(self, *arguments):
        write(self, *arguments)
        steps.append(None)
        machine.now += 50.0 * (len(steps) == number)

    monkeypatch.setattr(Visits, "write", held_up)
    assert seconds_of([config], "cpu")[config] == pytest.approx(quiet)
    assert len(steps) > number


def test_a_run_takes_its_steps_and_its_looks_at_the_test_set(paces):
    config = digits("ce", epochs=7)
    images = len(load_data("digits", imbalance_factor=20).train)
    steps = -(-images // 64)
    assert seconds_of([config], "cpu")[config] == pytest.approx(7 * (steps + 10 + (500 - 100) * 0.01))


@pytest.mark.parametrize(("sampler", "visits"), [("oversampling", 10 * 124), ("undersampling", 10 * 6)])
def test_a_sampler_decides_how_many_steps_an_epoch_has(paces, sampler, visits):
    images = len(load_data("digits", imbalance_factor=20).train)
    same, other = digits("ce+sqrt_sampling", epochs=1), digits(f"ce+{sampler}", epochs=1)
    assert seconds_of([same], "cpu")[same] == pytest.approx(-(-images // 64) + 14)
    assert seconds_of([other], "cpu")[other] == pytest.approx(-(-visits // 64) + 14)


def test_what_an_epoch_does_before_its_first_step_is_counted_once_an_epoch(machine):
    """Strong augmentation makes the epoch's images then; no step is the slower for it."""
    config = digits("ce", dataset="cifar10:8-9", augmentation="strong", batch_size=256, epochs=1)
    size = data_size(config)
    found = measured_pace(config, size, torch.device("cpu"))
    assert found.step == pytest.approx(PASS)
    assert found.visit == pytest.approx(MADE)
    images = size.counts.sum()
    made = MADE * images + PASS * -(-images // 256) + FILES + TESTED * size.tested
    assert found.epoch(size, images) == pytest.approx(made)


def test_steps_that_overlap_are_timed_as_one(machine, monkeypatch):
    """As those of a GPU, of which there is none here: only when it is asked to finish they have taken their time."""
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    config = digits("rdr")
    state = state_of(config, load_data("digits", imbalance_factor=20), torch.device("cpu"))
    gpu = SimpleNamespace(type="cuda")
    step, opening = step_pace(state, 0, 6, gpu)
    assert (step, opening) == pytest.approx((PASS, MADE * len(state.order)))
    assert waited == [gpu, gpu]


def test_what_is_done_costs_nothing(paces, tmp_path):
    config, other = digits("ce", epochs=4), digits("ce", epochs=4, seed=1)
    whole = seconds_of([config], "cpu")[config]
    run = train_config(config, runs=tmp_path, progress=False)
    assert seconds_of([config, other], "cpu", runs=tmp_path) == {config: 0.0, other: whole}
    (run.path / "done.json").unlink()
    (run.path / "metrics.json").unlink()
    drop_checksum(run.path / "history.csv", keep_rows=3)
    drop_checksum(run.path / "config.json")
    assert seconds_of([config], "cpu", runs=tmp_path)[config] == pytest.approx(whole / 4)


def test_a_trunk_is_counted_once(paces):
    first, second = (digits(method, epochs=60) for method in ("inverse+drw", "cb+drw"))
    alone = seconds_of([first], "cpu")[first]
    both = seconds_of([first, second], "cpu")
    assert both[first] == pytest.approx(alone)
    assert both[second] == pytest.approx(alone / 5)  # the last 12 epochs


def test_a_first_stage_is_counted_once(paces, tmp_path):
    first, both = digits("ce"), digits("ce+crt:epochs=6")
    alone = seconds_of([both], "cpu")[both]
    together = seconds_of([first, both], "cpu")
    assert alone == pytest.approx(sum(together.values()))
    assert together[both] == pytest.approx(3 * together[first])  # 6 epochs of the same length, after 2
    train_config(first, runs=tmp_path, progress=False)
    assert seconds_of([both], "cpu", runs=tmp_path)[both] == pytest.approx(together[both])


def test_runs_whose_steps_are_alike_are_measured_once(paces):
    alike = ["ce", "la", "focal+cb", "inverse:gamma=0.5", "ldam"]
    seconds_of([digits(m, seed=s, imbalance_factor=f) for m in alike for s in (0, 1) for f in (10, 50)], "cpu")
    assert paces == ["ce"]
    paces.clear()
    seconds_of([digits(m) for m in ("rdr", "rdr:gamma=0.5+la", "rdr+sam", "rdr+sam:rho=0.1", "rdr+crt")], "cpu")
    assert paces == ["rdr", "rdr+sam", "rdr+crt"]


def test_what_only_the_images_tell_is_not_known(paces):
    photographs = {"imbalance_factor": None, "profile": None, "model": "resnet50"}
    unknown = [
        digits("ce", dataset="imagenet-lt", **photographs),
        digits("ce", dataset="folder:flowers", **photographs),
        digits("ce", dataset="arrays", data_hash="0123456789abcdef"),
    ]
    known = digits("ce", dataset="mnist:9-4")
    costs = seconds_of([*unknown, known], "cpu")
    assert [costs[config] for config in unknown] == [None] * 3
    assert costs[known] > 0


def test_sizes_of_the_data_are_those_of_the_files():
    for name, source in DATASETS.all().items():
        if source.asks:
            continue
        factor = None if source.long_tailed else 1
        size = data_size(digits("ce", dataset=name, imbalance_factor=factor))
        if source.long_tailed:
            rows = {"imagenet-lt": "ImageNet_LT", "places-lt": "Places_LT"}[name]
            assert size.tested == PUBLISHED[f"{rows}_test.txt"].rows
            assert abs(size.counts.sum() - PUBLISHED[f"{rows}_train.txt"].rows) < size.classes
    data = load_data("digits", imbalance_factor=20)
    size = data_size(digits("ce"))
    np.testing.assert_array_equal(size.counts, data.class_counts)
    assert size.tested == len(data.test)
    picked = data_size(digits("ce", dataset="digits:9-4"))
    assert picked.counts.sum() == pytest.approx(len(load_data("digits:9-4", imbalance_factor=20).train), rel=0.1)


def test_photographs_are_made_up_as_they_are_stored():
    config = digits(dataset="places-lt", imbalance_factor=None, profile=None, model="resnet10", batch_size=2)
    data = made_up(config, data_size(config), tested=3)
    assert data.train.inputs.shape[1:] == data.test.inputs.shape[1:] == (3, 224, 224)
    assert data.train.inputs.whole.shape[1:] == (3, 256, 256)
    assert data.num_classes == 365


def test_measuring_leaves_no_trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = torch.random.get_rng_state()
    seconds_of([digits()], "cpu", runs=tmp_path)
    assert torch.equal(before, torch.random.get_rng_state())
    assert list(Path().iterdir()) == []


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(rdr_core.RdrError, match="device is 'tpu'"):
        seconds_of([digits()], "tpu")
