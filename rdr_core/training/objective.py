"""The weighted loss of a batch: one forward pass, losses, weights, and their mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rdr_core.methods.contract import Outcome, Weighing, Weighting
from rdr_core.models import Network
from rdr_core.shapes import Float, Int
from rdr_core.training.ranks import Ranks


class WeightedObjective:
    """Calls the network and weighs its losses: the loop's :class:`~rdr_core.methods.contract.Objective`.

    Args:
        model: the network in training.
        loss: (logits, labels) -> (B,) losses; the logits are (B, E, d) where the network has several experts.
        weighting: features and labels -> weights; learns from the batch in training mode.
        precision: "fp32" or "bf16" (autocast around the network; losses and weights stay float32).
        ranks: the processes that hold parts of the batch; what is given to this one is its part.
    """

    def __init__(
        self,
        model: Network,
        loss: Callable[[Tensor, Tensor], Tensor],
        weighting: Weighting,
        precision: str = "fp32",
        ranks: Ranks | None = None,
    ) -> None:
        self.model, self.loss, self.weighting = model, loss, weighting
        self.autocast = precision == "bf16"
        self.ranks = ranks or Ranks()

    def __call__(
        self, images: Float[Tensor, "B C H W"], labels: Int[Tensor, "B"], weights: Float[Tensor, "B"] | None = None
    ) -> Outcome:
        """One pass; with ``weights`` given (a second pass of the same batch) they are used as they are."""
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=self.autocast):
            features, logits = self.model.features_and_logits(images)
        features, logits = features.float(), logits.float()
        losses = self.loss(self.model.judged(features, logits), labels)
        ratios = replaced = None
        if weights is None:
            weights, ratios, replaced = self._weigh(features.detach(), labels)
        return Outcome(self.mean(weights * losses), losses, weights, ratios, features, logits, replaced)

    def mean(self, values: Float[Tensor, "B"]) -> Float[Tensor, ""]:
        """Mean over the batch; of several ranks, each one's part of it, so that the ranks' sum is the mean."""
        return values.mean() if self.ranks.size == 1 else values.sum() / self.ranks.batch

    def gradients(
        self, loss: Float[Tensor, ""], parameters: Sequence[Tensor], *, retain_graph: bool = False
    ) -> list[Tensor]:
        """The loss's gradient by the parameters, summed over the ranks; zero where it does not depend on one.

        Not DistributedDataParallel: its hooks do not see gradients that are asked for and not accumulated, which is
        how every sharpness-aware step takes its first one.
        """
        found = torch.autograd.grad(loss, parameters, retain_graph=retain_graph, materialize_grads=True)
        self.ranks.add(found)
        return list(found)

    def backward(self, loss: Float[Tensor, ""]) -> None:
        """Add the loss's gradient, summed over the ranks, to the parameters' ``.grad``."""
        if self.ranks.size == 1:
            loss.backward()
            return
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        for parameter, gradient in zip(parameters, self.gradients(loss, parameters), strict=True):
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient

    def _weigh(self, features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Weighing:
        """By all of the batch, so that ratios, prototypes and the mean of 1 are those of one process."""
        ranks = self.ranks
        if ranks.size == 1:
            return self.weighting.weigh(features, labels)
        whole = self.weighting.weigh(ranks.gather(features, ranks.batch), ranks.gather(labels, ranks.batch))
        mine = ranks.share(ranks.batch)
        ratios, replaced = (None if part is None else part[mine] for part in (whole.ratios, whole.replaced))
        return Weighing(whole.weights[mine], ratios, replaced)
