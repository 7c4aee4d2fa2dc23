"""ImbSAM: sharpness-aware for the tail classes alone, whose minima are the sharp ones; the head trains as ever."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.methods.contract import Context, Objective, Outcome
from rdr_core.methods.parts import at_least, one_of, part
from rdr_core.methods.sam import perturbation, perturbed, trained
from rdr_core.shapes import Bool


class ImbSAM:
    """The optimizer gets ``grad L_head(w) + grad L_tail(w + rho grad L_tail(w) / ||grad L_tail(w)||)``.

    L_head and L_tail are the batch's weighted losses of head and of tail classes, both divided by the size of the
    whole batch, so that with rho = 0 their sum is the plain loss. Without a tail sample there is no perturbation and
    the step is a plain one; without a head sample it is SAM's. Either way the cost is the same, two forward and three
    backward passes, since asking which it is would wait for the device. All passes see the whole batch, which
    BatchNorm's statistics need.

    One version of the authors' public code doubles L_tail, another does not, and the paper has no such factor. It
    would be a weight of 2 on tail classes, which is a weighting's affair: name one, as in ``inverse:gamma=0.5+imbsam``.

    Args:
        optimizer: what makes the step.
        tail: (d,) which classes are tail classes, on the labels' device.
        rho: radius (default 0.05: the authors' code).

    Example:
        >>> import torch.nn.functional as F
        >>> from rdr_core.methods.weighting import Unweighted
        >>> from rdr_core.models import build_model
        >>> from rdr_core.training.objective import WeightedObjective
        >>> model = build_model("small", num_classes=2, channels=1)
        >>> step = ImbSAM(torch.optim.SGD(model.parameters(), lr=0.1), torch.tensor([False, True]))
        >>> objective = WeightedObjective(model, lambda z, y: F.cross_entropy(z, y, reduction="none"), Unweighted())
        >>> step(objective, torch.rand(4, 1, 8, 8), torch.tensor([0, 0, 0, 1])).logits.shape
        torch.Size([4, 2])
    """

    def __init__(self, optimizer: torch.optim.Optimizer, tail: Bool[Tensor, "d"], *, rho: float = 0.05) -> None:
        self.optimizer, self.tail, self.rho = optimizer, tail, rho

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        parameters = trained(self.optimizer)
        tail = self.tail[labels]
        self.optimizer.zero_grad(set_to_none=True)
        first = objective(images, labels)
        weighted = first.weights * first.losses
        gradients = objective.gradients(objective.mean(weighted.where(tail, 0)), parameters, retain_graph=True)
        objective.backward(objective.mean(weighted.where(~tail, 0)))
        with perturbed(objective.model, parameters, perturbation(gradients, self.rho)):
            second = objective(images, labels, weights=first.weights)
            # Added to the head's gradient.
            objective.backward(objective.mean((second.weights * second.losses).where(tail, 0)))
        self.optimizer.step()
        return first


@part(
    "imbsam",
    kind="optimizer",
    summary="SAM for the tail classes only; the head classes train as usual",
    formula="g = grad L_head(w) + grad L_tail(w + rho grad L_tail(w) / ||grad L_tail(w)||)",
    source="Zhou et al. 2023 (ImbSAM)",
    ranges={"rho": at_least(0), "tail": one_of("medium", "few")},
    notes="two forward and three backward passes; tail=medium: Medium and Few classes, tail=few: Few alone",
)
def imbsam(context: Context, sgd: torch.optim.Optimizer, *, rho: float = 0.05, tail: str = "medium") -> ImbSAM:
    """:class:`ImbSAM` around a run's SGD.

    Args:
        context, sgd: the run's.
        rho: radius.
        tail: the largest group that belongs to the tail: "medium" (default, with Few) or "few".

    Raises:
        RdrError: no class is in these groups, so it would be SGD by another name.
    """
    groups = context.data.groups
    classes = groups.few if tail == "few" else np.concatenate([groups.medium, groups.few])
    if not len(classes):
        raise RdrError(
            f"imbsam:tail={tail} perturbs for {'Few' if tail == 'few' else 'Medium and Few'} classes, but this data "
            "has none; choose another tail, other groups or 'sam'."
        )
    is_tail = torch.zeros(len(context.class_counts), dtype=torch.bool)
    is_tail[torch.from_numpy(classes)] = True
    return ImbSAM(sgd, is_tail.to(context.class_counts.device), rho=rho)
