"""CC-SAM, first stage: the classifier is perturbed for each class apart, the further the rarer the class.

For class c with batch loss L_c the classifier (W, b) moves to ``(W, b) + rho_c G_c / ||G_c||``, G_c being the
gradient of L_c by (W, b), and the samples of c are judged by it; the rest of the network is not moved. Zhou et al.
loop over the classes. None is needed: with features h, logits' gradients e and a linear classifier,
``G_c = sum_j e_j [h_j, 1]^T`` over the samples of c, so its effect on the logits of a sample i of c is
``G_c [h_i, 1] = sum_j e_j (h_j h_i + 1)``. One (B, B) matrix of products, zero between classes, gives all of them:
no loop, no perturbed copy of the classifier, and one forward and backward pass of the network as in plain training.

Where this follows the paper and its public code: the class's own gradient as direction, the classifier as what is
moved (the paper's text has the feature extractor moved as well; its code does not), the radius ~ (n_c - 1)^(-1/4) of
its PAC-Bayes bound, and the mean of plain and perturbed loss. Where it does not: the code scales each parameter by
sqrt(||W|| / ||g||), which grows without bound as the loss goes to zero, and then by a constant of 1e-6; here rho_c
is a radius in the weights' own units as SAM's rho is, with a joint norm of W and b, and the mean over classes is rho.
The code's mixup is no part of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rdr_core.errors import RdrError
from rdr_core.methods.contract import Context, Objective, Outcome
from rdr_core.methods.parts import at_least, between, part
from rdr_core.shapes import Float, Int


def class_radii(class_counts: Int[Tensor, "d"], rho: float) -> Float[Tensor, "d"]:
    """Radius of each class's perturbation, ~ (n_c - 1)^(-1/4) with mean rho over classes.

    Args:
        class_counts: training images of each class; a class of one counts as a class of two, since the bound that
            the power comes from has nothing to say of it.
        rho: the mean.

    Example:
        >>> class_radii(torch.tensor([17, 2, 1]), rho=0.5)
        tensor([0.3000, 0.6000, 0.6000])
    """
    radii = (class_counts - 1).clamp_min(1).double().pow(-0.25)
    return (rho * radii / radii.mean()).float()


def logit_shift(
    features: Float[Tensor, "b Z"],
    labels: Int[Tensor, "b"],
    batch: tuple[Float[Tensor, "B Z"], Float[Tensor, "B d"], Int[Tensor, "B"]],
    radii: Float[Tensor, "d"],
    *,
    bias: bool = True,
) -> Float[Tensor, "b d"]:
    """How the logits of samples change as the linear classifier moves against each one's class.

    A gradient flows through the features, as through those of a classifier that stands where it was moved to; none
    flows through the move itself.

    Args:
        features, labels: of the samples: the batch's, or a rank's share of it.
        batch: what the moves are made of: the whole batch's features, the gradient of each sample's weighted loss by
            its logits, and labels.
        radii: length of each class's move, in weights and bias together.
        bias: whether the classifier has one, to be moved as well.

    Returns:
        ``rho_c G_c [h, 1] / ||G_c||``; zero for classes whose gradient is zero.

    Example:
        >>> features, labels = torch.tensor([[2.0], [4.0]]), torch.tensor([0, 1])
        >>> errors = torch.tensor([[-3.0, 4.0], [0.0, 0.0]])
        >>> logit_shift(features, labels, (features, errors, labels), torch.tensor([0.5, 0.5]), bias=False)
        tensor([[-0.6000,  0.8000],
                [ 0.0000,  0.0000]])
    """
    known, errors, classes = batch
    same = labels[:, None] == classes
    with torch.no_grad():
        # ||G_c||^2 = sum of (e_j e_k) (h_j h_k + 1) over pairs of c; in float64, since a sum of products may cancel.
        e, h = errors.double(), known.double()
        pairs = (e @ e.T).mul_(h @ h.T + bias).where(classes[:, None] == classes, 0)
        squared = same.double() @ pairs.sum(1)
        scale = torch.where(squared > 0, radii[labels] * squared.clamp_min(0).rsqrt(), 0.0).to(errors.dtype)
    return ((features @ known.detach().T + bias).where(same, 0) @ errors) * scale[:, None]


class CCSAM:
    """One pass a step on ``(1 - share) L(w) + share sum_c L_c(w + e_c)``, e_c moving the classifier for class c.

    Args:
        optimizer: what makes the step.
        radii: (d,) length of each class's move (:func:`class_radii`).
        share: of the perturbed loss, 0 to 1 (default 0.5: the authors' configuration for CIFAR-100; 0.3 for CIFAR-10).

    Example:
        >>> import torch.nn.functional as F
        >>> from rdr_core.methods.weighting import Unweighted
        >>> from rdr_core.models import build_model
        >>> from rdr_core.training.objective import WeightedObjective
        >>> model = build_model("small", num_classes=2, channels=1)
        >>> step = CCSAM(torch.optim.SGD(model.parameters(), lr=0.1), class_radii(torch.tensor([30, 3]), rho=0.05))
        >>> objective = WeightedObjective(model, lambda z, y: F.cross_entropy(z, y, reduction="none"), Unweighted())
        >>> step(objective, torch.rand(4, 1, 8, 8), torch.tensor([0, 0, 0, 1])).logits.shape
        torch.Size([4, 2])
    """

    def __init__(self, optimizer: torch.optim.Optimizer, radii: Float[Tensor, "d"], *, share: float = 0.5) -> None:
        self.optimizer, self.radii, self.share = optimizer, radii, share

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        self.optimizer.zero_grad(set_to_none=True)
        outcome = objective(images, labels)
        (errors,) = torch.autograd.grad((outcome.weights * outcome.losses).sum(), outcome.logits, retain_graph=True)
        ranks, mine = objective.ranks, (outcome.features.detach(), errors, labels)
        known, errors, classes = (ranks.gather(part, ranks.batch) for part in mine)
        bias = objective.model.classifier.bias is not None
        shift = logit_shift(outcome.features, labels, (known, errors, classes), self.radii, bias=bias)
        perturbed = objective.mean(outcome.weights * objective.loss(outcome.logits + shift, labels))
        objective.backward((1 - self.share) * outcome.loss + self.share * perturbed)
        self.optimizer.step()
        return outcome


@part(
    "ccsam",
    kind="optimizer",
    summary="class-conditional SAM: the classifier is perturbed for each class separately, more for rarer ones",
    formula="(1 - share) L(w) + share sum_c L_c(w + rho_c g_c / ||g_c||), rho_c ~ (n_c - 1)^(-1/4) with mean rho",
    source="Zhou et al. 2023 (CC-SAM), stage 1, as its public code has it",
    ranges={"rho": at_least(0), "share": between(0, 1)},
    experts=1,
    notes="one pass of the network, as in SGD; the whole method has a class-balanced second stage: ce+ccsam+crt "
    "(crt without the paper's adversarial features)",
)
def ccsam(context: Context, sgd: torch.optim.Optimizer, *, rho: float = 0.05, share: float = 0.5) -> CCSAM:
    """:class:`CCSAM` around a run's SGD.

    Args:
        context, sgd: the run's.
        rho: mean radius over classes (default 0.05: SAM's; the paper's scale is another one, see above).
        share: of the perturbed loss.

    Raises:
        RdrError: the network's classifier is not linear.
    """
    classifier = context.model.classifier
    if type(classifier) is not nn.Linear:
        raise RdrError(
            f"ccsam moves a linear classifier, but this network's is a {type(classifier).__name__}; use 'sam'."
        )
    return CCSAM(sgd, class_radii(context.class_counts, rho), share=share)
