"""Second stages: what is done to the classifier of a trained network, whose features stay as they are.

Kang et al. 2020 found that a long tail spoils the classifier more than the features, and that the classifier
alone is quick to mend. Each stage is a pure function of the trained classifier and the class counts, or learns for a
few epochs, a fresh classifier or a factor for each row of the trained one
(:mod:`rdr_core.training.classifier_stage`). All give a linear classifier again, so the refined network is a network
like any other, and nothing is left to do at test time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from rdr_core.methods.parts import at_least, part, whole_from
from rdr_core.shapes import Float, Int


class Classifier(NamedTuple):
    """Weights and bias of a linear classifier: logits are ``features @ weight.T + bias``.

    Example:
        >>> weight, bias = Classifier(torch.eye(2), torch.tensor([0.0, 1.0]))
        >>> torch.tensor([3.0, 4.0]) @ weight.T + bias
        tensor([3., 5.])
    """

    weight: Float[Tensor, "d Z"]
    bias: Float[Tensor, "d"]


@dataclass(frozen=True)
class SecondStage:
    """A second stage: closed form, epochs of learning, or shares of experts that test images decide.

    Attributes:
        closed_form: the new classifier from the trained one and the class counts; None is one that learns.
        epochs: of learning on class-balanced visits, with the features frozen; 0 for a closed form.
        scales: whether what learns is one factor for each class of the trained classifier, not a fresh one.
        shares: of the experts, from pairs of views (``rdr_core.methods.sade.agreement_shares``); None is none of that.
        views: how many pairs, each of all test images.

    Example:
        >>> reset = SecondStage(lambda classifier, class_counts: Classifier(*map(torch.zeros_like, classifier)))
        >>> reset.closed_form(Classifier(torch.ones(2, 3), torch.ones(2)), torch.tensor([2, 1])).bias
        tensor([0., 0.])
    """

    closed_form: Callable[[Classifier, Int[Tensor, "d"]], Classifier] | None = None
    epochs: int = 0
    scales: bool = False
    shares: Callable[[Iterable[tuple[Tensor, Tensor]]], Float[Tensor, "E"]] | None = None
    views: int = 0


def tau_normalised(classifier: Classifier, class_counts: Int[Tensor, "d"], tau: float = 1.0) -> Classifier:
    """Rows scaled by the power -tau of their length, without bias: w_c / ||w_c||^tau.

    Rows of large classes grow longer in training, so that these classes win ties.

    Args:
        classifier: the trained one.
        class_counts: plays no part.
        tau: 1 (default: Kang et al. 2020, section 4) gives all rows the same length, 0 only drops the bias.

    Example:
        >>> trained = Classifier(torch.tensor([[3.0, 4.0], [0.0, 0.5]]), torch.ones(2))
        >>> tau_normalised(trained, torch.tensor([9, 1]))
        Classifier(weight=tensor([[0.6000, 0.8000],
                [0.0000, 1.0000]]), bias=tensor([0., 0.]))
    """
    lengths = torch.linalg.vector_norm(classifier.weight, dim=1, keepdim=True)
    # A row of zeros has no direction: it stays.
    scale = torch.where(lengths > 0, lengths, 1.0).pow(-tau)
    return Classifier(classifier.weight * scale, torch.zeros_like(classifier.bias))


def adjusted(classifier: Classifier, class_counts: Int[Tensor, "d"], tau: float = 1.0) -> Classifier:
    """Logits less tau log pi, as a bias: the same shift for every image, so exactly a change of the bias.

    Args:
        classifier: the trained one.
        class_counts: training images of each class, from which the prior pi comes.
        tau: how much of the prior is taken out (default 1: Menon et al. 2021, section 4.1).

    Example:
        >>> adjusted(Classifier(torch.ones(2, 1), torch.zeros(2)), torch.tensor([3, 1])).bias  # -log of 3/4 and 1/4
        tensor([0.2877, 1.3863])
    """
    counts = class_counts.to(classifier.bias)
    return Classifier(classifier.weight, classifier.bias - tau * torch.log(counts / counts.sum()))


@part(
    "crt",
    kind="second stage",
    summary="classifier re-training: a fresh classifier on frozen features, class-balanced sampling, cross-entropy",
    formula="argmin_W of CE(W f(x)), each class visited equally often",
    source="Kang et al. 2020, section 4",
    ranges={"epochs": whole_from(1)},
)
def crt(epochs: float = 10) -> SecondStage:
    """Classifier re-training.

    The learning rate starts anew at the run's and falls as the run's does.

    Args:
        epochs: of as many visits as there are training images (default 10: Kang et al. 2020).

    Example:
        >>> crt().epochs
        10
    """
    return SecondStage(epochs=int(epochs))


@part(
    "lws",
    kind="second stage",
    summary="learnable weight scaling: a factor for each class of the trained classifier, class-balanced sampling",
    formula="argmin_f of CE(f_c z_c(x)), each class visited equally often",
    source="Kang et al. 2020, section 4",
    ranges={"epochs": whole_from(1)},
    notes="as in its public code the factor is the whole logit's, bias and all; it keeps the rows' directions, which "
    "crt learns anew, and learns their lengths, which taunorm sets",
)
def lws(epochs: float = 10) -> SecondStage:
    """Learnable weight scaling.

    The factors start at 1. The learning rate starts anew at the run's and falls as the run's does.

    Args:
        epochs: of as many visits as there are training images (default 10: Kang et al. 2020).

    Example:
        >>> lws().scales
        True
    """
    return SecondStage(epochs=int(epochs), scales=True)


@part(
    "taunorm",
    kind="second stage",
    summary="tau-normalised classifier: long rows, those of large classes, are shortened",
    formula="w_c / ||w_c||^tau, no bias",
    source="Kang et al. 2020, section 4",
    ranges={"tau": at_least(0)},
)
def taunorm(tau: float = 1.0) -> SecondStage:
    """Tau-normalisation as a second stage: see :func:`tau_normalised`.

    Example:
        >>> taunorm().epochs
        0
    """
    return SecondStage(partial(tau_normalised, tau=tau))


@part(
    "posthoc",
    kind="second stage",
    summary="post-hoc logit adjustment: the log prior is subtracted from the trained network's logits",
    formula="argmax_c z_c - tau log pi_c",
    source="Menon et al. 2021, section 4.1",
    ranges={"tau": at_least(0)},
    prior="tau",
    notes="never beside a loss that has the prior; beside weights ~ pi^-v take tau = 1 - v",
)
def posthoc(tau: float = 1.0) -> SecondStage:
    """Post-hoc logit adjustment as a second stage: see :func:`adjusted`.

    Example:
        >>> posthoc().epochs
        0
    """
    return SecondStage(partial(adjusted, tau=tau))
