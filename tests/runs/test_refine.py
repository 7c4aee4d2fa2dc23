"""Second stages: their closed forms, what they leave as it was, what they gain, and the runs they leave behind."""

from __future__ import annotations

import os
import shutil
import signal
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

import rdr_core
from rdr_core import RdrError, Run
from rdr_core.files.trees import load_tree, save_tree
from rdr_core.methods.grammar import parse
from rdr_core.methods.samplers import ClassBalanced
from rdr_core.methods.second_stage import Classifier, adjusted, crt, tau_normalised
from rdr_core.methods.weighting import Unweighted
from rdr_core.models import build_model
from rdr_core.training.classifier_stage import ScaleStep
from rdr_core.training.normalise import normalise
from rdr_core.training.objective import WeightedObjective
from rdr_core.training.randomness import generator
from rdr_core.training.visits import Visits

STAGES = ("crt", "lws", "taunorm", "posthoc")
QUIET = {"progress": False, "device": "cpu"}
SHORT = {"imbalance_factor": 20, "epochs": 2, **QUIET}


@pytest.fixture(scope="module")
def ce(tmp_path_factory) -> Run:
    """Cross-entropy at its defaults on digits, where the last classes have 5, 3 and 2 images."""
    return rdr_core.train("digits", imbalance_factor=50, method="ce", runs=tmp_path_factory.mktemp("runs"), **QUIET)


@pytest.fixture(scope="module")
def refined(ce) -> dict[str, Run]:
    return {stage: rdr_core.refine(ce, stage, **QUIET) for stage in STAGES}


def inputs(run: Run) -> torch.Tensor:
    data = run.data()
    return normalise(data.test.inputs, torch.tensor(data.mean), torch.tensor(data.std))


@st.composite
def classifiers(draw):
    d, width = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    random = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    weight = torch.randn(d, width, generator=random, dtype=torch.float64)
    counts = torch.randint(1, 1000, (d,), generator=random)
    features = torch.randn(7, width, generator=random, dtype=torch.float64)
    return Classifier(weight, torch.randn(d, generator=random, dtype=torch.float64)), counts, features


@given(classifiers(), st.floats(0, 3))
def test_a_changed_bias_is_a_shift_of_all_logits_by_the_log_prior(case, tau):
    (weight, bias), counts, features = case
    after = adjusted(Classifier(weight, bias), counts, tau)
    shifted = features @ weight.T + bias - tau * torch.log(counts.double() / counts.sum())
    torch.testing.assert_close(features @ after.weight.T + after.bias, shifted)


@given(classifiers())
def test_with_the_priors_own_bias_post_hoc_adjustment_makes_all_classes_alike(case):
    """A classifier that has learnt the prior and nothing else has nothing left."""
    (weight, _), counts, _ = case
    learnt = Classifier(weight, torch.log(counts.double() / counts.sum()))
    torch.testing.assert_close(adjusted(learnt, counts).bias, torch.zeros(len(counts), dtype=torch.float64))


@given(classifiers(), st.floats(0, 1))
def test_rows_have_the_length_to_the_power_one_less_tau(case, tau):
    classifier, counts, _ = case
    after = tau_normalised(classifier, counts, tau)
    torch.testing.assert_close(after.weight.norm(dim=1), classifier.weight.norm(dim=1).pow(1 - tau))
    cosines = torch.nn.functional.cosine_similarity(after.weight, classifier.weight)
    torch.testing.assert_close(cosines, torch.ones_like(cosines))
    assert not after.bias.any()


@given(classifiers())
def test_tau_0_changes_nothing_but_drops_tau_normalisations_bias(case):
    classifier, counts, _ = case
    assert torch.equal(tau_normalised(classifier, counts, 0.0).weight, classifier.weight)
    assert torch.equal(adjusted(classifier, counts, 0.0).bias, classifier.bias)


def test_a_row_of_zeros_stays():
    classifier = Classifier(torch.zeros(2, 3), torch.ones(2))
    assert not tau_normalised(classifier, torch.tensor([2, 1])).weight.any()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 100), st.integers(0, 3))
def test_balanced_visits_take_classes_and_their_images_in_turn(counts, seed, epoch):
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    order = ClassBalanced(labels, len(counts), partial(generator, seed)).order(epoch)
    assert len(order) == len(labels)
    visits = labels[order].bincount(minlength=len(counts))
    assert visits.max() - visits.min() <= 1
    for c in range(len(counts)):
        times = order[labels[order] == c].bincount(minlength=len(labels))[labels == c]
        assert times.max() - times.min() <= 1


