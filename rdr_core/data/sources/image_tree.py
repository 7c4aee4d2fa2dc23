"""A tree of the user's own images: a folder for each class, below ``train`` and ``test`` (or ``val``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.disk.cache import SIDE, stored_images
from rdr_core.data.disk.find import find_classes
from rdr_core.data.sources.listed import PHOTO_MEAN, PHOTO_STD
from rdr_core.data.sources.raw import RawData
from rdr_core.errors import MissingData, RdrError
from rdr_core.files.places import own_place


# Trained as ImageNet-LT is, with a smaller batch and a rate in proportion.
@dataset("folder", "your own photographs: a folder for each class, in train and in test or val", asks="FOLDER",
         place=80, image_shape=(3, SIDE, SIDE),
         settings=Settings("resnet50", epochs=90, batch_size=64, learning_rate=0.025, flip=True))  # fmt: skip
def load_folder(root: Path, path: str) -> RawData:
    """The images of ``path/train/CLASS/...`` and ``path/test/CLASS/...``, or of ``path/val`` where there is no test.

    Classes are numbered by name; all are resized to 256 and cut to 224, and normalised as photographs are.

    Args:
        root: folder of the data files, whose ``cache`` takes the decoded images.
        path: of the tree, relative to ``root`` or absolute.

    Raises:
        MissingData: folders that are missing, or images that can't be read.
        RdrError: a class without an image, or classes of the test images that training has not.
    """
    tree = own_place(path, "folder:") if path.startswith("~") else root / path
    train = find_classes(tree / "train")
    split = next((split for split in ("test", "val") if (tree / split).is_dir()), None)
    if split is None:
        raise MissingData(f"{tree} has a train folder, but neither test nor val; put the test images into one.")
    test = find_classes(tree / split)
    if set(test) != set(train):
        odd = sorted(set(test) ^ set(train))
        raise RdrError(
            f"{tree}/train and {tree}/{split} have other classes: {', '.join(odd[:10])}"
            f"{' ...' if len(odd) > 10 else ''} in one of them only; give both the same class folders."
        )

    title = tree.name.lower()

    def stored(images: dict[str, list[Path]], split: str) -> tuple:
        files = [file for of_class in images.values() for file in of_class]
        labels = np.repeat(np.arange(len(images)), [len(of_class) for of_class in images.values()])
        return stored_images(files, tree, f"{title}-{split}", root / "cache"), labels

    train_inputs, train_labels = stored(train, "train")
    test_inputs, test_labels = stored(test, split)
    return RawData(
        train_inputs=train_inputs,
        train_labels=train_labels,
        test_inputs=test_inputs,
        test_labels=test_labels,
        class_names=tuple(train),
        mean=PHOTO_MEAN,
        std=PHOTO_STD,
    )
