"""A network of several experts: they share its first layers, and each has the last ones and a classifier of its own.

Its features are all experts' side by side, and its logits their mean, so it is a network with a linear classifier like
any other: weightings, analyses and pictures need not know of experts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core.models.network import Network
from rdr_core.shapes import Float, Shaped


class ExpertClassifier(nn.Module):
    """A linear classifier for each of E experts; the logits are their mean, by the experts' shares.

    Args:
        classifiers: of the experts, each d x Z.

    Attributes:
        shares: (E,) of the experts in the logits, sum 1; equal at first.

    Example:
        >>> classifier = ExpertClassifier([nn.Linear(4, 3), nn.Linear(4, 3)])
        >>> features = torch.rand(5, 8)
        >>> torch.allclose(classifier.each(features).mean(1), classifier(features), atol=1e-6)
        True
    """

    shares: Float[Tensor, "E"]

    def __init__(self, classifiers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.stack([one.weight.detach() for one in classifiers]))
        # A classifier of the user's own may have no bias; then it is one of zeros, which learns.
        biases = [one.weight.new_zeros(len(one.weight)) if one.bias is None else one.bias for one in classifiers]
        self.biases = nn.Parameter(torch.stack([bias.detach() for bias in biases]))
        # In a buffer, so that saved weights tell how many experts they are of.
        self.register_buffer("shares", torch.full((len(classifiers),), 1 / len(classifiers)))

    @property
    def weight(self) -> Float[Tensor, "d EZ"]:
        """Rows of the linear classifier that it is on all experts' features."""
        return (self.shares[:, None, None] * self.rows).movedim(0, 1).flatten(1)

    @property
    def bias(self) -> Float[Tensor, "d"]:
        """The biases' mean."""
        return self.shares @ self.biases

    def each(self, features: Float[Tensor, "B EZ"]) -> Float[Tensor, "B E d"]:
        """The logits of each expert."""
        own = features.unflatten(1, (len(self.rows), -1)).movedim(1, 0)
        return torch.baddbmm(self.biases[:, None], own, self.rows.mT).movedim(0, 1)

    def forward(self, features: Float[Tensor, "B EZ"]) -> Float[Tensor, "B d"]:
        return F.linear(features, self.weight, self.bias)


class ExpertBody(nn.Module):
    """Shared layers, and the further ones of each expert; gives all experts' features side by side.

    Args:
        shared: layers that all experts have in common.
        own: of each expert, on what those give.
    """

    def __init__(self, shared: nn.Module, own: Sequence[nn.Module]) -> None:
        super().__init__()
        self.shared, self.own = shared, nn.ModuleList(own)

    def forward(self, inputs: Shaped[Tensor, "B ..."]) -> Float[Tensor, "B EZ"]:
        common = self.shared(inputs)
        return torch.cat([layers(common) for layers in self.own], dim=1)

    def layer_of(self, name: str) -> str:
        """The name in a single network's body of what has this name here."""
        part, _, rest = name.partition(".")
        return rest if part == "shared" else rest.partition(".")[2]


class ExpertNetwork(Network):
    """A network of several experts.

    Args:
        networks: one for each; the first one's shared layers are the experts'.

    Example:
        >>> from rdr_core.models import build_model
        >>> network = build_model("small", num_classes=10, channels=1, experts=3)
        >>> features, logits = network.features_and_logits(torch.rand(2, 1, 8, 8))
        >>> features.shape, logits.shape, network.judged(features, logits).shape
        (torch.Size([2, 192]), torch.Size([2, 10]), torch.Size([2, 3, 10]))
    """

    classifier: ExpertClassifier  # type: ignore[assignment]  # of its own kind, with weight and bias as the others

    def __init__(self, networks: Sequence[Network]) -> None:
        first = networks[0]
        classifiers = [network.classifier for network in networks]  # which say so where there are none
        parts = [_parted(network) for network in networks]
        body = ExpertBody(parts[0][0], [own for _, own in parts])
        super().__init__(body, len(networks) * first.feature_dim, first.num_classes)
        self.classifier = ExpertClassifier([one for one in classifiers if isinstance(one, nn.Linear)])

    def judged(self, features: Float[Tensor, "B EZ"], logits: Float[Tensor, "B d"]) -> Float[Tensor, "B E d"]:
        """The logits of each expert."""
        return self.classifier.each(features)


def _parted(network: Network) -> tuple[nn.Module, nn.Module]:
    """The layers that experts share, and the others, of which each has its own."""
    if not network.shared:
        return nn.Identity(), network.body
    layers = [*network.body.named_children()]
    # torchvision's bodies flatten between two of their layers; what is flat already stays so.
    own = [*layers[network.shared :], ("flat", nn.Flatten())]
    return nn.Sequential(OrderedDict(layers[: network.shared])), nn.Sequential(OrderedDict(own))
