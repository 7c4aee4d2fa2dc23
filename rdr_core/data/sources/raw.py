"""What a source is and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdr_core.shapes import Int, UInt8


@dataclass(frozen=True, eq=False)
class RawData:
    """A data set as published, before any subset.

    Attributes:
        train_images: (N, C, H, W) uint8.
        train_labels: (N,) int64, 0..d-1.
        test_images: (M, C, H, W) uint8.
        test_labels: (M,) int64, 0..d-1.
        class_names: d names.
        mean: of each channel, of pixels scaled to 0..1, that the field normalises by.
        std: likewise.
    """

    train_images: UInt8[np.ndarray, "N C H W"]
    train_labels: Int[np.ndarray, "N"]
    test_images: UInt8[np.ndarray, "M C H W"]
    test_labels: Int[np.ndarray, "M"]
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Source:
    """A data set that can be loaded by name.

    Attributes:
        name: as in ``load_data(name)``.
        load: reads it from a folder, fetching it first if need be.
        description: one line.
        num_classes: d.
        image_shape: (C, H, W).
        n_max: count of its smallest training class, which is the largest class of its long-tailed
            subsets and the largest imbalance factor it can have.
    """

    name: str
    load: Callable[[Path], RawData]
    description: str
    num_classes: int
    image_shape: tuple[int, int, int]
    n_max: int
