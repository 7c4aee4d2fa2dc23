"""Images that are in memory already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
from torch import Tensor

from rdr_core.data.arrays import as_class_names, as_images, as_labels
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.long_tailed import LongTailedData
from rdr_core.data.sources.raw import RawData
from rdr_core.data.tail import Tail, make_tail
from rdr_core.errors import RdrError
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers


@plain_numbers
@own_settings()
def from_arrays(
    train_images: Tensor | np.ndarray | StoredImages,
    train_labels: Tensor | np.ndarray | Sequence[int],
    test_images: Tensor | np.ndarray | StoredImages,
    test_labels: Tensor | np.ndarray | Sequence[int],
    *,
    name: str = "arrays",
    class_names: Sequence[str] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    **tail: Unpack[Tail],
) -> LongTailedData:
    """A long-tailed set from your own images: subset first, then label noise. The arrays are copied.

    Args:
        train_images: (N, C, H, W) uint8, or (N, H, W) if grey.
        train_labels: (N,) integers 0..d-1; every class needs a training image.
        test_images: (M, C, H, W) uint8 of the same C, H and W, or (M, H, W).
        test_labels: (M,) integers 0..d-1.
        name: of the set, for reports.
        class_names: d names; default the class's numbers.
        mean: of each channel, of pixels scaled to 0..1; default: of the training images kept.
        std: likewise, above 0.
        tail: imbalance_factor, profile, seed, noise_rate, noise, groups and held_out
            (:class:`rdr_core.data.tail.Tail`).

    Raises:
        RdrError: an array of the wrong shape or type, labels that are no classes, a class without
            a training sample (before or after the noise), images on disk without mean and std, or a value that its
            argument cannot have.

    Example:
        >>> import torch
        >>> images, labels = torch.zeros(6, 3, 4, 4, dtype=torch.uint8), [0, 0, 0, 0, 1, 1]
        >>> from_arrays(images, labels, images, labels).priors
        tensor([0.6667, 0.3333])
    """
    source, test_pixels = as_images(train_images, "train_images"), as_images(test_images, "test_images")
    if source.shape[1:] != test_pixels.shape[1:]:
        sizes = [" x ".join(str(size) for size in images.shape[1:]) for images in (source, test_pixels)]
        raise RdrError(
            f"Training images are {sizes[0]} but test images {sizes[1]} (C x H x W): give one size for both."
        )
    source_labels = as_labels(train_labels, len(source), "train_labels")
    test_classes = as_labels(test_labels, len(test_pixels), "test_labels")
    names = as_class_names(class_names, source_labels, test_classes)
    raw = RawData(source, source_labels, test_pixels, test_classes, names, mean, std)
    return make_tail(raw, name, **tail)
