"""The learning rate at each step: a linear warm-up, then a schedule that scales with the run's length."""

from __future__ import annotations

import math

#: Schedules by name, with what they do after the warm-up.
SCHEDULES = {
    "cosine": "rises step by step, then half a cosine to 0",
    "step": "rises epoch by epoch, then x 0.01 after 80 % and x 0.0001 after 90 % of the epochs",
    "step-cdb": "rises epoch by epoch, then x 0.01 after 2/3 and x 0.0001 after 7/8 of the epochs",
}

#: Shares of the epochs after which steps fall, and to what: LDAM-DRW's 160 and 180 of 200 (Cao et al. 2019), and 160
#: and 210 of 240 in CDB-loss's code (github.com/hitachi-rd-cv/CDB-loss, ec6d375).
STEPS = {"step": ((0.9, 1e-4), (0.8, 1e-2)), "step-cdb": ((7 / 8, 1e-4), (2 / 3, 1e-2))}


def learning_rate(
    step: int, *, batches: int, epochs: int, peak: float, warmup: float, schedule: str = "cosine"
) -> float:
    """Learning rate of a step.

    Args:
        step: 0 .. batches * epochs - 1, over the whole run.
        batches: steps of an epoch.
        epochs: of the run.
        peak: the rate after warm-up (paper: 0.1).
        warmup: share of the run with a linear rise, so that it scales with the run's length.
        schedule: one of :data:`SCHEDULES`.

    Example:
        >>> [round(learning_rate(s, batches=10, epochs=1, peak=0.1, warmup=0.2), 3) for s in (0, 1, 2, 6, 9)]
        [0.05, 0.1, 0.1, 0.05, 0.004]
        >>> [f"{learning_rate(e, batches=1, epochs=200, peak=0.1, warmup=0.025, schedule='step'):g}"
        ...  for e in (0, 4, 159, 160, 180)]
        ['0.02', '0.1', '0.1', '0.001', '1e-05']
    """
    if schedule in STEPS:
        return peak * _stepwise(step // batches, epochs, warmup, STEPS[schedule])
    steps = batches * epochs
    rise = round(warmup * steps)
    if step < rise:
        return peak * (step + 1) / rise
    return peak * 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


def _stepwise(epoch: int, epochs: int, warmup: float, steps: tuple[tuple[float, float], ...]) -> float:
    """The share of the peak in an epoch, counted from 0."""
    rise = round(warmup * epochs)
    if epoch < rise:
        return (epoch + 1) / rise
    return next((factor for share, factor in steps if epoch >= round(share * epochs)), 1.0)
