"""How each data set is trained unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Defaults of a data set.

    Attributes:
        model: network.
        epochs, batch_size, learning_rate: length and step.
        padding: pixels of black around an image before the random crop; unused for photographs on
            disk, of which a random part is resized (:mod:`rdr_core.training.resized_crop`).
        flip: whether a mirrored image is still of its class.
        threads: on a CPU; None is torch's own choice. One where steps are so small that threads only wait
            for each other, which on a busy machine takes them ten times as long.
    """

    model: str
    epochs: int
    batch_size: int
    learning_rate: float
    padding: int
    flip: bool
    threads: int | None = None


#: CIFAR as in the paper (section 4.1). ImageNet-LT and Places-LT: network, rate and batch of the paper, which gives no
#: length; 90 epochs are ImageNet's and the field's usual, 30 those of its Places-LT runs from ImageNet's weights.
#: Digits and MNIST are ours, chosen so that a run takes seconds and minutes, and so is the user's own tree of images,
#: with ImageNet-LT's rate in proportion to the batch.
SETTINGS = {
    "digits": Settings("small", epochs=60, batch_size=32, learning_rate=0.1, padding=1, flip=False, threads=1),
    "mnist": Settings("small", epochs=20, batch_size=128, learning_rate=0.1, padding=2, flip=False),
    "fashion-mnist": Settings("small", epochs=50, batch_size=128, learning_rate=0.1, padding=2, flip=False),
    "cifar10": Settings("resnet32", epochs=200, batch_size=128, learning_rate=0.1, padding=4, flip=True),
    "cifar100": Settings("resnet32", epochs=200, batch_size=128, learning_rate=0.1, padding=4, flip=True),
    "imagenet-lt": Settings("resnet50", epochs=90, batch_size=256, learning_rate=0.1, padding=0, flip=True),
    "places-lt": Settings("resnet152-imagenet", epochs=30, batch_size=256, learning_rate=0.1, padding=0, flip=True),
    "folder": Settings("resnet50", epochs=90, batch_size=64, learning_rate=0.025, padding=0, flip=True),
}

#: For arrays of the user's own: no assumption on what a shifted or mirrored image means.
ARRAYS = Settings("small", epochs=60, batch_size=64, learning_rate=0.1, padding=0, flip=False)


def settings_of(dataset: str) -> Settings:
    """Defaults of a data set by its name, without what follows a colon; those of arrays for any other name.

    Example:
        >>> settings_of("mnist:9-4").epochs
        20
    """
    return SETTINGS.get(dataset.partition(":")[0], ARRAYS)
