"""A network for series in time, of unequal lengths: convolutions and a mean over the steps that there are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rdr_core.models.network import Network
from rdr_core.shapes import Float


def conv1d(num_classes: int, channels: int) -> Network:
    """Three convolutions of 64, 128 and 64 channels, 7, 5 and 3 steps wide, with batch norm; a mean; Z = 64.

    The fully convolutional network of Wang et al. 2017 ("Time series classification from scratch") at half its width;
    7 steps, not 8, so that a step has as many before it as after it.

    Example:
        >>> network = conv1d(3, channels=2).eval()
        >>> short, padded = torch.ones(1, 2, 10), torch.cat([torch.ones(1, 2, 10), torch.full((1, 2, 9), torch.nan)], 2)
        >>> torch.allclose(network(short), network(padded))
        True
    """
    return Network(_Steps(channels, ((64, 7), (128, 5), (64, 3))), 64, num_classes)


class _Steps(nn.Module):
    """Convolutions that see zeros after a series' end, as before its beginning, and leave zeros there."""

    def __init__(self, channels: int, layers: tuple[tuple[int, int], ...]) -> None:
        super().__init__()
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        for outputs, width in layers:
            self.convolutions.append(nn.Conv1d(channels, outputs, width, padding="same", bias=False))
            self.norms.append(nn.BatchNorm1d(outputs))
            channels = outputs

    def forward(self, series: Float[Tensor, "B C T"]) -> Float[Tensor, "B Z"]:
        there = ~series.isnan().all(1, keepdim=True)
        found = series.nan_to_num()
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            found = torch.relu(norm(convolution(found))) * there
        return found.sum(2) / there.sum(2).clamp(min=1)
