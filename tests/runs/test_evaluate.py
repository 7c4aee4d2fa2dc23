"""`evaluate`: a test set weighted to other class frequencies; and the commands that refine and evaluate, end to end."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rdr_core
from rdr_core import RdrError, Run
from rdr_core.data import groups_by_rank
from rdr_core.data.profiles import exponential
from rdr_core.measures.predictions import measures
from rdr_core.runs.evaluation import TESTS, class_shares, image_weights


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return rdr_core.train("digits", imbalance_factor=20, method="ce", epochs=3, device="cpu", progress=False,
                          runs=tmp_path_factory.mktemp("runs"))  # fmt: skip


counts = st.lists(st.integers(1, 1000), min_size=2, max_size=8).map(np.array)
factors = st.floats(1, 1000)


@given(counts, factors)
def test_shares_fall_by_the_training_rank_and_the_reverse_is_their_mirror(class_counts, factor):
    forward, backward = (class_shares(class_counts, test, factor) for test in ("long-tailed", "reversed"))
    order = np.argsort(-class_counts, kind="stable")
    np.testing.assert_allclose(forward[order], backward[order][::-1])
    np.testing.assert_allclose(forward[order][0] / forward[order][-1], factor)
    np.testing.assert_allclose(np.diff(np.log(forward[order])), -np.log(factor) / (len(order) - 1), atol=1e-9)
    assert forward.sum() == pytest.approx(1)
    np.testing.assert_allclose(class_shares(class_counts, "balanced", 1.0), 1 / len(order))


def test_shares_are_those_of_the_exponential_profile():
    sizes = exponential(largest=10**9, num_classes=10, imbalance_factor=50)
    np.testing.assert_allclose(class_shares(sizes, "long-tailed", 50.0), sizes / sizes.sum(), rtol=1e-6)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40).map(np.array), factors)
def test_weights_have_mean_one_and_give_the_classes_their_shares(labels, factor):
    shares = class_shares(np.array([9, 7, 5, 3]), "long-tailed", factor)
    weights = image_weights(labels, shares)
    assert weights.mean() == pytest.approx(1)
    present = np.unique(labels)
    found = np.bincount(labels, weights, minlength=4)[present] / len(labels)
    np.testing.assert_allclose(found, shares[present] / shares[present].sum())


def test_the_weighted_accuracy_is_that_of_drawn_subsets_on_average():
    """What public code draws: a long-tailed subset of a balanced test set, here 4,000 times."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 60)
    probabilities = random.dirichlet(np.ones(3), 180) + 0.3 * np.eye(3)[labels] * [[1.0, 0.5, 0.0]]
    sizes = np.array([60, 20, 6])  # no rounding: the profile of IF 10 would be 60, 18.97, 6
    weights = image_weights(labels, sizes / sizes.sum())
    groups = groups_by_rank([3, 2, 1])
    right = probabilities.argmax(1) == labels
    draws = []
    for _ in range(4000):
        chosen = [random.choice(np.flatnonzero(labels == c), size=n, replace=False) for c, n in enumerate(sizes)]
        draws.append(100 * right[np.concatenate(chosen)].mean())
    expected = measures(probabilities, labels, groups, weights)["top1"]
    assert expected == pytest.approx(np.mean(draws), abs=4 * np.std(draws) / np.sqrt(len(draws)))


def test_on_a_balanced_test_set_balanced_is_as_it_is(run):
    found = rdr_core.evaluate(run)
    assert (found["test"], found["imbalance_factor"]) == ("balanced", 1)
    # Probabilities come from single precision, and a network just read may lie otherwise in memory than when trained.
    for name, value in run.metrics.items():
        np.testing.assert_allclose(np.array(found[name], float), np.array(value, float), rtol=1e-6, err_msg=name)


def test_top_1_is_the_mean_over_classes_by_their_shares(run):
    by_class = np.array(run.metrics["per_class"])
    for test in ("long-tailed", "reversed"):
        found = rdr_core.evaluate(run, test=test, imbalance_factor=10)
        assert found["top1"] == pytest.approx(by_class @ class_shares(run.class_counts, test, 10.0))
        np.testing.assert_allclose(found["per_class"], by_class)
        assert found["balanced_accuracy"] == pytest.approx(run.metrics["balanced_accuracy"])


def test_the_runs_own_imbalance_factor_is_the_default(run):
    assert rdr_core.evaluate(run, test="reversed") == rdr_core.evaluate(run, test="reversed", imbalance_factor=20)
    assert (run.path / "evaluations" / "reversed-if20.json").is_file()


def test_results_are_kept_and_read_again(run, monkeypatch):
    first = rdr_core.evaluate(run, test="long-tailed", imbalance_factor=2.5)
    monkeypatch.setattr(Run, "model", None)  # nothing may be computed again
    assert rdr_core.evaluate(run.path, test="long-tailed", imbalance_factor=2.5) == first


