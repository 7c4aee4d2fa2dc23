"""List files of long-tailed sets, one ``relative/path label`` a line, checked against those published."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rdr_core.errors import MissingData, RdrError
from rdr_core.shapes import Int
from rdr_core.visible import tell


@dataclass(frozen=True, eq=False)
class ImageList:
    """Images by path, with their labels, in the list's order.

    Attributes:
        path: of the list file, for messages.
        names: N relative paths, separated by "/".
        labels: (N,) int64.
    """

    path: Path
    names: tuple[str, ...]
    labels: Int[np.ndarray, "N"]

    @property
    def content(self) -> str:
        """MD5 of the sorted lines ``file label``, which neither folder names nor the order of lines change.

        Example:
            >>> labels = np.array([1, 0])
            >>> one = ImageList(Path("a.txt"), ("val/n2/2.jpg", "val/n1/1.jpg"), labels)
            >>> other = ImageList(Path("b.txt"), ("test/1.jpg", "test/2.jpg"), labels[::-1])
            >>> one.content == other.content
            True
        """
        lines = sorted(
            f"{name.rpartition('/')[2]} {label}" for name, label in zip(self.names, self.labels, strict=True)
        )
        return hashlib.md5("\n".join(lines).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Published:
    """What is known of a published list.

    Attributes:
        rows: lines.
        classes: d, labels 0..d-1.
        largest, smallest: count of its largest and smallest class.
        md5: of the file; "" where it is not known.
        content: :attr:`ImageList.content`; "" where it is not known.

    Example:
        >>> PUBLISHED["ImageNet_LT_train.txt"].rows
        115846
    """

    rows: int
    classes: int
    largest: int
    smallest: int
    md5: str = ""
    content: str = ""


#: By the list's file name. Rows and MD5 of the files that the OLTR and SADE code publish; of ImageNet-LT's training
#: list no MD5 is known to us, so its counts are checked (Liu et al. 2019: 115,846 images, 1280 to 5 a class).
PUBLISHED = {
    "ImageNet_LT_train.txt": Published(115_846, 1000, 1280, 5),
    "ImageNet_LT_test.txt": Published(
        50_000, 1000, 50, 50, "5f5f97c738923e877c5c78accce6744f", "e733aee2da0928bf17f3019207835a13"
    ),
    "ImageNet_LT_val.txt": Published(
        20_000, 1000, 20, 20, "ef44f8e43fbc904809a77216042e7498", "b3642995f57e0a53adee135705ca6220"
    ),
    "Places_LT_val.txt": Published(
        7_300, 365, 20, 20, "82c2d809e9429344f9f9a2c0d7adca36", "c7719f433e59a3121bac690fd2a6fcf1"
    ),
    "Places_LT_train.txt": Published(
        62_500, 365, 4980, 5, "d7a0fa1e2521e7d8fff4338ad1c65bed", "c3174537f2b481681b2a0762a709a0cf"
    ),
    "Places_LT_test.txt": Published(
        36_500, 365, 100, 100, "c27fb6fd50c2675f1af7a5885fa8cec4", "8902458496beb211f8ef910903a5e837"
    ),
}


def published(path: Path) -> Published:
    """What is known of the published list of this file name.

    Example:
        >>> published(Path("Places_LT_train.txt")).rows
        62500
    """
    return PUBLISHED[path.name]


def read_list(path: Path, num_classes: int) -> ImageList:
    """A list file, checked by itself.

    Args:
        path: of the file.
        num_classes: d; every class must have an image.

    Raises:
        MissingData: there is no such file.
        RdrError: a line that is not ``relative/path label``, an image twice, a label that is not 0..d-1, or a class
            without an image.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "list.txt"
        ...     _ = path.write_text("a/1.jpg 0\\nb/two words.jpg 1\\n")
        ...     read_list(path, num_classes=2).names
        ('a/1.jpg', 'b/two words.jpg')
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()  # some editors begin a file with a mark
    except FileNotFoundError:
        raise MissingData(f"There is no {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MissingData(f"{path} can't be read ({error}); fetch it again.") from None
    names, labels = [], np.empty(len(lines), dtype=np.int64)
    for row, line in enumerate(lines):
        name, _, label = line.strip().rpartition(" ")
        if not name or not label.isascii() or not label.isdigit() or int(label) >= num_classes:
            raise RdrError(
                f"{path}, line {row + 1} is {line[:80]!r}, but it must be 'relative/path label' with a label of "
                f"0 to {num_classes - 1}; fetch the list again."
            )
        names.append(name)
        labels[row] = int(label)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise RdrError(f"{path} lists {name} twice; fetch the list again.")
        seen.add(name)
    empty = np.flatnonzero(np.bincount(labels, minlength=num_classes) == 0)
    if len(empty):
        raise RdrError(
            f"{path} has no image of {len(empty)} of the classes 0 to {num_classes - 1}, the first of them class "
            f"{empty[0]}; fetch the list again."
        )
    return ImageList(path, tuple(names), labels)


def check_published(images: ImageList) -> None:
    """Refuse a list that is not the published one of its file name; say so on stderr where only its paths differ.

    Raises:
        RdrError: other rows, other counts by class, or other images or labels than the published list's.

    Example:
        >>> check_published(ImageList(Path("Places_LT_test.txt"), ("a.jpg",), np.array([0])))
        Traceback (most recent call last):
        rdr_core.errors.RdrError: Places_LT_test.txt has 1 rows, the published list 36500; fetch the list again.
    """
    path, known = images.path, published(images.path)
    if len(images.names) != known.rows:
        raise RdrError(f"{path} has {len(images.names)} rows, the published list {known.rows}; fetch the list again.")
    counts = np.bincount(images.labels)
    if (counts.max(), counts.min()) != (known.largest, known.smallest):
        raise RdrError(
            f"{path} has classes of {counts.min()} to {counts.max()} images, the published list of {known.smallest} to "
            f"{known.largest}; fetch the list again."
        )
    if not known.md5 or hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == known.md5:
        return
    if images.content != known.content:
        raise RdrError(
            f"{path} is not the published list: its MD5 is not {known.md5}, and its images or labels are others; "
            "fetch the list again."
        )
    tell(f"{path} is a copy with other paths: it has the published list's images and labels.")
