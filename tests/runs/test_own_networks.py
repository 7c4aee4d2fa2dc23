"""Runs of a network of one's own: trained as others are, resumed bit for bit, opened, analysed and drawn."""

from __future__ import annotations

from copy import deepcopy

import own_networks
import pytest
import torch
from equal_runs import assert_equal_runs
from stopped import stopped_after_an_epoch
from torch import nn

import rdr_core
import rdr_viz
from rdr_core import RdrError, Run
from rdr_core.training.interrupt import TrainingStopped

REQUEST = {"imbalance_factor": 20, "epochs": 2, "seed": 3, "batch_size": 64, "device": "cpu", "progress": False}


def network() -> nn.Module:
    torch.manual_seed(5)
    return own_networks.Plain()


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    return rdr_core.train("digits", method="rdr", model=network(), runs=tmp_path_factory.mktemp("own"), **REQUEST)


def test_a_copy_is_trained_from_the_weights_given(trained, tmp_path):
    module = network()
    before = deepcopy(module.state_dict())
    run = rdr_core.train("digits", method="rdr", model=module, runs=tmp_path, **REQUEST)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert module.training
    assert_equal_runs(run, trained)
    assert run.name == trained.name
    assert run.config.model == "own:Plain"
    still = rdr_core.train("digits", method="rdr", model=module, runs=tmp_path, **REQUEST | {"learning_rate": 1e-30})
    weights = dict(still.model().named_parameters())
    assert torch.allclose(weights["classifier.weight"], before["head.weight"])
    assert torch.allclose(weights["body.module.conv.weight"], before["conv.weight"])
    assert len(list(tmp_path.iterdir())) >= 2


def test_a_class_gets_its_weights_from_the_seed(tmp_path):
    def run(place: str, seed: int) -> Run:
        request = REQUEST | {"epochs": 1, "seed": seed}
        return rdr_core.train("digits", method="ce", model=own_networks.Plain, runs=tmp_path / place, **request)

    one, same, other = run("a", 1), run("b", 1), run("c", 2)
    assert_equal_runs(one, same)
    assert not torch.equal(one.model().classifier.weight, other.model().classifier.weight)


def test_a_stopped_run_goes_on_bit_for_bit(trained, tmp_path, monkeypatch):
    stopped_after_an_epoch(monkeypatch)
    with pytest.raises((TrainingStopped, KeyboardInterrupt)):
        rdr_core.train("digits", method="rdr", model=network(), runs=tmp_path, **REQUEST)
    (folder,) = [path for path in tmp_path.iterdir() if (path / "config.json").exists()]
    assert not Run.open(folder).done
    with pytest.raises(RdrError, match=r"trains a network of your own \(own:Plain\); give it with model="):
        rdr_core.resume(folder, device="cpu", progress=False)
    run = rdr_core.resume(folder, device="cpu", progress=False, model=network())
    assert_equal_runs(run, trained)


def test_it_is_opened_with_the_same_network_alone(trained):
    run = Run.open(trained.path)
    assert run.done
    assert run.metrics == trained.metrics
    with pytest.raises(RdrError, match=r"only you have; open it with .*Run.open\(path, model=...\)"):
        run.model()
    again = Run.open(trained.path, model=network())
    assert torch.equal(again.model().classifier.weight, trained.model().classifier.weight)
    # Its weights are the run's: another module of the same layers, or what makes one, will do.
    for same in (own_networks.Plain(), own_networks.Plain):
        found = Run.open(trained.path, model=same).model()
        assert torch.equal(found.classifier.weight, again.model().classifier.weight)
    for other in (own_networks.Both(), nn.Linear(64, 10)):
        with pytest.raises(RdrError, match=r"trained another network of yours .own:Plain. than the one given"):
            Run.open(trained.path, model=other)
    with pytest.raises(RdrError, match="another network of yours"):
        Run.open(trained.path, model=network(), features="hidden")


def test_a_run_of_the_toolkits_network_takes_no_other(tmp_path):
    run = rdr_core.train("digits", method="ce", runs=tmp_path, **REQUEST | {"epochs": 1})
    with pytest.raises(RdrError, match="This run trained 'small', which the toolkit has; leave model out"):
        Run.open(run.path, model=network())
    with pytest.raises(RdrError, match="features names a layer of a network of your own"):
        rdr_core.train("digits", features="hidden", runs=tmp_path, **REQUEST)


