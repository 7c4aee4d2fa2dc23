"""Networks: each maps normalised images to features (B, Z) and logits (B, d)."""

from __future__ import annotations

from rdr_core.errors import unknown_name
from rdr_core.models.lenet import lenet
from rdr_core.models.network import CosineClassifier, Network
from rdr_core.models.pretrained import PRETRAINED
from rdr_core.models.resnet import resnet10, resnet50, resnet152
from rdr_core.models.resnet_cifar import resnet32
from rdr_core.models.small import small_conv_net

#: Networks by the name that a run's configuration gives.
MODELS = {
    "resnet10": resnet10,
    "resnet32": resnet32,
    "resnet50": resnet50,
    "resnet152": resnet152,
    "lenet": lenet,
    "small": small_conv_net,
}
#: Those that start from ImageNet's weights are built alike; training then fills them.
MODELS |= {name: MODELS[base] for name, base in PRETRAINED.items()}


def build_model(name: str, *, num_classes: int, channels: int, cosine_scale: float | None = None) -> Network:
    """A freshly initialised network, drawing from torch's global random state.

    Args:
        name: one of :data:`MODELS`.
        num_classes: d.
        channels: of the images.
        cosine_scale: of a cosine classifier's logits; None (default) is a linear classifier.

    Raises:
        RdrError: an unknown name.

    Example:
        >>> build_model("small", num_classes=10, channels=1).feature_dim
        64
    """
    if name not in MODELS:
        raise unknown_name("model", name, MODELS)
    network = MODELS[name](num_classes, channels)
    if cosine_scale is not None:
        network.classifier = CosineClassifier(network.feature_dim, num_classes, cosine_scale)
    return network


__all__ = ["MODELS", "CosineClassifier", "Network", "build_model"]
