"""Who shares a class with whom in a batch: class means, class totals, neighbours, and each class's samples together.

In two ways that give the same numbers. *By mask*: a (B, B) matrix that is 1 between samples of a class. All is one
product or one solve, nothing depends on what the labels are, so nothing waits for a device and a compiler sees one
graph; the cost grows with B^3, which a batch of 128 does not notice. *By class*: samples are sorted by label, and each
class is taken by itself, those of similar size together. The cost grows with the samples; but it asks how many samples
each class has, so it is for a CPU.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import torch
from torch import Tensor

from rdr_core.shapes import Bool, Float, Int

#: Batches from this size on are taken by class on a CPU; where the two cost the same (``benchmarks/batch_size.py``).
LARGE = 384


def class_means(
    features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"], counted: Bool[Tensor, "B"] | None = None
) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B B"], Float[Tensor, "B"]]:
    """For each sample its class's mean feature in the batch, with the mask and the counts behind it.

    Args:
        features, labels: of the batch.
        counted: which samples are; the features of the others must be 0. None (default) is all of them.

    Returns:
        means: (B, Z), the same bits for all samples of a class; 0 where none of it is counted.
        same: (B, B), 1 where a sample shares its class with one that is counted, else 0.
        size: (B,) samples of the sample's class in the batch that are counted.

    Example:
        >>> import torch
        >>> class_means(torch.tensor([[0.0], [2.0], [5.0]]), torch.tensor([1, 1, 0]))[0].flatten()
        tensor([1., 1., 5.])
    """
    equal = labels[:, None] == labels
    same = (equal if counted is None else equal & counted).to(features.dtype)
    size = same.sum(1)
    means = (same @ features) / (size if counted is None else size.clamp_min(1))[:, None]
    # Rows of a matrix product may differ in the last bit; a class has one mean, that of its first sample.
    return means.index_select(0, equal.view(torch.uint8).argmax(1)), same, size


def next_of_class(same: Float[Tensor, "B B"], size: Float[Tensor, "B"]) -> Int[Tensor, "B"]:
    """For each sample the place of the next one of its class in the batch; of the last one the first's.

    Args:
        same, size: of :func:`class_means`.

    Example:
        >>> import torch
        >>> _, same, size = class_means(torch.zeros(5, 1), torch.tensor([7, 3, 7, 7, 3]))
        >>> next_of_class(same, size)
        tensor([2, 4, 3, 0, 1])
    """
    place = same.tril(-1).sum(1)  # among its class's
    follows = (place + 1) % size
    return (same * (follows[:, None] == place)).argmax(1)


class BatchClasses(ABC):
    """The classes of one batch.

    Attributes:
        means: (B, Z) mean feature of each sample's class, the same bits for all samples of it; 0 where none is counted.
        size: (B,) samples of the sample's class that are counted, float64.
        same: (B, B), 1 where a sample shares its class with one that is counted, else 0.
    """

    means: Float[Tensor, "B Z"]
    size: Float[Tensor, "B"]
    same: Float[Tensor, "B B"]

    @abstractmethod
    def total(self, values: Float[Tensor, "B"]) -> Float[Tensor, "B"]:
        """For each sample the sum of the values of its class's counted samples."""

    @abstractmethod
    def following(self) -> Int[Tensor, "B"]:
        """For each counted sample the place of the next counted one of its class; of the last one the first's."""


def batch_classes(features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"], counted: Bool[Tensor, "B"]) -> BatchClasses:
    """The classes of a batch, by mask or by class, whichever is quicker.

    Args:
        features: float64, 0 in the rows of samples that are not counted.
        labels: int64.
        counted: which samples are.

    Example:
        >>> x, y = torch.tensor([[1.0], [3.0], [5.0]]).double(), torch.tensor([7, 7, 2])
        >>> found = batch_classes(x, y, torch.ones(3, dtype=torch.bool))
        >>> found.means.flatten().tolist(), found.total(x[:, 0]).tolist(), found.following().tolist()
        ([2.0, 2.0, 5.0], [4.0, 4.0, 5.0], [1, 0, 2])
    """
    by_class = len(labels) >= LARGE and features.device.type == "cpu" and not torch.compiler.is_compiling()
    return (SortedClasses if by_class else ClassesByMask)(features, labels, counted)


class ClassesByMask(BatchClasses):
    """By a (B, B) mask: for batches of usual size, GPUs and compilers."""

    def __init__(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"], counted: Bool[Tensor, "B"]) -> None:
        self.features = features
        self.means, self.same, self.size = class_means(features, labels, counted)

    def total(self, values: Float[Tensor, "B"]) -> Float[Tensor, "B"]:
        return self.same @ values

    def following(self) -> Int[Tensor, "B"]:
        return next_of_class(self.same, self.size.clamp_min(1))


class SortedClasses(BatchClasses):
    """Class by class, on a CPU: for large batches."""

    def __init__(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"], counted: Bool[Tensor, "B"]) -> None:
        self.features, self.labels, self.counted = features, labels, counted
        classes, self.of = labels.unique(return_inverse=True)
        self.number = len(classes)
        self.rows = counted.nonzero()[:, 0]  # the counted ones, sorted by class, in the batch's order within it
        self.rows = self.rows[self.of[self.rows].argsort(stable=True)]
        self.sizes = torch.bincount(self.of[self.rows], minlength=self.number)
        sums = features.new_zeros(self.number, features.shape[1]).index_add_(0, self.of, features)
        self.size = self.sizes.to(features.dtype)[self.of]
        self.means = (sums / self.sizes.clamp(min=1)[:, None])[self.of]

    @cached_property
    def same(self) -> Float[Tensor, "B B"]:  # type: ignore[override]
        return ((self.labels[:, None] == self.labels) & self.counted).to(self.features.dtype)

    def total(self, values: Float[Tensor, "B"]) -> Float[Tensor, "B"]:
        kept = torch.where(self.counted, values, 0.0)
        return kept.new_zeros(self.number).index_add_(0, self.of, kept)[self.of]

    def following(self) -> Int[Tensor, "B"]:
        ends = self.sizes.cumsum(0)
        after = torch.arange(1, len(self.rows) + 1)
        full = self.sizes > 0
        after[ends[full] - 1] = (ends - self.sizes)[full]  # from the last of a class to its first
        found = torch.zeros_like(self.labels)
        found[self.rows] = self.rows[after]
        return found

    def blocks(self) -> list[tuple[Int[Tensor, "K n"], Int[Tensor, "K"]]]:
        """Classes of similar size together: the places of their counted samples, and how many those are.

        Returns:
            For each power of two that is the least to hold a class: (K, n) places, filled up with B, and (K,) sizes.
        """
        starts, found = self.sizes.cumsum(0) - self.sizes, []
        # 1, 2, 3 to 4, 5 to 8 samples and so on; 0 and below of a class without any.
        bits = torch.where(
            self.sizes > 1, (self.sizes.clamp_min(2) - 1).double().log2().floor().long() + 1, self.sizes - 1
        )
        for bit in bits.unique().tolist():
            if bit >= 0:
                those = (bits == bit).nonzero()[:, 0]
                place, size = torch.arange(2**bit), self.sizes[those]
                at = self.rows[(starts[those, None] + place).clamp_max(len(self.rows) - 1)]
                found.append((torch.where(place < size[:, None], at, len(self.labels)), size))
        return found
