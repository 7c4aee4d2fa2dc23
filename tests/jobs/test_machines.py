"""Costs on machines that are not at hand: the fit, the model, and how well it foretells what was measured."""

from __future__ import annotations

import importlib
import json
import math
from dataclasses import astuple, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.jobs.cost import seconds_of
from rdr_core.jobs.fit import fitted_terms
from rdr_core.jobs.machines import (
    Machine,
    Point,
    long_tail,
    machine_names,
    machine_of,
    points_of,
    ratio_terms,
    read_machine,
)
from rdr_core.jobs.size import DataSize, data_size
from rdr_core.jobs.space import bytes_of
from rdr_core.runs import RunConfig

ROOT = Path(__file__).resolve().parents[2]


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 12))
def test_the_fit_is_that_of_non_negative_least_squares(seed, terms, values):
    random = np.random.default_rng(seed)
    matrix = random.uniform(0.1, 3, (values, terms)) * 10.0 ** random.integers(-6, 6, terms)
    times = random.uniform(0.5, 2, values)
    _, error = nnls(matrix / times[:, None], np.ones(values), maxiter=1000)
    found = fitted_terms(matrix, times)
    assert (found >= 0).all()
    assert np.linalg.norm(matrix / times[:, None] @ found - 1) <= error + 1e-7


#: A machine whose every time is a formula: launch and sample by network and side, RDR's weights, and a factor for sam.
LAUNCH, SAMPLE = {("small", 8): 0.002, ("small", 32): 0.003, ("resnet32", 32): 0.01}, 1e-7
WEIGHTS = {False: np.array([1e-4, 1e-9, 2e-10, 3e-11]), True: np.array([4e-4, 2e-9, 1e-9, 1e-10])}


def seconds_there(network, side, batch, classes, method):
    plain = LAUNCH[network, side] + SAMPLE * batch * side**2 * (10 if network == "resnet32" else 1)
    if method == "sam":
        return 2 * plain
    if method == "rdr":
        by_class = batch >= 384
        return plain + ratio_terms(batch, 64, long_tail(classes), by_class=by_class) @ WEIGHTS[by_class]
    return plain


def made_up_points():
    for (network, side), batch in product(LAUNCH, (32, 128, 256)):
        yield point(network, side, batch, 10, "ce")
    for batch, classes in product((32, 64, 200, 320, 384, 700, 1000, 2000), (10, 100)):
        yield point("small", 8, batch, classes, "rdr")
    yield point("small", 32, 128, 10, "sam")
    yield point("small", 32, 128, 10, "ce", augmentation="strong", visit=1024e-6)


def point(network, side, batch, classes, method, augmentation="plain", visit=0.0):
    step = seconds_there(network, side, batch, classes, method)
    return Point(network, side, 64, batch, classes, method, augmentation, step, 0.5, 1e-6 * side**2, visit,
                 1e6 + 1e3 * batch * side**2, False)  # fmt: skip


@pytest.fixture
def machine():
    return Machine("made-up", "a formula", False, made_up_points())


def config(method="ce", model="small", batch=128, **more):
    known = {"dataset": "cifar10", "imbalance_factor": 100, "epochs": 10, "learning_rate": 0.1}
    return RunConfig(method=method, model=model, batch_size=batch, **known | more)


def size(side=32, classes=10, images=20_000):
    counts = np.maximum(1, np.round(images * long_tail(classes))).astype(int)
    return DataSize(classes, (3, side, side), counts, 1000, photographs=False)


@pytest.mark.parametrize(
    ("method", "model", "batch", "side", "classes"),
    [("ce", "small", 77, 8, 10), ("ce", "resnet32", 100, 32, 10), ("rdr", "small", 100, 8, 10),
     ("rdr", "small", 300, 8, 100), ("rdr", "small", 1500, 8, 100), ("sam", "resnet32", 64, 32, 10)],
)  # fmt: skip
def test_what_follows_the_formula_is_foretold_to_rounding(machine, method, model, batch, side, classes):
    told = machine.foretell(config(method, model, batch), size(side, classes))
    assert told.pace.step == pytest.approx(seconds_there(model, side, batch, classes, method), rel=2e-3)
    assert told.pace.image == pytest.approx(1e-6 * side**2)
    assert told.pace.closing == 0.5
    if method == "ce":
        assert told.memory == pytest.approx(1e6 + 1e3 * batch * side**2)


def test_parts_multiply_and_ratios_add(machine):
    both = machine.foretell(config("rdr+sam", batch=128), size()).pace.step
    sam, ce = (machine.foretell(config(method, batch=128), size()).pace.step for method in ("sam", "ce"))
    rdr = machine.foretell(config("rdr", batch=128), size()).pace.step
    assert both == pytest.approx(sam + rdr - ce)


