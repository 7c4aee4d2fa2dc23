"""How often an epoch visits the images of each class: samplers.

A sampler that visits classes in proportion to ``n_c^(1 - s)`` does to the mean loss what weights ``~ n_c^-s`` do, so s
is the power of the class prior that it carries, to be counted beside that of the weights and of the loss
(:mod:`rdr_core.methods.grammar`). All else goes on speaking of the training set: the counts and priors that losses and
weights are given are those of its images, whatever the sampler does. Every order is a function of the seed and the
epoch alone, so a run that was stopped goes on with the same visits.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.methods.contract import Context
from rdr_core.methods.parts import part
from rdr_core.shapes import Float, Int


def quotas(shares: Float[Tensor, "d"], visits: int, draw: torch.Generator) -> Int[Tensor, "d"]:
    """Visits of each class: whole numbers whose sum is ``visits`` and whose mean over draws is ``visits * shares``.

    By systematic sampling: each is its mean, rounded down or up.

    Args:
        shares: of the classes, with sum 1.
        visits: of an epoch.
        draw: one number is drawn from it.

    Example:
        >>> quotas(torch.tensor([0.25, 0.75], dtype=torch.float64), 8, torch.Generator())
        tensor([2, 6])
    """
    ends = (visits * shares.double().cumsum(0)).round(decimals=9)
    ends[-1] = visits
    reached = (ends + torch.rand((), dtype=torch.float64, generator=draw)).floor().long()
    return reached.diff(prepend=torch.zeros(1, dtype=torch.int64))


def in_turn(labels: Int[Tensor, "N"], visits: Int[Tensor, "d"], draw: torch.Generator) -> Int[Tensor, "V"]:
    """The images of each class one after the other, again from the first as often as needed, all in random order.

    Args:
        labels: class of each image; a class with visits has images.
        visits: of each class.
        draw: of the orders.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 0, 1])
        >>> labels[in_turn(labels, torch.tensor([2, 3]), torch.Generator())].bincount()
        tensor([2, 3])
    """
    counts = torch.bincount(labels, minlength=len(visits))
    shuffled = torch.randperm(len(labels), generator=draw)
    by_class = shuffled[labels[shuffled].argsort(stable=True)]
    of_visit = torch.arange(len(visits)).repeat_interleave(visits)
    number = torch.arange(len(of_visit)) - (visits.cumsum(0) - visits)[of_visit]
    order = by_class[(counts.cumsum(0) - counts)[of_visit] + number % counts[of_visit]]
    return order[torch.randperm(len(order), generator=draw)]


class ClassBalanced:
    """Every class equally often, to within one visit; the images of a class in turn, in a new order each epoch.

    An epoch has as many visits as there are training images, so rare images come several times and of
    common ones a part. So do its batches, as far as their size allows.

    Args:
        labels: (N,) class of each training image; every class has one.
        num_classes: d.
        draw: (purpose, epoch) -> generator, a function of the run's seed.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 0, 0, 1])
        >>> draw = lambda *words: torch.Generator()
        >>> labels[ClassBalanced(labels, num_classes=2, draw=draw).order(0)].bincount()
        tensor([3, 3])
    """

    def __init__(self, labels: Int[Tensor, "N"], num_classes: int, draw: Callable[..., torch.Generator]) -> None:
        self.labels, self.draw = labels.cpu(), draw
        self.visits, self.counts = len(labels), torch.bincount(self.labels, minlength=num_classes)

    def order(self, epoch: int) -> Int[Tensor, "V"]:
        draw = self.draw("class-balanced", epoch)
        shuffled = torch.randperm(len(self.labels), generator=draw)
        by_class = shuffled[self.labels[shuffled].argsort(stable=True)]
        start = self.counts.cumsum(0) - self.counts
        # Rounds in which each class has one visit, in an order of its own; the last round may be cut short.
        d = len(self.counts)
        rounds = torch.rand(-(-self.visits // d), d, generator=draw).argsort(1)
        turn = torch.arange(len(rounds))[:, None] % self.counts[rounds]
        return by_class[start[rounds] + turn].flatten()[: self.visits]


class ByShares:
    """Classes in given shares of an epoch's visits, of which there are as many as images; a class's images in turn.

    Args:
        labels: (N,) class of each training image; every class has one.
        shares_of: epoch -> (d,) shares of the classes, with sum 1.
        draw: (purpose, epoch) -> generator, a function of the run's seed.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 1])
        >>> sampler = ByShares(labels, lambda epoch: torch.tensor([0.5, 0.5]), lambda *words: torch.Generator())
        >>> labels[sampler.order(0)].bincount()
        tensor([2, 2])
    """

    def __init__(
        self,
        labels: Int[Tensor, "N"],
        shares_of: Callable[[int], Float[Tensor, "d"]],
        draw: Callable[..., torch.Generator],
    ) -> None:
        self.labels, self.shares_of, self.draw = labels.cpu(), shares_of, draw
        self.visits = len(labels)

    def order(self, epoch: int) -> Int[Tensor, "V"]:
        draw = self.draw("shares", epoch)
        return in_turn(self.labels, quotas(self.shares_of(epoch), self.visits, draw), draw)


class OverSampled:
    """Every class as often as the largest: its images again and again, to within one visit of each other.

    Args:
        labels: (N,) class of each training image; every class has one.
        class_counts: (d,) images of each class.
        draw: (purpose, epoch) -> generator, a function of the run's seed.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 1])
        >>> labels[OverSampled(labels, labels.bincount(), lambda *words: torch.Generator()).order(0)].bincount()
        tensor([3, 3])
    """

    def __init__(
        self, labels: Int[Tensor, "N"], class_counts: Int[Tensor, "d"], draw: Callable[..., torch.Generator]
    ) -> None:
        self.labels, self.draw = labels.cpu(), draw
        self.each = torch.full_like(class_counts.cpu(), int(class_counts.max()))
        self.visits = int(self.each.sum())

    def order(self, epoch: int) -> Int[Tensor, "V"]:
        return in_turn(self.labels, self.each, self.draw("over-sampling", epoch))


class UnderSampled:
    """Of every class as many images as the smallest has, the same ones in every epoch; the others are never seen.

    Args:
        labels: (N,) class of each training image; every class has one.
        class_counts: (d,) images of each class.
        draw: (purpose, epoch) -> generator, a function of the run's seed.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 1])
        >>> labels[UnderSampled(labels, labels.bincount(), lambda *words: torch.Generator()).order(0)].bincount()
        tensor([1, 1])
    """

    def __init__(
        self, labels: Int[Tensor, "N"], class_counts: Int[Tensor, "d"], draw: Callable[..., torch.Generator]
    ) -> None:
        each = torch.full_like(class_counts.cpu(), int(class_counts.min()))
        self.kept, self.draw = in_turn(labels.cpu(), each, draw("under-sampling")), draw
        self.visits = len(self.kept)

    def order(self, epoch: int) -> Int[Tensor, "V"]:
        return self.kept[torch.randperm(self.visits, generator=self.draw("under-sampling", epoch))]


def power_shares(class_counts: Int[Tensor, "d"], power: float) -> Float[Tensor, "d"]:
    """Shares ~ n_c^power, with sum 1; float64 (Kang et al. 2020, eq. 1).

    Args:
        class_counts: training images of each class.
        power: 1 visits every image once, 0.5 is the square root, 0 visits all classes equally often.

    Example:
        >>> power_shares(torch.tensor([9, 1]), 0.5)
        tensor([0.7500, 0.2500], dtype=torch.float64)
    """
    shares = class_counts.cpu().double().pow(power)
    return shares / shares.sum()


def progressive_shares(class_counts: Int[Tensor, "d"], epoch: int, epochs: int) -> Float[Tensor, "d"]:
    """Shares that go from the training set's to equal ones as the run goes on (Kang et al. 2020, eq. 2); float64.

    Args:
        class_counts: training images of each class.
        epoch, epochs: t, counted from 0, and T: equal shares have a part of t / T.

    Example:
        >>> progressive_shares(torch.tensor([9, 1]), epoch=50, epochs=100)  # halfway from 0.9 and 0.1 to 0.5 each
        tensor([0.7000, 0.3000], dtype=torch.float64)
    """
    return torch.lerp(power_shares(class_counts, 1), power_shares(class_counts, 0), epoch / epochs)


def _refuse_empty(context: Context) -> None:
    empty = (context.class_counts < 1).nonzero().flatten().tolist()
    if empty:
        raise RdrError(f"class {empty[0]} has no training sample to visit; drop the class or lower the IF.")


@part(
    "balanced_sampling",
    kind="sampler",
    summary="class-balanced sampling: every class is visited equally often, a rare one's images several times",
    formula="visits of c ~ n_c^0",
    source="Kang et al. 2020, eq. 1 with q = 0",
    prior=1.0,
    notes="as long an epoch as ever, with a part of the common images; weights or a loss with the prior beside it "
    "correct twice, and rdr beside it is its ratio alone",
)
def balanced_sampling(context: Context) -> ClassBalanced:
    """:class:`ClassBalanced` for a run."""
    _refuse_empty(context)
    return ClassBalanced(context.labels, len(context.class_counts), context.draw)


@part(
    "sqrt_sampling",
    kind="sampler",
    summary="square-root sampling: classes are visited by the square roots of their counts",
    formula="visits of c ~ n_c^0.5",
    source="Kang et al. 2020, eq. 1 with q = 1/2",
    prior=0.5,
    notes="half of the prior; the other half may be the weights' or the loss's: inverse:gamma=0.5+sqrt_sampling",
)
def sqrt_sampling(context: Context) -> ByShares:
    """:class:`ByShares` of :func:`power_shares` for a run."""
    _refuse_empty(context)
    shares = power_shares(context.class_counts, 0.5)
    return ByShares(context.labels, lambda epoch: shares, context.draw)


@part(
    "progressive_sampling",
    kind="sampler",
    summary="progressively balanced sampling: every image once at first, every class equally often at the end",
    formula="visits of c ~ (1 - t / T) n_c / N + (t / T) / d",
    source="Kang et al. 2020, eq. 2",
    prior=1.0,
    notes="counts as carrying all of the prior, which is what the run ends with; in its first epochs it carries none",
)
def progressive_sampling(context: Context) -> ByShares:
    """:class:`ByShares` of :func:`progressive_shares` for a run."""
    _refuse_empty(context)
    counts, epochs = context.class_counts, context.epochs
    return ByShares(context.labels, lambda epoch: progressive_shares(counts, epoch, epochs), context.draw)


@part(
    "oversampling",
    kind="sampler",
    summary="over-sampling: the images of each class are repeated until it is as large as the largest",
    formula="visits of c = n_max",
    source="Buda et al. 2018",
    prior=1.0,
    notes="an epoch is d n_max / N times as long, so the run is too",
)
def oversampling(context: Context) -> OverSampled:
    """:class:`OverSampled` for a run."""
    _refuse_empty(context)
    return OverSampled(context.labels, context.class_counts, context.draw)


@part(
    "undersampling",
    kind="sampler",
    summary="under-sampling: of each class as many images as the smallest has, the others are left out",
    formula="visits of c = n_min",
    source="Buda et al. 2018",
    prior=1.0,
    notes="which images stay is drawn by the seed; an epoch is d n_min / N times as long, so give the run more epochs",
)
def undersampling(context: Context) -> UnderSampled:
    """:class:`UnderSampled` for a run."""
    _refuse_empty(context)
    return UnderSampled(context.labels, context.class_counts, context.draw)
