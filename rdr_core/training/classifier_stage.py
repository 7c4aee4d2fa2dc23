"""The second stage of a run: a new classifier on a trained network's features, by the loop that trains all runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from rdr_core.data import LongTailedData
from rdr_core.errors import RdrError
from rdr_core.methods.contract import Objective, Outcome, PlainStep
from rdr_core.methods.samplers import ClassBalanced
from rdr_core.methods.second_stage import Classifier, SecondStage
from rdr_core.models import CosineClassifier, ExpertNetwork, Network
from rdr_core.models.own import OwnModel
from rdr_core.shapes import Float
from rdr_core.training.config import RunConfig
from rdr_core.training.randomness import fold, generator
from rdr_core.training.ranks import Ranks
from rdr_core.training.state import TrainingState
from rdr_core.training.views import logits_of_views


def second_stage(config: RunConfig) -> SecondStage | None:
    """The second stage that the run's method names, None where it names none.

    Raises:
        RdrError: it looks at augmented views of test images, and the run's augmentation leaves all images as they are.
    """
    used = config.spec.get("second stage")
    stage: SecondStage | None = used.part.make(**used.arguments) if used else None
    if stage and used and stage.views and config.augmentation == "none":
        raise RdrError(
            f"{config.method!r}: {used.part.name} compares augmented views of test images, which are all alike with "
            f"augmentation 'none'; take another augmentation, which only images have, or leave {used.part.name} out."
        )
    return stage


class SecondStageState(TrainingState):
    """A run whose features are a trained network's and stay so, bit for bit; its classifier learns or is computed.

    What learns is a fresh classifier, or the factors of the trained one's rows, which are kept beside the network.

    A classifier that learns does so by cross-entropy, whatever the first stage's loss: visits are balanced, so a
    loss or weights that correct the imbalance would do so twice. A computed one takes a single epoch in which
    nothing is learnt, one look at each training image without augmentation, so that its history has the same columns.
    So do shares of experts, which follow from views of the test images.

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
        self.stage, self.trained, self.asked = stage, trained, config
        own = replace(
            config,
            method=str(config.spec.loss) if config.spec.experts > 1 else "ce",
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
        if self.stage.shares is not None:
            self.model.classifier.load_state_dict(self.trained.classifier.state_dict())
            self._share_out(self.stage.shares)
            self.step = Look(self.step.optimizer)
            return
        weight, bias = self.trained.classifier.weight.detach(), self.trained.classifier.bias
        before = Classifier(weight, weight.new_zeros(len(weight)) if bias is None else bias.detach())
        if self.stage.closed_form is not None:
            self._set_classifier(self.stage.closed_form(before, self.data.class_counts))
            self.step = Look(self.step.optimizer)
            return
        draw = partial(generator, self.config.seed)
        self.sampler = ClassBalanced(self.data.train.labels, self.data.num_classes, draw)
        if self.stage.scales:
            if bias is None:
                raise RdrError(
                    f"{self.asked.method!r} scales the classifier's bias, and this network has none; give it one."
                )
            self._set_classifier(before)
            self.step = ScaleStep(self.step.optimizer, self.model.classifier)
        else:
            self.step = ClassifierStep(self.step.optimizer)

    def _share_out(self, shares: Callable[[Iterator[tuple[Tensor, Tensor]]], Float[Tensor, "E"]]) -> None:
        """Give the experts the shares that follow from how they see the test images."""
        assert isinstance(self.model, ExpertNetwork)  # the grammar refuses others
        drawn = replace(self.config, augmentation=self.asked.augmentation)
        views = logits_of_views(self.model.eval(), self.data, drawn, self.stage.views)
        self.model.classifier.shares.copy_(shares(views))

    def _set_classifier(self, values: Classifier) -> None:
        """Of a network of the user's own it may have no bias."""
        named = values._asdict()
        if self.model.classifier.bias is None and named.pop("bias").any():
            raise RdrError(
                f"{self.asked.method!r} changes the classifier's bias, and this network's has none; give its last "
                "layer one."
            )
        self.model.classifier.load_state_dict(named)

    def tree(self) -> dict[str, Any]:
        tree = super().tree()
        return tree | {"scales": self.step.scales.detach()} if isinstance(self.step, ScaleStep) else tree

    def restore(self, tree: dict[str, Any]) -> None:
        super().restore(tree)
        if isinstance(self.step, ScaleStep):
            self.step.take(tree["scales"])


class ClassifierStep(PlainStep):
    """A plain step under a body in evaluation mode, whose BatchNorm statistics so stay as they are.

    The body's parameters take no gradient, so the optimizer passes over them, weight decay included.
    """

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        objective.model.body.eval()
        return super().__call__(objective, images, labels)


class ScaleStep:
    """A step on a factor for each class, by which weights and bias of the trained classifier are multiplied.

    The network stays an ordinary one: after each step its classifier is the trained one times the factors. A factor's
    gradient follows from the classifier's: of logits ``f_c (w_c h + b_c)``, and a gradient G of ``f_c [w_c, b_c]``, it
    is ``G_c [w_c, b_c]``.

    Args:
        sgd: whose learning rate, momentum and weight decay the factors take.
        classifier: the trained one, which is changed.

    Example:
        >>> layer = nn.Linear(2, 3)
        >>> ScaleStep(torch.optim.SGD(layer.parameters(), lr=0.1), layer).scales.tolist()
        [1.0, 1.0, 1.0]
    """

    def __init__(self, sgd: torch.optim.Optimizer, classifier: nn.Linear | CosineClassifier) -> None:
        self.classifier = classifier
        self.trained = Classifier(classifier.weight.detach().clone(), classifier.bias.detach().clone())
        self.scales = nn.Parameter(torch.ones_like(self.trained.bias))
        usual = sgd.param_groups[0]
        self.optimizer: torch.optim.Optimizer = torch.optim.SGD(
            [self.scales], lr=usual["lr"], momentum=usual["momentum"], weight_decay=usual["weight_decay"]
        )

    def __call__(self, objective: Objective, images: Tensor, labels: Tensor) -> Outcome:
        objective.model.body.eval()
        outcome = objective(images, labels)
        weight, bias = objective.gradients(outcome.loss, [self.classifier.weight, self.classifier.bias])
        self.scales.grad = (weight * self.trained.weight).sum(1) + bias * self.trained.bias
        self.optimizer.step()
        self.take(self.scales.detach())
        return outcome

    @torch.no_grad()
    def take(self, scales: Float[Tensor, "d"]) -> None:
        """Have these factors, and the classifier multiplied by them."""
        self.scales.copy_(scales)
        self.classifier.weight.copy_(self.trained.weight * self.scales[:, None])
        self.classifier.bias.copy_(self.trained.bias * self.scales)


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
