"""Named data sets made long-tailed: ``load_data("cifar10", imbalance_factor=100)``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from rdr_core.data.arrays import choose
from rdr_core.data.class_order import FILE
from rdr_core.data.class_order import class_order as ordered_classes
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.long_tailed import LongTailedData
from rdr_core.data.sources import find_source, load_source
from rdr_core.data.sources.raw import take_classes
from rdr_core.data.split import Split
from rdr_core.data.subsets import choose_subset
from rdr_core.data.tail import make_tail
from rdr_core.errors import RdrError
from rdr_core.files.places import own_place
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.shapes import Int


@plain_numbers
@own_settings()
def load_data(
    name: str,
    *,
    imbalance_factor: int | float | str | None = "usual",
    profile: str | None = "exponential",
    seed: int = 0,
    noise_rate: int | float = 0.0,
    noise: str = "symmetric",
    root: str | os.PathLike[str] | None = None,
    groups: str = "rank",
    held_out: int = 0,
    class_order: str | int | Sequence | np.ndarray = FILE,
) -> LongTailedData:
    """A data set of :data:`rdr_core.data.DATASETS` with a long tail, downloaded on first use.

    Args:
        name: ``"digits"`` (comes with scikit-learn), ``"mnist"``, ``"fashion-mnist"``, ``"cifar10"``, ``"cifar100"``;
            some of their classes, as ``"mnist:9-4"``; ``"imagenet-lt"`` or ``"places-lt"``, whose images and lists must
            be there (:mod:`rdr_core.data.sources.listed`); or a tree of images, as ``"folder:flowers"``
            (:mod:`rdr_core.data.sources.image_tree`).
        imbalance_factor: largest over smallest class, from 1 (balanced) to the source's smallest class (124 on digits,
            5000 on CIFAR-10, 500 on CIFAR-100). ``"usual"`` (default) is 100, the field's usual, but list-file sets and
            trees of images keep their own imbalance. None keeps any source's own.
        profile: ``"exponential"`` (default) or ``"step"``; unused where the imbalance is taken as it is.
        seed: of the subset and the noise, 0 (default) to 2^32 - 1; seed 0 is the field's subset.
        noise_rate: share of training labels to flip, in [0, 1); default 0; 0.05 in the RDR paper's -NL.
        noise: ``"symmetric"`` (default) or ``"prior"``.
        root: folder of the data files; default: the environment variable RDR_DATA, else ``~/.cache/rdr``.
        groups: ``"rank"`` (default, the RDR paper's) or ``"count"`` (> 100, 20..100, < 20).
        held_out: images of each class to measure on during training (:func:`from_arrays`); default 0. They come from
            the set's published validation list if there is one, otherwise from the training images.
        class_order: which class gets which place in the tail: ``"file"`` (default), the data set's own numbering, by
            which the field's subsets are made; a seed that draws it; or all classes in an order. Classes are numbered
            by their places, and keep their names.

    Raises:
        MissingData: the files are missing or damaged and could not be fetched.
        RdrError: an unknown name, or a value that its argument cannot have.

    Example:
        >>> load_data("digits", imbalance_factor=100).class_counts.tolist()
        [124, 74, 44, 26, 16, 9, 5, 3, 2, 1]
    """
    source, _ = find_source(name)
    if isinstance(imbalance_factor, str):
        if imbalance_factor != "usual":
            raise RdrError(
                f"imbalance_factor is {imbalance_factor!r}; it must be 'usual', a number from 1 (balanced) on, or None."
            )
        imbalance_factor = source.usual_imbalance
    elif source.long_tailed and imbalance_factor is not None:
        raise RdrError(
            f"{name} comes long-tailed, so it can't take the imbalance factor {imbalance_factor:g}; leave it out."
        )
    raw = load_source(name, data_root(root))
    if not (isinstance(class_order, str) and class_order == FILE):
        if imbalance_factor is None:
            raise RdrError(
                f"{name} is used with its own imbalance, so its classes have their places; leave class_order out."
            )
        raw = take_classes(raw, ordered_classes(class_order, len(raw.class_names)).tolist())
    validation = source.validation(data_root(root)) if source.validation and held_out else None
    data = make_tail(
        raw, name, imbalance_factor=imbalance_factor, profile=profile, seed=seed, noise_rate=noise_rate, noise=noise,
        groups=groups, held_out=0 if validation else held_out,
    )  # fmt: skip
    return replace(data, held_out=_some_of(*validation, held_out, seed, name)) if validation else data


def _some_of(images: StoredImages, labels: Int[np.ndarray, "V"], held_out: int, seed: int, name: str) -> Split:
    """``held_out`` images of each class from a published validation list."""
    counts = np.bincount(labels)
    if held_out > counts.min():
        raise RdrError(
            f"{name} publishes {counts.min()} validation images of a class, fewer than {held_out}; ask for that many, "
            f"as in cdb:images={counts.min()}."
        )
    rows = choose_subset(labels, [held_out] * len(counts), seed)
    return Split(choose(images, rows), torch.from_numpy(labels[rows]))


def data_root(root: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the data files: ``root``, else the environment variable RDR_DATA, else ``~/.cache/rdr``.

    Example:
        >>> data_root("datasets").name
        'datasets'
    """
    return own_place(root or os.environ.get("RDR_DATA") or "~/.cache/rdr", "root" if root else "RDR_DATA")
