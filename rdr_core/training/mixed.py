"""Batches of mixtures of two images, and the objective on them, for what :mod:`rdr_core.methods.mixing` draws."""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.methods.contract import Mixes, Weighing
from rdr_core.methods.weighting import scaled
from rdr_core.shapes import Float, Int
from rdr_core.training.objective import WeightedObjective
from rdr_core.training.transfer import consecutive


class MixedObjective(WeightedObjective):
    """The weighted loss of a batch of mixtures, each of its own label and its partner's.

    A mixture's loss is ``s L(y) + (1 - s) L(y')``, its weight ``s w(y) + (1 - s) w(y')``, scaled to mean 1 over the
    batch, s being the own label's share. Both weights are of the mixture's features. A weighting learns from the batch
    once, by the own labels; asked for the partners' it does not, and its ratios are the own label's.

    Args:
        plain: the run's objective.
        others: labels of the partners.
        share: of each sample's own label.

    Example:
        >>> import torch.nn.functional as F
        >>> from rdr_core.methods.weighting import Unweighted
        >>> from rdr_core.models import build_model
        >>> model = build_model("small", num_classes=2, channels=1)
        >>> plain = WeightedObjective(model, lambda z, y: F.cross_entropy(z, y, reduction="none"), Unweighted())
        >>> mixed = MixedObjective(plain, torch.tensor([1, 0]), torch.tensor([0.5, 0.5]))
        >>> losses = mixed(torch.ones(2, 1, 8, 8), torch.tensor([0, 1])).losses
        >>> torch.allclose(losses[0], losses[1])  # of the same image, with half of both labels
        True
    """

    def __init__(self, plain: WeightedObjective, others: Int[Tensor, "B"], share: Float[Tensor, "B"]) -> None:
        def loss(logits: Tensor, labels: Tensor) -> Tensor:
            return torch.lerp(plain.loss(logits, others), plain.loss(logits, labels), share)

        super().__init__(plain.model, loss, plain.weighting, "bf16" if plain.autocast else "fp32", plain.ranks)
        self.others, self.share = others, share

    def _weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        own = super()._weigh(features, labels)
        if not self.weighting.weighs:
            return own
        learns = self.weighting.training
        self.weighting.eval()
        theirs = super()._weigh(features, self.others)
        self.weighting.train(learns)
        ranks = self.ranks
        whole, _ = scaled(ranks.gather(torch.lerp(theirs.weights, own.weights, self.share), ranks.batch))
        return own._replace(weights=whole if ranks.size == 1 else whole[ranks.share(ranks.batch)])


def mixed(
    objective: WeightedObjective,
    images: Float[Tensor, "b C H W"],
    labels: Int[Tensor, "V"],
    mixes: Mixes,
    start: int | Int[Tensor, "1"],
    count: int,
) -> tuple[Float[Tensor, "b C H W"], MixedObjective]:
    """The mixtures of a batch, and the objective on them.

    Args:
        objective: the run's.
        images: of this rank's share of the batch, augmented and normalised.
        labels: of the epoch's visits.
        mixes: of the epoch.
        start: visit with which the batch starts.
        count: visits in the batch, over all ranks.
    """
    here, mine = consecutive(start, count), objective.ranks.share(count)
    partner, share = mixes.partner[here][mine], mixes.share[here][mine]
    theirs = objective.ranks.gather(images, count).index_select(0, partner - start)
    mixtures = torch.lerp(theirs, images, share[:, None, None, None]).contiguous(memory_format=torch.channels_last)
    return mixtures, MixedObjective(objective, labels[partner], mixes.label_share[here][mine])
