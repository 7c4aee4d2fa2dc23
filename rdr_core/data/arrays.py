"""What users hand over, checked: images become (N, C, H, W) uint8, labels (N,) int64 classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rdr_core.data.disk.stored import StoredImages
from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Int, Shaped, UInt8

_WANTED = "N x C x H x W (or N x H x W if grey)"


def as_images(
    images: Tensor | np.ndarray | StoredImages | Sequence, what: str
) -> UInt8[Tensor, "N C H W"] | StoredImages:
    """Images as a uint8 tensor on the CPU; grey ones get C = 1. It may share memory with its input.

    Args:
        images: (N, C, H, W) or (N, H, W), uint8, pixels 0..255, or lists of such numbers; images on disk stay what
            they are.
        what: name of the input for the error, such as ``"train_images"``.

    Raises:
        RdrError: no uint8, no image, channels last, or not 3 or 4 dimensions.

    Example:
        >>> as_images(np.zeros((5, 8, 8), dtype=np.uint8), "train_images").shape
        torch.Size([5, 1, 8, 8])
    """
    if isinstance(images, StoredImages):
        return images
    if not isinstance(images, (Tensor, np.ndarray)):
        images = _from_lists(images, what)
    shape = " x ".join(str(size) for size in images.shape) or "a single number"
    dtype = str(images.dtype).removeprefix("torch.")
    if dtype != "uint8":
        raise RdrError(
            f"{what} has type {dtype} and shape {shape}, but pixels must be uint8, "
            f"0 to 255, {_WANTED}: scale and convert them."
        )
    if images.ndim not in (3, 4):
        raise RdrError(f"{what} has shape {shape}, but images must be {_WANTED}: reshape them.")
    if 0 in images.shape:
        raise RdrError(f"{what} has shape {shape}, which holds no pixel: give at least one image, {_WANTED}.")
    square = images.ndim == 4 and 4 < images.shape[1] == images.shape[2] != images.shape[3]
    if square or (images.ndim == 4 and images.shape[3] <= 4 < images.shape[1]):
        raise RdrError(
            f"{what} has shape {shape}, which looks like N x H x W x C, but images must be {_WANTED}: move the "
            "channels with .transpose(0, 3, 1, 2) in NumPy or .permute(0, 3, 1, 2) in PyTorch."
        )
    if isinstance(images, np.ndarray):
        # PyTorch shares only contiguous, writeable, native memory.
        images = torch.from_numpy(np.require(images, requirements=["C", "W"]))
    return (images.unsqueeze(1) if images.ndim == 3 else images).cpu()


def _from_lists(images: Sequence, what: str) -> np.ndarray:
    """Numbers in lists as an array, uint8 where they are pixels."""
    try:
        array = np.asarray(images)
    except ValueError:
        raise RdrError(f"{what} holds images of different sizes; give all of them one size, {_WANTED}.") from None
    pixels = array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() <= 255
    return array.astype(np.uint8) if pixels else array


def choose(
    inputs: Shaped[Tensor, "N ..."] | StoredImages, rows: Int[np.ndarray, "K"]
) -> Shaped[Tensor, "K ..."] | StoredImages:
    """The samples at ``rows``, in that order: a copy of those in memory; images on disk stay there.

    Example:
        >>> choose(torch.zeros(5, 3, 8, 8, dtype=torch.uint8), np.array([4, 0])).shape
        torch.Size([2, 3, 8, 8])
    """
    return inputs.choose(rows) if isinstance(inputs, StoredImages) else inputs[torch.from_numpy(rows)]


def as_labels(labels: Tensor | np.ndarray | Sequence[int], num_images: int, what: str) -> Int[np.ndarray, "N"]:
    """Labels as a new int64 array.

    Args:
        labels: (N,) integers, none negative.
        num_images: N.
        what: name of the input for the error, such as ``"train_labels"``.

    Raises:
        RdrError: no integers, not one label an image, or a negative label.

    Example:
        >>> as_labels([0, 2, 1], num_images=3, what="train_labels")
        array([0, 2, 1])
    """
    array = labels.cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise RdrError(f"{what} has type {array.dtype}, but labels must be integers 0 to d-1: convert them.")
    if array.shape != (num_images,):
        raise RdrError(
            f"{what} has shape {' x '.join(str(size) for size in array.shape) or 'a single number'}, but there must be "
            f"one label for each of the {num_images} images: give {num_images} labels in one dimension."
        )
    if array.min() < 0:
        raise RdrError(f"{what} holds {array.min()}, but labels must be 0 to d-1: number the classes from 0.")
    return array.astype(np.int64)


def as_class_names(
    class_names: Sequence[str] | None, train_labels: Int[np.ndarray, "N"], test_labels: Int[np.ndarray, "M"]
) -> tuple[str, ...]:
    """The d names, or the class's numbers where there are none; d is the largest label + 1 or the number of names.

    Raises:
        RdrError: a label without a name, or a class without a training sample.

    Example:
        >>> as_class_names(None, np.array([0, 1]), np.array([1]))
        ('0', '1')
    """
    largest = int(max(train_labels.max(), test_labels.max()))
    d = largest + 1 if class_names is None else len(class_names)
    if largest >= d:
        raise RdrError(
            f"A label is {largest}, but there are {d} class names, so labels 0 to {d - 1}: name every class."
        )
    seen = np.unique(train_labels)
    if len(seen) < d:
        # Without an array of d counts: one wild label must not take all memory.
        gaps = np.flatnonzero(seen != np.arange(len(seen)))
        missing = int(gaps[0]) if len(gaps) else len(seen)
        raise RdrError(f"Class {missing} of 0 to {d - 1} has no training sample: leave it out and number without gaps.")
    return tuple(str(name) for name in class_names) if class_names is not None else tuple(str(c) for c in range(d))


def channel_statistics(inputs: Shaped[Tensor, "N C ..."]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel or column, for normalising; of pixels scaled to 0..1.

    A constant channel gets standard deviation 1, so that normalising leaves it 0. NaN, as after a series' end, is
    passed over.

    Example:
        >>> channel_statistics(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
        ((0.5,), (0.5,))
        >>> channel_statistics(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
        ((2.0, 5.0), (1.0, 1.0))
    """
    of_channel = _of_pixels if inputs.dtype == torch.uint8 else _of_numbers
    means, deviations = zip(*(of_channel(inputs[:, c]) for c in range(inputs.shape[1])), strict=True)
    return means, deviations


def _of_pixels(channel: UInt8[Tensor, "N H W"]) -> tuple[float, float]:
    values: Float[Tensor, "256"] = torch.arange(256, dtype=torch.float64) / 255
    # Exact and without a float copy of the images: pixels take only 256 values.
    share = torch.bincount(channel.flatten(), minlength=256).double()
    share /= share.sum()
    mean = (share * values).sum()
    return mean.item(), (share * (values - mean) ** 2).sum().sqrt().item() if (share > 0).sum() > 1 else 1.0


def _of_numbers(channel: Float[Tensor, "N ..."]) -> tuple[float, float]:
    there = channel[~channel.isnan()].double()
    if not len(there):
        return 0.0, 1.0
    deviation = there.std(correction=0).item() if there.min() < there.max() else 1.0
    return there.mean().item(), deviation
