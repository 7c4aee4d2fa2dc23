"""Focal-SAM: every class's sharpness counts, that of rare classes more, at the cost of one more backward pass."""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.methods.contract import Context, Objective, Outcome
from rdr_core.methods.parts import at_least, part
from rdr_core.methods.sam import perturbation, perturbed, trained
from rdr_core.shapes import Float, Int


def sharpness_weights(class_counts: Int[Tensor, "d"], gamma: float, strength: float) -> Float[Tensor, "d"]:
    """How much of each class's loss is taken at the worst point nearby: ``strength (1 - pi_c)^gamma``.

    Args:
        class_counts: training images of each class, from which the prior pi comes.
        gamma: 0 is the same for all classes; the larger, the less for large classes.
        strength: lambda of the paper, in front of the sharpness of all classes.

    Example:
        >>> sharpness_weights(torch.tensor([3, 1]), gamma=1.0, strength=0.5)
        tensor([0.1250, 0.3750])
    """
    priors = class_counts.double() / class_counts.sum()
    return (strength * (1 - priors).pow(gamma)).float()


class FocalSAM:
    """The optimizer gets ``grad (L - L_s)(w) + grad L_s(w + rho grad L_s(w) / ||grad L_s(w)||)``.

    L_s is the batch's weighted loss with each sample times its class's ``s_c``, L without; both are divided by the size
    of the batch. So it is L and the sum over classes of ``s_c`` times their sharpness. With s_c = 1 for all classes it
    is SAM's step, with 1 for the tail and 0 for the head ImbSAM's; its cost is ImbSAM's, two forward and three backward
    passes.

    Args:
        optimizer: what makes the step.
        shares: (d,) s_c (:func:`sharpness_weights`), on the labels' device.
        rho: radius (default 0.05: the paper's code for ImageNet-LT; 0.2 for CIFAR).

    Example:
        >>> import torch.nn.functional as F
        >>> from rdr_core.methods.weighting import Unweighted
        >>> from rdr_core.models import build_model
        >>> from rdr_core.training.objective import WeightedObjective
        >>> model = build_model("small", num_classes=2, channels=1)
        >>> step = FocalSAM(torch.optim.SGD(model.parameters(), lr=0.1), torch.tensor([0.1, 0.4]))
        >>> objective = WeightedObjective(model, lambda z, y: F.cross_entropy(z, y, reduction="none"), Unweighted())
        >>> step(objective, torch.rand(4, 1, 8, 8), torch.tensor([0, 0, 0, 1])).logits.shape
        torch.Size([4, 2])
    """

    def __init__(self, optimizer: torch.optim.Optimizer, shares: Float[Tensor, "d"], *, rho: float = 0.05) -> None:
        self.optimizer, self.shares, self.rho = optimizer, shares, rho

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        parameters = trained(self.optimizer)
        shares = self.shares[labels]
        self.optimizer.zero_grad(set_to_none=True)
        first = objective(images, labels)
        weighted = first.weights * first.losses
        gradients = objective.gradients(objective.mean(shares * weighted), parameters, retain_graph=True)
        objective.backward(objective.mean((1 - shares) * weighted))
        with perturbed(objective.model, parameters, perturbation(gradients, self.rho)):
            second = objective(images, labels, weights=first.weights)
            # Added to what stays where the weights are.
            objective.backward(objective.mean(shares * second.weights * second.losses))
        self.optimizer.step()
        return first


@part(
    "focalsam",
    kind="optimizer",
    summary="SAM by class: the sharpness of every class counts, that of rare classes more",
    formula="L(w) + L_s(w + rho grad L_s(w) / ||grad L_s(w)||) - L_s(w), L_s = sum_c strength (1 - pi_c)^gamma L_c",
    source="Li et al. 2025 (Focal-SAM), arXiv 2505.01660, and its public code",
    ranges={"rho": at_least(0), "gamma": at_least(0), "strength": at_least(0)},
    notes="two forward and three backward passes; its code's settings for CIFAR-10 at imbalance factor 100, beside a "
    "logit-adjusted loss: focalsam:gamma=3,rho=0.2",
)
def focalsam(
    context: Context, sgd: torch.optim.Optimizer, *, rho: float = 0.05, gamma: float = 1.0, strength: float = 0.5
) -> FocalSAM:
    """:class:`FocalSAM` around a run's SGD.

    Args:
        context, sgd: the run's.
        rho: radius.
        gamma, strength: of :func:`sharpness_weights` (defaults 1 and 0.5: those of its public code).
    """
    return FocalSAM(sgd, sharpness_weights(context.class_counts, gamma, strength), rho=rho)
