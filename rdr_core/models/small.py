"""A small convolutional network for digits (8 x 8) and MNIST (28 x 28): 24 thousand parameters."""

from __future__ import annotations

from torch import nn

from rdr_core.models.network import Network


def small_conv_net(num_classes: int, channels: int = 1) -> Network:
    """Three 3 x 3 convolutions of 16, 32 and 64 channels with batch norm, global mean, Z = 64.

    Example:
        >>> small_conv_net(10).feature_dim
        64
    """
    layers: list[nn.Module] = []
    width = channels
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        layers += [
            nn.Conv2d(width, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
        width = outputs
    return Network(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), width, num_classes, shared=6)
