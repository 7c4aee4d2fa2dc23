"""Spectral density by stochastic Lanczos quadrature with full re-orthogonalisation.

Ubaru, Chen and Saad 2017; Ghorbani, Krishnan and Xiao 2019. From a random unit vector, m Lanczos steps give a
tridiagonal matrix whose eigenvalues and squared first components are nodes and weights of a Gauss quadrature of the
spectrum; the mean over probes is broadened by Gaussians. Without re-orthogonalisation copies of converged
eigenvalues would take up the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from rdr_core.shapes import Float
from rdr_viz.curvature.krylov import Krylov

#: Width of the broadening by the spectrum's range.
BROADENING = 0.01
#: Points of the grid: the broadening is over eight of them wide, so sums over it are integrals.
POINTS = 1024


def fill(spaces: Sequence[Krylov], product: Callable[[Float[Tensor, "n P"]], Float[Tensor, "n P"]]) -> None:
    """Fill new spaces, each or until it closes, side by side: their products are made together."""
    growing = list(spaces)
    while growing:
        images = product(torch.stack([space.following for space in growing]))
        for space, image in zip(growing, images, strict=True):
            space.take(image)
        growing = [space for space in growing if space.remainder and not space.full]


def quadrature(space: Krylov) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the spectrum as the start vector of a filled space sees it.

    Returns:
        Nodes (m,) ascending, weights (m,) that sum to 1, and each node's residual (m,) as an eigenvalue.

    Example:
        >>> values = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
        >>> space = Krylov(lambda v: values * v, torch.ones(3, dtype=torch.float64), room=9)
        >>> fill([space], space.product)
        >>> nodes, weights, _ = quadrature(space)
        >>> nodes.round(6).tolist(), weights.round(6).tolist()
        ([1.0, 2.0, 5.0], [0.333333, 0.333333, 0.333333])
    """
    nodes, coordinates, residuals = space.ritz()
    return nodes, coordinates[0] ** 2, residuals


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