def test_balanced_visits_depend_on_seed_and_epoch_alone():
    labels = torch.repeat_interleave(torch.arange(3), torch.tensor([40, 20, 5]))
    first, again, epoch, seed = (
        ClassBalanced(labels, 3, partial(generator, seed)).order(epoch)
        for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, epoch)
    assert not torch.equal(first, seed)


def test_over_epochs_every_image_of_a_large_class_comes_up():
    labels = torch.repeat_interleave(torch.arange(2), torch.tensor([100, 4]))
    sampler = ClassBalanced(labels, 2, partial(generator, 0))
    assert len(set(torch.cat([sampler.order(epoch) for epoch in range(12)]).tolist())) == 104


@pytest.mark.parametrize("stage", STAGES)
def test_features_are_the_first_stages_bit_for_bit(stage, ce, refined):
    before, after = ce.model(), refined[stage].model()
    for name, value in before.body.state_dict().items():
        assert torch.equal(value, after.body.state_dict()[name]), name
    images = inputs(ce)
    with torch.no_grad():
        assert torch.equal(before.features(images), after.features(images))


def test_stored_classifiers_are_the_closed_forms_of_the_trained_one(ce, refined):
    before, counts = ce.model().classifier, torch.tensor(ce.class_counts)
    trained = Classifier(before.weight.detach(), before.bias.detach())
    for stage, expected in (("taunorm", tau_normalised(trained, counts)), ("posthoc", adjusted(trained, counts))):
        after = refined[stage].model().classifier
        assert torch.equal(after.weight, expected.weight)
        assert torch.equal(after.bias, expected.bias)
    rows = refined["taunorm"].model().classifier.weight.norm(dim=1)
    torch.testing.assert_close(rows, torch.ones(10))


def test_post_hoc_predictions_are_those_of_shifted_logits(ce, refined):
    images, labels = inputs(ce), ce.data().test.labels
    with torch.no_grad():
        logits = ce.model()(images)
    log_prior = torch.log(torch.tensor(ce.class_counts / ce.class_counts.sum(), dtype=torch.float32))
    right = (logits - log_prior).argmax(1) == labels
    assert refined["posthoc"].metrics["top1"] == pytest.approx(100 * right.float().mean().item())


@pytest.mark.parametrize("stage", STAGES)
def test_few_rises_above_cross_entropys(stage, ce, refined):
    """What all four are for (Kang et al. 2020, Menon et al. 2021): 76 % became 85 or more."""
    assert refined[stage].metrics["few"] > ce.metrics["few"] + 5
    assert refined[stage].metrics["balanced_accuracy"] > ce.metrics["balanced_accuracy"]


def test_learnt_scales_keep_each_rows_direction_and_reach_its_bias(ce, refined):
    before, after = (run.model().classifier for run in (ce, refined["lws"]))
    scales = (after.weight.norm(dim=1) / before.weight.norm(dim=1)).detach()
    torch.testing.assert_close(after.weight, before.weight * scales[:, None])
    torch.testing.assert_close(after.bias, before.bias * scales)
    assert scales[-3:].mean() > scales[:3].mean(), "rows of rare classes grow"


def test_a_step_on_the_scales_is_one_of_the_factors_of_the_logits():
    """Against automatic differentiation of ``f * (W h + b)``, with momentum and weight decay."""
    draw = torch.Generator().manual_seed(0)
    network = build_model("small", num_classes=4, channels=1)
    trained = [parameter.detach().clone() for parameter in network.classifier.parameters()]
    sgd = torch.optim.SGD(network.parameters(), lr=0.3, momentum=0.9, weight_decay=0.01)
    step = ScaleStep(sgd, network.classifier)
    objective = WeightedObjective(network, partial(F.cross_entropy, reduction="none"), Unweighted())
    factors = torch.nn.Parameter(torch.ones(4))
    reference = torch.optim.SGD([factors], lr=0.3, momentum=0.9, weight_decay=0.01)
    for _ in range(4):
        images, labels = torch.rand(8, 1, 8, 8, generator=draw), torch.randint(4, (8,), generator=draw)
        step(objective, images, labels)
        with torch.no_grad():
            features = network.features(images)
        reference.zero_grad()
        F.cross_entropy(factors * F.linear(features, *trained), labels).backward()
        reference.step()
        torch.testing.assert_close(step.scales, factors)
        torch.testing.assert_close(network.classifier.weight, trained[0] * factors[:, None])


