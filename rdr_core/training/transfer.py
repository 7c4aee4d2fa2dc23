"""Moving what an epoch needs to the device, and pointing at rows of it there, without waiting for it."""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.shapes import Int


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on the device; a copy to a GPU goes through pinned memory, beside the work under way there."""
    if device.type != "cuda":
        return tensor.to(device)
    pinned = tensor if tensor.is_pinned() else tensor.pin_memory()
    return pinned.to(device, non_blocking=True)


def consecutive(start: int | Int[Tensor, "1"], count: int) -> slice | Int[Tensor, "B"]:
    """What picks ``count`` rows from ``start`` on: a slice, or where only the device knows the start, their numbers.

    Example:
        >>> rows = torch.tensor([10, 11, 12, 13])
        >>> rows[consecutive(1, 2)], rows[consecutive(torch.tensor([1]), 2)]
        (tensor([11, 12]), tensor([11, 12]))
    """
    return slice(start, start + count) if isinstance(start, int) else start + torch.arange(count, device=start.device)
