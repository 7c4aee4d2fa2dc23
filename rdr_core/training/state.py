"""Everything a run in training consists of, built from its configuration, saved and restored as one tree."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rdr_core.data import LongTailedData
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.kinds import IMAGES
from rdr_core.data.settings import settings_of
from rdr_core.data.split import Split
from rdr_core.methods.contract import Context, Mixes, Mixing, PlainStep, Sampler, Step, Weighting
from rdr_core.methods.weighting import ClassWeights, Unweighted
from rdr_core.models import Network, build_model, check_kind, made_for
from rdr_core.models.own import OwnModel
from rdr_core.shapes import Float, Int
from rdr_core.training.augment import Augmentation
from rdr_core.training.batch_norm import over_all_ranks
from rdr_core.training.config import RunConfig
from rdr_core.training.feed import resident
from rdr_core.training.inference import Inputs, held_out_accuracy
from rdr_core.training.normalise import some_samples
from rdr_core.training.objective import WeightedObjective
from rdr_core.training.randomness import generator, random_states, restore_random_states
from rdr_core.training.ranks import Ranks
from rdr_core.training.resized_crop import ResizedCrops
from rdr_core.training.sampling import Shuffled
from rdr_core.training.schedule import learning_rate
from rdr_core.training.transfer import to_device
from rdr_core.training.unchanged import Unchanged
from rdr_core.training.visits import Visits


class TrainingState:
    """Network, method, optimizer, position and records of a run.

    Draws the network's initial weights from torch's global random state.

    Args:
        config: the run's.
        data: what it trains on.
        device: where; the whole set goes there, but for images on disk.
        ranks: the processes that train it together, this one among them.
        own_model: the user's own network, where the configuration names one.
    """

    augmentation: Augmentation | ResizedCrops | Unchanged
    #: Of the epoch under way, in its order of visits; between epochs there are none.
    visits: Visits
    order: Int[Tensor, "V"]
    mixes: Mixes | None
    # Of the method, which stages and trunks build in ways of their own.
    sampler: Sampler
    mixing: Mixing | None
    weighting: Weighting
    step: Step
    objective: WeightedObjective

    def __init__(
        self, config: RunConfig, data: LongTailedData, device: torch.device, ranks: Ranks | None = None,
        own_model: OwnModel | None = None,
    ) -> None:  # fmt: skip
        self.config, self.data, self.device, self.ranks = config, data, device, ranks or Ranks()
        self.augmentation = augmentation_of(config, data)
        self.inputs, self.labels = resident(to_augment(data.train), device), data.train.labels.to(device)
        self.test, self.test_labels = Inputs.of(data, "test", device), data.test.labels.to(device)
        self.mean = torch.tensor(data.mean, device=device)
        self.std = torch.tensor(data.std, device=device)
        self.priors = data.priors.to(device)
        self.model = self._network(own_model)
        self.model.to(device).to(memory_format=torch.channels_last)
        over_all_ranks(self.model, self.ranks)
        self._build_method()
        #: Epochs finished, and batches finished of the next one.
        self.epoch, self.batch = 0, 0
        #: Seconds spent on the epoch under way, before this process.
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        #: (epochs, d) of each column, of which the epochs finished are filled.
        self.classes: dict[str, Tensor] = {}
        #: Visits weighed so far, and those of them whose weight something stands in for (:mod:`..methods.replaced`).
        self.replaced: dict[str, int] = {}
        #: How steps are taken, which the loop decides before the first; anew where the optimizer's state is another.
        self.steps: Callable[[TrainingState], Generator[None, None, None]] | None = None

    def _network(self, own: OwnModel | None) -> Network:
        config, data, spec = self.config, self.data, self.config.spec
        if own is None:
            check_kind(config.model, data.kind)
            return build_model(
                config.model, num_classes=data.num_classes, channels=data.channels, cosine_scale=spec.cosine_scale,
                experts=spec.experts,
            )  # fmt: skip
        samples = some_samples(data)
        return made_for(lambda: own.network(data.num_classes, samples), spec.cosine_scale, spec.experts)

    def _build_method(self) -> None:
        config, spec = self.config, self.config.spec
        sgd = torch.optim.SGD(
            self.model.parameters(),
            lr=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
        counts = self.data.class_counts.to(self.device)
        context = Context(
            class_counts=counts,
            labels=self.labels,
            feature_dim=self.model.feature_dim,
            steps_per_epoch=-(-len(self.labels) // config.batch_size),
            epochs=config.epochs,
            prior=spec.prior_asked,
            seed=config.seed,
            draw=partial(generator, config.seed),
            model=self.model,
            data=self.data,
            held_out_accuracy=held_out_accuracy(self.model, self.data, self.device),
        )
        used = spec.get("sampler")
        self.sampler: Sampler = (
            used.part.make(context, **used.arguments) if used else Shuffled(len(self.labels), config.seed)
        )
        # The other parts are told the epoch's length as the sampler makes it.
        context = replace(context, steps_per_epoch=self.batches)
        used = spec.get("mixing")
        self.mixing = used.part.make(context, **used.arguments) if used else None
        used = spec.get("weighting")
        weighting: Weighting = Unweighted()
        if used and used.part.kind == "class weights":
            weighting = ClassWeights(used.part.make(counts, **used.arguments), name=str(used))
        elif used:
            weighting = used.part.make(context, **used.arguments)
        used = spec.get("schedule")
        if used:
            weighting = used.part.make(context, weighting, **used.arguments)
        self.weighting = weighting.to(self.device)
        used = spec.get("optimizer")
        self.step = used.part.make(context, sgd, **used.arguments) if used else PlainStep(sgd)
        loss = partial(spec.loss.part.make, class_counts=counts, **spec.loss.arguments)
        self.objective = WeightedObjective(self.model, loss, self.weighting, config.precision, self.ranks)

    @property
    def batches(self) -> int:
        """Batches an epoch."""
        return -(-self.sampler.visits // self.config.batch_size)

    def rate(self, batch: int) -> float:
        """The learning rate of a batch of the epoch under way."""
        return learning_rate(
            self.epoch * self.batches + batch,
            batches=self.batches,
            epochs=self.config.epochs,
            peak=self.config.learning_rate,
            warmup=self.config.warmup,
            schedule=self.config.schedule,
        )

    def tree(self) -> dict[str, Any]:
        """All that :meth:`restore` needs to go on as if nothing had happened."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizer": self.step.optimizer.state_dict(),
            "weighting": self.weighting.state_dict(),
            "visits": self.visits.values if self.batch else None,
            "history": self.history,
            "replaced": self.replaced,
            "classes": {name: rows[: len(self.history)] for name, rows in self.classes.items()},
            "random": random_states(self.device),
        }

    def restore(self, tree: dict[str, Any]) -> None:
        """Undo of :meth:`tree`, the global random states included."""
        self.epoch, self.batch, self.seconds = tree["epoch"], tree["batch"], tree["seconds"]
        self.model.load_state_dict(tree["model"])
        self.step.optimizer.load_state_dict(tree["optimizer"])
        _lay_out_as_weights(self.step.optimizer)
        self.weighting.load_state_dict(tree["weighting"])
        if self.batch:
            saved = tree["visits"]
            self.start_visits().values[: len(saved)].copy_(saved)  # older ones have no row of what was replaced
        self.history = tree["history"]
        self.classes = {}
        for name, rows in tree["classes"].items():
            self.classes_of(name, rows[:0])[: len(rows)] = rows
        self.replaced = tree.get("replaced", {})
        restore_random_states(tree["random"], self.device)
        self.steps = None  # recorded ones hold on to where the optimizer's state lay before

    def classes_of(self, name: str, like: Tensor) -> Float[Tensor, "E d"]:
        """A column of the classes, which has room for all epochs; of the type of ``like`` where it is new."""
        if name not in self.classes:
            self.classes[name] = like.new_full((self.config.epochs, self.data.num_classes), torch.nan)
        return self.classes[name]

    def start_visits(self) -> Visits:
        """Fresh records for the epoch, in its order of visits, and what they are mixed with."""
        self.order = to_device(self.sampler.order(self.epoch), self.device)
        size = self.config.batch_size
        self.visits = Visits(self.labels[self.order], size)
        self.mixes = self.mixing.mixes(self.epoch, self.visits.labels, size) if self.mixing else None
        return self.visits


