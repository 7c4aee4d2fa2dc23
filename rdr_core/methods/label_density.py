"""Regression with rare values: bins of the label stand for classes, and their density for the class prior.

A loop of one's own weighs each sample by its bin: with 1 / density (the control), with the density smoothed over
neighbouring bins (LDS: Yang et al. 2021, "Delving into deep imbalanced regression"), or with RDR's ratio over bins
beside either::

    bins = label_bins(train_values, bins=20)
    density = smoothed_counts(bins.counts)                                  # LDS; bins.counts is the plain density
    ratio = RDRWeights(bins.counts.clamp(min=1), feature_dim=64, prior=0)   # r alone, mean 1 over the batch
    weights = ratio(features, bins.of(values)) / density[bins.of(values)]
    loss = (weights / weights.mean() * (predicted - values) ** 2).mean()

The RDR paper leaves regression to future work; this reading of it is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Int


@dataclass(frozen=True, eq=False)
class LabelBins:
    """Bins of equal width, and how many values of training are in each.

    Attributes:
        inner: (b - 1,) edges between them, growing.
        counts: (b,) training values in each.
    """

    inner: Float[Tensor, "edges"]
    counts: Int[Tensor, "b"]

    def of(self, values: Float[Tensor, "N"]) -> Int[Tensor, "N"]:
        """The bin of each value; values beyond the training range are of the first or the last.

        Example:
            >>> label_bins(torch.tensor([0.0, 1, 10]), bins=10).of(torch.tensor([-5.0, 0.5, 1, 7]))
            tensor([0, 0, 1, 7])
        """
        return torch.bucketize(values, self.inner.to(values), right=True)


def label_bins(values: Float[Tensor, "N"], bins: int = 20) -> LabelBins:
    """Bins of equal width over the range of the training values.

    Args:
        values: of the training samples.
        bins: b, 2 or more (default 20).

    Raises:
        RdrError: values that are not finite or all the same, or fewer than two bins.

    Example:
        >>> label_bins(torch.tensor([0.0, 1, 1.5, 4]), bins=4).counts
        tensor([1, 2, 0, 1])
    """
    values = torch.as_tensor(values).flatten().double()
    if bins < 2:
        raise RdrError(f"bins is {bins}; it must be 2 or more, such as 20.")
    if not len(values) or not bool(values.isfinite().all()) or bool(values.min() == values.max()):
        raise RdrError("values must be finite and not all the same; leave out the samples that are missing one.")
    edges = torch.linspace(float(values.min()), float(values.max()), bins + 1, dtype=torch.float64)
    inner = edges[1:-1]
    return LabelBins(inner, torch.bincount(torch.bucketize(values, inner, right=True), minlength=bins))


def smoothed_counts(counts: Int[Tensor, "b"], sigma: float = 2.0, width: int = 5) -> Float[Tensor, "b"]:
    """Label distribution smoothing: counts seen through a Gaussian window over neighbouring bins.

    Args:
        counts: training values in each bin.
        sigma: of the Gaussian, in bins, above 0 (default 2: Yang et al. 2021).
        width: of the window, odd (default 5: the same); beyond the ends there is nothing, as in the authors' code.

    Raises:
        RdrError: a sigma that is none, or an even window.

    Example:
        >>> smoothed_counts(torch.tensor([0, 0, 10, 0, 0]), width=3).round(decimals=2).tolist()
        [0.0, 3.19, 3.62, 3.19, 0.0]
    """
    counts = torch.as_tensor(counts).double()
    half = width // 2
    if sigma <= 0 or width < 1 or width % 2 == 0:
        raise RdrError(f"sigma is {sigma:g} and width {width}; sigma must be above 0, and width a whole odd number.")
    window = torch.exp(-0.5 * (torch.arange(-half, half + 1, dtype=torch.float64) / sigma) ** 2)
    return functional.pad(counts, (half, half)).unfold(0, width, 1) @ (window / window.sum())
