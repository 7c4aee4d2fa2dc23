"""Extreme eigenvalues of a symmetric operator: both ends from one Krylov space.

ARPACK (SciPy's ``eigsh``) gives one end a call, restarts a small basis and looks at its residuals only then: for both
ends of a class of digits it took 53 products and twice their time beside them, this takes about 33. ``eigsh`` is the
tests' reference.

From one start vector an eigenvalue comes once, however many eigenvectors share it. So with k above 1 what has converged
is taken out, and the search is over only when another chain, from a fresh random vector in what is left, has found
nothing that lies beyond the last of the k values; how many steps that takes is Kuczynski and Wozniakowski's bound
(1992, theorem 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.shapes import Float
from rdr_viz.analysis.curvature.krylov import ROUNDING, Krylov

#: The signs by which what is wanted is largest.
ENDS = {"largest": (1,), "smallest": (-1,), "both": (1, -1)}
#: Bytes that the space may take before it is pressed together; at least ``SPARE`` vectors beside those kept fit.
MEMORY = 2**29
#: Ritz vectors kept at each end beside the wanted ones, and given back to take variance out of a trace.
SPARE = 10
#: No larger space than so many vectors: its own algebra would cost more than products.
MOST = 256
#: Chance that an eigenvalue is missed, by a bound that is wide for most spectra.
DOUBT = 1e-3
#: Measured residuals may be so many times what rounding alone makes of a product.
ROUNDINGS = 20


@dataclass(frozen=True, eq=False)
class Pairs:
    """Eigenpairs: values (k,) descending, unit vectors (P, k), residuals (k,), products made, whether all converged.

    Converged is what has a residual, measured, within the tolerance, where nothing is left that might lie beyond.

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
        k: pairs at each end. An eigenvalue that several eigenvectors share is found as often as it is there.
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
    size, wanted = len(start), k * len(ENDS[which])
    if not 1 <= wanted <= size:
        raise RdrError(f"k={k} eigenvalues at {len(ENDS[which])} end(s) can't be computed from {size} parameters.")
    if budget < max(2, wanted):
        raise RdrError(f"budget={budget} products are too few for {wanted} eigenvalue(s); give at least "
                       f"{max(2, wanted)}.")  # fmt: skip
    fresh, rounding = np.random.default_rng(0), ROUNDING[dtype]
    # What is left of one vector's error comes into the next ones', so several are taken nearer than is asked.
    near = tolerance if k == 1 else tolerance / 2
    known, basis = np.zeros(0), start.new_zeros(size, 0)  # what is taken out
    made, spare = 0, None
    while True:
        chain = _Chain(product, start, basis, known, k, ENDS[which], near, dtype)
        chain.run(budget - made)
        made += chain.space.steps
        spare = chain.largest_in_size(max(SPARE, k)) if spare is None else spare
        if chain.sure or made >= budget:
            break
        known, basis = np.append(known, chain.values[chain.good]), torch.cat([basis, chain.vectors(chain.good)], dim=1)
        if len(known) >= size:
            chain.sure = True
            break
        start = torch.from_numpy(fresh.standard_normal(size)).to(start)
    values = np.append(known, chain.values)
    order = np.argsort(-values, kind="stable")
    chosen = np.unique(np.concatenate([order[:k] if sign > 0 else order[-k:] for sign in ENDS[which]]))
    old = chosen[chosen < len(known)]
    vectors = torch.cat([basis[:, torch.from_numpy(old)], chain.vectors(chosen[len(old) :] - len(known))], dim=1)
    # The best that is in these vectors' span (Rayleigh and Ritz), and its residuals by their products.
    images = torch.stack([product(vector) for vector in vectors.T], dim=1)
    form = (vectors.T @ images).cpu().numpy()
    rising, columns = np.linalg.eigh((form + form.T) / 2)
    found, turn = rising[::-1], torch.from_numpy(columns[:, ::-1].copy()).to(vectors)
    vectors, images = vectors @ turn, images @ turn
    left = (images - vectors * torch.from_numpy(found.copy()).to(vectors)).norm(dim=0).cpu().numpy()
    scale = max(chain.space.scale, np.abs(known).max(initial=0.0))
    close = left <= np.maximum(tolerance * np.abs(found), ROUNDINGS * rounding * scale)
    return Pairs(found, vectors, left, made + len(found), chain.sure and bool(close.all()), spare)


