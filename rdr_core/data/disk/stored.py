"""Images that stay on disk: a file mapped into memory, of which only those asked for are read."""

from __future__ import annotations

import hashlib
import mmap
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.data.disk.checksums import Checksums
from rdr_core.shapes import Bool, Int, UInt8

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class StoredImages:
    """Images of one size in a memory map; indexing reads the centres of those asked for.

    Centres are what a network sees in evaluation. Takes the place of an (N, C, H, W) uint8 tensor wherever images are
    only indexed: ``images[rows]``.

    Args:
        pixels: (M, C, S, S) uint8, a memory map or an array.
        fingerprint: recognises the pixels without reading them all.
        side: H = W of the centre that indexing gives; S is the whole image.
        rows: (N,) which of the M images, in order; None (default) is all of them.
        checksums: of the M images, which are then looked at when they are first read; None (default) for none.

    Example:
        >>> import torch
        >>> pixels = np.arange(2 * 1 * 4 * 4, dtype=np.uint8).reshape(2, 1, 4, 4)
        >>> images = StoredImages(pixels, "5d41", side=2)
        >>> images.shape, images[torch.tensor([1])][0, 0].tolist()
        (torch.Size([2, 1, 2, 2]), [[21, 22], [25, 26]])
        >>> images.whole.shape
        torch.Size([2, 1, 4, 4])
    """

    def __init__(
        self,
        pixels: UInt8[np.ndarray, "M C S S"],
        fingerprint: str,
        side: int,
        rows: Int[np.ndarray, "N"] | None = None,
        checksums: Checksums | None = None,
    ) -> None:
        self.pixels, self.side = pixels, side
        self.rows = np.arange(len(pixels)) if rows is None else rows
        self._fingerprint, self._checksums = fingerprint, checksums

    @property
    def shape(self) -> torch.Size:
        """(N, C, H, W) of all images as indexing gives them."""
        import torch

        return torch.Size((len(self.rows), self.pixels.shape[1], self.side, self.side))

    @property
    def fingerprint(self) -> str:
        """16 hex digits that differ where the images, their order or their size differ."""
        digest = hashlib.sha256(f"{self._fingerprint} {self.side}".encode())
        digest.update(self.rows.astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    @property
    def whole(self) -> StoredImages:
        """The same images with their margins, of which training cuts its own parts."""
        return StoredImages(self.pixels, self._fingerprint, self.pixels.shape[-1], self.rows, self._checksums)

    def choose(self, rows: Int[np.ndarray, "K"]) -> StoredImages:
        """The images at ``rows``, in that order; reads none."""
        return StoredImages(self.pixels, self._fingerprint, self.side, self.rows[rows], self._checksums)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: slice | Int[Tensor, "B"] | Bool[Tensor, "N"]) -> UInt8[Tensor, "B C H W"]:
        import torch

        rows = self.rows[index.cpu().numpy() if isinstance(index, torch.Tensor) else index]
        self._announce(rows)
        if self._checksums is not None:
            self._checksums.check(self.pixels, rows)
        start = (self.pixels.shape[-1] - self.side) // 2
        centre = slice(start, start + self.side)
        # numpy lets other threads run while it copies.
        return torch.from_numpy(np.take(self.pixels, rows, axis=0)[:, :, centre, centre])

    def _announce(self, rows: Int[np.ndarray, "B"]) -> None:
        """Tell the system which images will be read, so that it fetches each whole, and several at once.

        Otherwise it fetches some pages about each that is touched, and waits.
        """
        file = self.pixels.base
        if not isinstance(file, mmap.mmap) or not hasattr(mmap, "MADV_WILLNEED"):
            return
        size, first = self.pixels[:1].nbytes, getattr(self.pixels, "offset", 0) % mmap.ALLOCATIONGRANULARITY
        for row in rows.tolist():
            start = first + row * size
            page = start - start % mmap.PAGESIZE
            with suppress(OSError):  # a hint, which not every file system takes
                file.madvise(mmap.MADV_WILLNEED, page, start + size - page)
