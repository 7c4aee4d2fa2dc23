"""The trace by Hutchinson's estimate with an honest standard error.

tr H = sum_j u_j^T H u_j + E[z^T Q H Q z] for orthonormal u_j, Q = I - U U^T and random signs z (Hutchinson 1990;
deflation: Gambhir, Stathopoulos and Orginos 2017). The first sum is exact for any orthonormal u_j; eigenvectors take
the most variance away.

Stopping once the standard error is small favours samples whose error happens to be small. So the number of probes is
fixed from a pilot of 16: n = (2 s / (2 error))^2 with s the pilot's spread, one more round where the whole sample's
error still misses the mark. And what is returned is half of the half-width that holds the truth in 95.45 %, which is
what two sigmas stand for: s / sqrt(n) times half of Student's t(0.97725; n - 1) where many eigenvalues share in the
trace, so that z^T H z is nearly normal. Where one has all of it, z^T H z is chi-squared with one degree of freedom, and
a sample that is small by chance looks narrow too: Student's interval holds the truth in 89 % then. How many have a
share is seen in the products: H z and H z' lie along each other where there is one, and across where there are many.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rdr_viz.analysis.curvature.probes import Probes, Product, squared_cosines

#: Probes of the pilot, and the fewest of any estimate whose error is asked for: its own error is 18 % then.
PILOT = 16
#: So many equal samples are no chance: two values that are equally likely come out equal in 1 of 128.
EQUAL = 8
#: 95.45 % by Student's t.
_QUANTILE = 0.9772498680518208
#: How much wider than Student's the interval must be, for n samples (rows) of chi-squared with 1, 2, 4 ... degrees of
#: freedom (columns): `python benchmarks/standard_errors.py --table`.
_SAMPLES = (2, 3, 4, 5, 6, 8, 10, 16, 24, 32, 64, 128)
_FREEDOM = (1, 2, 4, 8, 16, 64)
_WIDER = np.array([
    [4.59, 1.90, 1.32, 1.14, 1.06, 1.01],
    [3.81, 1.89, 1.36, 1.16, 1.08, 1.02],
    [3.16, 1.79, 1.34, 1.15, 1.08, 1.02],
    [2.75, 1.69, 1.30, 1.14, 1.07, 1.02],
    [2.47, 1.61, 1.27, 1.13, 1.06, 1.01],
    [2.12, 1.49, 1.22, 1.10, 1.05, 1.01],
    [1.90, 1.41, 1.19, 1.09, 1.04, 1.01],
    [1.58, 1.26, 1.12, 1.06, 1.03, 1.01],
    [1.39, 1.18, 1.08, 1.04, 1.02, 1.00],
    [1.29, 1.13, 1.07, 1.03, 1.02, 1.00],
    [1.14, 1.07, 1.03, 1.02, 1.01, 1.00],
    [1.07, 1.03, 1.02, 1.01, 1.01, 1.00],
])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Estimate:
    """value, standard_error, samples (n,), whether the error asked for was reached."""

    value: float
    standard_error: float
    samples: np.ndarray
    converged: bool


def standard_error(samples: np.ndarray, alignment: float = 0.0) -> float:
    """The standard error of the mean of quadratic forms z^T H z, so that two of them cover 95.45 % at any number of z.

    Args:
        samples: (n,).
        alignment: mean squared cosine between products H z of different z, 0..1: one over how many eigenvalues share in
            the trace (default 0: very many, samples are normal).

    Returns:
        NaN where nothing is known of it: of fewer than two samples, or of fewer than eight that are all equal.

    Example:
        >>> float(round(standard_error(np.array([0.0, 1.0] * 8)) / (np.std([0.0, 1.0] * 8, ddof=1) / 4), 3))
        1.091
        >>> standard_error(np.array([4.0, 4.0]))
        nan
    """
    from scipy.special import stdtrit  # Student's t quantile

    n = len(samples)
    spread = float(np.std(samples, ddof=1)) if n > 1 else 0.0
    if n < 2 or (n < EQUAL and spread <= 1e-12 * np.abs(samples).max()):
        return math.nan
    return spread / math.sqrt(n) * stdtrit(n - 1, _QUANTILE) / 2 * wider(n, alignment)


def wider(n: int, alignment: float) -> float:
    """By how much an interval of n samples must be wider than Student's; between the table's by their logarithms.

    Example:
        >>> float(round(wider(16, 1.0), 2)), float(round(wider(16, 0.0), 2)), float(round(wider(5000, 1.0), 2))
        (1.58, 1.0, 1.0)
    """
    # The excess falls with one over both, so at twice the last row's and column's it is half of theirs.
    samples = min(n, _SAMPLES[-1])
    freedom = 1 / max(alignment, 1 / _FREEDOM[-1])
    by_freedom = [np.interp(math.log(samples), np.log(_SAMPLES), column) for column in _WIDER.T]
    excess = np.interp(math.log(freedom), np.log(_FREEDOM), by_freedom) - 1
    return 1 + excess * samples / n * min(1.0, alignment * _FREEDOM[-1])


def quadratic_forms(product: Product, probes: Probes, width: int) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """What :func:`estimate_trace` samples: z^T H z of random probes z, and how their products lie to each other.

    Args:
        product: H of rows.
        probes: what is known taken out of them.
        width: rows that are best given at once.

    Returns:
        n -> z^T H z of the next n probes, and the squared cosine of each one's product with the one before.
    """
    previous = probes.known.basis.new_zeros(1, len(probes.known.basis))

    def sample(n: int) -> tuple[np.ndarray, np.ndarray]:
        nonlocal previous
        values: list[Tensor] = []
        cosines: list[Tensor] = []
        while len(values) < n:
            rows = probes(min(width, n - len(values)))
            images = product(rows)
            values.extend((rows * images).sum(dim=1))
            both = torch.cat([previous, probes.known.without(images)])
            cosines.extend(squared_cosines(both))
            previous = both[-1:]
        return torch.stack(values).cpu().numpy(), torch.stack(cosines).cpu().numpy()

    return sample


def estimate_trace(
    sample: Callable[[int], tuple[np.ndarray, np.ndarray]], relative_error: float, *, exact_part: float,
    probes: int | None, maximum: int,
) -> Estimate:  # fmt: skip
    """Probes until the standard error is at most ``relative_error`` of the trace.

    Args:
        sample: n -> (n,) independent, unbiased estimates of the rest of the trace, and (n,) squared cosines of each
            one's product with the one before (NaN of the first).
        relative_error: standard error wanted, by the trace's size.
        exact_part: added to every estimate.
        probes: just so many instead.
        maximum: no more than so many.

    Example:
        >>> draw = np.random.default_rng(0)
        >>> found = estimate_trace(lambda n: (draw.normal(10, 1, n), np.zeros(n)), relative_error=0.01, exact_part=90.0,
        ...                        probes=None, maximum=1000)
        >>> len(found.samples), bool(abs(found.value - 100) < 2 * found.standard_error)
        (16, True)
    """
    samples, cosines = sample(probes or min(PILOT, maximum))
    while True:
        value, error = exact_part + float(samples.mean()), standard_error(samples, mean_cosine(cosines))
        goal = relative_error * abs(value)
        if probes is not None or error <= goal or len(samples) >= maximum:
            return Estimate(value, error, exact_part + samples, bool(error <= goal))
        # A tenth more than the spread asks for, so that a second round is rare.
        needed = math.ceil(1.1 * len(samples) * (error / goal) ** 2) if goal > 0 else maximum
        more = sample(min(max(needed, len(samples) + 1), maximum) - len(samples))
        samples, cosines = (np.concatenate(both) for both in zip((samples, cosines), more, strict=True))


def mean_cosine(squares: np.ndarray) -> float:
    """The alignment from the squared cosines that are known; 0 of none.

    Example:
        >>> mean_cosine(np.array([np.nan, 0.25, 0.75]))
        0.5
    """
    known = squares[~np.isnan(squares)]
    return float(known.mean()) if len(known) else 0.0
