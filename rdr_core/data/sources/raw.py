"""What the sources give: a data set as published, and some of its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.data.disk.stored import StoredImages
from rdr_core.errors import RdrError
from rdr_core.shapes import Int, Shaped

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class RawData:
    """A data set as published, before any subset.

    Attributes:
        train_inputs: images (N, C, H, W) uint8, in memory or on disk; or what else samples can be
            (:mod:`rdr_core.data.kinds`), in memory.
        train_labels: (N,) int64, 0..d-1.
        test_inputs: M of them, likewise.
        test_labels: (M,) int64, 0..d-1.
        class_names: d names.
        mean: of each channel or column, of pixels scaled to 0..1, that the field normalises by; None (default) is
            that of the training samples used.
        std: likewise.
        vocabulary: of texts, how many different words there can be.
    """

    train_inputs: Shaped[np.ndarray, "N ..."] | Shaped[Tensor, "N ..."] | StoredImages
    train_labels: Int[np.ndarray, "N"]
    test_inputs: Shaped[np.ndarray, "M ..."] | Shaped[Tensor, "M ..."] | StoredImages
    test_labels: Int[np.ndarray, "M"]
    class_names: tuple[str, ...]
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    vocabulary: int | None = None


def pick_classes(raw: RawData, classes: str) -> RawData:
    """Some classes of a set, in the order given, numbered anew: ``"9-4"`` makes 9 the largest class and 4 the smallest.

    With an imbalance factor this is the two-class MNIST that CDB (Sinha et al. 2020) takes from Ren et al. 2018; theirs
    has 5000 images in all, ours as many of the large class as the smaller one has in the source.

    Raises:
        RdrError: fewer than two classes, one that is none, or one twice.

    Example:
        >>> images, labels = np.zeros((4, 1, 2, 2), np.uint8), np.array([0, 1, 2, 2])
        >>> raw = RawData(images, labels, images, labels, ("a", "b", "c"), (0.5,), (0.5,))
        >>> picked = pick_classes(raw, "2-0")
        >>> picked.class_names, picked.train_labels.tolist()
        (('c', 'a'), [1, 0, 0])
    """
    d = len(raw.class_names)
    parts = classes.split("-")
    if not all(part.isascii() and part.isdigit() and int(part) < d for part in parts) or len(set(parts)) < len(parts):
        raise RdrError(f"{classes!r} picks no classes; give numbers of 0 to {d - 1}, each once, as in 9-4.")
    if len(parts) < 2:
        raise RdrError(f"{classes!r} picks one class; give two or more, as in 9-4.")
    return take_classes(raw, [int(part) for part in parts])


def take_classes(raw: RawData, wanted: Sequence[int]) -> RawData:
    """The images of these classes, in the order that they lie in, with classes numbered as they come in ``wanted``.

    Example:
        >>> images, labels = np.zeros((4, 1, 2, 2), np.uint8), np.array([0, 1, 2, 2])
        >>> raw = RawData(images, labels, images, labels, ("a", "b", "c"), (0.5,), (0.5,))
        >>> take_classes(raw, [2, 0, 1]).train_labels.tolist()
        [1, 2, 0, 0]
    """
    number = np.full(len(raw.class_names), -1)
    number[list(wanted)] = np.arange(len(wanted))

    def picked(
        inputs: np.ndarray | Tensor | StoredImages, labels: np.ndarray
    ) -> tuple[np.ndarray | Tensor | StoredImages, np.ndarray]:
        rows = np.flatnonzero(number[labels] >= 0)
        chosen = inputs.choose(rows) if isinstance(inputs, StoredImages) else inputs[rows]
        return chosen, number[labels[rows]]

    train_inputs, train_labels = picked(raw.train_inputs, raw.train_labels)
    test_inputs, test_labels = picked(raw.test_inputs, raw.test_labels)
    return replace(
        raw,
        train_inputs=train_inputs,
        train_labels=train_labels,
        test_inputs=test_inputs,
        test_labels=test_labels,
        class_names=tuple(raw.class_names[c] for c in wanted),
    )
