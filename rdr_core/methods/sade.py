"""SADE: three experts, each trained for another test distribution, and shares for them that test images decide."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from rdr_core.methods.losses import at_least_float32
from rdr_core.methods.parts import at_least, part, whole_from
from rdr_core.methods.second_stage import SecondStage
from rdr_core.shapes import Float, Int

EXPERTS = 3
#: Of the shares' learning in SADE's public code: batch, learning rate, momentum, weight decay.
_BATCH, _RATE, _MOMENTUM, _DECAY = 128, 0.1, 0.9, 5e-4
#: The share of an expert below which learning ends, as it does there.
_LEAST = 0.05


def reversed_prior(prior: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
    """The same numbers, of which the rarest class has the largest, the second rarest the second largest, and so on.

    Example:
        >>> reversed_prior(torch.tensor([0.1, 0.6, 0.3]))
        tensor([0.6000, 0.1000, 0.3000])
    """
    ordered, place = torch.sort(prior, stable=True)
    return torch.empty_like(prior).index_copy_(0, place, ordered.flip(0))


@part(
    "sade",
    kind="loss",
    summary="SADE: three experts, for tests that are long-tailed as training is, balanced, and long-tailed in reverse",
    formula="-log softmax(z1)_y - log softmax(z2 + log pi)_y - log softmax(z3 + log pi - tau log rev pi)_y",
    source="Zhang et al. 2022 (SADE), eq. 1 to 4, as its public code has it",
    ranges={"tau": at_least(0)},
    prior=1.0,
    experts=EXPERTS,
    notes="the logits are the experts' mean, with infinite data log p(x | y) + (log pi + tau log rev pi) / 3; weights "
    "~ 1/n beside it correct twice",
)
def sade(
    logits: Float[Tensor, "B *E d"], labels: Int[Tensor, "B"], class_counts: Int[Tensor, "d"], tau: float = 2.0
) -> Float[Tensor, "B"]:
    """The sum of the three experts' losses.

    The first is plain cross-entropy, the second balanced softmax, and the third takes more of the prior out than there
    is: ``rev pi`` is the prior with its numbers in reverse order (:func:`reversed_prior`).

    Args:
        logits: (B, 3, d) of the experts; of (B, d) each expert has the same.
        labels: true classes.
        class_counts: training images of each class, from which the prior pi comes.
        tau: how much of the reversed prior the third expert is to win (default 2: SADE's code for CIFAR-100-LT).

    Example:
        >>> sade(torch.zeros(1, 3, 2), torch.tensor([1]), torch.tensor([3, 1]))  # log 2, log 4, and log 28
        tensor([5.4116])
    """
    scores = at_least_float32(logits)
    if scores.ndim == 2:
        scores = scores[:, None].expand(-1, EXPERTS, -1)
    counts = class_counts.to(scores.dtype)
    log_prior = torch.log(counts / counts.sum())
    shift = torch.stack([torch.zeros_like(log_prior), log_prior, log_prior - tau * reversed_prior(log_prior)])
    each = F.cross_entropy((scores + shift).flatten(0, 1), labels.long().repeat_interleave(EXPERTS), reduction="none")
    return each.unflatten(0, (-1, EXPERTS)).sum(1)


def agreement_shares(
    views: Iterable[tuple[Float[Tensor, "N E d"], Float[Tensor, "N E d"]]], experts: int = EXPERTS
) -> Float[Tensor, "E"]:
    """Shares of experts with which the predictions for two views of the same images are most alike.

    An expert that is good at the classes that the test has many of is steady on them, so its share grows, although no
    label is seen. The mean cosine of the two views' probabilities is maximised over ``shares = softmax(w)``, from equal
    ones on, by stochastic gradient descent with Nesterov's momentum.

    Args:
        views: for each epoch the experts' logits of two views of the images, in the order in which they are visited.
        experts: E.

    Returns:
        Sum 1. Learning ends early after an epoch that leaves an expert a share below 0.05.

    Example:
        >>> draw = torch.Generator().manual_seed(0)
        >>> steady = 5 * torch.randn(512, 1, 4, generator=draw)
        >>> views = [torch.cat([steady, 5 * torch.randn(512, 1, 4, generator=draw)], 1) for _ in range(2)]
        >>> agreement_shares([(views[0], views[1])] * 5, experts=2)[0] > 0.9  # the one that says the same twice
        tensor(True)
    """
    logs = torch.full((experts,), 1 / experts, requires_grad=True)
    sgd = torch.optim.SGD([logs], lr=_RATE, momentum=_MOMENTUM, weight_decay=_DECAY, nesterov=True)
    shares = logs.detach().softmax(0)
    for first, second in views:
        for one, other in zip(first.split(_BATCH), second.split(_BATCH), strict=True):
            with torch.enable_grad():
                said, again = ((logs.softmax(0) @ logits.float()).softmax(1) for logits in (one, other))
                alike = F.cosine_similarity(said, again, dim=1, eps=1e-6).mean()
                (logs.grad,) = torch.autograd.grad(-alike, logs)
            sgd.step()
        shares = logs.detach().softmax(0)
        if shares.min() < _LEAST:
            break
    return shares


@part(
    "agreement",
    kind="second stage",
    summary="SADE's test-time step, transductive: experts count by how far they agree on two views of test images",
    formula="argmax_s of cos(softmax(sum_e s_e z_e(x')), softmax(sum_e s_e z_e(x''))), s on the simplex",
    source="Zhang et al. 2022 (SADE), section 4.2, as its public code has it",
    ranges={"epochs": whole_from(1)},
    experts=EXPERTS,
    notes="sees the test images, never their labels: compare it with methods that do so too",
)
def agreement(epochs: float = 5) -> SecondStage:
    """Shares of the experts by agreement, as a second stage: see :func:`agreement_shares`.

    Args:
        epochs: of visits of the test images, at most, each with two new views (default 5: SADE's code).

    Example:
        >>> agreement().views
        5
    """
    return SecondStage(shares=agreement_shares, views=int(epochs))
