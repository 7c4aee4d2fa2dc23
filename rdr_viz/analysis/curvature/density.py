"""Spectral density by stochastic Lanczos quadrature with full re-orthogonalisation.

Ubaru, Chen and Saad 2017; Ghorbani, Krishnan and Xiao 2019. From a random unit vector, m Lanczos steps give a
tridiagonal matrix whose eigenvalues and squared first components are nodes and weights of a Gauss quadrature of the
spectrum; the mean over probes is broadened by Gaussians. Without re-orthogonalisation copies of converged
eigenvalues would take up the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rdr_core.shapes import Float
from rdr_viz.analysis.curvature.krylov import Krylov
from rdr_viz.analysis.curvature.probes import Probes, Product, squared_cosines

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


@dataclass(frozen=True, eq=False)
class Spectra:
    """What probes saw of a spectrum.

    Attributes:
        nodes, weights: (probes, j + steps) each: the j eigenvalues that were known, then each probe's quadrature.
        smallest, largest: an extreme eigenvalue of all that were seen, and its residual.
        cosines: squared, of each probe's product with the one before (NaN of the first).
    """

    nodes: np.ndarray
    weights: np.ndarray
    smallest: tuple[float, float]
    largest: tuple[float, float]
    cosines: np.ndarray


def spectra(product: Product, probes: Probes, count: int, steps: int, together: int, dtype: torch.dtype) -> Spectra:
    """Quadratures of a spectrum from random probes, what is known of it having its own weight of 1/P each.

    Args:
        product: of the operator, of rows.
        probes: the known part taken out of them.
        count: how many probes.
        steps: of Lanczos, of each.
        together: how many Krylov spaces to fill side by side.
        dtype: of the operator's products.
    """
    known = probes.known
    size, j = known.basis.shape
    share = 1 - j / size
    ends: list[tuple[float, float, float, float]] = []
    nodes, weights = np.zeros((2, count, j + steps))
    nodes[:, :j], weights[:, :j] = known.values, 1 / size

    def rest(rows: Tensor) -> Tensor:
        return known.without(product(rows))

    previous, cosines = known.basis.new_zeros(size), []
    for first in range(0, count if share > 0 else 0, together):
        spaces = [Krylov(rest, row, steps, dtype) for row in probes(min(together, count - first))]
        fill(spaces, rest)
        images = torch.stack([previous, *(space.first_image() for space in spaces)])
        cosines.extend(squared_cosines(images).tolist())
        previous = images[-1]
        for row, space in enumerate(spaces, start=first):
            found, weight, left = quadrature(space)
            here = slice(j, j + len(found))
            nodes[row, here], weights[row, here] = found, share * weight
            nodes[row, here.stop :] = found[0]
            ends.append((found[0], left[0], found[-1], left[-1]))
    for value, residual in zip(known.values, known.residuals, strict=True):
        ends.append((value, residual, value, residual))
    smallest = min((end[0], end[1]) for end in ends)
    return Spectra(nodes, weights, smallest, max((end[2], end[3]) for end in ends), np.array(cosines))


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
