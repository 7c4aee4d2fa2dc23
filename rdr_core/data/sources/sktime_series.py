"""Series in time with classes: those that sktime carries, PLAID among them.

PLAID (Gao et al. 2014; in the UCR archive, Dau et al. 2019) has the current that an appliance draws, eleven kinds of
them, and is long-tailed by itself. sktime is under the BSD licence; the series are the archive's.
Only its files are used: installed whole, it would hold pandas at an older version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.kinds import SERIES
from rdr_core.data.sources.raw import RawData
from rdr_core.data.sources.said import read_draw, read_said
from rdr_core.errors import MissingData, RdrError, unknown_name
from rdr_core.shapes import Float


@dataset("series", "series in time of the package sktime, such as series:plaid", asks="NAME", kind=SERIES, place=78,
         settings=Settings("conv1d", epochs=30, batch_size=32, learning_rate=0.05, threads=1))  # fmt: skip
def load_series(root: Path, text: str) -> RawData:
    """The series of a set; a fifth of each class is for tests, drawn by ``draw``.

    Args:
        root: unused; the series are in the package.
        text: name of a set, which draw of series for tests, and of how many steps the mean is taken for one:
            ``plaid`` or ``plaid?draw=3&every=4``.

    Raises:
        MissingData: the package is not installed.
        RdrError: no such set, or no such draw or step.
    """
    from rdr_core.data.own.series import stacked_series  # by need: it brings torch

    name, asked = read_said(text, ("draw", "every"), "series")
    every = asked.get("every", "1")
    if not (every.isascii() and every.isdigit() and 1 <= int(every) <= 10_000):
        raise RdrError(f"{text!r} takes every {every!r} steps for one; it must be a whole number from 1 to 10000.")
    series, labels = read_series(name)
    return stacked_series([_coarser(one, int(every)) for one in series], labels, test_share=0.2, leave_out=True,
                          seed=read_draw(asked, text))  # fmt: skip


def read_series(name: str) -> tuple[list[Float[np.ndarray, "C T"]], list[str]]:
    """All series of a set, training and test part together, and their classes.

    Args:
        name: of :func:`series_names`, in letters of any size.

    Raises:
        MissingData: the package is not installed.
        RdrError: no such set, or one that can't be read.

    Example:
        >>> series, labels = read_series("plaid")  # doctest: +SKIP
        >>> len(series), len(set(labels))  # doctest: +SKIP
        (1074, 11)
    """
    found = {one.lower(): one for one in series_names()}
    if name.lower() not in found:
        raise unknown_name("set of series", name, found)
    series: list[np.ndarray] = []
    labels: list[str] = []
    for part in ("TRAIN", "TEST"):
        path = _folder() / found[name.lower()] / f"{found[name.lower()]}_{part}.ts"
        try:
            for one, label in series_of(path.read_text(encoding="utf-8").splitlines()):
                series.append(one)
                labels.append(label)
        except (OSError, ValueError) as error:
            raise RdrError(f"{path} can't be read ({error}); install sktime again.") from error
    return series, labels


def series_names() -> list[str]:
    """Names of the sets that can be read, in order.

    Raises:
        MissingData: the package is not installed.

    Example:
        >>> "PLAID" in series_names()  # doctest: +SKIP
        True
    """
    folder = _folder()
    return sorted(
        one.name for one in folder.iterdir()
        if all((one / f"{one.name}_{part}.ts").is_file() for part in ("TRAIN", "TEST"))
    )  # fmt: skip


def _folder() -> Path:
    package = find_spec("sktime")
    if package is None or not package.submodule_search_locations:
        raise MissingData(
            "the series are in the package sktime (8 MB), which is not installed here: pip install --no-deps sktime."
        )
    return Path(package.submodule_search_locations[0], "datasets", "data")


def series_of(lines: Iterable[str]) -> Iterator[tuple[Float[np.ndarray, "C T"], str]]:
    """Series and classes of a file of the archive: after "@data" a line each, channels and class between colons.

    Raises:
        ValueError: a line that is no series, channels of unequal lengths among them.

    Example:
        >>> [(one.tolist(), label) for one, label in series_of(["@data", "1,2:3,4:fan", "5:6:heater"])]
        [([[1.0, 2.0], [3.0, 4.0]], 'fan'), ([[5.0], [6.0]], 'heater')]
    """
    told = False
    for line in lines:
        if told and line.strip():
            *channels, label = line.strip().split(":")
            numbers = [[float(value.replace("?", "nan")) for value in channel.split(",")] for channel in channels]
            if not label or not numbers or len({len(channel) for channel in numbers}) != 1:
                raise ValueError(f"{line[:40]!r} is no series of a class")
            yield np.array(numbers), label
        told = told or line.strip().lower() == "@data"


def _coarser(one: Float[np.ndarray, "C T"], every: int) -> Float[np.ndarray, "C t"]:
    """The mean of every so many steps, the last ones by themselves."""
    ends = np.arange(0, one.shape[1], every)
    return np.add.reduceat(one, ends, axis=1) / np.diff(np.append(ends, one.shape[1]))
