"""The data sets by name: each file reads one family; this is the list of them."""

from __future__ import annotations

import os
from pathlib import Path

from rdr_core.data.sources.cifar import load_cifar10, load_cifar100
from rdr_core.data.sources.digits import load_digits
from rdr_core.data.sources.mnist import load_mnist
from rdr_core.data.sources.raw import RawData, Source
from rdr_core.errors import unknown_name

__all__ = ["SOURCES", "RawData", "Source", "load_source"]

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source("digits", load_digits, "handwritten digits of scikit-learn, no download", 10, (1, 8, 8), 124),
        Source("mnist", load_mnist, "handwritten digits, 11 MB", 10, (1, 28, 28), 5421),
        Source("cifar10", load_cifar10, "tiny photographs of 10 classes, 170 MB", 10, (3, 32, 32), 5000),
        Source("cifar100", load_cifar100, "tiny photographs of 100 classes, 169 MB", 100, (3, 32, 32), 500),
    )
}


def load_source(name: str, root: str | os.PathLike[str]) -> RawData:
    """The whole of a data set, as its authors publish it, fetched into ``root`` if it is not there.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
        RdrError: an unknown name.

    Example:
        >>> load_source("digits", root="unused").train_images.shape
        (1297, 1, 8, 8)
    """
    if name not in SOURCES:
        raise unknown_name("data set", name, SOURCES)
    return SOURCES[name].load(Path(root).expanduser().absolute())