def test_larger_images_take_longer_each(machine):
    near, far = (machine.foretell(config(batch=100), size(side)).pace for side in (32, 64))
    assert far.step - LAUNCH["small", 32] == pytest.approx(4 * (near.step - LAUNCH["small", 32]))
    assert far.image == pytest.approx(4 * near.image)


def test_strong_augmentation_makes_its_images_before_an_epoch(machine):
    assert machine.foretell(config(augmentation="strong"), size()).pace.visit == pytest.approx(1024e-6)
    assert machine.foretell(config(), size()).pace.visit == 0


@pytest.mark.parametrize("more", [{"model": "resnet152"}, {"method": "muon"}, {"precision": "bf16"}])
def test_what_was_not_measured_is_not_known(machine, more):
    assert machine.foretell(config(**more), size()) is None


def test_points_left_out_play_no_part():
    points = [*made_up_points()]
    wild = [replace(p, step=100 * p.step, left_out=True) for p in points]
    one, other = (Machine("m", "", False, given).foretell(config(), size()) for given in (points, points + wild))
    assert one == other


def test_a_runs_seconds_are_epochs_at_that_pace(monkeypatch, machine):
    monkeypatch.setattr("rdr_core.jobs.cost.read_machine", lambda name: machine)
    monkeypatch.setattr("rdr_core.jobs.cost.machine_names", lambda: ["made-up"])
    run = config(epochs=10)
    counts = data_size(run).counts
    steps = -(-int(counts.sum()) // 128)
    expected = 10 * (steps * seconds_there("small", 32, 128, 10, "ce") + 0.5 + 10_000 * 1e-6 * 32**2)
    assert seconds_of([run], "made-up")[run] == pytest.approx(expected)
    assert seconds_of([config(model="resnet152")], "made-up") == {config(model="resnet152"): None}


@pytest.mark.parametrize("name", machine_names())
def test_what_was_left_out_of_the_fit_is_foretold_within_15_percent(name, monkeypatch):
    """Of every machine that is shipped; `benchmarks/paces.py NAME --again` prints it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    paces = importlib.import_module("paces")
    content = json.loads((ROOT / "data" / "paces" / f"{name}.json").read_text(encoding="utf-8"))
    points, machine = points_of(content), read_machine(name)
    left_out = [point for point in points if point.left_out]
    assert len(left_out) >= 12
    off = {astuple(point)[:6]: paces.foretold(point, machine).step / point.step - 1 for point in left_out}
    assert max(map(abs, off.values())) <= paces.BOUND, off
    memory = [paces.foretold(point, machine).memory / point.memory - 1 for point in left_out if point.method == "ce"]
    assert max(map(abs, memory)) <= paces.BOUND


@pytest.mark.parametrize("name", machine_names())
def test_the_plans_grids_are_foretold_on_every_machine_that_is_shipped(name):
    run = config("rdr+sam", "resnet32", 128, epochs=200)
    assert 100 < seconds_of([run], name)[run] < 1e7
    photographs = RunConfig(dataset="imagenet-lt", imbalance_factor=None, method="rdr", epochs=90, model="resnet50",
                            batch_size=256, learning_rate=0.1)  # fmt: skip
    assert seconds_of([photographs], name)[photographs] > 3600


def test_an_unknown_or_damaged_machine_is_told():
    with pytest.raises(RdrError, match="no machine named 'xeno'; did you mean 'xeon'"):
        read_machine("xeno")
    for content in ({}, {"words": "", "gpu": False, "points": [[1]]}, {"words": "", "gpu": False, "points": 3}, []):
        with pytest.raises(RdrError, match="The paces of broken are damaged"):
            machine_of("broken", content)


@pytest.mark.parametrize("method", ["ce", "rdr", "sade"])
def test_the_space_of_a_run_is_what_it_takes(method, tmp_path):
    run = rdr_core.train("digits", imbalance_factor=50, method=method, epochs=12, runs=tmp_path, progress=False,
                         device="cpu")  # fmt: skip
    true = sum(file.stat().st_size for file in run.path.rglob("*") if file.is_file())
    assert bytes_of([run.config])[run.config] == pytest.approx(true, rel=0.15)


def test_the_space_of_what_is_not_known_here_is_not_told():
    own = replace(config(), model="own:Mine", model_hash="0123456789")
    assert bytes_of([own]) == {own: None}
    assert not math.isnan(bytes_of([config()])[config()])
