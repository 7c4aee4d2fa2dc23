"""A long-tailed classification set in memory, with all that makes it reproducible."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.groups import Groups
from rdr_core.data.kinds import IMAGES, Kind, kind_of, size_in_words
from rdr_core.data.split import Split
from rdr_core.data.subsets import indices_hash
from rdr_core.shapes import Float, Int


@dataclass(frozen=True, eq=False, repr=False)
class LongTailedData:
    """A long-tailed training set and its test set, on the CPU.

    Counts and priors are those of the training labels, which are the noisy ones if there is label noise: no method
    could know the clean ones. Groups come from the clean counts, so that Many, Medium and Few are the same classes with
    and without noise. Test labels are never noisy.

    Attributes:
        name: of the data set, such as ``"cifar10"``.
        train: samples and labels, noisy if ``noise_rate`` > 0.
        test: samples and labels of the whole test set.
        class_names: d names.
        mean: mean of each channel or column, of pixels scaled to 0..1; training normalises with it. Texts have none.
        std: standard deviation of each channel, likewise.
        groups: Many, Medium and Few, by the clean counts.
        indices: (N,) int64 position of each training sample in the source.
        clean_labels: (N,) int64 training labels before the noise.
        imbalance_factor: IF of the subset; None if the source's own imbalance is used.
        profile: ``"exponential"``, ``"step"``, or None where the imbalance was taken as it is.
        seed: of the subset and of the noise.
        noise_rate: share of training labels flipped, in [0, 1).
        noise: ``"symmetric"`` or ``"prior"``.
        held_out: the same number of samples of each class, with true labels, taken out of the source before the
            imbalance was made; None if none were asked for.
        vocabulary: of texts, how many different words there can be; None of all else.

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
    vocabulary: int | None = None

    @property
    def num_classes(self) -> int:
        """d."""
        return len(self.class_names)

    @property
    def kind(self) -> Kind:
        """What its samples are: images, rows of a table, series or texts."""
        return kind_of(self.train.inputs)

    @property
    def channels(self) -> int:
        """What a network is built for: C of images and series, columns of a table, different words of texts."""
        return self.train.inputs.shape[1] if self.vocabulary is None else self.vocabulary

    @cached_property
    def class_counts(self) -> Int[Tensor, "d"]:
        """n_c: training samples of each class, by the labels as given (noisy where there is noise)."""
        return torch.bincount(self.train.labels, minlength=self.num_classes)

    @cached_property
    def clean_class_counts(self) -> Int[Tensor, "d"]:
        """Training samples of each class before the noise."""
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

        Samples and labels, training, test and held-out, with their shapes; mean and std; class names and groups. Of
        images on disk their fingerprint, since reading all of them would take minutes.
        """
        digest = hashlib.sha256()
        groups = [classes.tolist() for _, classes in self.groups.items()]
        digest.update(repr((tuple(self.mean), tuple(self.std), tuple(self.class_names), groups)).encode())
        if self.kind is not IMAGES:  # whose hashes are older than the other kinds
            digest.update(repr((self.kind.name, self.vocabulary)).encode())
        for split in (self.train, self.test, *([self.held_out] if self.held_out else [])):
            digest.update(repr(tuple(split.inputs.shape)).encode())
            if isinstance(split.inputs, StoredImages):
                digest.update(split.inputs.fingerprint.encode())
            else:
                digest.update(split.inputs.contiguous().numpy().data)
            digest.update(split.labels.numpy().astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        imbalance = "imbalance as given" if self.imbalance_factor is None else f"IF {self.imbalance_factor:g}"
        if self.profile == "step":
            imbalance += " step"
        noise = f", {self.noise_rate:.3g} {self.noise} label noise" if self.noise_rate else ""
        size = size_in_words(self.kind, self.train.inputs.shape[1:])
        largest, smallest = int(self.class_counts.argmax()), int(self.class_counts.argmin())
        return (
            f"LongTailedData({self.name}, {imbalance}{noise}, {len(self.train)} train and {len(self.test)} test "
            f"{self.kind} {size}, {self.num_classes} classes from {self.class_counts[largest]} "
            f"({self.class_names[largest]!r}) to {self.class_counts[smallest]} ({self.class_names[smallest]!r}))"
        )
