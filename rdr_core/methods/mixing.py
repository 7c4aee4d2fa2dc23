"""Training on mixtures of two images: mixup, and Remix, which leaves the label of a mixture to its rare class.

Each image of a batch is mixed with another one of it, its partner. A mixture has one loss, that of its own label and
that of its partner's in the shares of the labels, and one weight, mixed alike (:mod:`rdr_core.training.mixed`): every
loss and every weighting has a meaning on it, and with cross-entropy the loss is that of the soft label. A mixture is
its own image by half or more, and what is recorded of it, or learnt by class (RDR's prototypes), goes by its own label.
That is no restriction: which of a pair is whose partner is drawn, so a share of 0.3 means what 0.7 means to the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from rdr_core.methods.contract import Context, Mixes
from rdr_core.methods.parts import between, part
from rdr_core.shapes import Float, Int


def partners(visits: int, batch_size: int, draw: torch.Generator) -> Int[Tensor, "V"]:
    """For each visit of an epoch another of its batch, now and then itself: each batch in a random order.

    Example:
        >>> partners(5, 2, torch.Generator()) // 2  # of the batches 0, 0, 1, 1, 2
        tensor([0, 0, 1, 1, 2])
    """
    batch = torch.arange(visits) // batch_size
    return (batch + torch.rand(visits, dtype=torch.float64, generator=draw)).argsort()


def image_shares(visits: int, batch_size: int, alpha: float, draw: torch.Generator) -> Float[Tensor, "V"]:
    """Each visit's share of its mixture, 0.5 to 1: one draw a batch from Beta(alpha, alpha), or 1 less it if larger.

    Example:
        >>> image_shares(3, 2, 1.0, torch.Generator()).diff()[0]  # a batch has one
        tensor(0.)
    """
    seed = int(torch.randint(2**62, (), generator=draw))
    drawn = np.random.default_rng(seed).beta(alpha, alpha, -(-visits // batch_size))
    shares = torch.from_numpy(np.maximum(drawn, 1 - drawn)).float()
    return shares.repeat_interleave(batch_size)[:visits]


def remix_shares(
    shares: Float[Tensor, "V"], counts: Int[Tensor, "V"], others: Int[Tensor, "V"], kappa: float, tau: float
) -> Float[Tensor, "V"]:
    """Each label's share in Remix: all of it to the rare class, where the common one is kappa times as large.

    But only where the common class has a share of the image below tau (Chou et al. 2020, section 3).

    Args:
        shares: of the visits' own images.
        counts, others: training images of the visits' own classes, and of their partners'.
        kappa: how much larger a class must be, above 1.
        tau: up to which share of the image a common class leaves the label to the rare one.

    Example:
        >>> shares = torch.tensor([0.4, 0.6, 0.6])
        >>> remix_shares(shares, torch.tensor([90, 10, 90]), torch.tensor([10, 90, 80]), kappa=3.0, tau=0.5)
        tensor([0.0000, 1.0000, 0.6000])
    """
    to_partner = (counts >= kappa * others) & (shares < tau)
    to_itself = (kappa * counts <= others) & (1 - shares < tau)
    return shares.masked_fill(to_partner, 0).masked_fill(to_itself, 1)


class Mixup:
    """Images and labels in the same shares (Zhang et al. 2018).

    Args:
        alpha: of Beta(alpha, alpha), from which the shares are; towards 0 nothing is mixed.
        draw: (purpose, epoch) -> generator, a function of the run's seed.

    Example:
        >>> mixes = Mixup(1.0, lambda *words: torch.Generator()).mixes(0, torch.tensor([0, 0, 1]), batch_size=3)
        >>> torch.equal(mixes.share, mixes.label_share), mixes.partner.sort().values
        (True, tensor([0, 1, 2]))
    """

    def __init__(self, alpha: float, draw: Callable[..., torch.Generator]) -> None:
        self.alpha, self.draw = alpha, draw

    def mixes(self, epoch: int, labels: Int[Tensor, "V"], batch_size: int) -> Mixes:
        draw = self.draw("mixing", epoch)
        partner = partners(len(labels), batch_size, draw).to(labels.device)
        share = image_shares(len(labels), batch_size, self.alpha, draw).to(labels.device)
        return Mixes(partner, share, self.label_shares(share, labels, labels[partner]))

    def label_shares(
        self, shares: Float[Tensor, "V"], labels: Int[Tensor, "V"], others: Int[Tensor, "V"]
    ) -> Float[Tensor, "V"]:
        """The shares of the visits' own labels."""
        return shares


class Remix(Mixup):
    """Images as in mixup; labels by :func:`remix_shares`.

    Args:
        alpha, draw: as for :class:`Mixup`.
        class_counts: (d,) training images of each class.
        kappa, tau: of :func:`remix_shares`.

    Example:
        >>> remix = Remix(1.0, lambda *words: torch.Generator(), torch.tensor([90, 10]), kappa=3.0, tau=0.5)
        >>> remix.label_shares(torch.tensor([0.6, 0.6]), torch.tensor([0, 1]), torch.tensor([1, 0]))
        tensor([0.6000, 1.0000])
    """

    def __init__(
        self,
        alpha: float,
        draw: Callable[..., torch.Generator],
        class_counts: Int[Tensor, "d"],
        kappa: float,
        tau: float,
    ) -> None:
        super().__init__(alpha, draw)
        self.class_counts, self.kappa, self.tau = class_counts, kappa, tau

    def label_shares(
        self, shares: Float[Tensor, "V"], labels: Int[Tensor, "V"], others: Int[Tensor, "V"]
    ) -> Float[Tensor, "V"]:
        return remix_shares(shares, self.class_counts[labels], self.class_counts[others], self.kappa, self.tau)


#: Beta's parameter: above 0.
_ALPHA = between(0, float("inf"), "()")


@part(
    "mixup",
    kind="mixing",
    summary="mixup: each image and its label are mixed with another one of the batch",
    formula="x = l x_i + (1 - l) x_j, loss l L(y_i) + (1 - l) L(y_j), weight l w_i + (1 - l) w_j, l ~ Beta(a, a)",
    source="Zhang et al. 2018; on long tails: Zhong et al. 2021 (MiSLAS), section 3",
    ranges={"alpha": _ALPHA},
    notes="one l a batch, as in its public code; training accuracy is of the label that has the larger share",
)
def mixup(context: Context, alpha: float = 1.0) -> Mixup:
    """:class:`Mixup` for a run.

    Args:
        context: the run's.
        alpha: of the Beta distribution (default 1: its code for CIFAR, and MiSLAS).
    """
    return Mixup(alpha, context.draw)


@part(
    "remix",
    kind="mixing",
    summary="Remix: images are mixed as in mixup, and the label goes to the rare class of the two",
    formula="x as in mixup; l_y = 0 if n_i >= kappa n_j and l < tau, 1 if kappa n_i <= n_j and 1 - l < tau, else l",
    source="Chou et al. 2020 (Remix), section 3",
    ranges={"alpha": _ALPHA, "kappa": between(1, float("inf"), "()"), "tau": between(0, 1)},
    notes="it makes rare labels more frequent, by no power of the prior; weights ~ 1/n beside it correct once more",
)
def remix(context: Context, alpha: float = 1.0, kappa: float = 3.0, tau: float = 0.5) -> Remix:
    """:class:`Remix` for a run.

    Args:
        context: the run's.
        alpha: of the Beta distribution (default 1: Chou et al. 2020).
        kappa, tau: of :func:`remix_shares` (defaults 3 and 0.5: Chou et al. 2020).
    """
    return Remix(alpha, context.draw, context.class_counts, kappa, tau)
