"""Class-wise difficulty balanced weights (CDB): classes that the network gets wrong now count more."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rdr_core.errors import RdrError, TrainingDiverged
from rdr_core.methods.contract import Context
from rdr_core.methods.parts import part, whole_from
from rdr_core.methods.weighting import ClassWeights
from rdr_core.methods.weights import DIFFICULTY_POWERS, difficulty
from rdr_core.shapes import Float


class DifficultyWeights(ClassWeights):
    """Class weights from the accuracy of each class, measured after every epoch; all 1 before the first is over.

    Args:
        num_classes: d.
        measure: () -> (d,) accuracy of each class in 0..1, on images held out of training.
        tau: power of the difficulty: see :func:`rdr_core.methods.weights.difficulty`.

    Example:
        >>> weighting = DifficultyWeights(2, measure=lambda: torch.tensor([0.9, 0.7]), tau=1.0)
        >>> features, labels = torch.zeros(2, 3), torch.tensor([0, 1])
        >>> weighting(features, labels)
        tensor([1., 1.])
        >>> weighting.finish_epoch(0)
        >>> weighting(features, labels)
        tensor([0.5000, 1.5000])
    """

    def __init__(self, num_classes: int, measure: Callable[[], Float[Tensor, "d"]], tau: float | str = "paper") -> None:
        super().__init__(torch.ones(num_classes))
        self.measure, self.tau = measure, tau

    @torch.no_grad()
    def finish_epoch(self, epoch: int) -> None:
        accuracy = self.measure()
        bad = (~((accuracy >= 0) & (accuracy <= 1))).nonzero()
        if len(bad):
            c = int(bad[0])
            raise TrainingDiverged(
                f"cdb weighs classes by their accuracy on images held out; after epoch {epoch + 1} that of class {c} "
                f"is {float(accuracy[c]):g}, which is not in 0..1. Hold out images of each class."
            )
        weights = difficulty(accuracy, self.tau)
        # Where no class is difficult weights are all 1, whatever tau: kept as 0, so that batches count as weightless.
        easy = (accuracy == 1).all() & (self.tau != 0)
        self.class_weights.copy_(torch.where(easy, 0.0, weights))


@part(
    "cdb",
    kind="weighting",
    summary="class-wise difficulty: weights from each class's accuracy on held-out images, after every epoch",
    formula="w_c ~ (1 - A_c)^tau",
    source="Sinha et al. 2020",
    ranges={"tau": DIFFICULTY_POWERS, "images": whole_from(1)},
    held_out="images",
    notes="images of each class are held out before the imbalance is made, so its training set differs from the other "
    "methods'; with a loss that carries the prior it corrects for the difficulty that remains",
)
def cdb(context: Context, *, tau: float | str = "paper", images: int = 25) -> DifficultyWeights:
    """:class:`DifficultyWeights` for a run, on ``images`` held-out images of each class (default 25: its CIFAR code).

    Raises:
        RdrError: data of the user's own that hold out none, or not as many.
    """
    d = context.data.num_classes
    found = 0 if context.data.held_out is None else len(context.data.held_out) // d
    if found != images:
        raise RdrError(
            f"cdb measures accuracy on {images} held-out images of each class, but these data have {found}; make "
            f"them with from_arrays(..., held_out={images})"
            + (f", or name the method cdb:images={found}." if found else ".")
        )
    return DifficultyWeights(d, context.held_out_accuracy, tau)