def test_a_retrained_classifier_owes_nothing_to_the_trained_one(tmp_path):
    """Whatever stood in the first stage's classifier, the second one's is the same, bit for bit."""
    base = rdr_core.train("digits", method="ce", runs=tmp_path / "one", **SHORT)
    other = shutil.copytree(base.path, tmp_path / "other" / base.name)
    tree = load_tree(other / "model.safetensors")
    tree["model"]["classifier.weight"].fill_(5.0)
    save_tree(other / "model.safetensors", tree)
    one, two = (rdr_core.refine(path, "crt:epochs=2", **QUIET).model().classifier for path in (base.path, other))
    assert torch.equal(one.weight, two.weight)
    assert torch.equal(one.bias, two.bias)


def test_a_refined_run_is_a_run_like_any_other(ce, refined):
    for stage, rows in (("crt", 10), ("lws", 10), ("taunorm", 1), ("posthoc", 1)):
        run = refined[stage]
        assert run.config.method == f"ce+{stage}"
        assert run.base == ce.name
        assert (run.done, run.epochs, len(run.history)) == (True, rows, rows)
        assert run.kept == (60,)
        assert len(run.classes) == 10 * rows
        assert run.history.notna().drop(columns="negative_ratios").all(axis=None)
        assert run.classes.drop(columns="ratio").notna().all(axis=None)
        last = run.history.iloc[-1]
        assert [run.metrics[name] for name in ("top1", "many", "medium", "few")] == [
            last[name] for name in ("accuracy", "many", "medium", "few")
        ]
        np.testing.assert_array_equal(run.metrics["per_class"], run.classes.accuracy[-10:])
        assert run.class_counts.tolist() == ce.class_counts.tolist()
    assert refined["taunorm"].history.learning_rate.tolist() == [0]
    assert ce.base is None


def test_the_look_at_the_training_images_says_what_the_refined_network_makes_of_them(refined):
    run = refined["posthoc"]
    data = run.data()
    images = normalise(data.train.inputs, torch.tensor(data.mean), torch.tensor(data.std))
    with torch.no_grad():
        logits = run.model()(images)
    loss = torch.nn.functional.cross_entropy(logits, data.train.labels)
    assert run.history.loss[0] == pytest.approx(loss.item(), rel=1e-4)
    right = (logits.argmax(1) == data.train.labels).float().mean().item()
    assert run.history.train_accuracy[0] == pytest.approx(100 * right)


@pytest.mark.parametrize("method", ["rdr+crt:epochs=2", "rdr+posthoc:tau=0.5"])
def test_training_both_stages_is_refining_the_first_bit_for_bit(method, tmp_path):
    whole = rdr_core.train("digits", method=method, runs=tmp_path / "whole", **SHORT)
    first = rdr_core.train("digits", method="rdr", runs=tmp_path / "steps", **SHORT)
    steps = rdr_core.refine(first.path, method.partition("+")[2], **QUIET)
    assert whole.name == steps.name
    assert {run.name for run in rdr_core.list_runs(tmp_path / "whole")} == {whole.name, first.name}
    for name, value in whole.model().state_dict().items():
        assert torch.equal(value, steps.model().state_dict()[name])
    assert whole.metrics == steps.metrics
    assert whole.history.drop(columns="seconds").equals(steps.history.drop(columns="seconds"))


def test_asked_for_again_a_refined_run_is_opened(ce, refined):
    marks = [(run.path / "done.json").stat().st_mtime_ns for run in refined.values()]
    again = [rdr_core.refine(ce, stage, **QUIET) for stage in STAGES]
    folder = ce.path.parent
    again.append(rdr_core.train("digits", imbalance_factor=50, method="posthoc+ce", runs=folder, **QUIET))
    assert [run.path for run in again] == [*(run.path for run in refined.values()), refined["posthoc"].path]
    assert [(run.path / "done.json").stat().st_mtime_ns for run in refined.values()] == marks


@pytest.mark.parametrize("stage", ["crt:epochs=4", "lws:epochs=4"])
def test_a_stage_that_was_stopped_goes_on_to_the_same_bits(stage, tmp_path, monkeypatch):
    method = f"ce+{stage}"
    whole = rdr_core.train("digits", method=method, runs=tmp_path / "whole", **SHORT)
    base = rdr_core.train("digits", method="ce", runs=tmp_path / "stopped", **SHORT)
    write, calls = Visits.write, 0

    def interrupt(self, *arguments):
        nonlocal calls
        calls += 1
        if calls == 30:  # of 13 batches an epoch, so in the third
            os.kill(os.getpid(), signal.SIGINT)
        write(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Visits, "write", interrupt)
        with pytest.raises(rdr_core.TrainingStopped, match=r"epoch 3 of 4.*rdr resume"):
            rdr_core.refine(base, stage, **QUIET)
    (stopped,) = (run for run in rdr_core.list_runs(tmp_path / "stopped") if run.base)
    assert (stopped.done, stopped.epochs_done, stopped.kept) == (False, 2, ())
    assert repr(stopped).endswith("2 of 4 epochs)")
    resumed = rdr_core.resume(stopped.path, **QUIET)
    assert resumed.metrics == whole.metrics
    assert resumed.history.drop(columns="seconds").equals(whole.history.drop(columns="seconds"))
    for name, value in whole.model().state_dict().items():
        assert torch.equal(value, resumed.model().state_dict()[name])
    for name, value in whole.model().state_dict().items():
        assert torch.equal(value, resumed.model().state_dict()[name]), name


