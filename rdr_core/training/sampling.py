"""The order in which an epoch visits the training images where a method names no sampler."""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.shapes import Int
from rdr_core.training.randomness import generator


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
