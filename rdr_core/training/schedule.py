"""The learning rate at each step: linear warm-up, then cosine to 0."""

from __future__ import annotations

import math


def learning_rate(step: int, *, steps: int, peak: float, warmup: float) -> float:
    """Learning rate of a step.

    Args:
        step: 0 .. steps - 1, over the whole run.
        steps: length of the run.
        peak: the rate after warm-up (paper: 0.1).
        warmup: share of the run with a linear rise, so that it scales with the run's length.

    Example:
        >>> [round(learning_rate(s, steps=10, peak=0.1, warmup=0.2), 3) for s in (0, 1, 2, 6, 9)]
        [0.05, 0.1, 0.1, 0.05, 0.004]
    """
    rise = round(warmup * steps)
    if step < rise:
        return peak * (step + 1) / rise
    return peak * 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))
