"""Whether the pixels in a cache are those that were written: each image is looked at when it is first asked for."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.shapes import Int, UInt8


class Checksums:
    """One for each image of a cache.

    Args:
        sums: (M,) of the images' bytes, as :func:`checksum` gives them.
        facts: the file without which there is no cache; it goes where one is damaged, so that it is made anew.

    Example:
        >>> pixels = np.zeros((1, 1, 2, 2), np.uint8)
        >>> Checksums(np.array([checksum(pixels[0])]), Path("photos.json")).check(pixels, [0])
    """

    def __init__(self, sums: Int[np.ndarray, "M"], facts: Path) -> None:
        self._sums, self._facts = sums, facts
        self._seen = np.zeros(len(sums), dtype=bool)

    def check(self, pixels: UInt8[np.ndarray, "M C S S"], rows: Sequence[int] | Int[np.ndarray, "B"]) -> None:
        """Look at the images that nobody has asked for yet in this process.

        Raises:
            RdrError: one is not what was written.
        """
        rows = np.asarray(rows)
        for row in rows[~self._seen[rows]].tolist():
            if checksum(pixels[row]) != self._sums[row]:
                self._facts.unlink(missing_ok=True)
                raise RdrError(
                    f"{self._facts.with_suffix('.npy')} is damaged (image {row} is not what was written); the same "
                    "request again decodes the images anew."
                )
            self._seen[row] = True


def checksum(image: UInt8[np.ndarray, "C S S"]) -> int:
    """CRC-32 of an image's bytes.

    Example:
        >>> checksum(np.zeros((1, 2, 2), np.uint8))
        558161692
    """
    return zlib.crc32(np.ascontiguousarray(image).data)  # no copy, and other threads run meanwhile
