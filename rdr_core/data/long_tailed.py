"""A long-tailed classification set in memory, with all that makes it reproducible."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rdr_core.data.arrays import as_class_names, as_images, as_labels, channel_statistics, choose
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.grouping import groups_by_count, groups_by_rank
from rdr_core.data.groups import Groups
from rdr_core.data.noise import flip_labels
from rdr_core.data.profiles import profile_counts
from rdr_core.data.subsets import choose_subset, hold_out, indices_hash
from rdr_core.errors import RdrError, unknown_name
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.shapes import Float, Int, UInt8

GROUPINGS: dict[str, Callable[[np.ndarray], Groups]] = {"rank": groups_by_rank, "count": groups_by_count}


@dataclass(frozen=True, eq=False)
class Split:
    """Images and labels, in the same order.

    Attributes:
        images: (N, C, H, W) uint8, pixels 0..255, not normalised; in memory, or on disk and read by ``images[rows]``.
        labels: (N,) int64, 0..d-1.

    Example:
        >>> split = Split(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.tensor([0, 1]))
        >>> len(split)
        2
    """

    images: UInt8[Tensor, "N C H W"] | StoredImages
    labels: Int[Tensor, "N"]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False, repr=False)
class LongTailedData:
    """A long-tailed training set and its test set, on the CPU.

    Counts and priors are those of the training labels, which are the noisy ones if there is label noise: no method
    could know the clean ones. Groups come from the clean counts, so that Many, Medium and Few are the same classes with
    and without noise. Test labels are never noisy.

    Attributes:
        name: of the data set, such as ``"cifar10"``.
        train: (N, C, H, W) images and labels, noisy if ``noise_rate`` > 0.
        test: images and labels of the whole test set.
        class_names: d names.
        mean: mean of each channel for pixels scaled to 0..1; training normalises with it.
        std: standard deviation of each channel, likewise.
        groups: Many, Medium and Few, by the clean counts.
        indices: (N,) int64 position of each training image in the source.
        clean_labels: (N,) int64 training labels before the noise.
        imbalance_factor: IF of the subset; None if the source's own imbalance is used.
        profile: ``"exponential"``, ``"step"``, or None where the imbalance was taken as it is.
        seed: of the subset and of the noise.
        noise_rate: share of training labels flipped, in [0, 1).
        noise: ``"symmetric"`` or ``"prior"``.
        held_out: the same number of images of each class, with true labels, taken out of the source before the
            imbalance was made; None if none were asked for.

    Example:
        >>> from rdr_core.data import load_data
        >>> data = load_data("digits", imbalance_factor=10)
        >>> data
        LongTailedData(digits, IF 10, 503 train and 500 test images of 1x8x8, 10 classes from 124 ('0') to 12 ('9'))
        >>> data.class_counts.tolist()
        [124, 96, 74, 57, 44, 34, 26, 20, 16, 12]
    """

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    groups: Groups
    indices: Int[np.ndarray, "N"]
    clean_labels: Int[Tensor, "N"]
    imbalance_factor: int | float | None
    profile: str | None
    seed: int
    noise_rate: int | float
    noise: str
    held_out: Split | None = None

    @property
    def num_classes(self) -> int:
        """d."""
        return len(self.class_names)

    @cached_property
    def class_counts(self) -> Int[Tensor, "d"]:
        """n_c: training images of each class, by the labels as given (noisy where there is noise)."""
        return torch.bincount(self.train.labels, minlength=self.num_classes)

    @cached_property
    def clean_class_counts(self) -> Int[Tensor, "d"]:
        """Training images of each class before the noise."""
        return torch.bincount(self.clean_labels, minlength=self.num_classes)

    @cached_property
    def priors(self) -> Float[Tensor, "d"]:
        """pi_c = n_c / N, float32, of the labels as given."""
        return (self.class_counts.double() / len(self.train)).float()

    @cached_property
    def indices_hash(self) -> str:
        """16 hex digits that recognise the subset: see :func:`rdr_core.data.subsets.indices_hash`."""
        return indices_hash(self.indices)

    @cached_property
    def content_hash(self) -> str:
        """16 hex digits of the SHA-256 of all that training and its numbers depend on.

        Images and labels, training, test and held-out, with their shapes; mean and std; class names and groups. Of
        images on disk their fingerprint, since reading all of them would take minutes.
        """
        digest = hashlib.sha256()
        groups = [classes.tolist() for _, classes in self.groups.items()]
        digest.update(repr((tuple(self.mean), tuple(self.std), tuple(self.class_names), groups)).encode())
        for split in (self.train, self.test, *([self.held_out] if self.held_out else [])):
            digest.update(repr(tuple(split.images.shape)).encode())
            images = split.images
            if isinstance(images, StoredImages):
                digest.update(images.fingerprint.encode())
            else:
                digest.update(images.contiguous().numpy().data)
            digest.update(split.labels.numpy().astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        imbalance = "imbalance as given" if self.imbalance_factor is None else f"IF {self.imbalance_factor:g}"
        if self.profile == "step":
            imbalance += " step"
        noise = f", {self.noise_rate:.3g} {self.noise} label noise" if self.noise_rate else ""
        size = "x".join(str(side) for side in self.train.images.shape[1:])
        largest, smallest = int(self.class_counts.argmax()), int(self.class_counts.argmin())
        return (
            f"LongTailedData({self.name}, {imbalance}{noise}, {len(self.train)} train and {len(self.test)} test images "
            f"of {size}, {self.num_classes} classes from {self.class_counts[largest]} ({self.class_names[largest]!r}) "
            f"to {self.class_counts[smallest]} ({self.class_names[smallest]!r}))"
        )


@plain_numbers
@own_settings()
def from_arrays(
    train_images: Tensor | np.ndarray | StoredImages,
    train_labels: Tensor | np.ndarray | Sequence[int],
    test_images: Tensor | np.ndarray | StoredImages,
    test_labels: Tensor | np.ndarray | Sequence[int],
    *,
    imbalance_factor: int | float | None = None,
    profile: str | None = "exponential",
    seed: int = 0,
    noise_rate: int | float = 0.0,
    noise: str = "symmetric",
    name: str = "arrays",
    class_names: Sequence[str] | None = None,
    groups: str = "rank",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    held_out: int = 0,
) -> LongTailedData:
    """A long-tailed set from your own images: subset first, then label noise. The arrays are copied.

    Args:
        train_images: (N, C, H, W) uint8, or (N, H, W) if grey.
        train_labels: (N,) integers 0..d-1; every class needs a training image.
        test_images: (M, C, H, W) uint8 of the same C, H and W, or (M, H, W).
        test_labels: (M,) integers 0..d-1.
        imbalance_factor: IF of the subset to draw, with class 0 the largest. Its count is that of
            the source's smallest class, so that every class can supply its own (5000 on CIFAR-10,
            500 on CIFAR-100); 1 is balanced at that count. None (default) takes all images and
            their imbalance as it is.
        profile: ``"exponential"`` (default) or ``"step"``; unused without an imbalance factor.
        seed: of the subset and of the noise, 0 (default) to 2^32 - 1.
        noise_rate: share of training labels to flip, in [0, 1); default 0.
        noise: ``"symmetric"`` (default) or ``"prior"``: see :func:`rdr_core.data.noise.flip_labels`.
        name: of the set, for reports.
        class_names: d names; default the class's numbers.
        groups: ``"rank"`` (default, the RDR paper's) or ``"count"`` (> 100, 20..100, < 20).
        mean: of each channel, of pixels scaled to 0..1; default: of the training images kept.
        std: likewise, above 0.
        held_out: images of each class to take out of the training images before anything else, for
            methods that measure accuracy while training, such as cdb; default 0.

    Raises:
        RdrError: an array of the wrong shape or type, labels that are no classes, a class without
            a training sample (before or after the noise), images on disk without mean and std, or a value that its
            argument cannot have.

    Example:
        >>> images, labels = torch.zeros(6, 3, 4, 4, dtype=torch.uint8), [0, 0, 0, 0, 1, 1]
        >>> from_arrays(images, labels, images, labels).priors
        tensor([0.6667, 0.3333])
    """
    if groups not in GROUPINGS:
        raise unknown_name("grouping", groups, GROUPINGS)
    source, test_pixels = as_images(train_images, "train_images"), as_images(test_images, "test_images")
    if source.shape[1:] != test_pixels.shape[1:]:
        sizes = [" x ".join(str(size) for size in images.shape[1:]) for images in (source, test_pixels)]
        raise RdrError(
            f"Training images are {sizes[0]} but test images {sizes[1]} (C x H x W): give one size for both."
        )
    source_labels = as_labels(train_labels, len(source), "train_labels")
    test_classes = as_labels(test_labels, len(test_pixels), "test_labels")
    names = as_class_names(class_names, source_labels, test_classes)

    apart = hold_out(source_labels, len(names), held_out, seed)
    left = np.setdiff1d(np.arange(len(source_labels)), apart)
    if imbalance_factor is None:
        indices = left
    else:
        largest = int(np.bincount(source_labels[left]).min())
        counts = profile_counts(profile, largest, len(names), imbalance_factor)
        indices = left[choose_subset(source_labels[left], counts, seed)]
    clean = source_labels[indices]
    given = flip_labels(clean, len(names), noise_rate, noise, seed)
    emptied = np.flatnonzero(np.bincount(given, minlength=len(names)) == 0)
    if len(emptied):
        raise RdrError(
            f"{noise.capitalize()} label noise at rate {noise_rate:g} (seed {seed}) leaves class {emptied[0]} without "
            "a training sample: take another seed, a lower rate or a smaller imbalance factor."
        )

    pixels = choose(source, indices)
    if mean is not None and std is not None:
        measured: tuple[tuple[float, ...], tuple[float, ...]] = (), ()
    elif isinstance(pixels, StoredImages):
        raise RdrError("Images on disk are not measured; give the mean and std of their channels.")
    else:
        measured = channel_statistics(pixels)
    return LongTailedData(
        name=name,
        train=Split(pixels, torch.from_numpy(given)),
        test=Split(choose(test_pixels, np.arange(len(test_classes))), torch.from_numpy(test_classes)),
        class_names=names,
        mean=measured[0] if mean is None else _per_channel(mean, pixels.shape[1], "mean"),
        std=measured[1] if std is None else _per_channel(std, pixels.shape[1], "std"),
        groups=GROUPINGS[groups](np.bincount(clean, minlength=len(names))),
        indices=indices,
        clean_labels=torch.from_numpy(clean),
        imbalance_factor=imbalance_factor,
        profile=None if imbalance_factor is None else profile,
        seed=seed,
        noise_rate=noise_rate,
        noise=noise,
        held_out=Split(choose(source, apart), torch.from_numpy(source_labels[apart])) if held_out else None,
    )


def _per_channel(values: Sequence[float], channels: int, what: str) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != channels or not np.isfinite(numbers).all() or (what == "std" and min(numbers) <= 0):
        raise RdrError(
            f"{what} is {numbers}, but it must hold one finite number{' above 0' if what == 'std' else ''} "
            f"for each of the {channels} channels, of pixels scaled to 0..1."
        )
    return numbers
