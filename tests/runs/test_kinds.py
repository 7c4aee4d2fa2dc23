"""Runs on rows, series and texts: each method trains, a stopped run goes on bit for bit, filling up changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from equal_runs import assert_equal_runs
from sklearn.datasets import load_wine
from stopped import stopped_after_an_epoch
from torch import nn

import rdr_core
import rdr_viz
from rdr_core import LongTailedData, RdrError, Run
from rdr_core.methods.parts import PARTS
from rdr_core.models import build_model

REQUEST = {"epochs": 3, "seed": 3, "batch_size": 32, "device": "cpu", "progress": False}


def rows(**tail) -> LongTailedData:
    """scikit-learn's wines by their cultivar."""
    table = load_wine(as_frame=True).frame
    return rdr_core.from_frame(table.assign(target=table["target"].map(str)), "target", imbalance_factor=8, **tail)


def series() -> LongTailedData:
    draw = np.random.default_rng(0)
    made = [np.sin(np.arange(draw.integers(9, 30)) * (1 + n % 3)) + draw.normal(0, 0.1) for n in range(120)]
    return rdr_core.from_series(made, [("slow", "middle", "fast")[n % 3] for n in range(120)], imbalance_factor=8)


def texts(**tail) -> LongTailedData:
    draw = np.random.default_rng(0)
    words = {"fruit": "apple pear plum fig", "tool": "saw axe drill file", "bird": "owl crow gull wren"}
    made = [
        (" ".join(draw.choice(words[name].split(), draw.integers(1, 6))), name) for name in words for _ in range(40)
    ]
    return rdr_core.from_text(*zip(*made, strict=True), imbalance_factor=8, vocabulary=1000, **tail)


KINDS = {"rows": rows, "series": series, "texts": texts}


@pytest.fixture(params=KINDS, scope="module")
def data(request) -> LongTailedData:
    return KINDS[request.param]()


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> Run:
    return rdr_core.train(data, method="rdr", runs=tmp_path_factory.mktemp("runs"), **REQUEST | {"epochs": 20})


def test_it_learns_and_says_its_network(data, trained):
    assert trained.config.model == {"rows": "mlp", "series": "conv1d", "texts": "embedding_bag"}[data.kind.name]
    assert trained.metrics["top1"] > 60  # chance is 33
    assert Run.open(trained.path).class_names == data.class_names


def test_a_stopped_run_goes_on_bit_for_bit(data, tmp_path, monkeypatch):
    whole = rdr_core.train(data, method="rdr+sam", runs=tmp_path / "whole", **REQUEST)
    stopped_after_an_epoch(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        rdr_core.train(data, method="rdr+sam", runs=tmp_path / "half", **REQUEST)
    (folder,) = (tmp_path / "half").iterdir()
    with pytest.raises(RdrError, match=r"data of your own, which only you have; give them with data="):
        rdr_core.resume(folder, device="cpu", progress=False)
    assert_equal_runs(rdr_core.resume(folder, device="cpu", progress=False, data=data), whole)


LIGHT = sorted(
    name for name, part in PARTS.all().items() if part.kind in ("loss", "class weights", "weighting", "optimizer")
)


@pytest.mark.parametrize("name", LIGHT)
def test_every_method_trains_an_epoch_on_rows_and_texts(name, tmp_path):
    for data in (rows(held_out=2), texts(held_out=2)):
        method = "cdb:images=2" if name == "cdb" else name
        run = rdr_core.train(data, method=method, runs=tmp_path, **REQUEST | {"epochs": 1})
        assert run.done
        assert np.isfinite(list(run.metrics["per_class"])).all()


@pytest.mark.parametrize("stage", ["crt", "taunorm", "posthoc"])
def test_second_stages(data, trained, stage):
    assert rdr_core.refine(trained, stage, device="cpu", progress=False, data=data).done


@pytest.mark.slow
def test_analyses_and_pictures(data, trained, tmp_path):
    table = rdr_viz.class_curvature(trained, classes=[0, 2], epochs=[20], data=data, progress=False, relative_error=0.5)
    assert table["trace"].notna().all()
    for kind in ("accuracy", "counts", "weights", "below-zero"):
        rdr_viz.make_display(kind, [trained]).save(tmp_path / f"{kind}.png")
    assert rdr_core.evaluate(trained, data=data) is not None


def test_a_network_for_other_samples_is_refused(data, tmp_path):
    with pytest.raises(RdrError, match=f"'resnet32' takes images, and these are {data.kind}; take '{data.kind.model}'"):
        rdr_core.train(data, model="resnet32", runs=tmp_path, **REQUEST)
    with pytest.raises(RdrError, match=f"is for images, and these are {data.kind}; use 'none'"):
        rdr_core.train(data, augmentation="plain", runs=tmp_path, **REQUEST)
    assert not list(tmp_path.iterdir())


def test_a_network_of_ones_own_on_rows(tmp_path):
    """A linear layer alone is softmax regression, and its features are the columns."""
    data = rows()
    model = nn.Linear(data.channels, data.num_classes)
    run = rdr_core.train(data, model=model, method="rdr", runs=tmp_path, **REQUEST)
    features, logits = run.model().features_and_logits(torch.eye(data.channels))
    assert torch.equal(features, torch.eye(data.channels))
    assert torch.allclose(logits, run.model().classifier.weight.T + run.model().classifier.bias)
    again = Run.open(run.path, model=model)
    assert torch.equal(again.model()(features), logits)


@pytest.mark.parametrize("more", [1, 7, 100])
def test_what_fills_up_series_and_texts_changes_nothing(more):
    torch.manual_seed(0)
    short, words = torch.randn(4, 2, 11), torch.randint(1, 99, (4, 6))
    short[0, :, 5:], words[0, 2:] = torch.nan, 0
    for name, channels, inputs, filling in (
        ("conv1d", 2, short, torch.full((4, 2, more), torch.nan)),
        ("embedding_bag", 99, words, torch.zeros(4, more).long()),
    ):  # fmt: skip
        network = build_model(name, num_classes=3, channels=channels).eval()
        filled = network(torch.cat([inputs, filling], dim=-1))
        torch.testing.assert_close(filled, network(inputs), rtol=1e-5, atol=1e-6)
        alone = network(inputs[:1, ..., : 5 if name == "conv1d" else 2])
        torch.testing.assert_close(filled[:1], alone, rtol=1e-5, atol=1e-6)
