"""Recipes: the settings of a run that decide its numbers beside the method, each set under a name, with its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rdr_core.data.settings import settings_of
from rdr_core.errors import unknown_name

#: What a recipe says, in the order in which it is told.
VALUES = ("augmentation", "schedule", "warmup", "weight_decay", "epochs", "batch_size", "learning_rate")


@dataclass(frozen=True)
class Recipe:
    """Settings of a run under a name. Where a value is None, it is the data set's own (:mod:`.settings`).

    Attributes:
        about: what it is, in a line.
        augmentation: of the training images (:data:`rdr_core.training.augment.AUGMENTATIONS`).
        schedule: of the learning rate (:data:`rdr_core.training.schedule.SCHEDULES`).
        warmup: share of the run in which the learning rate rises.
        weight_decay: of SGD.
        epochs, batch_size, learning_rate: length, batch, and the rate at its peak.
        sources: where each value is from.
    """

    about: str
    augmentation: str
    schedule: str
    warmup: float
    weight_decay: float
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


_WARMUP = "LDAM-DRW's 5 of 200 epochs (Cao et al. 2019); the paper does not say"
_LENGTH = {
    "epochs": "the data set's: 200 on CIFAR (paper, 4.1)",
    "batch_size": "the data set's: 128 on CIFAR (paper, 4.1)",
    "learning_rate": "the data set's: 0.1 on CIFAR (paper, 4.1)",
}

RECIPES = {
    "paper": Recipe(
        "the paper's text, and the field's usual where it is silent",
        augmentation="plain",
        schedule="cosine",
        warmup=0.025,
        weight_decay=2e-4,
        sources={
            "augmentation": "the field's crop and flip; the paper does not say",
            "schedule": "paper, 4.1",
            "warmup": _WARMUP,
            "weight_decay": "paper, 4.1",
            **_LENGTH,
        },
    ),
    "strong": Recipe(
        "the paper's text with the augmentation that its cross-entropy's accuracy suggests: our CIFAR grid's",
        augmentation="strong",
        schedule="cosine",
        warmup=0.025,
        weight_decay=2e-4,
        sources={
            "augmentation": "cross-entropy comes near the paper's accuracy with it (data/measurements/README.md)",
            "schedule": "paper, 4.1",
            "warmup": _WARMUP,
            "weight_decay": "paper, 4.1",
            **_LENGTH,
        },
    ),
    "authors": Recipe(
        "the authors' released code",
        augmentation="authors",
        schedule="step",
        warmup=0.025,
        weight_decay=1e-4,
        sources={
            "augmentation": "main.py and utils/autoaug.py: AutoAugment filled with grey 128, Cutout of 16 black pixels",
            "schedule": "utils/utils.py: x 0.01 after epoch 160, x 0.0001 after epoch 180 of 200",
            "warmup": "utils/utils.py: epoch / 5 of the rate in the first 5 of 200 epochs",
            "weight_decay": "main.py, --wd",
            "epochs": "main.py, --epochs: 200 on CIFAR; elsewhere the data set's",
            "batch_size": "main.py, --batch-size: 128 on CIFAR; elsewhere the data set's",
            "learning_rate": "main.py, --lr: 0.1 on CIFAR; elsewhere the data set's",
        },
    ),
    "cdb": Recipe(
        "CDB-loss's code for CIFAR-100-LT; not its classifier's first bias, nor its means of ImageNet",
        augmentation="plain",
        schedule="step-cdb",
        warmup=0.0,
        weight_decay=5e-4,
        epochs=240,
        batch_size=32,
        sources={
            "augmentation": "github.com/hitachi-rd-cv/CDB-loss, ec6d375: crop and flip",
            "schedule": "the same: x 0.01 after epoch 160 and again after 210 of 240",
            "warmup": "the same: none",
            "weight_decay": "the same: 5e-4 (0 for the classifier's bias there)",
            "epochs": "the same: 240",
            "batch_size": "the same: 32",
            "learning_rate": "the data set's: 0.1 on CIFAR, as the same has it",
        },
    ),
}


#: The recipe of a run that names none.
DEFAULT = "paper"


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        RdrError: there is none; the nearest is named.
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    return RECIPES[name]


def settings_for(dataset: str, recipe: str = DEFAULT, **given: Any) -> dict[str, Any]:
    """A run's settings: those of the recipe, else of the data set, each unless it is given.

    Args:
        dataset: by name.
        recipe: one of :data:`RECIPES`.
        given: of :data:`VALUES`; None is as if it were not given.

    Returns:
        The value of each of :data:`VALUES`, as :class:`~rdr_core.runs.RunConfig` takes them.

    Raises:
        RdrError: no such recipe.

    Example:
        >>> found = settings_for("cifar10", "authors", epochs=100)
        >>> found["schedule"], found["weight_decay"], found["epochs"], found["batch_size"]
        ('step', 0.0001, 100, 128)
    """
    of_recipe, of_data = vars(recipe_named(recipe)), vars(settings_of(dataset))
    chosen = {name: of_data[name] if of_recipe[name] is None else of_recipe[name] for name in VALUES}
    return chosen | {name: value for name, value in given.items() if value is not None}


def nearest_recipe(dataset: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The recipe of which a run has the most values, the default where others have no more, and its settings.

    Args:
        dataset: by name.
        values: the run's, by name; those that no recipe speaks of are passed over.

    Example:
        >>> nearest_recipe("cifar10", settings_for("cifar10", "authors", epochs=100))[0]
        'authors'
    """
    offered = {name: settings_for(dataset, name) for name in (DEFAULT, *RECIPES)}
    shared = {name: sum(values[key] == value for key, value in of.items()) for name, of in offered.items()}
    name = max(shared, key=lambda name: shared[name])
    return name, offered[name]
