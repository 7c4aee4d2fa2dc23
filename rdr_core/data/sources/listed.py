"""ImageNet-LT and Places-LT (Liu et al. 2019): photographs on disk, chosen by published list files.

Below the data root, a folder for each set holds its two lists and what they name; the folders of images may be links::

    imagenet-lt/ImageNet_LT_train.txt    imagenet-lt/train/n01440764/n01440764_10026.JPEG
    imagenet-lt/ImageNet_LT_test.txt     imagenet-lt/val/ILSVRC2012_val_00000001.JPEG, in class folders or not
    places-lt/Places_LT_train.txt        places-lt/data_256/a/airfield/00000001.jpg
    places-lt/Places_LT_test.txt         places-lt/val_256/Places365_val_00000001.jpg
    .../..._val.txt                      for cdb alone: images beside the training ones, 20 of each class
    cache/                               decoded images, written on first use
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.disk.cache import SIDE, stored_images
from rdr_core.data.disk.find import find_files
from rdr_core.data.disk.lists import ImageList, check_published, published, read_list
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.sources.raw import RawData
from rdr_core.errors import MissingData
from rdr_core.shapes import Int

#: Of ImageNet's pixels, by which the field normalises photographs (torchvision's models are trained so).
PHOTO_MEAN, PHOTO_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_LISTS = "https://github.com/Vanint/SADE-AgnosticLT, folder data_txt, or https://github.com/zhmiao/OpenLongTailRecognition-OLTR"


@dataclass(frozen=True)
class _ListedSet:
    folder: str
    title: str
    images: str


_IMAGENET_LT = _ListedSet("imagenet-lt", "ImageNet_LT", "ILSVRC2012's train and val (https://image-net.org)")
_PLACES_LT = _ListedSet(
    "places-lt",
    "Places_LT",
    "Places365-Standard, small images of 256 x 256, easy directories (http://places2.csail.mit.edu)",
)


def imagenet_lt_validation(root: Path) -> tuple[StoredImages, Int[np.ndarray, "V"]]:
    """ImageNet-LT's published validation images, 20 of each class from ILSVRC's training images, and their labels.

    Raises:
        MissingData, RdrError: as :func:`load_imagenet_lt`.
    """
    (images,) = _stored(_IMAGENET_LT, root, "val")
    return images


def places_lt_validation(root: Path) -> tuple[StoredImages, Int[np.ndarray, "V"]]:
    """Places-LT's published validation images, 20 of each class, and their labels.

    Raises:
        MissingData, RdrError: as :func:`load_places_lt`.
    """
    (images,) = _stored(_PLACES_LT, root, "val")
    return images


# Network, rate and batch of the RDR paper, which gives no length: 90 epochs are ImageNet's and the field's usual.
@dataset("imagenet-lt", "115,846 photographs, long-tailed by its published list", title="ImageNet-LT", place=60,
         num_classes=1000, image_shape=(3, SIDE, SIDE), n_max=1280, n_train=115_846, n_test=50_000,
         long_tailed=True, validation=imagenet_lt_validation,
         settings=Settings("resnet50", epochs=90, batch_size=256, learning_rate=0.1, flip=True))  # fmt: skip
def load_imagenet_lt(root: Path) -> RawData:
    """ImageNet-LT from ``root/imagenet-lt``: 115,846 images of 1000 classes, 1280 to 5 each; tested on ILSVRC's val.

    Raises:
        MissingData: lists or images that are missing or can't be read.
        RdrError: lists that are not the published ones.
    """
    return _load(_IMAGENET_LT, root)


# As above, and 30 epochs are those of its runs from ImageNet's weights.
@dataset("places-lt", "62,500 photographs of places, long-tailed by its published list", title="Places-LT", place=70,
         num_classes=365, image_shape=(3, SIDE, SIDE), n_max=4980, n_train=62_500, n_test=36_500,
         long_tailed=True, validation=places_lt_validation,
         settings=Settings("resnet152-imagenet", epochs=30, batch_size=256, learning_rate=0.1, flip=True))  # fmt: skip
def load_places_lt(root: Path) -> RawData:
    """Places-LT from ``root/places-lt``: 62,500 images of 365 classes, 4980 to 5 each; tested on 100 of each class.

    Raises:
        MissingData: lists or images that are missing or can't be read.
        RdrError: lists that are not the published ones.
    """
    return _load(_PLACES_LT, root)


def class_names(images: ImageList, num_classes: int) -> tuple[str, ...]:
    """The folder of each class's images, without what is the same for all; numbers where folders are no classes.

    Example:
        >>> import numpy as np
        >>> names = ("data/a/airfield/1.jpg", "data/b/bar/2.jpg", "data/b/bar/3.jpg")
        >>> class_names(ImageList(Path("list.txt"), names, np.array([0, 1, 1])), 2)
        ('a/airfield', 'b/bar')
    """
    folders: list[set[str]] = [set() for _ in range(num_classes)]
    for name, label in zip(images.names, images.labels.tolist(), strict=True):
        folders[label].add(name.rpartition("/")[0])
    if any(len(of_class) > 1 for of_class in folders) or len(set.union(*folders)) < num_classes:
        return tuple(str(c) for c in range(num_classes))
    parts = [of_class.pop().split("/") for of_class in folders]
    while len({each[0] for each in parts}) == 1 and min(map(len, parts)) > 1:
        parts = [each[1:] for each in parts]
    return tuple("/".join(each) for each in parts)


def _load(wanted: _ListedSet, root: Path) -> RawData:
    (train_inputs, train_labels), (test_inputs, test_labels) = _stored(wanted, root, "train", "test")
    trained_on = _read(wanted, root, "train")
    return RawData(
        train_inputs=train_inputs,
        train_labels=train_labels,
        test_inputs=test_inputs,
        test_labels=test_labels,
        class_names=class_names(trained_on, published(trained_on.path).classes),
        mean=PHOTO_MEAN,
        std=PHOTO_STD,
    )


def _stored(wanted: _ListedSet, root: Path, *splits: str) -> list[tuple[StoredImages, Int[np.ndarray, "N"]]]:
    """Images and labels of each list."""
    folder = root / wanted.folder
    # Every check of the lists, and every image looked for, before hours of decoding.
    lists = [_read(wanted, root, split) for split in splits]
    files = [find_files(images.names, folder) for images in lists]
    return [
        (stored_images(of_split, folder, f"{wanted.folder}-{split}", root / "cache"), images.labels)
        for split, of_split, images in zip(splits, files, lists, strict=True)
    ]


def _read(wanted: _ListedSet, root: Path, split: str) -> ImageList:
    path = root / wanted.folder / f"{wanted.title}_{split}.txt"
    if not path.is_file():
        names = [f"{wanted.title}_{name}.txt" for name in ("train", "test", *(["val"] if split == "val" else []))]
        raise MissingData(
            f"There is no {path}. Put the list files {', '.join(names[:-1])} and {names[-1]} ({_LISTS}) "
            f"into {path.parent}, and beside them, or as links, the folders of images that they name: {wanted.images}."
        )
    images = read_list(path, published(path).classes)
    check_published(images)
    return images