class _Chain:
    """A Krylov space from one random vector in what is left when eigenpairs that are known are taken out.

    Attributes:
        space: it.
        values: (m,) its Ritz values, ascending, when :meth:`run` ends.
        good: (m,) bool, which of them have converged.
        sure: whether the k wanted are known at each end, and nothing is hidden beyond them.
    """

    values: np.ndarray
    good: np.ndarray
    _coordinates: np.ndarray

    def __init__(
        self, product: Callable[[Tensor], Tensor], start: Tensor, basis: Float[Tensor, "P j"], known: np.ndarray,
        k: int, signs: tuple[int, ...], tolerance: float, dtype: torch.dtype,
    ) -> None:  # fmt: skip

        def without(vector: Tensor) -> Tensor:
            for _ in range(2):
                vector = vector - basis @ (basis.T @ vector)
            return vector

        size, self._keep = len(start), k + SPARE
        room = min(MOST + 4 * k, max(2 * self._keep + SPARE, MEMORY // (8 * size)))
        rest = (lambda vector: without(product(vector))) if len(known) else product
        self.space = Krylov(rest, without(start), min(room, size - len(known)), dtype, basis if len(known) else None)
        self.space.scale = np.abs(known).max(initial=0.0)
        self._left = size - len(known)
        self._known, self._k, self._signs, self._tolerance = known, k, signs, tolerance
        self.sure = False

    def run(self, budget: int) -> None:
        """Multiply until all is known, something is found, the space closes, or the budget is spent."""
        space = self.space
        while True:
            space.step()
            m = space.multiplied
            closed = not space.remainder
            spent = space.steps >= budget
            # Looking costs m^3; looking rarely when m is large costs a few products more.
            if not (m % (1 + m // 20) == 0 or closed or space.full or spent):
                continue
            self.values, self._coordinates, residuals = space.ritz()
            goals = self._goals(self.values)
            self.good = (residuals <= goals) | closed
            told = [self._told(sign, closed) for sign in self._signs]
            self.sure = all(one == "sure" for one in told) or (closed and m == self._left)
            if self.sure or spent or closed or ("found" in told and "waits" not in told):
                return
            if space.full:
                kept = np.r_[0 : self._keep, m - self._keep : m]
                space.press(self.values[kept], self._coordinates[:, kept])

    def vectors(self, chosen: np.ndarray) -> Float[Tensor, "P n"]:
        """The Ritz vectors of these values."""
        return self.space.vectors(self._coordinates[:, chosen])

    def largest_in_size(self, n: int) -> Float[Tensor, "P n"]:
        """Those of the largest magnitude."""
        return self.vectors(np.argsort(-np.abs(self.values))[:n])

    def _goals(self, values: np.ndarray) -> np.ndarray:
        return np.maximum(self._tolerance * np.abs(values), 5 * self.space.rounding * self.space.scale)

    def _told(self, sign: int, closed: bool) -> str:
        """Of one end: "waits" for values to converge, has "found" some, is "sure", or looks on ("")."""
        k, before = self._k, np.sort(sign * self._known)[::-1][: self._k]
        order = np.argsort(-sign * self.values)
        mine, good = sign * self.values[order], self.good[order]
        every = np.concatenate([before, mine])
        place = np.argsort(-every, kind="stable")[:k]
        if len(self._known) + len(mine) < k * len(self._signs):
            return "found" if closed else "waits"
        if not np.concatenate([np.full(len(before), True), good])[place].all():
            return "waits"
        top = every[place]
        slack = self._goals(top)
        beyond = top[top > top[-1] + slack[-1]]
        if not len(beyond):  # all alike; and the first is never missed
            return "sure"
        if len(before) < k or (top > before + slack).any():
            return "found"  # perhaps one of several: another chain is to come
        if closed:  # it has seen every eigenvalue of what it began in
            return "sure"
        rest = mine[~good]  # what has converged is as good as taken out
        if not len(rest) or rest.max() >= beyond[-1]:
            return ""
        gap, spread = beyond[-1] - rest.max(), beyond[-1] - rest.min()
        exponent = math.sqrt(gap / spread) * (2 * self.space.steps - 1)
        return "sure" if 1.648 * math.sqrt(self._left) * math.exp(-exponent) <= DOUBT else ""
