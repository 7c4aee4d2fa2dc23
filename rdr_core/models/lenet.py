"""LeNet-5 for MNIST's 28 x 28 pixels: the network of the two-class test that CDB-loss was shown on first."""

from __future__ import annotations

from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.models.network import Network


def lenet(num_classes: int, channels: int = 1) -> Network:
    """Two 5 x 5 convolutions of 6 and 16 channels, each pooled, and layers of 120 and Z = 84: 61 thousand parameters.

    The sizes are those of LeCun et al. 1998 (section II.B, all maps of C3 connected), ReLU and largest values in place
    of its sigmoids and averages, as in Ren et al. 2018's test of 9 against 4.

    Example:
        >>> sum(p.numel() for p in lenet(10).parameters()), lenet(10).feature_dim
        (61706, 84)
    """
    layers: list[nn.Module] = [_Of28()]
    for inputs, outputs, padding in ((channels, 6, 2), (6, 16, 0)):
        layers += [nn.Conv2d(inputs, outputs, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()]
    return Network(nn.Sequential(*layers), 84, num_classes, shared=7)


class _Of28(nn.Module):
    """Refuses images that the layers can't take."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if (height, width) != (28, 28):
            raise RdrError(f"lenet takes images of 28 x 28 pixels, these are {height} x {width}; take 'small'.")
        return x
