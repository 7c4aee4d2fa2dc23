"""Networks as people bring them: plain, with features, as HuggingFace's give them, and wrong ones."""

from __future__ import annotations

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn


class Plain(nn.Module):
    """A small network for digits (1 x 8 x 8) with batch norm and dropout; logits alone."""

    def __init__(self, num_classes: int = 10, bias: bool = True) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.drop, self.hidden, self.head = nn.Dropout(0.2), nn.Linear(24, 12), nn.Linear(12, num_classes, bias=bias)

    def penultimate(self, x):
        x = F.max_pool2d(torch.relu(self.norm(self.conv(x))), 4)
        return torch.relu(self.hidden(self.drop(x.flatten(1))))

    def forward(self, x):
        return self.head(self.penultimate(x))


class Both(Plain):
    """(logits, features), the features being what enters the last layer."""

    def forward(self, x):
        features = self.penultimate(x)
        return self.head(features), features


class OtherFeatures(Plain):
    """(logits, features), the features being another layer's."""

    def forward(self, x):
        features = self.penultimate(x)
        return self.head(features), F.normalize(features, dim=1)


class NoLinear(Plain):
    """(logits, features) where no linear layer gives the logits: they are distances to centres."""

    def forward(self, x):
        features = self.penultimate(x)
        return -(features[:, None] - self.head.weight).square().sum(2), features


class Scaled(Plain):
    """Logits alone, and no layer's output."""

    def forward(self, x):
        return 2 * super().forward(x)


class LikeHuggingFace(Plain):
    """An object with its logits under that name."""

    def forward(self, x):
        return SimpleNamespace(loss=None, logits=super().forward(x))


class Named(Plain):
    """A dictionary."""

    def forward(self, x):
        return {"logits": super().forward(x)}


class Twice(Plain):
    """The last layer is used twice, so what enters it is not one thing."""

    def forward(self, x):
        features = self.penultimate(x)
        self.head(features.detach())
        return self.head(features)


class Words(nn.Module):
    def forward(self, x):
        return "cat"
