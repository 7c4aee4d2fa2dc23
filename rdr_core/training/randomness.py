"""Randomness as a function of (seed, purpose, epoch, ...), and global random states that stay the user's."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def fold(seed: int, *words: object) -> int:
    """A 63-bit number that depends on the seed and the words alone.

    Example:
        >>> fold(0, "shuffle", 1) == fold(0, "shuffle", 1) != fold(0, "shuffle", 2)
        True
    """
    text = "/".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *words: object) -> torch.Generator:
    """A private generator on the CPU, so that every device draws the same numbers."""
    return torch.Generator().manual_seed(fold(seed, *words))


def random_states(device: torch.device | None = None) -> dict[str, Any]:
    """The states of Python's, NumPy's and torch's global generators, as a tree that a checkpoint takes.

    Args:
        device: of a run; of GPUs its generator alone is taken, since the run may go on with another GPU of the
            machine. None (default) takes those of all.
    """
    numpy = np.random.get_state(legacy=False)
    name, inner, has_gauss, cached = (numpy[key] for key in ("bit_generator", "state", "has_gauss", "gauss"))
    version, internal, gauss = random.getstate()
    states: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "numpy": [name, torch.from_numpy(inner["key"].copy().view(np.int32)), inner["pos"], has_gauss, cached],
        "python": [version, list(internal), gauss],
    }
    if device is not None and device.type == "cuda":
        states["cuda"] = [torch.cuda.get_rng_state(device)]
    elif device is None and torch.cuda.is_available() and torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def restore_random_states(states: dict[str, Any], device: torch.device | None = None) -> None:
    """Undo of :func:`random_states`; CUDA's part is left out where there is no such device now.

    Args:
        states: of it.
        device: as of it.
    """
    name, keys, position, has_gauss, cached = states["numpy"]
    if not 0 <= position <= len(keys):  # which NumPy doesn't ask
        raise ValueError(f"NumPy's generator is at {position} of {len(keys)}")
    np.random.set_state((name, keys.numpy().view(np.uint32), position, has_gauss, cached))
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    torch.set_rng_state(states["torch"])
    saved = states.get("cuda", [])
    if device is not None and device.type == "cuda" and saved:
        torch.cuda.set_rng_state(saved[min(device.index or 0, len(saved) - 1)], device)  # older ones have all GPUs'
    elif device is None and torch.cuda.device_count() == len(saved) > 0:
        torch.cuda.set_rng_state_all(saved)


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Global generators seeded with ``seed`` inside, and as the user left them afterwards; the default dtype too."""
    before, dtype = random_states(), torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float32)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        yield
    finally:
        torch.set_default_dtype(dtype)
        restore_random_states(before)
