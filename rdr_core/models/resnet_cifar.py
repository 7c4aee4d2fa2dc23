"""ResNet-32 for 32 x 32 images, as He et al. 2016 (section 4.2) define it: 0.46 M parameters.

Look-alikes with 1 x 1 convolutions in the shortcuts are why several long-tail papers can't be repeated;
this is the original: option-A shortcuts, which take every second pixel and pad channels with zeros.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core.models.network import Network
from rdr_core.shapes import Float


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.stride, self.extra = stride, outputs - inputs

    def forward(self, x: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O h w"]:
        out = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        if self.stride != 1 or self.extra:
            x = x[:, :, :: self.stride, :: self.stride]
            x = F.pad(x, (0, 0, 0, 0, self.extra // 2, self.extra - self.extra // 2))
        return F.relu(out + x)


def resnet32(num_classes: int, channels: int = 3) -> Network:
    """ResNet-32: a stem of 16 channels, five blocks each of 16, 32 and 64, global mean, Z = 64.

    Kaiming-normal weights for convolutions and the classifier, as the field's code has it.

    Example:
        >>> sum(p.numel() for p in resnet32(10).parameters())
        464154
    """
    layers: list[nn.Module] = [nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    width = 16
    for outputs in (16, 32, 64):
        for index in range(5):
            layers.append(_Block(width, outputs, stride=2 if index == 0 and outputs > 16 else 1))
            width = outputs
    body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = Network(body, 64, num_classes, shared=8)
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
    return network
