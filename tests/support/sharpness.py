"""What the tests of sharpness-aware steps share: a tiny network, batches, and SGD written out."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rdr_core.methods.contract import Outcome, Step, Weighting
from rdr_core.methods.weighting import Unweighted
from rdr_core.models import Network
from rdr_core.training.objective import WeightedObjective

COUNTS = torch.tensor([60, 30, 10])


def network(batch_norm: bool = True) -> Network:
    """The same weights each time; 9 pixels, 6 features, 3 classes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        norm = nn.BatchNorm1d(6) if batch_norm else nn.Identity()
        return Network(nn.Sequential(nn.Flatten(), nn.Linear(9, 6), norm, nn.Softplus()), 6, 3)


def batches(number: int = 4, size: int = 12) -> list[tuple[Tensor, Tensor]]:
    """Images and labels; every class in every batch."""
    draw = torch.Generator().manual_seed(1)
    labels = torch.tensor([0] * (size - 5) + [1] * 3 + [2] * 2)
    return [(torch.randn(size, 1, 3, 3, generator=draw) + labels[:, None, None, None] / 3, labels)
            for _ in range(number)]  # fmt: skip


def losses(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="none")


def objective(model: Network, weighting: Weighting | None = None) -> WeightedObjective:
    return WeightedObjective(model, losses, weighting or Unweighted())


def train(step: Step, objective: WeightedObjective) -> list[Outcome]:
    return [step(objective, images, labels) for images, labels in batches()]


def reference_sgd(
    model: Network,
    gradient: Callable[[Network, Tensor, Tensor], tuple[Tensor, ...]],
    momentum: float = 0.0,
    weight_decay: float = 0.0,
) -> Network:
    """A float64 copy after a step a batch at rate 0.1, by the definition of SGD with momentum and weight decay."""
    model = copy.deepcopy(model).double()
    velocity: list[Tensor] = []
    for images, labels in batches():
        gradients = gradient(model, images.double(), labels)
        with torch.no_grad():
            decayed = [g + weight_decay * p for g, p in zip(gradients, model.parameters(), strict=True)]
            velocity = [momentum * v + g for v, g in zip(velocity, decayed, strict=True)] if velocity else decayed
            for parameter, v in zip(model.parameters(), velocity, strict=True):
                parameter -= 0.1 * v
    return model
