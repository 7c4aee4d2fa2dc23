"""The images of an epoch, batch by batch; those on disk are read ahead, so that no step waits for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from rdr_core.data.disk.stored import StoredImages
from rdr_core.shapes import Int, UInt8
from rdr_core.training.transfer import to_device

#: Batches read ahead of the step, each by a thread of its own: memory for them is all that more would cost.
AHEAD = 4


def resident(images: Tensor | StoredImages, device: torch.device) -> Tensor | StoredImages:
    """Images in memory moved to the device; images on disk are left there, to be fed."""
    return images if isinstance(images, StoredImages) else images.to(device)


def feed(
    images: UInt8[Tensor, "N C H W"] | StoredImages, batches: Iterable[Int[Tensor, "B"]], device: torch.device
) -> Generator[UInt8[Tensor, "B C H W"], None, None]:
    """The images of each batch, on the device; the same ones whatever the threads' speed.

    Args:
        images: in memory on the device, or on disk.
        batches: indices of each batch's images.
        device: where they are wanted.

    Example:
        >>> images = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1)
        >>> batches = feed(images, torch.tensor([4, 3, 2, 1, 0]).split(3), torch.device("cpu"))
        >>> [batch.flatten().tolist() for batch in batches]
        [[4, 3, 2], [1, 0]]
    """
    if isinstance(images, Tensor):
        yield from (images[rows] for rows in batches)
        return

    def read(rows: Tensor) -> Tensor:
        pixels = images[rows].contiguous()
        return pixels.pin_memory() if device.type == "cuda" else pixels

    pool = ThreadPoolExecutor(AHEAD, "feed")
    coming: deque[Future[Tensor]] = deque()
    try:
        for rows in batches:
            coming.append(pool.submit(read, rows.cpu()))
            if len(coming) > AHEAD:
                yield to_device(coming.popleft().result(), device)
        while coming:
            yield to_device(coming.popleft().result(), device)
    finally:
        pool.shutdown(cancel_futures=True)
