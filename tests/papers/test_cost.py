"""What runs would cost: against what one did cost, and by what is known of their lengths."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tasks import digits

import rdr_core
from rdr_core.data import SOURCES, load_data
from rdr_core.data.disk.lists import PUBLISHED
from rdr_core.experiment import train_config
from rdr_core.papers import cost
from rdr_core.papers.cost import seconds_of


@pytest.fixture
def paces(monkeypatch):
    """A pace for every kind of step, so that lengths alone count; the kinds that were measured."""
    measured = []

    def pace(config, size, device):
        measured.append(config.method)
        return cost._Pace(config.batch_size, step=1.0, closing=10.0, images=100, image=0.01)

    monkeypatch.setattr(cost, "_measure", pace)
    return measured


@pytest.mark.parametrize("method", ["rdr", "sam"])
def test_the_cost_of_a_run_is_near_what_it_takes(method, tmp_path):
    config = digits(method, epochs=8)
    before = seconds_of([config], "cpu")[config]
    took = train_config(config, runs=tmp_path, device="cpu", progress=False).history.seconds.sum()
    after = seconds_of([config], "cpu")[config]  # the machine may be busier now and then
    assert min(before, after) / 3 < took < max(before, after) * 3


@pytest.mark.parametrize("method", ["ce+crt:epochs=2", "ce+taunorm", "cdb+ccsam"])
def test_every_kind_of_state_is_measured(method):
    config = digits(method)
    assert 0.01 < seconds_of([config], "cpu")[config] < 60


def test_a_run_takes_its_steps_and_its_looks_at_the_test_set(paces):
    config = digits("ce", epochs=7)
    images = len(load_data("digits", imbalance_factor=20).train)
    steps = -(-images // 64)
    assert seconds_of([config], "cpu")[config] == pytest.approx(7 * (steps + 10 + (500 - 100) * 0.01))


def test_what_an_epoch_does_before_its_first_step_is_counted_once_an_epoch(monkeypatch):
    """Strong augmentation makes the epoch's images then; no step is the slower for it."""
    from rdr_core.training.augment import EpochAugmentation

    prepare, clock = EpochAugmentation.prepare, SimpleNamespace(now=0.0)

    def slow(self, images, order):
        clock.now += 0.5
        return prepare(self, images, order)

    def look() -> float:  # a machine on which nothing else takes time
        clock.now += 0.001
        return clock.now

    monkeypatch.setattr(cost, "time", SimpleNamespace(perf_counter=look))

    config = digits("ce", dataset="cifar10", batch_size=512, epochs=1)
    size = cost._size(config)
    before = cost._measure(config, size, torch.device("cpu"))
    monkeypatch.setattr(EpochAugmentation, "prepare", slow)
    after = cost._measure(config, size, torch.device("cpu"))
    assert after.step == pytest.approx(before.step)
    assert (after.visit - before.visit) * size.counts.sum() == pytest.approx(0.5)
    steps = -(-size.counts.sum() // 512)
    assert after.epoch(size) > steps * after.step + 0.5


def test_what_is_done_costs_nothing(paces, tmp_path):
    config, other = digits("ce", epochs=4), digits("ce", epochs=4, seed=1)
    whole = seconds_of([config], "cpu")[config]
    run = train_config(config, runs=tmp_path, progress=False)
    assert seconds_of([config, other], "cpu", runs=tmp_path) == {config: 0.0, other: whole}
    (run.path / "done.json").unlink()
    lines = (run.path / "history.csv").read_text().splitlines(keepends=True)
    (run.path / "history.csv").write_text("".join(lines[:4]))
    assert seconds_of([config], "cpu", runs=tmp_path)[config] == pytest.approx(whole / 4)


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
    for name, source in SOURCES.items():
        if source.asks:
            continue
        factor = None if source.long_tailed else 1
        size = cost._size(digits("ce", dataset=name, imbalance_factor=factor))
        if source.long_tailed:
            rows = {"imagenet-lt": "ImageNet_LT", "places-lt": "Places_LT"}[name]
            assert size.tested == PUBLISHED[f"{rows}_test.txt"].rows
            assert abs(size.counts.sum() - PUBLISHED[f"{rows}_train.txt"].rows) < size.classes
    data = load_data("digits", imbalance_factor=20)
    size = cost._size(digits("ce"))
    np.testing.assert_array_equal(size.counts, data.class_counts)
    assert size.tested == len(data.test)
    picked = cost._size(digits("ce", dataset="digits:9-4"))
    assert picked.counts.sum() == pytest.approx(len(load_data("digits:9-4", imbalance_factor=20).train), rel=0.1)


def test_photographs_are_made_up_as_they_are_stored():
    config = digits(dataset="places-lt", imbalance_factor=None, profile=None, model="resnet10", batch_size=2)
    data = cost._made_up(config, cost._size(config), tested=3)
    assert data.train.images.shape[1:] == data.test.images.shape[1:] == (3, 224, 224)
    assert data.train.images.whole.shape[1:] == (3, 256, 256)
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
