"""Extreme eigenvalues of a symmetric operator by Lanczos, through SciPy's ``eigsh`` (ARPACK).

Lehoucq, Sorensen and Yang 1998, "ARPACK Users' Guide". Where a budget of products ends first, the best Ritz pairs in
the space spanned so far are given instead (Rayleigh-Ritz), with residuals that say how good they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, qr, solve_triangular
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from rdr_core.errors import RdrError

ENDS = {"largest": ("LA",), "smallest": ("SA",), "both": ("LA", "SA")}
#: Lanczos vectors between restarts: more converge in fewer products, and a vector costs little beside a product.
BASIS = 24
#: Ritz vectors kept besides, to take variance out of a trace.
SPARE = 10


@dataclass(frozen=True, eq=False)
class Pairs:
    """Eigenpairs: values (k,) descending, unit vectors (P, k), residuals (k,), products made, whether all converged.

    ``spare`` (P, j) are orthonormal, near the eigenvectors of largest magnitude; whatever the search passed by.
    """

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    products: int
    converged: bool
    spare: np.ndarray


class _BudgetSpent(Exception):
    pass


def extreme_eigenpairs(
    product: Callable[[np.ndarray], np.ndarray],
    size: int,
    *,
    k: int,
    which: str,
    tolerance: float,
    budget: int,
    start: np.ndarray,
) -> Pairs:
    """The k eigenpairs at one end of the spectrum of a symmetric operator, or at both.

    Args:
        product: (P,) -> (P,) float64, symmetric.
        size: P.
        k: pairs at each end.
        which: ``"largest"``, ``"smallest"`` or ``"both"``, by value, not by magnitude.
        tolerance: wanted residual, relative to the eigenvalue.
        budget: products at each end, those for the residuals not counted.
        start: (P,) start vector.

    Raises:
        RdrError: an unknown ``which``, or k that does not fit.

    Example:
        >>> diagonal = np.linspace(-1.0, 3.0, 200)
        >>> pairs = extreme_eigenpairs(lambda v: diagonal * v, 200, k=1, which="both", tolerance=1e-6, budget=500,
        ...                            start=np.ones(200))
        >>> pairs.values.round(6).tolist(), bool(pairs.residuals.max() < 1e-4)
        ([3.0, -1.0], True)
    """
    if which not in ENDS:
        raise RdrError(f"which={which!r} is not one of {', '.join(map(repr, ENDS))}.")
    ends = ENDS[which]
    if not 1 <= k * len(ends) <= size:
        raise RdrError(f"k={k} eigenvalues at {len(ends)} end(s) are not to be had from {size} parameters.")
    if k < 1 or budget < 2:
        raise RdrError(f"k={k} and budget={budget}: ask for at least 1 eigenvalue and 2 products.")
    counter = _Counter(product)
    if size <= 2 * max(2 * k + 1, 8) and size <= budget:
        values, vectors = _dense(counter, size)
        spare = vectors[:, np.argsort(-np.abs(values))[:SPARE]]
        columns = _columns(size, k, which)
        vectors, converged = vectors[:, columns], True
    elif not counter(start).any():
        # A loss that is flat to the last bit, which ARPACK refuses: any vectors are eigenvectors of 0.
        vectors, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((size, k * len(ends))))
        converged, spare = True, vectors
    else:
        vectors, converged, spare = _by_lanczos(counter, size, k, ends, tolerance, budget, start)
    image = np.column_stack([counter(vector) for vector in vectors.T])
    values = np.einsum("pk,pk->k", vectors, image)  # the Rayleigh quotients: at least as good
    residuals = np.linalg.norm(image - vectors * values, axis=0)
    order = np.argsort(-values, kind="stable")
    return Pairs(values[order], vectors[:, order], residuals[order], counter.made, converged, spare)


class _Counter:
    def __init__(self, product: Callable[[np.ndarray], np.ndarray]) -> None:
        self.product, self.made = product, 0

    def __call__(self, vector: np.ndarray) -> np.ndarray:
        self.made += 1
        return self.product(vector)


def _columns(size: int, k: int, which: str) -> list[int]:
    largest, smallest = list(range(size - k, size)), list(range(k))
    return {"largest": largest, "smallest": smallest, "both": [*largest, *smallest]}[which]


def _dense(product: Callable[[np.ndarray], np.ndarray], size: int) -> tuple[np.ndarray, np.ndarray]:
    matrix = np.column_stack([product(row) for row in np.eye(size)])
    return eigh((matrix + matrix.T) / 2)


def _by_lanczos(
    product: Callable[[np.ndarray], np.ndarray],
    size: int,
    k: int,
    ends: tuple[str, ...],
    tolerance: float,
    budget: int,
    start: np.ndarray,
) -> tuple[np.ndarray, bool, np.ndarray]:
    values, vectors, converged, spare = [], [], True, None
    for end in ends:
        space = _Space(product, k, budget, end)
        operator = LinearOperator((size, size), matvec=space, dtype=np.float64)
        try:
            found = eigsh(operator, k, which=end, v0=start, tol=tolerance, ncv=min(size, max(BASIS, 4 * k)),
                          maxiter=budget)  # fmt: skip
        except (_BudgetSpent, ArpackNoConvergence):
            found, converged = space.best(k), False
        values.append(found[0])
        vectors.append(found[1])
        if spare is None:
            ritz, near, _ = space._ritz()
            spare = near[:, np.argsort(-np.abs(ritz))[: max(SPARE, k)]]
        if len(ends) > 1:
            # The first run's space holds a first guess at the other end too.
            start = space.best(1, other_end=True)[1][:, 0] + 1e-2 * start / np.linalg.norm(start)
    # Each end's vectors are orthonormal; across the ends they are so up to the residuals, so make it exact.
    together = np.concatenate(values)
    order = np.argsort(-np.abs(together))
    orthonormal, _ = np.linalg.qr(np.concatenate(vectors, axis=1)[:, order])
    return orthonormal, converged, spare


class _Space:
    """The vectors multiplied so far and their images, pressed together when they grow many, to answer at any time."""

    def __init__(self, product: Callable[[np.ndarray], np.ndarray], k: int, budget: int, end: str) -> None:
        self.product, self.budget, self.end = product, budget, end
        self.keep, self.limit = max(2 * k + 2, SPARE), 2 * BASIS + 4 * max(k, SPARE)
        self.vectors: list[np.ndarray] = []
        self.images: list[np.ndarray] = []

    def __call__(self, vector: np.ndarray) -> np.ndarray:
        if self.budget <= 0:
            raise _BudgetSpent
        self.budget -= 1
        image = self.product(vector)
        if not np.isfinite(image).all():
            raise RdrError("A Hessian-vector product is not finite: the loss or its gradient overflows there.")
        self.vectors.append(np.array(vector, dtype=np.float32).reshape(-1))
        self.images.append(image.astype(np.float32))
        if len(self.vectors) >= self.limit:
            self._press()
        return image

    def best(self, k: int, *, other_end: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The k best Ritz values and vectors of the space at its end."""
        values, basis, _ = self._ritz()
        smallest = (self.end == "SA") != other_end
        columns = slice(0, k) if smallest else slice(-k, None)
        return values[columns], basis[:, columns]

    def _press(self) -> None:
        values, basis, images = self._ritz()
        wanted = self.keep
        columns = np.r_[0:wanted, len(values) - wanted : len(values)]
        self.vectors = list(basis[:, columns].astype(np.float32).T)
        self.images = list(images[:, columns].astype(np.float32).T)

    def _ritz(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rayleigh-Ritz: values ascending, vectors (P, j) and their images (P, j)."""
        span, images = (np.column_stack(rows).astype(np.float64) for rows in (self.vectors, self.images))
        q, r, order = qr(span, mode="economic", pivoting=True)
        rank = int((np.abs(np.diag(r)) > 1e-4 * np.abs(r[0, 0])).sum())
        q = q[:, :rank]
        image = solve_triangular(r[:rank, :rank], images[:, order[:rank]].T, trans="T").T
        small = q.T @ image
        values, rotation = eigh((small + small.T) / 2)
        return values, q @ rotation, image @ rotation
