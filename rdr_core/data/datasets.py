"""What is known of each data set, registered where its images are read.

A data set is a function from the data root to a :class:`~rdr_core.data.sources.raw.RawData`, with the :func:`dataset`
decorator, in a notebook's cell or a file anywhere:

    >>> import numpy as np
    >>> from rdr_core.data.sources.raw import RawData
    >>> @dataset("stripes", "lines, upright or lying", num_classes=2, image_shape=(1, 8, 8), n_max=20, n_test=40)
    ... def stripes(root):
    ...     upright = np.tile(np.uint8([0, 255]), (20, 1, 8, 4))
    ...     images = np.concatenate([upright, upright.swapaxes(2, 3)])
    ...     labels = np.repeat([0, 1], 20)
    ...     return RawData(images, labels, images, labels, ("upright", "lying"), mean=(0.5,), std=(0.5,))
    >>> from rdr_core.data import load_data
    >>> load_data("stripes", imbalance_factor=10).class_counts.tolist()
    [20, 2]
    >>> DATASETS.remove("stripes")

`rdr_core.train("stripes")` trains on it in the same process. For the commands, and for other people, put the file into
a package that names it as an entry point of the group "rdr.datasets"; where the package is installed its data sets are
there as the built-in ones are::

    [project.entry-points."rdr.datasets"]
    stripes = "my_package.stripes"
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rdr_core.data.kinds import IMAGES, Kind
from rdr_core.errors import RdrError
from rdr_core.registry import Registry
from rdr_core.shapes import Int

if TYPE_CHECKING:
    import numpy as np

    from rdr_core.data.disk.stored import StoredImages
    from rdr_core.data.sources.raw import RawData

F = TypeVar("F", bound=Callable[..., "RawData"])


@dataclass(frozen=True)
class Settings:
    """How a data set is trained unless told otherwise.

    The defaults make no assumption on what a shifted or mirrored image means; arrays of the user's own have them.

    Attributes:
        model: network.
        epochs, batch_size, learning_rate: length and step.
        padding: pixels of black around an image before the random crop; unused for photographs on
            disk, of which a random part is resized (:mod:`rdr_core.training.resized_crop`).
        flip: whether a mirrored image is still of its class.
        threads: on a CPU; None is torch's own choice. One where steps are so small that threads only wait
            for each other, which on a busy machine takes them ten times as long.
    """

    model: str = "small"
    epochs: int = 60
    batch_size: int = 64
    learning_rate: float = 0.1
    padding: int = 0
    flip: bool = False
    threads: int | None = None


#: Of arrays of the user's own, and of data sets that say nothing else.
ARRAYS = Settings()


@dataclass(frozen=True)
class Source:
    """A data set that can be loaded by name, and all that is known of it without loading it: see :func:`dataset`."""

    name: str
    load: Callable[..., RawData]
    description: str
    num_classes: int | None
    image_shape: tuple[int, int, int] | None
    n_max: int | None
    n_train: int | None
    n_test: int | None
    title: str
    long_tailed: bool
    validation: Callable[[Path], tuple[StoredImages, Int[np.ndarray, "V"]]] | None
    asks: str | None
    settings: Settings
    place: int
    kind: Kind | None

    @property
    def usual_imbalance(self) -> int | None:
        """Imbalance factor unless told otherwise: 100, the field's usual; None takes the set's own imbalance."""
        return None if self.long_tailed or self.asks else 100


#: Every data set by name: those of :mod:`rdr_core.data.sources`, of installed packages, and one's own.
DATASETS: Registry[Source] = Registry("data set", "rdr.datasets", "rdr_core.data.sources")


def dataset(
    name: str,
    description: str,
    *,
    num_classes: int | None = None,
    image_shape: tuple[int, int, int] | None = None,
    n_max: int | None = None,
    n_train: int | None = None,
    n_test: int | None = None,
    title: str = "",
    long_tailed: bool = False,
    validation: Callable[[Path], tuple[StoredImages, Int[np.ndarray, "V"]]] | None = None,
    asks: str | None = None,
    settings: Settings = ARRAYS,
    place: int = 1000,
    kind: Kind | None = None,
) -> Callable[[F], F]:
    """Register a function that reads a data set; the function itself is unchanged.

    The function takes the data root, a folder whose files it reads or downloads, and returns a
    :class:`~rdr_core.data.sources.raw.RawData`; if the set ``asks``, it takes the text after the colon as a second
    argument.

    Args:
        name: as in ``load_data(name)``: lower-case letters, digits and hyphens.
        description: one line, for `rdr datasets`.
        num_classes: d, needed unless the set ``asks``: there the images decide.
        image_shape: (C, H, W) of images, as the network takes them; None (default) of other samples, and where only
            the data tell.
        n_max: count of the largest class that a long-tailed subset can have, which is that of the smallest training
            class and the largest imbalance factor; of a set that comes long-tailed, its own largest class. None
            (default) where only the images tell.
        n_train, n_test: training and test images in all. With ``n_max`` they give the cost of runs; if None (default),
            they are counted in the data, which are read for that.
        title: the name as its authors write it (default: ``name``).
        long_tailed: comes with its imbalance; no other can be made of it.
        validation: reads the balanced images and labels that are published beside the training images; None (default)
            where there are none, so that held-out images are taken from the training images.
        asks: what must follow the name after a colon, such as ``"FOLDER"``; None (default) if nothing must.
        settings: training defaults (default: those of the user's own arrays).
        place: in lists: those of larger ones come later (default: after the toolkit's own).
        kind: of its samples, such as :data:`rdr_core.data.kinds.ROWS`; None (default) is images where ``image_shape``
            is given, and else whatever is found when they are read.

    Raises:
        RdrError: a name that is taken or can't be one, or numbers that no data set has.

    Example:
        >>> @dataset("stripes", "lines, upright or lying", image_shape=(1, 8, 8))
        ... def stripes(root): ...
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: The data set 'stripes' has num_classes None; it must be a whole number, 2 or larger.
    """

    def register(load: F) -> F:
        source = Source(
            name, load, description, num_classes, image_shape, n_max, n_train, n_test, title or name, long_tailed,
            validation, asks, settings, place, kind or (IMAGES if image_shape else None),
        )  # fmt: skip
        _check(source)
        DATASETS.add(name, source, load.__module__)
        return load

    return register


def _check(source: Source) -> None:
    """Refuse what can't be true of a data set."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", source.name):
        raise RdrError(
            f"{source.name!r} can't name a data set; use lower-case letters, digits and hyphens, as in 'fashion-mnist'."
        )
    the = f"The data set {source.name!r}"
    for what, least in (("num_classes", 2), ("n_max", 1), ("n_train", 1), ("n_test", 1)):
        number = getattr(source, what)
        known = number is not None or (what == "num_classes" and not source.asks)
        if known and not (isinstance(number, Integral) and int(number) >= least):
            raise RdrError(f"{the} has {what} {number!r}; it must be a whole number, {least} or larger.")
    shape = source.image_shape
    if shape is None:
        shape = (1, 1, 1)  # nothing is said
    sizes = isinstance(shape, tuple) and len(shape) == 3 and all(isinstance(n, Integral) and int(n) > 0 for n in shape)
    if not sizes or shape[2] <= 4 < shape[0]:
        raise RdrError(f"{the} has image_shape {shape!r}; it must be (channels, height, width), as in (3, 32, 32).")
    if not isinstance(source.settings, Settings):
        raise RdrError(f"{the} has settings {source.settings!r}; give rdr_core.data.Settings(...), or leave them out.")
    given = (Path(), "what follows the colon") if source.asks else (Path(),)
    try:
        inspect.signature(source.load).bind(*given)
    except TypeError:
        words = "the data root and what follows the colon" if source.asks else "one argument, the data root"
        raise RdrError(f"{the} is read by {source.load.__name__}, which must take {words}.") from None
