"""What every network offers to training and analysis."""

from __future__ import annotations

from torch import Tensor, nn

from rdr_core.shapes import Float


class Network(nn.Module):
    """A body that gives penultimate features and a linear classifier on top.

    Args:
        body: (B, C, H, W) -> (B, Z).
        feature_dim: Z.
        num_classes: d.
    """

    def __init__(self, body: nn.Module, feature_dim: int, num_classes: int) -> None:
        super().__init__()
        self.body = body
        self.classifier = nn.Linear(feature_dim, num_classes)
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

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B d"]:
        """Logits."""
        return self.classifier(self.body(images))
