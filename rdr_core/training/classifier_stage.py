"""The second stage of a run: a new classifier on a trained network's features, by the loop that trains all runs."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rdr_core.data import LongTailedData
from rdr_core.errors import RdrError
from rdr_core.methods.contract import Objective, Outcome
from rdr_core.methods.second_stage import Classifier, SecondStage
from rdr_core.models import Network
from rdr_core.models.own import OwnModel
from rdr_core.training.config import RunConfig
from rdr_core.training.objective import PlainStep
from rdr_core.training.randomness import fold
from rdr_core.training.ranks import Ranks
from rdr_core.training.sampling import ClassBalanced
from rdr_core.training.state import TrainingState


def second_stage(config: RunConfig) -> SecondStage | None:
    """The second stage that the run's method names, None where it names none."""
    used = config.spec.get("second stage")
    return used.part.make(**used.arguments) if used else None


class SecondStageState(TrainingState):
    """A run whose features are a trained network's and stay so, bit for bit; its classifier learns or is computed.

    A classifier that learns does so by cross-entropy, whatever the first stage's loss: visits are balanced, so a
    loss or weights that correct the imbalance would do so twice. A computed one takes a single epoch in which
    nothing is learnt, one look at each training image without augmentation, so that its history has the same columns.

    Args:
        config: of the whole method, both stages.
        data, device, ranks: as for :class:`TrainingState`.
        trained: the first stage's network.
        own_model: the user's own, where it is such.
    """

    def __init__(
        self,
        config: RunConfig,
        data: LongTailedData,
        device: torch.device,
        trained: Network,
        ranks: Ranks | None = None,
        own_model: OwnModel | None = None,
    ) -> None:
        stage = second_stage(config)
        if stage is None:
            raise RdrError(f"{config.method!r} has no second stage; train it as it is.")
        self.stage, self.trained, self.asked = stage, trained, config.method
        own = replace(
            config,
            method="ce",
            epochs=self.stage.epochs or 1,
            augmentation=config.augmentation if self.stage.epochs else "none",
            seed=fold(config.seed, "second stage"),  # orders and crops unlike those of the first stage
        )
        super().__init__(own, data, device, ranks, own_model)
        self.config = replace(own, method=config.method)  # what messages say

    def _build_method(self) -> None:
        super()._build_method()
        self.model.body.load_state_dict(self.trained.body.state_dict())
        self.model.body.requires_grad_(False)
        if self.stage.closed_form is None:
            self.sampler = ClassBalanced(self.data.train.labels, self.data.num_classes, self.config.seed)
            self.step = ClassifierStep(self.step.optimizer)
            return
        weight, bias = self.trained.classifier.weight.detach(), self.trained.classifier.bias
        before = Classifier(weight, weight.new_zeros(len(weight)) if bias is None else bias.detach())
        after = self.stage.closed_form(before, self.data.class_counts)._asdict()
        if bias is None and after.pop("bias").any():
            raise RdrError(
                f"{self.asked!r} changes the classifier's bias, and this network's has none; give its last layer one."
            )
        self.model.classifier.load_state_dict(after)
        self.step = Look(self.step.optimizer)


class ClassifierStep(PlainStep):
    """A plain step under a body in evaluation mode, whose BatchNorm statistics so stay as they are.

    The body's parameters take no gradient, so the optimizer passes over them, weight decay included.
    """

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        objective.model.body.eval()
        return super().__call__(objective, images, labels)


class Look:
    """No step at all: what the network in evaluation mode makes of the batch."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer

    @torch.no_grad()
    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        for group in self.optimizer.param_groups:
            group["lr"] = 0.0  # as the history is to say
        objective.model.eval()
        return objective(images, labels)
