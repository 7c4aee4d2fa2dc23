"""Mixtures in training: images, losses and weights by hand; what learns, learns once; and no mixing changes nothing."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from sharpness import COUNTS, batches, network

import rdr_core
from rdr_core import RDRWeights
from rdr_core.methods.contract import Mixes
from rdr_core.methods.parts import PARTS
from rdr_core.methods.weighting import ClassWeights, Unweighted
from rdr_core.training.mixed import MixedObjective, mixed
from rdr_core.training.objective import WeightedObjective
from rdr_core.training.ranks import Ranks

IMAGES, LABELS = batches()[0]
PARTNER = torch.tensor([3, 11, 7, 0, 9, 2, 6, 10, 1, 8, 5, 4])
SHARE = torch.full((12,), 0.7)
LABEL_SHARE = torch.tensor([0.7, 0.0, 1.0, 0.7] * 3)


def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels, reduction="none")


def mixture(objective, label_share=LABEL_SHARE):
    return mixed(objective, IMAGES, LABELS, Mixes(PARTNER, SHARE, label_share), 0, 12)


def test_images_are_mixed_in_their_shares():
    images, _ = mixture(WeightedObjective(network(), cross_entropy, Unweighted()))
    torch.testing.assert_close(images, 0.7 * IMAGES + 0.3 * IMAGES[PARTNER])


def test_of_cross_entropy_it_is_the_loss_of_the_soft_label():
    images, objective = mixture(WeightedObjective(network(), cross_entropy, Unweighted()))
    outcome = objective(images, LABELS)
    own, theirs = F.one_hot(LABELS, 3), F.one_hot(LABELS[PARTNER], 3)
    soft = LABEL_SHARE[:, None] * own + (1 - LABEL_SHARE[:, None]) * theirs
    torch.testing.assert_close(outcome.losses, F.cross_entropy(outcome.logits, soft, reduction="none"))
    assert (outcome.weights == 1).all()


@pytest.mark.parametrize("name", [part.name for part in PARTS.all().values() if part.kind == "loss"])
def test_every_loss_is_that_of_both_labels_in_their_shares(name):
    loss = partial(PARTS[name].make, class_counts=COUNTS)
    images, objective = mixture(WeightedObjective(network(), loss, Unweighted()))
    outcome = objective(images, LABELS)
    own, theirs = loss(outcome.logits, LABELS), loss(outcome.logits, LABELS[PARTNER])
    torch.testing.assert_close(outcome.losses, LABEL_SHARE * own + (1 - LABEL_SHARE) * theirs)


def test_class_weights_are_mixed_and_have_mean_1():
    images, objective = mixture(WeightedObjective(network(), cross_entropy, ClassWeights(1 / COUNTS)))
    outcome = objective(images, LABELS)
    own, theirs = 1 / COUNTS[LABELS], 1 / COUNTS[LABELS[PARTNER]]
    expected = LABEL_SHARE * own / own.mean() + (1 - LABEL_SHARE) * theirs / theirs.mean()
    torch.testing.assert_close(outcome.weights, expected / expected.mean())
    torch.testing.assert_close(outcome.loss, (outcome.weights * outcome.losses).mean())


def test_rdr_learns_once_by_the_own_labels_and_weighs_both():
    weighting = RDRWeights(COUNTS, 6)
    for images, labels in batches()[1:]:
        weighting(network().features(images).detach(), labels)
    reference = copy.deepcopy(weighting)
    model = network()
    images, objective = mixture(WeightedObjective(model, cross_entropy, weighting), SHARE)
    outcome = objective(images, LABELS)
    features = outcome.features.detach()
    own = reference.weigh(features, LABELS)
    reference.eval()
    theirs = reference.weigh(features, LABELS[PARTNER])
    expected = 0.7 * own.weights + 0.3 * theirs.weights
    torch.testing.assert_close(outcome.weights, expected / expected.mean())
    assert torch.equal(outcome.ratios, own.ratios)
    assert weighting.training
    for name, value in weighting.state_dict().items():
        assert torch.equal(value, reference.state_dict()[name]), name


class Told(Ranks):
    """One of two ranks that has been told what the other one holds, in the order in which it is asked for."""

    def __init__(self, rank, wholes):
        super().__init__(rank, 2)
        self.wholes, self.batch = list(wholes), 12

    def gather(self, mine, count):
        whole = self.wholes.pop(0)
        torch.testing.assert_close(mine, whole[self.share(count)])
        return whole


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_has_its_share_of_the_whole_batchs_mixtures(rank):
    model = network(batch_norm=False)
    whole = WeightedObjective(model, cross_entropy, ClassWeights(1 / COUNTS))
    images, objective = mixture(whole)
    expected = objective(images, LABELS)
    mine = slice(6 * rank, 6 * rank + 6)
    own, theirs = 1 / COUNTS[LABELS], 1 / COUNTS[LABELS[PARTNER]]
    unscaled = torch.lerp(theirs / theirs.mean(), own / own.mean(), LABEL_SHARE)
    features = expected.features.detach()
    told = Told(rank, [IMAGES, features, LABELS, features, LABELS[PARTNER], unscaled])
    parted = WeightedObjective(model, cross_entropy, whole.weighting, ranks=told)
    part, objective = mixed(parted, IMAGES[mine], LABELS, Mixes(PARTNER, SHARE, LABEL_SHARE), 0, 12)
    found = objective(part, LABELS[mine])
    torch.testing.assert_close(part, images[mine])
    torch.testing.assert_close(found.losses, expected.losses[mine])
    torch.testing.assert_close(found.weights, expected.weights[mine])
    assert told.wholes == []


@pytest.mark.parametrize("method", ["ce", "la+sam", "ccsam"])
def test_with_shares_of_1_it_is_the_method_without_bit_for_bit(method, tmp_path):
    """But for weights, which are scaled to mean 1 once more and so move by rounding."""
    request = {"imbalance_factor": 20, "epochs": 2, "progress": False, "device": "cpu"}
    one, other = (
        rdr_core.train("digits", method=name, runs=tmp_path, **request)
        for name in (method, f"{method}+mixup:alpha=1e-4")
    )
    assert one.name != other.name
    for name, value in one.model().state_dict().items():
        assert torch.equal(value, other.model().state_dict()[name]), name
    assert repr(one.history.drop(columns="seconds")) == repr(other.history.drop(columns="seconds"))


def test_the_objective_leaves_an_evaluating_weighting_as_it_is():
    weighting = RDRWeights(COUNTS, 6).eval()
    images, objective = mixture(WeightedObjective(network(), cross_entropy, weighting))
    assert isinstance(objective, MixedObjective)
    objective(images, LABELS)
    assert not weighting.training
    assert not weighting.started.any()
