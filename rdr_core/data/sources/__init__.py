"""The data sets by name: each file reads one family; this is the list of them."""

from __future__ import annotations

import os
from pathlib import Path

from rdr_core.data.sources.cifar import load_cifar10, load_cifar100
from rdr_core.data.sources.digits import load_digits
from rdr_core.data.sources.folder import load_folder
from rdr_core.data.sources.listed import imagenet_lt_validation, load_imagenet_lt, load_places_lt, places_lt_validation
from rdr_core.data.sources.mnist import load_fashion_mnist, load_mnist
from rdr_core.data.sources.raw import RawData, Source, pick_classes
from rdr_core.errors import RdrError, unknown_name

__all__ = ["SOURCES", "RawData", "Source", "find_source", "load_source"]

_PHOTO = (3, 224, 224)

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source("digits", load_digits, "handwritten digits of scikit-learn, no download", 10, (1, 8, 8), 124),
        Source("mnist", load_mnist, "handwritten digits, 11 MB", 10, (1, 28, 28), 5421),
        Source("fashion-mnist", load_fashion_mnist, "photographs of clothes in grey, 30 MB", 10, (1, 28, 28), 6000),
        Source("cifar10", load_cifar10, "tiny photographs of 10 classes, 170 MB", 10, (3, 32, 32), 5000),
        Source("cifar100", load_cifar100, "tiny photographs of 100 classes, 169 MB", 100, (3, 32, 32), 500),
        Source("imagenet-lt", load_imagenet_lt, "115,846 photographs, long-tailed by its published list", 1000, _PHOTO,
               1280, long_tailed=True, validation=imagenet_lt_validation),
        Source("places-lt", load_places_lt, "62,500 photographs of places, long-tailed by its published list", 365,
               _PHOTO, 4980, long_tailed=True, validation=places_lt_validation),
        Source("folder", load_folder, "your own photographs: a folder for each class, in train and in test or val",
               None, _PHOTO, None, asks="FOLDER"),
    )
}  # fmt: skip


def find_source(name: str) -> tuple[Source, str | None]:
    """The source of a name such as ``"cifar10"``, ``"mnist:9-4"`` or ``"folder:flowers"``, and what follows the colon.

    Raises:
        RdrError: an unknown name, or one that lacks what must follow it, or has what can't.

    Example:
        >>> source, rest = find_source("mnist:9-4")
        >>> source.name, rest
        ('mnist', '9-4')
    """
    base, colon, rest = name.partition(":")
    if base not in SOURCES:
        raise unknown_name("data set", name, SOURCES)
    source = SOURCES[base]
    if source.asks and not rest:
        raise RdrError(f"{base} needs a {source.asks.lower()} after a colon, as in {base}:flowers.")
    if source.long_tailed and colon:
        raise RdrError(f"{base} takes nothing after its name, but {name!r} has {rest!r}; leave it out.")
    return source, rest if colon else None


def load_source(name: str, root: str | os.PathLike[str]) -> RawData:
    """The whole of a data set, as its authors publish it, fetched into ``root`` if it is not there.

    After a colon, classes to pick (:func:`rdr_core.data.sources.raw.pick_classes`), or the folder of a tree of images.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
        RdrError: an unknown name.

    Example:
        >>> load_source("digits", root="unused").train_images.shape
        (1297, 1, 8, 8)
        >>> load_source("digits:9-4", root="unused").class_names
        ('9', '4')
    """
    source, rest = find_source(name)
    root = Path(root).expanduser().absolute()
    if source.asks:
        return source.load(root, rest)
    raw = source.load(root)
    return raw if rest is None else pick_classes(raw, rest)
