"""Which GPU kernels training uses, and what "fp32" means there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def fastest_convolutions(device: torch.device) -> Iterator[None]:
    """Inside, cuDNN times its algorithms once for each shape that it meets and keeps the fastest; a CPU has no part.

    Precision "fp32" is float32 storage and arithmetic but for convolutions, which on an NVIDIA GPU multiply in TF32
    (10 bits of mantissa, summed in float32): PyTorch's own default, left as it is. Linear layers multiply in float32,
    losses and weights are float32 or better, and density ratios float64; precision "bf16" changes the network alone.

    Example:
        >>> with fastest_convolutions(torch.device("cpu")):
        ...     torch.backends.cudnn.benchmark
        False
    """
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = before or device.type == "cuda"
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