def augmentation_of(config: RunConfig, data: LongTailedData) -> Augmentation | ResizedCrops | Unchanged:
    """What is done to the samples of a run in training, drawn anew for each epoch.

    Raises:
        RdrError: it is unknown, or does not fit the samples.
    """
    settings, inputs = settings_of(config.dataset), data.train.inputs
    made: Augmentation | ResizedCrops | Unchanged
    if isinstance(inputs, StoredImages):
        made = ResizedCrops(config.augmentation, inputs.side, settings.flip, config.seed)
    elif data.kind is IMAGES:
        made = Augmentation(config.augmentation, settings.padding, settings.flip, config.seed)
    else:
        made = Unchanged(config.augmentation, data.kind)
    made.check(data.channels)
    return made


def to_augment(split: Split) -> Tensor | StoredImages:
    """A split's samples as an augmentation takes them: of photographs all pixels, of which it cuts parts."""
    return split.inputs.whole if isinstance(split.inputs, StoredImages) else split.inputs


def _lay_out_as_weights(optimizer: torch.optim.Optimizer) -> None:
    """Give what an optimizer keeps of a weight the weight's own order in memory.

    A file keeps tensors row by row, convolutions' weights lie channels last, and a GPU's fused step refuses the two
    together.
    """
    for weight, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                kept[name] = torch.empty_like(weight, requires_grad=False).copy_(value)