def test_what_cannot_be_evaluated_is_refused(run, tmp_path):
    with pytest.raises(RdrError, match="no test named 'reverse'; did you mean 'reversed'"):
        rdr_core.evaluate(run, test="reverse")
    with pytest.raises(RdrError, match="imbalance_factor is 5, but a balanced test has none"):
        rdr_core.evaluate(run, imbalance_factor=5)
    for factor in (0.5, float("nan"), float("inf")):
        with pytest.raises(RdrError, match="over its least is 1 or larger"):
            rdr_core.evaluate(run, test="reversed", imbalance_factor=factor)
    with pytest.raises(RdrError, match="is not a run's folder"):
        rdr_core.evaluate(tmp_path)


def test_arrays_of_ones_own_are_given_again(tmp_path):
    data = rdr_core.load_data("digits", imbalance_factor=20)
    own = rdr_core.from_arrays(data.train.inputs, data.train.labels, data.test.inputs, data.test.labels)
    run = rdr_core.train(own, method="ce", epochs=1, runs=tmp_path, device="cpu", progress=False)
    with pytest.raises(RdrError, match=r"data of your own, which only you have; give them"):
        rdr_core.evaluate(run)
    with pytest.raises(RdrError, match="used its data's own imbalance; give the test's imbalance_factor"):
        rdr_core.evaluate(run, test="reversed", data=own)
    assert rdr_core.evaluate(run, data=own)["top1"] == pytest.approx(run.metrics["top1"])


def test_metrics_are_measured_without_scikit_learn(tmp_path):
    """On arrays, since scikit-learn brings the digits."""
    code = f"""
import sys
for name in ("sklearn", "scipy", "matplotlib", "typer", "rich"):
    sys.modules[name] = None
import torch, rdr_core
images = torch.randint(0, 256, (60, 1, 8, 8), dtype=torch.uint8)
labels = torch.arange(60) % 3
data = rdr_core.from_arrays(images, labels, images, labels)
run = rdr_core.train(data, method="ce+crt:epochs=1", epochs=1, runs={str(tmp_path)!r}, progress=False, device="cpu")
print(sorted(run.metrics), rdr_core.evaluate(run, data=data)["roc_auc"] > 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "average_precision" in done.stdout
    assert done.stdout.strip().endswith("True")


def test_train_refine_and_evaluate_from_the_command_line(rdr):
    status, out, err = rdr("train", "digits", "-i", "20", "--epochs", "2", "--device", "cpu", "-m", "ce+crt:epochs=3")
    assert status == 0, err
    assert "2 + 3" in out
    base, crt = sorted(rdr_core.list_runs("runs"), key=lambda run: run.base or "")
    assert (base.config.method, crt.config.method) == ("ce", "ce+crt:epochs=3")

    status, out, err = rdr("refine", str(base.path), "-m", "taunorm", "--device", "cpu")
    assert status == 0, err
    assert "ce+taunorm" in out
    assert " + 1" not in out, "no epoch was trained"

    paths = [str(run.path) for run in rdr_core.list_runs("runs")]
    status, out, err = rdr("evaluate", *paths, "--test", "reversed", "-i", "10", "--device", "cpu")
    assert (status, err) == (0, "")
    for word in ("reversed", "10", "Few", "Bal", "F1", "AUC", "AP", "ECE", *(path[5:] for path in paths)):
        assert word in out

    status, out, _ = rdr("evaluate", *paths, "--json")
    found = json.loads(out)
    assert [row["run"] for row in found] == [path[5:] for path in paths]
    assert set(found[0]) == {"run", "test", "imbalance_factor", *base.metrics}
    assert found[-1]["few"] == Run.open(paths[-1]).metrics["few"]

    status, out, err = rdr("plot", *paths, "--kind", "accuracy")
    assert status == 0, err
    assert "Over all classes" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("evaluate", "nothere"), "nothere is not a run's folder"),
        (("evaluate", "{run}", "--test", "long"), "There is no test named 'long'"),
        (("evaluate", "{run}", "-i", "5"), "a balanced test has none"),
        (("evaluate", "{half}"), "is not finished; continue it with `rdr resume"),
        (("refine", "{half}"), "is not finished, so there is nothing to refine"),
        (("refine", "{run}", "-m", "sam"), "'sam' is not a second stage"),
        (("refine", "{run}", "-m", "crtt"), "There is no part of a method named 'crtt'"),
        (("train", "digits", "-m", "la+posthoc"), "takes the prior out of the logits twice"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(rdr, run, tmp_path, arguments, sentence):
    half = tmp_path / "half"
    half.mkdir()
    for name in ("config.json", "data.json"):
        (half / name).write_bytes((run.path / name).read_bytes())
    status, out, err = rdr(*(text.format(run=run.path, half=half) for text in arguments))
    assert (status, out) == (2, "")
    assert re.fullmatch(r"rdr: .+\n", err)
    assert sentence in err


def test_the_help_names_every_test(rdr):
    _, out, _ = rdr("evaluate", "--help")
    assert all(test in out for test in TESTS)
