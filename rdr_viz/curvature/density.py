"""Spectral density by stochastic Lanczos quadrature with full re-orthogonalisation.

Ubaru, Chen and Saad 2017; Ghorbani, Krishnan and Xiao 2019. From a random unit vector, m Lanczos steps give a
tridiagonal matrix whose eigenvalues and squared first components are nodes and weights of a Gauss quadrature of the
spectrum; the mean over probes is broadened by Gaussians. Without re-orthogonalisation copies of converged
eigenvalues would take up the steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh_tridiagonal

#: Width of the broadening by the spectrum's range.
BROADENING = 0.01
#: Points of the grid: the broadening is over eight of them wide, so sums over it are integrals.
POINTS = 1024


def lanczos(
    product: Callable[[np.ndarray], np.ndarray], start: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """At most ``steps`` steps of the symmetric Lanczos iteration, each re-orthogonalised against all before.

    Args:
        product: (P,) -> (P,).
        start: (P,), of any length but 0.
        steps: m; fewer are made where the space is exhausted.

    Returns:
        diagonal (m,), off-diagonal (m - 1,) and the next off-diagonal element, from which residuals follow.

    Example:
        >>> values = np.array([1.0, 2.0, 5.0])
        >>> diagonal, beside, left = lanczos(lambda v: values * v, np.ones(3), 10)
        >>> eigh_tridiagonal(diagonal, beside)[0].round(6).tolist()
        [1.0, 2.0, 5.0]
    """
    basis = np.empty((min(steps, len(start)), len(start)))
    basis[0] = start / np.linalg.norm(start)
    diagonal, beside = [], []
    scale = 0.0
    for step in range(len(basis)):
        image = product(basis[step])
        scale = max(scale, float(np.linalg.norm(image)))
        diagonal.append(float(basis[step] @ image))
        image = image - diagonal[-1] * basis[step]
        if step:
            image -= beside[-1] * basis[step - 1]
        image -= (basis[: step + 1] @ image) @ basis[: step + 1]
        length = float(np.linalg.norm(image))
        # 1e-7: what is left below that is rounding of single-precision products.
        if step + 1 == len(basis) or length <= 1e-7 * scale:
            return np.array(diagonal), np.array(beside), length if length > 1e-7 * scale else 0.0
        beside.append(length)
        basis[step + 1] = image / length
    raise AssertionError("unreachable")


def quadrature(diagonal: np.ndarray, beside: np.ndarray, left: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes (m,) ascending, weights (m,) that sum to 1, and each node's residual (m,) as an eigenvalue."""
    nodes, vectors = eigh_tridiagonal(diagonal, beside)
    return nodes, vectors[0] ** 2, abs(left * vectors[-1])


def broaden(nodes: np.ndarray, weights: np.ndarray, sigma: float, grid: np.ndarray) -> np.ndarray:
    """Sum of Gaussians of width ``sigma`` at the nodes, by weight; (G,) on ``grid``.

    Example:
        >>> grid = np.linspace(-6, 6, 1001)
        >>> round(float(np.trapezoid(broaden(np.zeros(1), np.ones(1), 1.0, grid), grid)), 6)
        1.0
    """
    density = np.zeros(len(grid))
    for node, weight in zip(nodes.ravel(), weights.ravel(), strict=True):
        density += weight * np.exp(-0.5 * ((grid - node) / sigma) ** 2)
    return density / (sigma * np.sqrt(2 * np.pi))


def grid_over(low: float, high: float) -> tuple[np.ndarray, float]:
    """A grid over low..high with room for the tails, and the broadening; both from the range alone."""
    extent = high - low or max(abs(high), 1e-12)
    sigma = BROADENING * extent
    return np.linspace(low - 6 * sigma, high + 6 * sigma, POINTS), sigma
