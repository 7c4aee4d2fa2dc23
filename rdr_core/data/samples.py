"""Test images that are shipped, so that pictures can show what a class is where the data set itself is not at hand.

Of a data set they are the first hundred of each class, on one sheet: a lossless picture that anyone can look at, a
row a class in the file's order of classes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.files.inside import inside
from rdr_core.files.places import papers_folder
from rdr_core.files.whole import write_whole
from rdr_core.shapes import UInt8

if TYPE_CHECKING:
    from rdr_core.data.sources.raw import RawData

#: Images of each class.
IMAGES = 100
#: Under which a sheet keeps the names of its rows.
_CLASSES = "classes"


def sheet(dataset: str) -> Path | None:
    """The sheet that is shipped of a data set, None where there is none.

    Example:
        >>> sheet("fashion-mnist").name, sheet("digits")
        ('fashion-mnist.png', None)
    """
    try:
        path = inside(papers_folder().parent / "samples", f"{dataset}.png")
        return path if path.is_file() else None
    except (RdrError, OSError):  # a name that leads elsewhere, or is longer than a file's can be
        return None


def read_sheet(path: Path) -> dict[str, UInt8[np.ndarray, "n H W C"]]:
    """The images of a sheet by the name of their class, in the order of the test set.

    Raises:
        RdrError: it can't be read, or is none.

    Example:
        >>> images = read_sheet(sheet("fashion-mnist"))
        >>> list(images)[:3], images["trousers"].shape
        (['T-shirt', 'trousers', 'pullover'], (100, 28, 28, 1))
    """
    from PIL import Image

    try:
        with Image.open(path) as file:
            names, pixels = json.loads(file.info[_CLASSES]), np.asarray(file)
        side = len(pixels) // len(names)
        rows = pixels.reshape(len(names), side, -1, side, 1 if pixels.ndim == 2 else pixels.shape[2])
        return dict(zip(map(str, names), rows.transpose(0, 2, 1, 3, 4), strict=True))
    except Exception as error:  # Pillow's decoders raise more than OSError
        raise RdrError(f"{path} is not a sheet of test images ({error}); install the toolkit again.") from None


def write_sheet(raw: RawData, path: Path, images: int = IMAGES) -> None:
    """Write the first test images of each class as a sheet.

    Args:
        raw: square images in memory, as many of each class as asked for.
        path: of the sheet, a PNG.
        images: of each class (default: 100).

    Raises:
        RdrError: the images are on disk, or a class has fewer of them.

    Example:
        >>> import tempfile
        >>> from rdr_core.data.sources import load_source
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_sheet(load_source("digits", Path()), Path(folder, "digits.png"), images=50)
        ...     read_sheet(Path(folder, "digits.png"))["7"].shape
        (50, 8, 8, 1)
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    if not isinstance(raw.test_inputs, np.ndarray):
        raise RdrError("A sheet is made of images in memory, and these are on disk; give others.")
    labels, rows = np.asarray(raw.test_labels), []
    for klass, name in enumerate(raw.class_names):
        of_class = np.flatnonzero(labels == klass)[:images]
        if len(of_class) < images:
            raise RdrError(f"{name} has {len(of_class)} test images, not {images}; ask for fewer.")
        # (n, C, H, W) to a row of the sheet, (H, n W, C).
        rows.append(np.concatenate(list(raw.test_inputs[of_class].transpose(0, 2, 3, 1)), axis=1))
    pixels = np.concatenate(rows)
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    said = PngInfo()
    said.add_text(_CLASSES, json.dumps(raw.class_names))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda beside: picture.save(beside, format="PNG", optimize=True, pnginfo=said))
