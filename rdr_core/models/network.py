"""What every network offers to training and analysis."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core.shapes import Float


class CosineClassifier(nn.Module):
    """Logits ``scale * cos(w_c, h)`` without a bias: only directions count, so no class wins by the length of its row.

    Computes in float32 also under autocast: multiplied by the scale, bfloat16's error of a cosine would be 0.1.

    Args:
        feature_dim: Z.
        num_classes: d.
        scale: of the logits (30 in LDAM's code).

    Example:
        >>> classifier = CosineClassifier(feature_dim=2, num_classes=3, scale=30)
        >>> classifier(100 * classifier.directions).diagonal().round().tolist()  # each class's own direction: cosine 1
        [30.0, 30.0, 30.0]
    """

    scale: Float[Tensor, ""]

    def __init__(self, feature_dim: int, num_classes: int, scale: float) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(num_classes, feature_dim))
        # In a buffer, so that saved weights tell which classifier they are of.
        self.register_buffer("scale", torch.tensor(float(scale)))

    @property
    def weight(self) -> Float[Tensor, "d Z"]:
        """Rows of the linear classifier that it is on features of length 1."""
        return self.scale * F.normalize(self.directions, dim=1)

    @property
    def bias(self) -> Float[Tensor, "d"]:
        """Zeros."""
        return self.directions.new_zeros(len(self.directions))

    def forward(self, features: Float[Tensor, "B Z"]) -> Float[Tensor, "B d"]:
        with torch.autocast(features.device.type, enabled=False):
            return F.linear(F.normalize(features.to(self.directions.dtype), dim=1), self.weight)


class Network(nn.Module):
    """A body that gives penultimate features and a linear classifier on top.

    Args:
        body: (B, C, H, W) -> (B, Z).
        feature_dim: Z.
        num_classes: d.
        shared: how many of the body's layers several experts share (:mod:`rdr_core.models.experts`), those from the
            first one on; 0 (default) where its layers can't be told apart, so that each expert has a body of its own.
    """

    def __init__(self, body: nn.Module, feature_dim: int, num_classes: int, shared: int = 0) -> None:
        super().__init__()
        self.body, self.shared = body, shared
        self.classifier: nn.Linear | CosineClassifier = nn.Linear(feature_dim, num_classes)
        self.feature_dim, self.num_classes = feature_dim, num_classes

    def features(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B Z"]:
        """Penultimate features."""
        return self.body(images)

    def features_and_logits(
        self, images: Float[Tensor, "B C H W"]
    ) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B d"]]:
        """Both from one pass."""
        features = self.body(images)
        return features, self.classifier(features)

    def judged(self, features: Float[Tensor, "B Z"], logits: Float[Tensor, "B d"]) -> Float[Tensor, "B *E d"]:
        """What a loss is of: the logits; of a network of several experts, those of each."""
        return logits

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B d"]:
        """Logits."""
        return self.classifier(self.body(images))