def test_a_first_stage_under_another_name_is_found_again(tmp_path):
    trained = rdr_core.train("digits", method="ce", runs=tmp_path, **SHORT)
    moved = trained.path.rename(tmp_path / "mine")
    run = rdr_core.refine(moved, "crt:epochs=1", **QUIET)
    assert run.base == "mine"
    (run.path / "done.json").unlink()
    assert rdr_core.resume(run.path, **QUIET).done
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["mine", run.name])


def test_interrupted_in_its_first_stage_a_method_says_how_to_go_on(tmp_path, monkeypatch):
    write = Visits.write

    def interrupt(self, *arguments):
        os.kill(os.getpid(), signal.SIGINT)
        write(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Visits, "write", interrupt)
        with pytest.raises(rdr_core.TrainingStopped, match="Continue with: the same request again"):
            rdr_core.train("digits", method="ce+crt", runs=tmp_path, **SHORT)
    assert rdr_core.train("digits", method="ce+crt", runs=tmp_path, **SHORT).done


def test_ones_own_arrays_are_asked_for_and_must_be_the_runs(tmp_path):
    data = rdr_core.load_data("digits", imbalance_factor=20)
    own = rdr_core.from_arrays(data.train.inputs, data.train.labels, data.test.inputs, data.test.labels)
    run = rdr_core.train(own, method="ce", epochs=1, runs=tmp_path, **QUIET)
    with pytest.raises(RdrError, match=r"data of your own, which only you have; give them"):
        rdr_core.refine(run, "crt")
    with pytest.raises(RdrError, match="other data than those given"):
        rdr_core.refine(run, "crt", data=data)
    assert rdr_core.refine(run, "crt", data=own, **QUIET).config.method == "ce+crt"


def test_a_run_that_is_not_finished_is_not_refined(ce, tmp_path):
    half = tmp_path / ce.name
    shutil.copytree(ce.path, half)
    (half / "done.json").unlink()
    with pytest.raises(RdrError, match="not finished, so there is nothing to refine"):
        rdr_core.refine(half, "crt")


def test_canonical_names_put_the_second_stage_last():
    assert parse("crt").name == "ce+crt"
    assert parse("taunorm:tau=1+sam+rdr").name == "rdr+sam+taunorm"
    assert parse("taunorm:tau=1+sam+rdr").first_stage.name == "rdr+sam"
    assert parse("crt:epochs=10").name == "ce+crt"
    assert parse("la+crt").first_stage.name == "la"
    assert crt(epochs=3.0).epochs == 3


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("la+posthoc", r"takes the prior out of the logits twice, in training \(la\) and after it \(posthoc\)"),
        ("crt+taunorm", r"two parts of the kind second stage, 'crt' and 'taunorm'; name one"),
        ("crt:epochs=1.5", r"crt:epochs is '1\.5'; it must be a whole number, 1 or larger \(default 10\)"),
        ("taunorm:tau=-1", r"taunorm:tau is '-1'; it must be 0 or larger"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(method, reason):
    with pytest.raises(RdrError, match=reason):
        parse(method)


def test_posthoc_beside_a_loss_without_the_prior_or_with_tau_0_is_no_double_correction():
    assert parse("la:tau=0+posthoc").name == "la:tau=0+posthoc"
    assert parse("la+posthoc:tau=0").name == "la+posthoc:tau=0"
    assert parse("focal+posthoc").name == "focal+posthoc"


@pytest.mark.parametrize("method", ["sam", "rdr", "nothing", "crt:epoch=3"])
def test_a_method_that_is_no_second_stage_is_refused(method, ce):
    with pytest.raises(RdrError, match=r"is not a second stage|There is no p"):
        rdr_core.refine(ce, method)


def test_a_refined_run_is_not_refined_again(refined):
    with pytest.raises(RdrError, match="two parts of the kind second stage"):
        rdr_core.refine(refined["crt"], "posthoc")
