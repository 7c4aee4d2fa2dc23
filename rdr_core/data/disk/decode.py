"""From an image file to pixels of one size, as the field prepares photographs for evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rdr_core.shapes import UInt8

#: Of the shorter side, and of the square cut out of the middle (He et al. 2016, section 3.4: 256, then crops of 224).
STORED_SIDE = 256

#: What a photograph may be stored as. Pillow knows more, of which one starts another program, by what the file holds.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM", "TIFF")
#: The longer side over the shorter one, at most: a line of one pixel by 30,000 would be made 256 by 7,680,000.
LONGEST = 100

#: Names what :func:`decode` does; another recipe needs another name, so that caches are made anew.
RECIPE = f"shorter side {STORED_SIDE}, bilinear with antialiasing, centre {STORED_SIDE} x {STORED_SIDE}"


def decode(file: Path, side: int = STORED_SIDE) -> UInt8[np.ndarray, "3 S S"]:
    """The file's image in colour, its shorter side resized to S and the middle S x S cut out.

    The pixels of torchvision's ``Resize(S)`` and ``CenterCrop(S)`` on a Pillow image.

    Args:
        file: of an image.
        side: S (default 256).

    Raises:
        OSError: the file can't be read or is no image; also other errors of Pillow, for damaged ones.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("L", (40, 20), 7).save(Path(folder) / "grey.png")
        ...     pixels = decode(Path(folder) / "grey.png")
        >>> pixels.shape, np.unique(pixels).tolist()
        ((3, 256, 256), [7])
    """
    from PIL import Image

    if not file.is_file():  # a pipe would be waited for
        raise OSError(f"{file} is no plain file")
    Image.init()  # else another thread's open meets formats that are only half known yet
    with Image.open(file, formats=FORMATS) as opened:
        short, long = sorted(opened.size)
        if long > LONGEST * short:
            raise OSError(f"{file} is {long / short:.0f} times as long as it is wide")
        image = opened.convert("RGB")
    width, height = image.size
    if short != side:
        stretched = int(side * long / short)
        size = (side, stretched) if width <= height else (stretched, side)
        image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (round((length - side) / 2) for length in image.size)
    image = image.crop((left, top, left + side, top + side))
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
