"""SAM: the gradient is taken where the loss near the weights is about the largest, so flat minima are preferred."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rdr_core.methods.contract import Context, Objective, Outcome
from rdr_core.methods.parts import at_least, part


@torch.no_grad()
def perturbation(gradients: list[Tensor] | tuple[Tensor, ...], rho: float) -> tuple[Tensor, ...]:
    """The step of length rho that raises the loss fastest: ``rho g / ||g||`` (Foret et al. 2021, eq. 2).

    Args:
        gradients: one tensor a parameter, of any shapes; the norm is one over all of them.
        rho: radius, in the weights' own units.

    Returns:
        One tensor a parameter; all zero where every gradient is zero, since then no direction stands out.

    Example:
        >>> perturbation([torch.tensor([3.0]), torch.tensor([[4.0]])], rho=0.5)
        (tensor([0.3000]), tensor([[0.4000]]))
        >>> perturbation([torch.zeros(2)], rho=0.5)
        (tensor([0., 0.]),)
    """
    norm = nn.utils.get_total_norm(gradients)
    return torch._foreach_mul(gradients, torch.where(norm > 0, rho / norm, 0.0))


@contextmanager
def perturbed(model: nn.Module, parameters: list[Tensor], moves: list[Tensor] | tuple[Tensor, ...]) -> Iterator[None]:
    """Inside, the parameters are moved and passes leave BatchNorm's running statistics alone.

    Afterwards every parameter has the bits it had: it is kept and copied back, since ``(w + e) - e`` rounds. Batches
    are normalised by their own statistics inside as outside; the running ones are those of the weights that are kept.

    Args:
        model: whose BatchNorm layers are meant, the count of their batches included.
        parameters: those to move, leaves of the graph.
        moves: what is added to each.

    Example:
        >>> layer = nn.Linear(1, 1)
        >>> before = layer.weight.item()
        >>> with perturbed(layer, [layer.weight], [torch.ones(1, 1)]):
        ...     inside = layer.weight.item()
        >>> inside > before, layer.weight.item() == before
        (True, True)
    """
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    kept = [torch.empty_like(parameter) for parameter in parameters]
    with torch.no_grad():
        torch._foreach_copy_(kept, parameters)
        torch._foreach_add_(parameters, moves)
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
        with torch.no_grad():
            torch._foreach_copy_(parameters, kept)


def trained(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """The parameters that the optimizer changes, frozen ones left out.

    Example:
        >>> layer = nn.Linear(1, 1)
        >>> _ = layer.bias.requires_grad_(False)
        >>> [p.shape for p in trained(torch.optim.SGD(layer.parameters()))]
        [torch.Size([1, 1])]
    """
    return [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]


class SAM:
    """Two passes a step: the optimizer gets the gradient at ``w + rho g / ||g||``, g being the one at w.

    Both passes use the weights that the first one gave, and a weighting learns from the first pass's features
    alone: beside RDR this is Algorithm 2 of its paper.

    Args:
        optimizer: what makes the step, with its momentum and weight decay; these play no part in the perturbation.
        rho: radius (default 0.05: Foret et al. 2021).

    Example:
        >>> import torch.nn.functional as F
        >>> from rdr_core.methods.weighting import Unweighted
        >>> from rdr_core.models import build_model
        >>> from rdr_core.training.objective import WeightedObjective
        >>> model = build_model("small", num_classes=2, channels=1)
        >>> sam = SAM(torch.optim.SGD(model.parameters(), lr=0.1), rho=0.05)
        >>> objective = WeightedObjective(model, lambda z, y: F.cross_entropy(z, y, reduction="none"), Unweighted())
        >>> sam(objective, torch.rand(4, 1, 8, 8), torch.tensor([0, 0, 0, 1])).logits.shape
        torch.Size([4, 2])
    """

    def __init__(self, optimizer: torch.optim.Optimizer, *, rho: float = 0.05) -> None:
        self.optimizer, self.rho = optimizer, rho

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        parameters = trained(self.optimizer)
        self.optimizer.zero_grad(set_to_none=True)
        first = objective(images, labels)
        gradients = objective.gradients(first.loss, parameters)
        with perturbed(objective.model, parameters, perturbation(gradients, self.rho)):
            objective.backward(objective(images, labels, weights=first.weights).loss)
        self.optimizer.step()
        return first


@part(
    "sam",
    kind="optimizer",
    summary="sharpness-aware minimization: the gradient at the worst point nearby, for flat minima",
    formula="g = grad L(w + rho grad L(w) / ||grad L(w)||)",
    source="Foret et al. 2021, Algorithm 1; beside rdr: Luo et al. 2024, Algorithm 2",
    ranges={"rho": at_least(0)},
    notes="twice the passes; long tails usually take rho from 0.1 to 0.8; both passes use the first one's weights",
)
def sam(context: Context, sgd: torch.optim.Optimizer, *, rho: float = 0.05) -> SAM:
    """:class:`SAM` around a run's SGD."""
    return SAM(sgd, rho=rho)
