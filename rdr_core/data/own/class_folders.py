"""Folders of images, one for each class."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, Unpack

import numpy as np

from rdr_core.data.disk.find import ENDINGS, find_classes
from rdr_core.data.load import load_data
from rdr_core.data.long_tailed import LongTailedData
from rdr_core.data.own.image_files import decoded, note_other_files
from rdr_core.data.own.train_and_test import split_off, two_parts
from rdr_core.data.own.unusable import Unusable
from rdr_core.data.sources.raw import RawData
from rdr_core.data.tail import Tail, make_tail
from rdr_core.errors import RdrError
from rdr_core.files.places import own_place
from rdr_core.own_settings import own_settings
from rdr_core.plain import plain_numbers
from rdr_core.shapes import UInt8


@plain_numbers
@own_settings()
def from_folder(
    folder: str | os.PathLike[str],
    *,
    size: int | None = None,
    test_share: float = 0.2,
    leave_out: bool = False,
    name: str = "",
    **tail: Unpack[Tail],
) -> LongTailedData:
    """A long-tailed set of the images in class folders.

    Args:
        folder: with a folder for each class; or with ``train`` and ``test`` (or ``val``), each with these.
        size: pixels of a side in memory, such as 32 for small images; None (default) is for photographs, made 256 and
            cut to 224 and kept on disk, as ``load_data("folder:...")`` does, which needs ``train`` and ``test``.
        test_share: where there is no ``test``, the share of each class that is drawn for tests, by ``seed``.
        leave_out: go on without images that can't be read, and classes that only training or only tests have. By
            default they are an error, counted and named.
        name: of the set, for reports (default: the folder's).
        tail: as for :func:`rdr_core.from_arrays`; the usual imbalance is the folder's own.

    Raises:
        MissingData: no such folder, or one without class folders.
        RdrError: what can't be used.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as place:
        ...     for kind, number in (("cat", 10), ("dog", 5)):
        ...         Path(place, kind).mkdir()
        ...         for at in range(number):
        ...             Image.new("RGB", (40, 30), (at, 0, 0)).save(Path(place, kind, f"{at}.png"))
        ...     from_folder(place, size=16, name="pets")
        LongTailedData(pets, imbalance as given, 12 train and 3 test images of 3x16x16, 2 classes from 8 ('cat') to 4 \
('dog'))
    """
    place = own_place(folder, "folder")
    if size is None:
        if leave_out or name or test_share != 0.2:
            raise RdrError(
                "leave_out, name and test_share are for images in memory; give their size, as size=32, or leave them "
                "out."
            )
        return load_data(f"folder:{place.resolve()}", **tail)
    both = [place / part for part in ("train", "test", "val") if (place / part).is_dir()]
    if len(both) > 1 and both[0].name == "train":
        train, test = (_Images.of(part, size, leave_out) for part in both[:2])
        parts = two_parts(train.labels, test.labels, train.unusable, test.unusable, leave_out)
    else:
        train = test = _Images.of(place, size, leave_out)
        parts = split_off(train.labels, train.unusable, leave_out, test_share, tail.get("seed", 0))
    raw = RawData(
        train.pixels[parts.train], parts.train_labels, test.pixels[parts.test], parts.test_labels, parts.names
    )
    return make_tail(raw, name or place.name, **tail)


class _Images(NamedTuple):
    """The images of class folders, in memory, with the names of their classes and those that can't be read."""

    pixels: UInt8[np.ndarray, "N 3 S S"]
    labels: list[str | None]
    unusable: Unusable

    @classmethod
    def of(cls, folder: Path, size: int, leave_out: bool) -> _Images:
        classes = find_classes(folder, leave_out)
        note_other_files(folder, ENDINGS)
        files = [file for of_class in classes.values() for file in of_class]
        labels: list[str | None] = [name for name, of_class in classes.items() for _ in of_class]
        unusable = Unusable("image", str(folder), [file.relative_to(folder) for file in files])
        return cls(decoded(files, size, unusable), labels, unusable)
