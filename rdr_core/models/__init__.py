"""Networks: each maps normalised samples to features (B, Z) and logits (B, d)."""

from __future__ import annotations

from collections.abc import Callable

from rdr_core.data.kinds import IMAGES, ROWS, SERIES, TEXTS, Kind
from rdr_core.errors import RdrError, unknown_name
from rdr_core.models.conv1d import conv1d
from rdr_core.models.embedding_bag import embedding_bag
from rdr_core.models.experts import ExpertNetwork
from rdr_core.models.lenet import lenet
from rdr_core.models.mlp import mlp
from rdr_core.models.network import CosineClassifier, Network
from rdr_core.models.pretrained import PRETRAINED
from rdr_core.models.resnet import resnet10, resnet50, resnet152
from rdr_core.models.resnet_cifar import resnet32
from rdr_core.models.small import small_conv_net

#: Networks by the name that a run's configuration gives.
MODELS: dict[str, Callable[[int, int], Network]] = {
    "resnet10": resnet10,
    "resnet32": resnet32,
    "resnet50": resnet50,
    "resnet152": resnet152,
    "lenet": lenet,
    "small": small_conv_net,
    "mlp": mlp,
    "conv1d": conv1d,
    "embedding_bag": embedding_bag,
}
#: What they take where it is no images.
TAKES: dict[str, Kind] = {"mlp": ROWS, "conv1d": SERIES, "embedding_bag": TEXTS}
#: Those that start from ImageNet's weights are built alike; training then fills them.
MODELS |= {name: MODELS[base] for name, base in PRETRAINED.items()}


def check_kind(name: str, kind: Kind) -> None:
    """Refuse a network for samples that it can't take.

    Raises:
        RdrError: with a network that can.

    Example:
        >>> check_kind("resnet32", ROWS)
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: 'resnet32' takes images, and these are rows; take 'mlp', or a network of your own.
    """
    takes = TAKES.get(name, IMAGES)
    if takes is not kind:
        raise RdrError(f"{name!r} takes {takes}, and these are {kind}; take {kind.model!r}, or a network of your own.")


def build_model(
    name: str, *, num_classes: int, channels: int, cosine_scale: float | None = None, experts: int = 1
) -> Network:
    """A freshly initialised network, drawing from torch's global random state.

    Args:
        name: one of :data:`MODELS`.
        num_classes: d.
        channels: of images and series; columns of a table; different words of texts.
        cosine_scale: of a cosine classifier's logits; None (default) is a linear classifier.
        experts: how many there are, each with last layers and a classifier of its own; 1 (default) is a plain network.

    Raises:
        RdrError: an unknown name.

    Example:
        >>> build_model("small", num_classes=10, channels=1).feature_dim
        64
    """
    if name not in MODELS:
        raise unknown_name("model", name, MODELS)
    return made_for(lambda: MODELS[name](num_classes, channels), cosine_scale, experts)


def made_for(make: Callable[[], Network], cosine_scale: float | None, experts: int) -> Network:
    """A network with the classifier, or of the experts, that a method asks for.

    Args:
        make: a network.
        cosine_scale, experts: as for :func:`build_model`.

    Raises:
        RdrError: it has no linear classifier, and one is needed.
    """
    if experts > 1:
        return ExpertNetwork([make() for _ in range(experts)])
    return make() if cosine_scale is None else with_cosine(make(), cosine_scale)


def with_cosine(network: Network, scale: float) -> Network:
    """The network with a fresh cosine classifier in place of its own.

    Raises:
        RdrError: it has none that could be replaced.
    """
    _ = network.classifier  # which says so where there is none
    network.classifier = CosineClassifier(network.feature_dim, network.num_classes, scale)
    return network


__all__ = ["MODELS", "TAKES", "CosineClassifier", "ExpertNetwork", "Network", "build_model", "check_kind", "made_for"]
