"""Series in time, of one or more channels and of unequal lengths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Unpack

import numpy as np

from rdr_core.data.long_tailed import LongTailedData
from rdr_core.data.own.labels import read_labels
from rdr_core.data.own.train_and_test import split_off, two_parts
from rdr_core.data.own.unusable import Unusable
from rdr_core.data.sources.raw import RawData
from rdr_core.data.tail import Tail, make_tail
from rdr_core.errors import RdrError
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.shapes import Float
from rdr_core.visible import tell


@plain_numbers
@own_settings()
def from_series(
    series: Iterable[Any],
    labels: Iterable[Any],
    test_series: Iterable[Any] | None = None,
    test_labels: Iterable[Any] | None = None,
    *,
    test_share: float = 0.2,
    leave_out: bool = False,
    name: str = "series",
    **tail: Unpack[Tail],
) -> LongTailedData:
    """A long-tailed set of series.

    Shorter ones are filled up with NaN, which networks leave out of account; each channel is scaled by the training
    series.

    Args:
        series: (N, C, T), or N of them, each (C, T_i), or (T_i,) of one channel.
        labels: N classes: words or whole numbers.
        test_series, test_labels: for tests; None (default) draws some of the others.
        test_share: share of each class that is drawn for tests (default a fifth), by ``seed``.
        leave_out: go on without series that can't be used: empty, not finite, without a label, or of a class that only
            training or only tests have. By default they are an error, counted and named.
        name: of the set, for reports.
        tail: as for :func:`rdr_core.from_arrays`; the usual imbalance is their own.

    Raises:
        RdrError: series of different numbers of channels, or what can't be used.

    Example:
        >>> made = from_series([np.arange(9.0), np.arange(5.0), np.arange(7.0)] * 4, ["up", "up", "on"] * 4)
        >>> made
        LongTailedData(series, imbalance as given, 9 train and 3 test series of 1 channel and up to 9 steps, 2 classes \
from 6 ('up') to 3 ('on'))
    """
    raw = stacked_series(series, labels, test_series, test_labels, test_share=test_share, leave_out=leave_out,
                         seed=tail.get("seed", 0))  # fmt: skip
    return make_tail(raw, name, **tail)


def stacked_series(
    series: Iterable[Any], labels: Iterable[Any], test_series: Iterable[Any] | None = None,
    test_labels: Iterable[Any] | None = None, *, test_share: float, leave_out: bool, seed: int,
) -> RawData:  # fmt: skip
    """Series in one array, before any subset.

    Args:
        series, labels, test_series, test_labels, test_share, leave_out: as for :func:`from_series`.
        seed: of the draw of series for tests.

    Raises:
        RdrError: as :func:`from_series`.

    Example:
        >>> raw = stacked_series([np.arange(9.0), np.arange(5.0)] * 4, ["up", "on"] * 4, test_share=0.2,
        ...                      leave_out=False, seed=0)
        >>> raw.train_inputs.shape, raw.test_inputs.shape, raw.class_names
        ((6, 1, 9), (2, 1, 9), ('on', 'up'))
    """
    found, words = _read(series, "series"), read_labels(labels)
    unusable = _looked_at(found, words, "the series")
    if test_series is None:
        parts, tests = split_off(words, unusable, leave_out, test_share, seed), found
    else:
        tests, test_words = (
            _read(test_series, "test_series"),
            read_labels([] if test_labels is None else test_labels, "test_labels"),
        )
        of_test = _looked_at(tests, test_words, "the test series")
        parts = two_parts(words, test_words, unusable, of_test, leave_out)
    used = [found[at] for at in parts.train], [tests[at] for at in parts.test]
    several = sorted({len(one) for part in used for one in part})
    if len(several) > 1:
        raise RdrError(f"Series have {', '.join(map(str, several))} channels; give all of them as many.")
    longest = max(one.shape[1] for part in used for one in part)
    if (channels := several[0]) > longest:
        tell(f"Series have {channels} channels and at most {longest} steps; if it is the other way, turn them round.")
    train, test = (_padded(part, longest) for part in used)
    return RawData(train, parts.train_labels, test, parts.test_labels, parts.names)


def _read(series: Any, what: str) -> list[Float[np.ndarray, "C T"]]:
    """Each series as (C, T), float32; one that is none has no steps."""
    if isinstance(series, (str, bytes)) or not isinstance(series, Iterable):
        raise RdrError(f"{what} is {series!r:.40}; give a list of series.")
    found = []
    for at, one in enumerate(series):
        try:
            given = np.asarray(one.detach().cpu() if hasattr(one, "detach") else one)
            if given.dtype.kind not in "biufO":
                raise TypeError
            with np.errstate(over="ignore"):  # what is too large is infinite, and noted as that
                array = given.astype(np.float64 if given.dtype == object else given.dtype).astype(np.float32)
        except (TypeError, ValueError):
            raise RdrError(f"{what} {at} is no series of numbers; give (T,) or (channels, T) numbers.") from None
        if array.ndim not in (1, 2):
            raise RdrError(f"{what} {at} has shape {array.shape}; give (T,) or (channels, T).")
        found.append(array[None] if array.ndim == 1 else array)
    if not found:
        raise RdrError(f"{what} is empty; give two or more.")
    return found


def _looked_at(series: list[np.ndarray], labels: Sequence[str | None], where: str) -> Unusable:
    if len(labels) != len(series):
        raise RdrError(f"There are {len(series)} of {where}, but {len(labels)} labels; give one a series.")
    unusable = Unusable("series", where, range(len(series)))
    unusable.add("are empty", np.array([one.size == 0 for one in series]))
    # Of a series that was filled up already, what lies after its end is NaN and no mistake.
    unusable.add("hold NaN or infinity", np.array([not np.isfinite(one[:, : _end(one)]).all() for one in series]))
    unusable.add("hold nothing but NaN", np.array([_end(one) == 0 for one in series]))
    return unusable


def _end(one: Float[np.ndarray, "C T"]) -> int:
    there = np.flatnonzero(~np.isnan(one).all(0))
    return int(there[-1]) + 1 if len(there) else 0


def _padded(series: list[np.ndarray], longest: int) -> Float[np.ndarray, "N C T"]:
    made = np.full((len(series), len(series[0]), longest), np.nan, dtype=np.float32)
    for at, one in enumerate(series):
        made[at, :, : one.shape[1]] = one
    return made
