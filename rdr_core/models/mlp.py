"""A network for rows of a table: two hidden layers."""

from __future__ import annotations

from torch import nn

from rdr_core.models.network import Network


def mlp(num_classes: int, columns: int) -> Network:
    """Layers of 128 and Z = 64 with batch norm and ReLU.

    Example:
        >>> mlp(3, columns=12).feature_dim
        64
    """
    layers: list[nn.Module] = []
    width = columns
    for outputs in (128, 64):
        layers += [nn.Linear(width, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]
        width = outputs
    return Network(nn.Sequential(*layers), width, num_classes, shared=3)
