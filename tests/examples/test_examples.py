"""The examples do what they say: RDR trains in a loop of one's own, and its prototypes survive a checkpoint."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_plain_loop(capsys):
    results = load("plain_loop").main()
    assert list(results) == ["CE", "RDR"]
    for result in results.values():
        assert result["losses"][-1] < 0.1 * result["losses"][0]
        assert result["weights"].mean().item() == pytest.approx(1)
        assert result["accuracy"]["All"] > 70  # chance is 10
        assert list(result["accuracy"]) == ["All", "Many", "Medium", "Few"]
    assert results["CE"]["weights"].eq(1).all()
    assert results["RDR"]["weights"].std() > 0.1
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed] == ["CE", "RDR"]


def test_plain_loop_is_short_enough_to_read():
    assert len((EXAMPLES / "plain_loop.py").read_text().splitlines()) < 60


# Lightning's own tree helpers make torch's deprecated LeafSpec (lightning 2.6 with torch 2.9 and later).
@pytest.mark.filterwarnings(r"ignore:`isinstance\(treespec, LeafSpec\)` is deprecated:FutureWarning")
def test_lightning_module(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = load("lightning_module")
    result = module.main()
    captured = capsys.readouterr()
    assert "prototypes loaded: 10 classes, as they were saved" in captured.out
    assert captured.err == ""
    assert list(tmp_path.iterdir()) == []  # neither logs nor checkpoints are left behind

    assert result["losses"][-1] < 0.1 * result["losses"][0]
    assert result["accuracy"] > 70  # chance is 10

    trained, loaded = result["model"].rdr, result["loaded"].rdr
    assert trained.started.all()
    assert trained.steps == 40 * 11
    assert trained.prototypes.abs().sum(1).gt(0).all()
    for (name, saved), (same_name, again) in zip(
        trained.state_dict().items(), loaded.state_dict().items(), strict=True
    ):
        assert name == same_name
        assert torch.equal(saved, again), name

    images, labels = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
    features = result["loaded"].body(images)
    weights = loaded(features, labels)
    assert weights.mean().item() == pytest.approx(1)
    without_prototypes = module.RDRWeights(loaded.class_counts, feature_dim=32).eval()
    assert (weights - without_prototypes(features, labels)).abs().max() > 0.1  # what the checkpoint carries matters


def test_accelerate_loop():
    result = load("accelerate_loop").main()
    assert result["losses"][-1] < 0.1 * result["losses"][0]
    assert result["accuracy"] > 70  # chance is 10
    assert result["rdr"].started.all()
    assert result["rdr"].steps == 20 * 11


@pytest.mark.slow
def test_hugging_face_trainer(capsys):
    result = load("hugging_face_trainer").main()
    assert result["losses"][-1] < 0.2 * result["losses"][0]
    assert result["accuracy"] > 70
    assert result["rdr"].started.all()
    assert "model.safetensors" in result["saved"]


def test_one_process_of_data_parallel(capsys):
    """Of several: tests/methods/test_own_loop.py."""
    result = load("data_parallel").main()
    assert result["rdr"].started.all()
    assert capsys.readouterr().out.startswith("rank 0: prototypes")


def test_recorded_loop():
    result = load("recorded_loop").main()
    assert result["run"].config.method == "poly"
    assert "poly" in result["finding"]
    assert result["curvature"]["trace"].gt(0).all()
