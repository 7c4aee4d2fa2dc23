"""Test priors n^t: weighting is what drawing test sets gives, thresholds follow, and what can't be told is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdr_core import RdrError
from rdr_core.measures.predictions import measures
from rdr_core.runs.evaluation import image_weights
from rdr_core.training.inference import Inputs, features_and_logits
from rdr_viz.analysis.priors import POWERS, accuracy_following, accuracy_under, following, prior_shift
from rdr_viz.analysis.stored import result_path
from rdr_viz.displays.prior_shift import PriorShift, stretched, unstretched

COUNTS = np.array([90.0, 30, 10, 3])


@pytest.fixture
def answered() -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels of a test set that is neither balanced nor long-tailed."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1, 2, 3], [40, 25, 60, 33]))
    return np.eye(4)[labels] + rng.normal(0, 1.2, (len(labels), 4)) + np.log(COUNTS) / 2, labels


def per_class(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.array([100 * (logits.argmax(1)[labels == c] == c).mean() for c in range(4)])


@given(st.lists(st.floats(0, 100), min_size=4, max_size=4), st.floats(-1, 1))
def test_a_mean_over_classes_with_the_priors_shares(accuracies, t):
    shares = COUNTS**t / (COUNTS**t).sum()
    (found,) = accuracy_under(np.array(accuracies), COUNTS, np.array([t]))
    assert found == pytest.approx(shares @ accuracies, rel=1e-12, abs=1e-12)


def test_drawing_test_sets_by_the_prior_gives_the_same_on_average(answered):
    logits, labels = answered
    right = logits.argmax(1) == labels
    rng = np.random.default_rng(1)
    for t, expected in zip((-1, 0.4, 1), accuracy_under(per_class(logits, labels), COUNTS, [-1, 0.4, 1]), strict=True):
        classes = rng.choice(4, size=200_000, p=COUNTS**t / (COUNTS**t).sum())
        within = [right[labels == c] for c in range(4)]
        drawn = np.concatenate([rng.choice(within[c], size=(classes == c).sum()) for c in range(4)])
        assert 100 * drawn.mean() == pytest.approx(expected, abs=4 * 100 * drawn.std() / np.sqrt(len(drawn)))


def test_weighted_images_give_the_same_as_weighted_classes(answered):
    from rdr_core.data import groups_by_count

    logits, labels = answered
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    for t in (-1.0, 0.25, 1.0):
        weights = image_weights(labels, COUNTS**t / (COUNTS**t).sum())
        expected = measures(probabilities, labels, groups_by_count(COUNTS.astype(int)), weights)["top1"]
        assert accuracy_under(per_class(logits, labels), COUNTS, [t])[0] == pytest.approx(expected)


def test_thresholds_are_the_classifier_with_another_bias(answered):
    """Post-hoc adjustment with tau = 1 - t, image by image; at t = 1 nothing moves."""
    logits, labels = answered
    found = accuracy_following(logits, labels, COUNTS, POWERS)
    assert found[-1] == accuracy_under(per_class(logits, labels), COUNTS, [1])[0]
    for at in (0, 20, 33):
        tau = 1 - POWERS[at]
        predicted = [np.argmax([z[c] - tau * np.log(COUNTS[c] / COUNTS.sum()) for c in range(4)]) for z in logits]
        right, shares = np.array(predicted) == labels, COUNTS ** POWERS[at] / (COUNTS ** POWERS[at]).sum()
        assert found[at] == pytest.approx(sum(100 * shares[c] * right[labels == c].mean() for c in range(4)))


def test_thresholds_of_exact_posteriors_are_best_under_every_prior():
    """Bayes' rule of the test prior: no other shift of the logits does better, where the posteriors are true."""
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 4000)
    x = rng.normal(2.0 * labels - 1, 1)
    counts = np.array([50, 1])
    logits = np.stack([-((x + 1) ** 2) / 2, -((x - 1) ** 2) / 2], 1) + np.log(counts)
    for t in (-1.0, 0.0, 1.0):
        best = accuracy_following(logits, labels, counts, [t])[0]
        for shift in (-2.0, -1.0, 1.0, 2.0):
            assert accuracy_following(logits + np.array([0, shift]), labels, counts, [t])[0] < best + 0.3


