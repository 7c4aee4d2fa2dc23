"""How large a run's data are, without reading them where the data set says so, and data of that size made up."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from rdr_core.data import LongTailedData, from_arrays
from rdr_core.data.datasets import Source
from rdr_core.data.disk.cache import SIDE
from rdr_core.data.disk.decode import STORED_SIDE
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.load import data_root
from rdr_core.data.profiles import profile_counts
from rdr_core.data.sources import find_source, load_source
from rdr_core.errors import MissingData
from rdr_core.runs import RunConfig
from rdr_core.shapes import Int

#: Bytes of training images that are made up, unless the batches that are needed are more.
_BYTES = 64_000_000


@dataclass(frozen=True)
class DataSize:
    """Of a run's data.

    Attributes:
        classes: d.
        image: (C, H, W) of an image as the network takes it.
        counts: (d,) training images by class.
        tested: test images.
        photographs: whether the images are on disk and are cut to size as they are read.
    """

    classes: int
    image: tuple[int, int, int]
    counts: Int[np.ndarray, "d"]
    tested: int
    photographs: bool


def data_size(config: RunConfig) -> DataSize | None:
    """The size of a run's data; None where only the images themselves could tell it and are not at hand.

    Example:
        >>> size = data_size(RunConfig(dataset="digits", imbalance_factor=50, method="ce", epochs=1, model="small",
        ...                            batch_size=32, learning_rate=0.1))
        >>> size.image, size.counts.tolist(), size.tested
        ((1, 8, 8), [124, 80, 51, 33, 21, 14, 9, 5, 3, 2], 500)
    """
    if config.data_hash:
        return None
    source, picked = find_source(config.dataset)
    shape = source.image_shape
    if source.asks or shape is None:
        return None
    as_it_is = config.imbalance_factor is None
    if source.n_test is None or (source.n_train if as_it_is else source.n_max) is None:
        try:
            source = _counted(source, data_root())
        except MissingData:
            return None
    classes, tested, images = source.num_classes, source.n_test, source.n_train if as_it_is else source.n_max
    if classes is None or tested is None or images is None:
        return None
    d = len(picked.split("-")) if picked else classes
    held_out = 0 if source.validation else config.spec.held_out
    if config.imbalance_factor is None or config.profile is None:  # no step takes longer for the shape of the tail
        counts = np.full(d, max(1, images // classes - held_out))
    else:
        counts = profile_counts(config.profile, images - held_out, d, config.imbalance_factor)
    photographs = shape[1:] == (SIDE, SIDE)
    return DataSize(d, shape, counts, d * tested // classes, photographs)


@cache
def _counted(source: Source, root: Path) -> Source:
    """The source with what it does not say counted in its data, which are read for that, once."""
    raw = load_source(source.name, root)
    counts = np.bincount(raw.train_labels)
    return replace(
        source,
        n_max=source.n_max or int(counts.max() if source.long_tailed else counts.min()),
        n_train=source.n_train or len(raw.train_labels),
        n_test=source.n_test or len(raw.test_labels),
    )


def made_up(config: RunConfig, size: DataSize, tested: int, least: int = 0) -> LongTailedData:
    """Random images with the run's labels, in memory: a set no larger than a measurement has use for.

    Args:
        config: of the run; its method says how many images are held out.
        size: of its data.
        tested: test images.
        least: training images that there are in any case (default: none), since batches need them.
    """
    held_out = config.spec.held_out
    shape = (size.image[0], STORED_SIDE, STORED_SIDE) if size.photographs else size.image
    most = max(least, _BYTES // math.prod(shape))
    share = min(most, max(least, size.counts.sum())) / size.counts.sum()
    counts = np.ceil(size.counts * share).astype(int) + held_out  # every class has an image
    train, test = np.repeat(np.arange(size.classes), counts), np.arange(tested) % size.classes
    draw = np.random.default_rng(0)

    def images(number: int) -> np.ndarray | StoredImages:
        pixels = draw.integers(0, 256, (number, *shape), dtype=np.uint8)
        return StoredImages(pixels, "made up", size.image[1]) if size.photographs else pixels

    middle = (0.5,) * shape[0]
    return from_arrays(images(len(train)), train, images(len(test)), test, name=config.dataset, mean=middle, std=middle,
                       held_out=held_out)  # fmt: skip
