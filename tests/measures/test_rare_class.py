"""One rare class: thresholds and areas against scikit-learn's, prevalence against copies of the samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from rdr_core import RdrError
from rdr_core.measures.rare_class import at_threshold, moved_threshold, precision_at, threshold_curve


@st.composite
def scored(draw):
    """Scores with ties, and labels of both classes."""
    labels = draw(
        st.lists(st.sampled_from([0, 1]), min_size=2, max_size=40).filter(lambda drawn: 0 < sum(drawn) < len(drawn))
    )
    scores = draw(st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]), min_size=len(labels), max_size=len(labels)))
    return np.array(scores), np.array(labels)


@given(scored())
def test_the_curve_is_scikit_learns(made):
    scores, labels = made
    curve = threshold_curve(scores, labels)
    false_alarms, recall, threshold = metrics.roc_curve(labels, scores, drop_intermediate=False)
    assert np.allclose(curve.recall, recall)
    assert np.allclose(curve.false_alarms, false_alarms)
    assert np.allclose(curve.threshold[1:], threshold[1:])
    precision, found, _ = metrics.precision_recall_curve(labels, scores)
    assert np.allclose(curve.precision[1:], precision[:-1][::-1])
    assert np.allclose(curve.recall[1:], found[:-1][::-1])


@given(scored(), st.sampled_from([0.0, 0.2, 0.5, 0.7]))
def test_one_threshold_is_scikit_learns(made, threshold):
    scores, labels = made
    found, alarm = at_threshold(scores, labels, threshold), (scores >= threshold).astype(int)
    assert found["recall"] == pytest.approx(100 * metrics.recall_score(labels, alarm))
    assert found["f1"] == pytest.approx(100 * metrics.f1_score(labels, alarm))
    assert found["balanced_accuracy"] == pytest.approx(100 * metrics.balanced_accuracy_score(labels, alarm))
    assert found["roc_auc"] == pytest.approx(100 * metrics.roc_auc_score(labels, scores))
    assert found["average_precision"] == pytest.approx(100 * metrics.average_precision_score(labels, scores))
    if alarm.any():
        assert found["precision"] == pytest.approx(100 * metrics.precision_score(labels, alarm))
    else:
        assert np.isnan(found["precision"])


@given(scored(), st.integers(1, 9))
def test_a_prevalence_is_what_copies_of_the_others_would_give(made, times):
    """With each of the others that many times, the rare class is rarer; nothing of it or of them has changed."""
    scores, labels = made
    copies = np.where(labels == 1, 1, times)
    many, of = np.repeat(scores, copies), np.repeat(labels, copies)
    asked, by_hand = at_threshold(scores, labels, 0.5, of.mean()), at_threshold(many, of, 0.5)
    assert asked == pytest.approx(by_hand, nan_ok=True)
    curve, copied = threshold_curve(scores, labels, of.mean()), threshold_curve(many, of)
    assert np.allclose(curve.precision, copied.precision, equal_nan=True)
    unmoved = at_threshold(scores, labels, 0.5)
    assert {name: asked[name] for name in ("recall", "false_alarms", "roc_auc")} == pytest.approx(
        {name: unmoved[name] for name in ("recall", "false_alarms", "roc_auc")}
    )


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999), st.floats(-3, 3))
def test_the_moved_threshold_is_bayes_rule(trained, prevalence, evidence):
    """A sample whose posterior after training is at the threshold has even odds under the other prevalence."""
    threshold = moved_threshold(trained, prevalence)
    likelihood_ratio = threshold / (1 - threshold) * (1 - trained) / trained
    assert likelihood_ratio * prevalence / (1 - prevalence) == pytest.approx(1)
    assert moved_threshold(trained, trained) == pytest.approx(0.5)
    assert moved_threshold(trained, 0.5) == pytest.approx(trained)


def test_precision_by_hand():
    """Of 1,000 samples 10 are rare: 9 are found, with 99 false alarms."""
    assert precision_at(np.array([0.9]), np.array([0.1]), 0.01)[0] == pytest.approx(9 / 108)


@pytest.mark.parametrize(
    ("labels", "prevalence", "words"),
    [([0, 0], None, "0 of 2 samples"), ([1, 1], None, "2 of 2 samples"), ([0, 1], 0.0, "prevalence is 0"),
     ([0, 1], 1.5, "prevalence is 1.5"), ([0, 1], float("nan"), "prevalence is nan")],
)  # fmt: skip
def test_what_cannot_be_is_refused(labels, prevalence, words):
    for measure in (threshold_curve, at_threshold):
        with pytest.raises(RdrError, match=words):
            measure(np.array([0.2, 0.6]), np.array(labels), prevalence=prevalence)


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [([0.2, np.nan], [0, 1], "scores must be numbers"), ([0.2, 0.6], [1, 2], "labels 1 of the rare class"),
     ([0.2, 0.6], [0, 1, 1], "shape"), ([[0.2, 0.6]], [[0, 1]], "shape")],
)  # fmt: skip
def test_scores_and_labels_that_are_none_are_refused(scores, labels, words):
    for measure in (threshold_curve, at_threshold):
        with pytest.raises(RdrError, match=words):
            measure(scores, labels)
