"""What a network gets of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rdr_core.shapes import Float, Shaped

if TYPE_CHECKING:
    from rdr_core.data.long_tailed import LongTailedData


def normalise(
    inputs: Shaped[Tensor, "B ..."], mean: Float[Tensor, "C"], std: Float[Tensor, "C"]
) -> Shaped[Tensor, "B ..."]:
    """Samples minus mean, by standard deviation; pixels scaled to 0..1 before, and channels last in memory.

    Args:
        inputs: a batch of any of :data:`rdr_core.data.kinds.KINDS`; words stay as they are, and NaN stays NaN.
        mean, std: of each channel or column.

    Example:
        >>> normalise(torch.tensor([[3.0, 10.0]]), torch.tensor([1.0, 10.0]), torch.tensor([2.0, 1.0]))
        tensor([[1., 0.]])
    """
    if inputs.dtype == torch.uint8:
        scaled = inputs.contiguous(memory_format=torch.channels_last).float() / 255
        return (scaled - mean[:, None, None]) / std[:, None, None]
    if not inputs.is_floating_point():
        return inputs
    each = (-1, *[1] * (inputs.ndim - 2))
    return (inputs - mean.view(each)) / std.view(each)


def some_samples(data: LongTailedData) -> Shaped[Tensor, "K ..."]:
    """The first two training samples, normalised, for a network to be seen at work.

    Example:
        >>> from rdr_core import load_data
        >>> some_samples(load_data("digits")).shape
        torch.Size([2, 1, 8, 8])
    """
    rows = torch.arange(min(2, len(data.train)))
    return normalise(data.train.inputs[rows], torch.tensor(data.mean), torch.tensor(data.std))
