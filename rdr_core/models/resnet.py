"""ResNets for photographs (He et al. 2016, table 1), with torchvision's bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from rdr_core.errors import RdrError
from rdr_core.models.network import Network

if TYPE_CHECKING:
    from torchvision.models.resnet import BasicBlock, Bottleneck


def resnet10(num_classes: int, channels: int = 3) -> Network:
    """ResNet-10, the long-tail field's small one (Liu et al. 2019): one basic block a stage, Z = 512.

    Example:
        >>> resnet10(1000).feature_dim
        512
    """
    from torchvision.models.resnet import BasicBlock

    return _resnet("resnet10", BasicBlock, [1, 1, 1, 1], num_classes, channels)


def resnet50(num_classes: int, channels: int = 3) -> Network:
    """ResNet-50, Z = 2048: ImageNet-LT's usual one.

    Example:
        >>> sum(p.numel() for p in resnet50(1000).parameters())
        25557032
    """
    from torchvision.models.resnet import Bottleneck

    return _resnet("resnet50", Bottleneck, [3, 4, 6, 3], num_classes, channels)


def resnet152(num_classes: int, channels: int = 3) -> Network:
    """ResNet-152, Z = 2048: Places-LT's usual one, from ImageNet's weights (:mod:`rdr_core.models.pretrained`).

    Example:
        >>> sum(p.numel() for p in resnet152(1000).parameters())
        60192808
    """
    from torchvision.models.resnet import Bottleneck

    return _resnet("resnet152", Bottleneck, [3, 8, 36, 3], num_classes, channels)


def _resnet(
    name: str, block: type[BasicBlock | Bottleneck], layers: list[int], num_classes: int, channels: int
) -> Network:
    from torchvision.models.resnet import ResNet

    if channels != 3:
        raise RdrError(f"{name} takes colour images, these have {channels} channel(s); use model 'small'.")
    body = ResNet(block, layers)
    feature_dim = body.fc.in_features
    body.fc = nn.Identity()
    return Network(body, feature_dim, num_classes, shared=6)
