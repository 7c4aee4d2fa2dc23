"""In which order an epoch visits the training images."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from rdr_core.shapes import Int
from rdr_core.training.randomness import generator


class Sampler(Protocol):
    """The visits of an epoch; batches are consecutive visits."""

    visits: int

    def order(self, epoch: int) -> Int[Tensor, "V"]:
        """Index of the training image at each visit, a function of the seed and the epoch alone."""
        ...


class Shuffled:
    """Every image once an epoch, in a new order each time.

    Example:
        >>> Shuffled(5, seed=0).order(0).sort().values
        tensor([0, 1, 2, 3, 4])
    """

    def __init__(self, size: int, seed: int) -> None:
        self.visits, self.seed = size, seed

    def order(self, epoch: int) -> Int[Tensor, "V"]:
        return torch.randperm(self.visits, generator=generator(self.seed, "shuffle", epoch))


class ClassBalanced:
    """Every class equally often, to within one visit; the images of a class in turn, in a new order each epoch.

    An epoch has as many visits as there are training images, so rare images come several times and of
    common ones a part.

    Args:
        labels: (N,) class of each training image; every class has one.
        num_classes: d.
        seed: the run's.

    Example:
        >>> labels = torch.tensor([0, 0, 0, 0, 0, 1])
        >>> labels[ClassBalanced(labels, num_classes=2, seed=0).order(0)].bincount()
        tensor([3, 3])
    """

    def __init__(self, labels: Int[Tensor, "N"], num_classes: int, seed: int) -> None:
        self.labels, self.seed = labels.cpu(), seed
        self.visits, self.counts = len(labels), torch.bincount(self.labels, minlength=num_classes)

    def order(self, epoch: int) -> Int[Tensor, "V"]:
        draw = generator(self.seed, "class-balanced", epoch)
        shuffled = torch.randperm(len(self.labels), generator=draw)
        by_class = shuffled[self.labels[shuffled].argsort(stable=True)]
        start = self.counts.cumsum(0) - self.counts
        # Rounds in which each class has one visit, in an order of its own; the last round may be cut short.
        d = len(self.counts)
        rounds = torch.rand(-(-self.visits // d), d, generator=draw).argsort(1)
        turn = torch.arange(len(rounds))[:, None] % self.counts[rounds]
        return by_class[start[rounds] + turn].flatten()[: self.visits]
