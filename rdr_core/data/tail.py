"""From a data set as it is to a long-tailed one: held-out samples, the subset, then label noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict, Unpack

import numpy as np
import torch
from torch import Tensor

from rdr_core.data.arrays import channel_statistics, choose
from rdr_core.data.disk.stored import StoredImages
from rdr_core.data.grouping import groups_by_count, groups_by_rank
from rdr_core.data.groups import Groups
from rdr_core.data.long_tailed import LongTailedData
from rdr_core.data.noise import flip_labels
from rdr_core.data.profiles import profile_counts
from rdr_core.data.sources.raw import RawData
from rdr_core.data.split import Split
from rdr_core.data.subsets import choose_subset, hold_out
from rdr_core.errors import RdrError, unknown_name
from rdr_core.shapes import Shaped

GROUPINGS: dict[str, Callable[[np.ndarray], Groups]] = {"rank": groups_by_rank, "count": groups_by_count}


class Tail(TypedDict, total=False):
    """How a data set is made long-tailed; every reader of one's own data takes these.

    Attributes:
        imbalance_factor: largest class over smallest of the subset to draw, with class 0 the largest. Its count is that
            of the source's smallest class, so that every class can supply its own (5000 on CIFAR-10, 500 on CIFAR-100);
            1 is balanced at that count. None (default) takes all samples and their imbalance as it is.
        profile: ``"exponential"`` (default) or ``"step"``; unused without an imbalance factor.
        seed: of the subset and of the noise, 0 (default) to 2^32 - 1.
        noise_rate: share of training labels to flip, in [0, 1); default 0.
        noise: ``"symmetric"`` (default) or ``"prior"``: see :func:`rdr_core.data.noise.flip_labels`.
        groups: ``"rank"`` (default, the RDR paper's) or ``"count"`` (> 100, 20..100, < 20).
        held_out: samples of each class to take out of the training samples before anything else, for methods that
            measure accuracy while training, such as cdb; default 0.
    """

    imbalance_factor: float | None
    profile: str | None
    seed: int
    noise_rate: float
    noise: str
    groups: str
    held_out: int


def make_tail(raw: RawData, name: str, **tail: Unpack[Tail]) -> LongTailedData:
    """A long-tailed set of a data set's samples.

    Args:
        raw: the samples; every class needs one for training.
        name: of the set, for reports.
        tail: as :class:`Tail` says.

    Raises:
        RdrError: a class without a training sample before or after the noise, images on disk without mean and std, or a
            value that its argument cannot have.

    Example:
        >>> rows, labels = np.arange(12, dtype=np.float32).reshape(6, 2), np.array([0, 0, 0, 0, 1, 1])
        >>> make_tail(RawData(rows, labels, rows, labels, ("a", "b")), "six", imbalance_factor=2)
        LongTailedData(six, IF 2, 3 train and 6 test rows of 2 columns, 2 classes from 2 ('a') to 1 ('b'))
    """
    asked: Tail = {"imbalance_factor": None, "profile": "exponential", "seed": 0, "noise_rate": 0.0,
                   "noise": "symmetric", "groups": "rank", "held_out": 0}  # fmt: skip
    for setting in tail:
        if setting not in asked:
            raise unknown_name("setting of a long-tailed set", setting, asked)
    asked |= tail
    factor, seed = asked["imbalance_factor"], asked["seed"]
    if asked["groups"] not in GROUPINGS:
        raise unknown_name("grouping", asked["groups"], GROUPINGS)
    labels, d = raw.train_labels, len(raw.class_names)
    apart = hold_out(labels, d, asked["held_out"], seed)
    left = np.setdiff1d(np.arange(len(labels)), apart)
    if factor is None:
        indices = left
    else:
        largest = int(np.bincount(labels[left]).min())
        counts = profile_counts(asked["profile"], largest, d, factor)
        indices = left[choose_subset(labels[left], counts, seed)]
    clean = labels[indices]
    given = flip_labels(clean, d, asked["noise_rate"], asked["noise"], seed)
    emptied = np.flatnonzero(np.bincount(given, minlength=d) == 0)
    if len(emptied):
        raise RdrError(
            f"{asked['noise'].capitalize()} label noise at rate {asked['noise_rate']:g} (seed {seed}) leaves class "
            f"{emptied[0]} without a training sample: take another seed, a lower rate or a smaller imbalance factor."
        )
    source = _tensor(raw.train_inputs)
    chosen = choose(source, indices)
    mean, std = _statistics(chosen, raw)
    return LongTailedData(
        name=name,
        train=Split(chosen, torch.from_numpy(given)),
        test=Split(
            choose(_tensor(raw.test_inputs), np.arange(len(raw.test_labels))), torch.from_numpy(raw.test_labels)
        ),
        class_names=raw.class_names,
        mean=mean,
        std=std,
        groups=GROUPINGS[asked["groups"]](np.bincount(clean, minlength=d)),
        indices=indices,
        clean_labels=torch.from_numpy(clean),
        imbalance_factor=factor,
        profile=None if factor is None else asked["profile"],
        seed=seed,
        noise_rate=asked["noise_rate"],
        noise=asked["noise"],
        held_out=Split(choose(source, apart), torch.from_numpy(labels[apart])) if asked["held_out"] else None,
        vocabulary=raw.vocabulary,
    )


def _tensor(inputs: Shaped[np.ndarray, "N ..."] | Tensor | StoredImages) -> Shaped[Tensor, "N ..."] | StoredImages:
    if isinstance(inputs, np.ndarray):
        # PyTorch shares only contiguous, writeable, native memory.
        return torch.from_numpy(np.require(inputs, requirements=["C", "W"]))
    return inputs


def _statistics(inputs: Tensor | StoredImages, raw: RawData) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel: those given, else those of the training samples that are used."""
    if raw.vocabulary is not None:  # words have none
        return (), ()
    if raw.mean is not None and raw.std is not None:
        measured: tuple[tuple[float, ...], tuple[float, ...]] = (), ()
    elif isinstance(inputs, StoredImages):
        raise RdrError("Images on disk are not measured; give the mean and std of their channels.")
    else:
        measured = channel_statistics(inputs)
    channels = inputs.shape[1]
    return (
        measured[0] if raw.mean is None else _per_channel(raw.mean, channels, "mean"),
        measured[1] if raw.std is None else _per_channel(raw.std, channels, "std"),
    )


def _per_channel(values: Sequence[float], channels: int, what: str) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != channels or not np.isfinite(numbers).all() or (what == "std" and min(numbers) <= 0):
        raise RdrError(
            f"{what} is {numbers}, but it must hold one finite number{' above 0' if what == 'std' else ''} "
            f"for each of the {channels} channels, of pixels scaled to 0..1."
        )
    return numbers
