"""The trace by Hutchinson's estimate with an honest standard error.

tr H = sum_j u_j^T H u_j + E[z^T Q H Q z] for orthonormal u_j, Q = I - U U^T and random signs z (Hutchinson 1990;
deflation: Gambhir, Stathopoulos and Orginos 2017). The first sum is exact for any orthonormal u_j; eigenvectors take
the most variance away.

Stopping once the standard error is small favours samples whose error happens to be small. So the number of probes is
fixed from a pilot of 16: n = (2 s / (2 error))^2 with s the pilot's spread, one more round where the whole sample's
error still misses the mark. And with n probes the mean by its standard error follows Student's t, so what is returned
is s / sqrt(n) times t(0.97725; n - 1) / 2: two of them are the 95.45 % interval that two sigmas stand for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Probes of the pilot, and the fewest of any estimate whose error is asked for: its own error is 18 % then.
PILOT = 16


@dataclass(frozen=True, eq=False)
class Estimate:
    """value, standard_error, samples (n,), whether the error asked for was reached."""

    value: float
    standard_error: float
    samples: np.ndarray
    converged: bool


def standard_error(samples: np.ndarray) -> float:
    """The standard error of the mean, widened so that two of them cover 95.45 % at any number of probes.

    Args:
        samples: (n,); fewer than two have no error (NaN).

    Example:
        >>> float(round(standard_error(np.array([0.0, 1.0] * 8)) / (np.std([0.0, 1.0] * 8, ddof=1) / 4), 3))
        1.091
    """
    from scipy.special import stdtrit  # Student's t quantile

    n = len(samples)
    if n < 2:
        return math.nan
    return float(np.std(samples, ddof=1) / math.sqrt(n) * stdtrit(n - 1, 0.9772498680518208) / 2)


def estimate_trace(
    sample: Callable[[int], np.ndarray], *, relative_error: float, exact_part: float, probes: int | None, maximum: int
) -> Estimate:
    """Probes until the standard error is at most ``relative_error`` of the trace.

    Args:
        sample: n -> (n,) independent, unbiased estimates of the rest of the trace.
        relative_error: standard error wanted, by the trace's size.
        exact_part: added to every estimate.
        probes: just so many instead.
        maximum: no more than so many.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> found = estimate_trace(lambda n: draw.normal(10, 1, n), relative_error=0.01, exact_part=90.0, probes=None,
        ...                        maximum=1000)
        >>> len(found.samples), bool(abs(found.value - 100) < 2 * found.standard_error)
        (16, True)
    """
    samples = exact_part + sample(probes or min(PILOT, maximum))
    while probes is None:
        goal = relative_error * abs(samples.mean())
        now = standard_error(samples)
        if now <= goal or len(samples) >= maximum:
            break
        # A tenth more than the spread asks for, so that a second round is rare.
        needed = math.ceil(1.1 * len(samples) * (now / goal) ** 2) if goal > 0 else maximum
        more = min(max(needed, len(samples) + 1), maximum) - len(samples)
        samples = np.concatenate([samples, exact_part + sample(more)])
    value, error = float(samples.mean()), standard_error(samples)
    return Estimate(value, error, samples, bool(error <= relative_error * abs(value)))
