"""From an image file to pixels of one size, as the field prepares photographs for evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.shapes import UInt8

if TYPE_CHECKING:
    from PIL import Image

#: Of the shorter side, and of the square cut out of the middle (He et al. 2016, section 3.4: 256, then crops of 224).
STORED_SIDE = 256

#: What a photograph may be stored as. Pillow knows more, of which one starts another program, by what the file holds.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM", "TIFF")
#: The longer side over the shorter one, at most: a line of one pixel by 30,000 would be made 256 by 7,680,000.
LONGEST = 100

#: Pixels of an image, at most: Pillow warns of more, since such files may be made to fill memory.
PIXELS = 89_478_485
TOO_LARGE = f"have more than {PIXELS // 10**6} megapixels"

#: Names what :func:`decode` does; another recipe needs another name, so that caches are made anew.
RECIPE = (
    f"shorter side {STORED_SIDE}, bilinear with antialiasing, centre {STORED_SIDE} x {STORED_SIDE}, upper 8 of 16 bits"
)


class Unfit(OSError):
    """An image that is whole but can't be used.

    Attributes:
        reason: what is wrong with several of them: "have more than 89 megapixels".

    Example:
        >>> Unfit("a.png", "have more than 89 megapixels").reason
        'have more than 89 megapixels'
    """

    def __init__(self, file: object, reason: str) -> None:
        super().__init__(f"{file} is one of the images that {reason}")
        self.reason = reason


def decode(file: Path, side: int = STORED_SIDE) -> UInt8[np.ndarray, "3 S S"]:
    """The file's image in colour, its shorter side resized to S and the middle S x S cut out.

    The pixels of torchvision's ``Resize(S)`` and ``CenterCrop(S)`` on a Pillow image. Of an animation the first picture
    is taken; what is transparent has the colour that lies beneath. Of 16 bits the upper 8 are kept, in grey as Pillow
    does in colour; wider integers and floats have no range that is known, and are refused.

    Args:
        file: of an image.
        side: S (default 256).

    Raises:
        OSError: the file can't be read or is no image; also other errors of Pillow, for damaged ones.
        Unfit: it is too long or too large, or its numbers are of no known range.

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
    try:
        opened = Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # the latter where warnings are errors
        raise Unfit(file, TOO_LARGE) from None
    with opened:
        short, long = sorted(opened.size)
        if long > LONGEST * short:
            raise Unfit(file, f"are more than {LONGEST} times as long as wide")
        if short * long > PIXELS:
            raise Unfit(file, TOO_LARGE)
        image = in_colour(opened, file)
    width, height = image.size
    if short != side:
        stretched = int(side * long / short)
        size = (side, stretched) if width <= height else (stretched, side)
        image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (round((length - side) / 2) for length in image.size)
    image = image.crop((left, top, left + side, top + side))
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def in_colour(opened: Image.Image, file: object) -> Image.Image:
    """The image in red, green and blue.

    Args:
        opened: of Pillow's.
        file: its name, for the error.

    Raises:
        Unfit: its numbers are of no known range.

    Example:
        >>> from PIL import Image
        >>> in_colour(Image.fromarray(np.full((1, 1), 40_000, dtype=np.uint16)), "grey.png").getpixel((0, 0))
        (156, 156, 156)
    """
    from PIL import Image

    if opened.mode.startswith("I;16"):
        grey = (np.asarray(opened).astype(np.uint16) >> 8).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if opened.mode in ("I", "F"):
        raise Unfit(file, "have grey values of 32 bits, whose range is not known; save them in 8 or 16 bits")
    if opened.mode == "P" and isinstance(opened.info.get("transparency"), bytes):
        return opened.convert("RGBA").convert("RGB")  # the same pixels, without Pillow's warning
    return opened.convert("RGB")


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
