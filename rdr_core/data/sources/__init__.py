"""The data sets by name: each file reads one family, and registers what is known of it."""

from __future__ import annotations

import os

from rdr_core.data.datasets import DATASETS, Source
from rdr_core.data.sources.raw import RawData, pick_classes
from rdr_core.errors import MissingData, RdrError
from rdr_core.files.places import own_place

__all__ = ["RawData", "find_source", "load_source"]


def find_source(name: str) -> tuple[Source, str | None]:
    """The source of a name such as ``"cifar10"``, ``"mnist:9-4"`` or ``"folder:flowers"``, and what follows the colon.

    Raises:
        RdrError: an unknown name, or one without what must follow it, or with what must not.

    Example:
        >>> source, rest = find_source("mnist:9-4")
        >>> source.name, rest
        ('mnist', '9-4')
    """
    base, colon, rest = name.partition(":")
    source = DATASETS[base]
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
        >>> load_source("digits", root="unused").train_inputs.shape
        (1297, 1, 8, 8)
        >>> load_source("digits:9-4", root="unused").class_names
        ('9', '4')
    """
    source, rest = find_source(name)
    root = own_place(root, "root")
    try:
        raw = source.load(root, rest) if source.asks else source.load(root)
    except OSError as error:  # of a data set that does not say what is missing
        raise MissingData(
            f"{name} can't be read ({type(error).__name__}: {error}); put its files below the data root, {root}."
        ) from error
    _check(source, raw)
    return raw if source.asks or rest is None else pick_classes(raw, rest)


def _check(source: Source, raw: object) -> None:
    """Refuse a data set that is not what its registration says: runs were planned and costed by that."""
    if not isinstance(raw, RawData):
        raise RdrError(
            f"{source.load.__name__}, which reads {source.name}, gives {type(raw).__name__}; it must give "
            "rdr_core.data.RawData."
        )
    shape, d = tuple(raw.train_inputs.shape[1:]), len(raw.class_names)
    if source.image_shape is not None and shape != source.image_shape:
        raise RdrError(f"{source.name} has images of {shape}, but is registered with image_shape {source.image_shape}.")
    if source.num_classes not in (None, d):
        raise RdrError(f"{source.name} has {d} classes, but is registered with num_classes {source.num_classes}.")
