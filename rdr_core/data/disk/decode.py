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


def decode(file: Path) -> UInt8[np.ndarray, "3 S S"]:
    """The file's image in colour, its shorter side resized to S = 256 and the middle S x S cut out.

    The pixels of torchvision's ``Resize(256)`` and ``CenterCrop(256)`` on a Pillow image.

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
    if short != STORED_SIDE:
        stretched = int(STORED_SIDE * long / short)
        size = (STORED_SIDE, stretched) if width <= height else (stretched, STORED_SIDE)
        image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (round((side - STORED_SIDE) / 2) for side in image.size)
    image = image.crop((left, top, left + STORED_SIDE, top + STORED_SIDE))
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def left_out(file: Path) -> tuple[bool, bool]:
    """Whether a readable file says how to turn its image, and whether it is transparent, of which :func:`decode` takes
    neither: like torchvision's ``ImageFolder`` it takes pixels as they are stored, and the colours without their alpha.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("RGBA", (40, 20)).save(Path(folder) / "clear.png")
        ...     left_out(Path(folder) / "clear.png")
        (False, True)
    """
    from PIL import ExifTags, Image

    with Image.open(file, formats=FORMATS) as opened:  # its header alone is read
        tagged = "exif" in opened.info or opened.format == "TIFF"
        turned = tagged and opened.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)
        return turned, opened.has_transparency_data