def test_classes_without_test_images_are_passed_over():
    assert accuracy_under(np.array([80.0, np.nan, 40.0]), np.array([3, 5, 1]), [1, 0]).tolist() == [70.0, 60.0]


def test_runs_at_the_balanced_test_have_their_stored_accuracy(trained, tmp_path):
    ce = trained[0]
    table = prior_shift(trained)
    assert list(dict.fromkeys(table["method"])) == ["ce", "ce+posthoc", "inverse", "rdr"]
    balanced = table[table["power"] == 0].set_index(["method", "seed"])["accuracy"]
    for run in trained:
        assert balanced[run.config.method, run.config.seed] == pytest.approx(run.metrics["top1"])
    labels = ce.data().test.labels
    logits = features_and_logits(ce.model(), Inputs.of(ce.data(), "test"))[1].numpy()
    expected = accuracy_following(logits.astype(float), labels.numpy(), ce.class_counts, POWERS)
    found = table[table["method"] == "ce+posthoc"]["accuracy"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    at_training = table[table["power"] == 1].set_index("method")["accuracy"]
    assert at_training["ce+posthoc"] == pytest.approx(at_training["ce"])


def test_thresholds_are_left_out_where_they_cannot_be_told(trained):
    ce, inverse = trained[:2]
    following(ce)
    path = result_path(ce, "test-priors", {"steps": len(POWERS)})
    assert "ce+posthoc" in set(prior_shift([ce.as_stored])["method"])  # read
    path.unlink()
    assert set(prior_shift([ce.as_stored])["method"]) == {"ce"}
    with pytest.raises(RdrError, match="'inverse' moves the class prior itself"):
        following(inverse)


def test_the_marked_prior_is_told_with_the_winner_and_the_last(trained):
    shown = PriorShift.from_runs(trained[:3], power=1)
    assert shown.finding.startswith("Test classes as frequent as in training (t = 1): ")
    assert "(one seed)" in shown.finding
    assert "digits, IF 50" in shown.alt
    for t in (-1.0, 0.0, 0.35):
        table = shown.marked(t).summary()
        assert table["behind"].iloc[0] == 0
        assert table["accuracy"].is_monotonic_decreasing
        assert shown.marked(t).power == t
    (line,) = [line for line in shown.plot().lines if line.get_marker() == "D"]
    assert line.get_xdata() == [1.0]
    with pytest.raises(RdrError, match=r"power is 0\.33; it must be a multiple of 0\.05"):
        shown.marked(0.33)


def test_seeds_are_paired_and_an_interval_over_zero_is_said():
    import pandas as pd

    rows = [
        {"method": method, "label": method, "seed": seed, "power": t, "accuracy": base + gain}
        for method, base, gains in (("ce", 60.0, (0, 0, 0)), ("la", 70.0, (0, 3, -3)), ("rdr", 69.0, (1, 4, -5)))
        for seed, gain in enumerate(gains)
        for t in POWERS
    ]
    shown = PriorShift(pd.DataFrame(rows), "made up")
    assert shown.finding == (
        "Test classes equally frequent (t = 0): LA is ahead with 70.0\N{NO-BREAK SPACE}%; "
        "RDR is 1.0 [−3.3 to 5.3] points behind, which these seeds do not tell apart; "
        "CE, the last, is 10.0 [2.5 to 17.5] points behind (95 % intervals over 3 seeds on one training set)."
    )
    drawn = PriorShift(pd.DataFrame(rows), "made up", own_subsets=True)
    assert drawn.finding.endswith("(95 % intervals over 3 seeds, each with its own training set).")


def test_the_scale_stretches_and_comes_back():
    values = np.linspace(0, 100, 101)
    np.testing.assert_allclose(unstretched(stretched(values)), values, atol=1e-9)
    assert (np.diff(stretched(values)) > 0).all()
