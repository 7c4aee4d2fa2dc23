"""Extreme eigenvalues of a symmetric operator: both ends from one Krylov space.

ARPACK (SciPy's ``eigsh``) gives one end a call, restarts a small basis and looks at its residuals only then: for both
ends of a class of digits it took 53 products and twice their time beside them, this takes about 33. ``eigsh`` is the
tests' reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.shapes import Float
from rdr_viz.curvature.krylov import Krylov

ENDS = {"largest": 1, "smallest": 1, "both": 2}
#: Bytes that the space may take before it is pressed together; at least ``SPARE`` vectors beside those kept fit.
MEMORY = 2**29
#: Ritz vectors kept at each end beside the wanted ones, and given back to take variance out of a trace.
SPARE = 10
#: No larger space than so many vectors: its own algebra would cost more than products.
MOST = 256


@dataclass(frozen=True, eq=False)
class Pairs:
    """Eigenpairs: values (k,) descending, unit vectors (P, k), residuals (k,), products made, whether all converged.

    ``spare`` (P, j) are orthonormal, near the eigenvectors of largest magnitude; whatever the search passed by.
    """

    values: np.ndarray
    vectors: Float[Tensor, "P k"]
    residuals: np.ndarray
    products: int
    converged: bool
    spare: Float[Tensor, "P j"]


def extreme_eigenpairs(
    product: Callable[[Float[Tensor, "P"]], Float[Tensor, "P"]],
    start: Float[Tensor, "P"],
    *,
    k: int,
    which: str,
    tolerance: float,
    budget: int,
    dtype: torch.dtype = torch.float64,
) -> Pairs:
    """The k eigenpairs at one end of the spectrum of a symmetric operator, or at both.

    Args:
        product: (P,) -> (P,) float64, symmetric.
        start: (P,) float64, a random vector; the work is done where it lives.
        k: pairs at each end. With k above 1, an eigenvalue that several eigenvectors share may be found once only.
        which: ``"largest"``, ``"smallest"`` or ``"both"``, by value, not by magnitude.
        tolerance: wanted residual, relative to the eigenvalue, or what the products' rounding leaves of it.
        budget: products in all, those for the residuals not counted.
        dtype: that the products are computed in.

    Raises:
        RdrError: an unknown ``which``, a k or budget that does not fit, a product that is not finite.

    Example:
        >>> diagonal = torch.linspace(-1, 3, 200, dtype=torch.float64)
        >>> pairs = extreme_eigenpairs(lambda v: diagonal * v, torch.ones(200, dtype=torch.float64), k=1, which="both",
        ...                            tolerance=1e-6, budget=500)
        >>> pairs.values.round(6).tolist(), bool(pairs.residuals.max() < 1e-5)
        ([3.0, -1.0], True)
    """
    if which not in ENDS:
        raise RdrError(f"which={which!r} is not one of {', '.join(map(repr, ENDS))}.")
    size, wanted = len(start), k * ENDS[which]
    if not 1 <= wanted <= size:
        raise RdrError(f"k={k} eigenvalues at {ENDS[which]} end(s) are not to be had from {size} parameters.")
    if budget < max(2, wanted):
        raise RdrError(f"budget={budget} products are too few for {wanted} eigenvalue(s); give at least "
                       f"{max(2, wanted)}.")  # fmt: skip
    keep = k + SPARE
    room = min(MOST + 4 * k, max(2 * keep + SPARE, MEMORY // (8 * size)))
    space = Krylov(product, start, room, dtype)
    products, closings, converged = 0, 0, False
    while True:
        space.step()
        products += 1
        m = space.multiplied
        closed = not space.remainder
        # Looking costs m^3; looking rarely when m is large costs a few products more.
        if m % (1 + m // 20) == 0 or closed or space.full or products == budget:
            values, coordinates, residuals = space.ritz()
            columns = _columns(m, k, which)
            goal = np.maximum(tolerance * np.abs(values[columns]), 5 * space.rounding * space.scale)
            converged = m >= wanted and bool((residuals[columns] <= goal).all())
            # A closed space holds one eigenvector of each eigenvalue; the next ones of the same are outside, and have
            # come in once it is closed again.
            converged &= (closings >= k - 1 or m == size) if closed else closings == 0
        if converged or products == budget:
            break
        if space.full:
            ends = np.r_[0:keep, m - keep : m]
            space.press(values[ends], coordinates[:, ends])
        if closed:
            closings += 1
            space.widen(torch.from_numpy(np.random.default_rng(closings).standard_normal(size)).to(start))
    vectors = space.vectors(coordinates[:, columns])
    images = torch.stack([product(vector) for vector in vectors.T], dim=1)
    quotients = (vectors * images).sum(dim=0)  # Rayleigh's: at least as good as the Ritz values
    found = quotients.cpu().numpy()
    left = (images - vectors * quotients).norm(dim=0).cpu().numpy()
    order = np.argsort(-found, kind="stable")
    spare = space.vectors(coordinates[:, np.argsort(-np.abs(values))[: max(SPARE, k)]])
    return Pairs(found[order], vectors[:, order.copy()], left[order], products + len(columns), converged, spare)


def _columns(m: int, k: int, which: str) -> list[int]:
    """Columns of the wanted ones of m ascending Ritz values."""
    smallest, largest = list(range(min(k, m))), list(range(max(m - k, 0), m))
    return {"largest": largest, "smallest": smallest, "both": smallest + largest}[which]
