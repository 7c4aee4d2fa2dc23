"""Digits: scikit-learn's 1797 handwritten digits of 8 x 8 pixels, for tests and first steps without a download."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.sources.raw import RawData
from rdr_core.data.subsets import choose_subset
from rdr_core.errors import RdrError

TEST_IMAGES_PER_CLASS = 50


# Trained as we chose, so that a run takes seconds.
@dataset("digits", "handwritten digits of scikit-learn, no download", place=10,
         num_classes=10, image_shape=(1, 8, 8), n_max=124, n_train=1297, n_test=10 * TEST_IMAGES_PER_CLASS,
         settings=Settings("small", epochs=60, batch_size=32, learning_rate=0.1, padding=1, threads=1))  # fmt: skip
def load_digits(root: Path) -> RawData:
    """The 1297 training and 500 test images, pixels 0..16 scaled to 0..255.

    The set has no split of its own. Its balanced test set, 50 images a class, is drawn once by
    ``RandomState(0)`` and depends on no other seed, so results of several seeds are comparable;
    the rest is the training pool, 124 images in its smallest class.

    Args:
        root: unused; the images come with scikit-learn.

    Raises:
        RdrError: scikit-learn is not installed.

    Example:
        >>> np.bincount(load_digits(Path()).test_labels).tolist()
        [50, 50, 50, 50, 50, 50, 50, 50, 50, 50]
    """
    images, labels = _images_and_labels()
    test = np.sort(choose_subset(labels, [TEST_IMAGES_PER_CLASS] * 10, seed=0))
    train = np.setdiff1d(np.arange(len(labels)), test)
    return RawData(
        train_inputs=images[train],
        train_labels=labels[train],
        test_inputs=images[test],
        test_labels=labels[test],
        class_names=tuple(str(digit) for digit in range(10)),
        # Of the training pool, by channel_statistics.
        mean=(0.3061,),
        std=(0.3765,),
    )


@cache
def _images_and_labels() -> tuple[np.ndarray, np.ndarray]:
    """(1797, 1, 8, 8) uint8 and (1797,) int64. Kept, 0.1 MB: scikit-learn has them as text, a tenth of a second."""
    # Its own file is read: to import scikit-learn, for ``load_digits``, takes a second of every command and process.
    package = find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise RdrError("the digits come with scikit-learn, which is not installed here: pip install scikit-learn.")
    path = Path(package.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    rows = np.loadtxt(path, delimiter=",", dtype=np.int64)
    images = np.rint(rows[:, :-1] * (255 / 16)).astype(np.uint8)
    return images.reshape(-1, 1, 8, 8), rows[:, -1].copy()
