"""What a process has set for all its computing, left outside while the toolkit computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def own_settings() -> Iterator[None]:
    """Inside, what a process can set for all its computing is as the toolkit's numbers want it; after it, as before.

    Tensors are float32 where nothing else is said, on the CPU; gradients can be had; nothing is cast to half precision
    unasked; NumPy warns where it does by default. It decorates functions too.

    Example:
        >>> import torch
        >>> with torch.no_grad(), own_settings():
        ...     torch.is_grad_enabled(), torch.ones(1).dtype
        (True, torch.float32)
    """
    import numpy as np
    import torch

    with ExitStack() as outside:
        outside.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float32)
        outside.enter_context(torch.inference_mode(False))
        outside.enter_context(torch.enable_grad())
        outside.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        if torch.get_default_device().type != "cpu":  # only then: such a mode costs every operation inside
            outside.enter_context(torch.device("cpu"))
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                outside.enter_context(torch.autocast(kind, enabled=False))
        yield