@pytest.mark.parametrize("stage", ["crt", "taunorm", "posthoc"])
def test_second_stages(trained, stage):
    refined = rdr_core.refine(trained, stage, device="cpu", progress=False)
    assert refined.done
    ours, theirs = refined.model(), trained.model()
    assert all(torch.equal(tensor, theirs.body.state_dict()[name]) for name, tensor in ours.body.state_dict().items())
    assert not torch.equal(ours.classifier.bias, theirs.classifier.bias)
    again = Run.open(refined.path, model=network())
    assert torch.equal(again.model().classifier.weight, ours.classifier.weight)


@pytest.mark.parametrize("stage", ["crt", "taunorm"])
def test_second_stages_of_a_classifier_without_bias(tmp_path, stage):
    one = REQUEST | {"epochs": 1}
    run = rdr_core.train("digits", method=f"ce+{stage}", model=own_networks.Plain(bias=False), runs=tmp_path, **one)
    assert run.done
    assert run.model().classifier.bias is None


def test_a_second_stage_that_needs_a_bias(tmp_path):
    with pytest.raises(RdrError, match=r"'ce.posthoc' changes the classifier's bias, and this network's has none"):
        rdr_core.train("digits", method="ce+posthoc", model=own_networks.Plain(bias=False), runs=tmp_path,
                       **REQUEST | {"epochs": 1})  # fmt: skip


@pytest.mark.parametrize("method", ["ccsam", "ldam", "sam", "rdr+la", "cdb", "imbsam"])
def test_methods_that_look_into_the_network(tmp_path, method):
    one = REQUEST | {"epochs": 1}
    run = rdr_core.train("digits", method=method, model=network(), runs=tmp_path, **one)
    assert run.done
    logits = run.model()(torch.zeros(2, 1, 8, 8))
    assert torch.equal(Run.open(run.path, model=network()).model()(torch.zeros(2, 1, 8, 8)), logits)


@pytest.mark.parametrize("method", ["ccsam", "ldam", "ce+crt", "ce+taunorm", "ce+posthoc"])
def test_methods_that_need_a_linear_classifier_say_so_before_training(tmp_path, method):
    with pytest.raises(RdrError, match="logits are not the output of a linear layer, so its classifier can't be"):
        rdr_core.train("digits", method=method, model=own_networks.NoLinear(), runs=tmp_path, **REQUEST)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "features", "method"),
    [
        (own_networks.NoLinear, "", "rdr"),
        (own_networks.Plain, "norm", "rdr"),
        (own_networks.LikeHuggingFace, "", "rdr+la"),
    ],
)
def test_other_ways_to_give_features(tmp_path, model, features, method):
    torch.manual_seed(0)
    module = model()
    run = rdr_core.train("digits", method=method, model=module, features=features, runs=tmp_path, **REQUEST)
    again = Run.open(run.path, model=module, features=features)
    images = torch.rand(4, 1, 8, 8)
    for found, expected in zip(
        again.model().features_and_logits(images), run.model().features_and_logits(images), strict=True
    ):
        assert torch.equal(found, expected)
    table = rdr_viz.class_curvature(again, classes=[0], epochs=[2], progress=False, relative_error=0.5)
    assert table["lambda_max"].notna().all()


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 7)), r"it must give logits of 10 classes"),
        (nn.Linear(99, 10), r"Linear can't take samples of shape \(1, 8, 8\)"),
        (own_networks.Scaled(), "no linear layer whose output are its logits"),
    ],
)
def test_wrong_networks_are_one_sentence_before_the_first_step(tmp_path, model, sentence):
    with pytest.raises(RdrError, match=sentence):
        rdr_core.train("digits", model=model, runs=tmp_path, **REQUEST)


@pytest.mark.slow
def test_evaluation_curvature_and_pictures(trained, tmp_path):
    found = rdr_core.evaluate(trained)
    assert found is not None
    again = Run.open(trained.path, model=network())
    table = rdr_viz.class_curvature(again, classes=[0, 9], epochs=[2], progress=False, relative_error=0.5)
    assert table["class"].tolist() == [0, 9]
    assert table["lambda_max"].gt(0).all()
    for kind in ("accuracy", "confusion", "collapse", "norms", "calibration"):
        made = rdr_viz.make_display(kind, [again])
        made.save(tmp_path / f"{kind}.png")
        assert (tmp_path / f"{kind}.png").stat().st_size > 5000
