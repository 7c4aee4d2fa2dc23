"""Measures against scikit-learn's, brute force over pairs of images, and their own definitions."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given
from hypothesis import strategies as st

from rdr_core.data import Groups, groups_by_count, groups_by_rank
from rdr_core.measures.predictions import (
    average_precision_by_class,
    calibration_error,
    f1_by_class,
    measures,
    reliability,
    roc_auc_by_class,
)


@st.composite
def judged(draw, ties: bool = True):
    """Probabilities, labels and weights of up to 30 images; some classes may have no image, scores may be equal."""
    d, n = draw(st.integers(2, 5)), draw(st.integers(1, 30))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = random.integers(1, 4 if ties else 10**9, size=(n, d)).astype(float)
    present = random.permutation(d)[: draw(st.integers(1, d))]
    weights = random.integers(1, 5, size=n).astype(float)
    return scores / scores.sum(1, keepdims=True), random.choice(present, size=n), weights


def auc_of_pairs(scores, positive, weights):
    """The share of pairs (an image of the class, another) in which the first has the larger score, ties half."""
    won = total = 0.0
    for i in np.flatnonzero(positive):
        for j in np.flatnonzero(~positive):
            pair = weights[i] * weights[j]
            total += pair
            won += pair * (0.5 if scores[i] == scores[j] else float(scores[i] > scores[j]))
    return won / total if total else np.nan


@given(judged())
def test_roc_auc_is_the_share_of_pairs_won_and_scikit_learns(case):
    scores, labels, weights = case
    ours = roc_auc_by_class(scores, labels, weights)
    for c in range(scores.shape[1]):
        positive = labels == c
        np.testing.assert_allclose(ours[c], auc_of_pairs(scores[:, c], positive, weights), atol=1e-12)
        if positive.any() and not positive.all():
            theirs = oracle.roc_auc_score(positive, scores[:, c], sample_weight=weights)
            assert ours[c] == pytest.approx(theirs, abs=1e-12)


@given(judged())
def test_average_precision_is_scikit_learns(case):
    scores, labels, weights = case
    ours = average_precision_by_class(scores, labels, weights)
    for c in range(scores.shape[1]):
        positive = labels == c
        if positive.any():
            theirs = oracle.average_precision_score(positive, scores[:, c], sample_weight=weights)
            assert ours[c] == pytest.approx(theirs, abs=1e-12)
        else:
            assert np.isnan(ours[c])


@given(judged(ties=False))
def test_f1_and_balanced_accuracy_are_scikit_learns(case):
    probabilities, labels, weights = case
    predicted, d = probabilities.argmax(1), probabilities.shape[1]
    present = np.unique(labels)
    ours = f1_by_class(predicted, labels, d, weights)
    theirs = oracle.f1_score(labels, predicted, labels=present, average=None, sample_weight=weights, zero_division=0)
    np.testing.assert_allclose(ours[present], theirs, atol=1e-12)
    assert np.isnan(np.delete(ours, present)).all()

    found = measures(probabilities, labels, groups_by_rank(np.arange(d, 0, -1)), weights)
    recall = oracle.recall_score(
        labels, predicted, labels=present, average="macro", sample_weight=weights, zero_division=0
    )
    assert found["balanced_accuracy"] == pytest.approx(100 * recall)
    assert found["macro_f1"] == pytest.approx(100 * theirs.mean())
    assert found["top1"] == pytest.approx(100 * oracle.accuracy_score(labels, predicted, sample_weight=weights))


def test_the_multi_class_area_is_scikit_learns_one_against_the_rest():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(4), size=200)
    labels = random.integers(0, 4, size=200)
    found = measures(probabilities, labels, groups_by_rank([4, 3, 2, 1]))
    assert found["roc_auc"] == pytest.approx(100 * oracle.roc_auc_score(labels, probabilities, multi_class="ovr"))
    one_hot = np.eye(4)[labels]
    assert found["average_precision"] == pytest.approx(100 * oracle.average_precision_score(one_hot, probabilities))


@given(judged())
def test_a_weight_of_two_is_the_image_twice(case):
    probabilities, labels, weights = case
    groups = groups_by_rank(np.arange(probabilities.shape[1], 0, -1))
    repeated = np.repeat(np.arange(len(labels)), weights.astype(int))
    weighted = measures(probabilities, labels, groups, weights)
    copied = measures(probabilities[repeated], labels[repeated], groups)
    assert weighted.keys() == copied.keys()
    for name, value in weighted.items():
        np.testing.assert_allclose(np.array(value, float), np.array(copied[name], float), atol=1e-9, err_msg=name)


@given(judged(), st.floats(0.01, 100))
def test_the_scale_of_the_weights_plays_no_part(case, scale):
    probabilities, labels, weights = case
    groups = groups_by_rank(np.arange(probabilities.shape[1], 0, -1))
    one, other = (measures(probabilities, labels, groups, w) for w in (weights, scale * weights))
    for name, value in one.items():
        np.testing.assert_allclose(np.array(value, float), np.array(other[name], float), atol=1e-9, err_msg=name)


def test_what_has_no_class_or_no_image_is_missing_not_zero():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1]])
    groups = Groups(many=np.array([0, 1]), medium=np.array([], dtype=int), few=np.array([2]))
    found = measures(probabilities, np.array([0, 1]), groups)
    assert (found["many"], found["medium"], found["few"]) == (100, None, None)
    assert found["per_class"] == [100, 100, None]
    assert found["balanced_accuracy"] == found["macro_f1"] == found["roc_auc"] == 100
    assert measures(probabilities, np.array([2, 2]), groups)["few"] == 0


def test_one_class_alone_has_no_ranks_to_compare():
    found = measures(np.array([[0.6, 0.4], [0.3, 0.7]]), np.array([0, 0]), groups_by_count([500, 5]))
    assert found["roc_auc"] is None
    assert found["average_precision"] == 100
    assert found["top1"] == found["many"] == 50


@given(judged(ties=False), st.integers(1, 20))
def test_calibration_error_is_its_definition_bin_by_bin(case, bins):
    probabilities, labels, weights = case
    confidence, correct = probabilities.max(1), probabilities.argmax(1) == labels
    expected = 0.0
    for m in range(bins):
        inside = (confidence > m / bins) & (confidence <= (m + 1) / bins)
        if inside.any():
            share = weights[inside].sum() / weights.sum()
            gap = np.average(correct[inside], weights=weights[inside])
            expected += share * abs(gap - np.average(confidence[inside], weights=weights[inside]))
    found = calibration_error(reliability(confidence, correct, bins=bins, weights=weights))
    assert found == pytest.approx(expected, abs=1e-12)


def test_calibration_error_of_a_perfectly_honest_network_is_zero_and_of_a_liar_is_one():
    honest = reliability(np.full(10, 0.8), np.arange(10) < 8)
    assert calibration_error(honest) == pytest.approx(0, abs=1e-12)
    assert calibration_error(reliability(np.ones(5), np.zeros(5, bool))) == 1
    assert np.isnan(calibration_error(reliability(np.zeros(0), np.zeros(0, bool))))
