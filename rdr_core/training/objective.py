"""The weighted loss of a batch: one forward pass, losses, weights, and their mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from rdr_core.methods.weighting import Weighting
from rdr_core.models import Network
from rdr_core.shapes import Float, Int


@dataclass
class Outcome:
    """What a forward pass gave.

    Attributes:
        loss: the number to minimise, mean over the batch of weight * loss.
        losses, weights, ratios: by sample; ratios only where the weighting has them.
        features, logits: (B, Z) and (B, d), float32, with the gradient's graph.
    """

    loss: Float[Tensor, ""]
    losses: Float[Tensor, "B"]
    weights: Float[Tensor, "B"]
    ratios: Float[Tensor, "B"] | None
    features: Float[Tensor, "B Z"]
    logits: Float[Tensor, "B d"]


class Objective:
    """Calls the network and weighs its losses.

    Args:
        model: the network in training.
        loss: (logits, labels) -> (B,) losses.
        weighting: features and labels -> weights; learns from the batch in training mode.
        precision: "fp32" or "bf16" (autocast around the network; losses and weights stay float32).
    """

    def __init__(
        self, model: Network, loss: Callable[[Tensor, Tensor], Tensor], weighting: Weighting, precision: str = "fp32"
    ) -> None:
        self.model, self.loss, self.weighting = model, loss, weighting
        self.autocast = precision == "bf16"

    def __call__(
        self, images: Float[Tensor, "B C H W"], labels: Int[Tensor, "B"], weights: Float[Tensor, "B"] | None = None
    ) -> Outcome:
        """One pass; with ``weights`` given (a second pass of the same batch) they are used as they are."""
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=self.autocast):
            features, logits = self.model.features_and_logits(images)
        features, logits = features.float(), logits.float()
        losses = self.loss(logits, labels)
        ratios = None
        if weights is None:
            weights, ratios = self.weighting.weigh(features.detach(), labels)
        return Outcome((weights * losses).mean(), losses, weights, ratios, features, logits)


class Step(Protocol):
    """One optimizer step on a batch. Sharpness-aware ones call the objective more than once."""

    optimizer: torch.optim.Optimizer

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        """Update the network; the outcome of the first pass is what gets recorded."""
        ...


class PlainStep:
    """Forward, backward, step."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        self.optimizer.zero_grad(set_to_none=True)
        outcome = objective(images, labels)
        outcome.loss.backward()
        self.optimizer.step()
        return outcome
