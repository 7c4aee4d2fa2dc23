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
