"""Samples and their labels: one part of a data set, such as its training or test set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdr_core.shapes import Int, Shaped

if TYPE_CHECKING:
    from torch import Tensor

    from rdr_core.data.disk.stored import StoredImages


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and labels, in the same order.

    Attributes:
        inputs: images (N, C, H, W) uint8, pixels 0..255, in memory, or on disk and read by ``inputs[rows]``; rows of a
            table (N, F) float32; series (N, C, T) float32, NaN after their end; texts (N, L) int64, 0 after their end.
            None of them is normalised.
        labels: (N,) int64, 0..d-1.

    Example:
        >>> import torch
        >>> split = Split(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.tensor([0, 1]))
        >>> len(split)
        2
    """

    inputs: Shaped[Tensor, "N ..."] | StoredImages
    labels: Int[Tensor, "N"]

    def __len__(self) -> int:
        return len(self.labels)
