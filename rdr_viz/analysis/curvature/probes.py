"""Random probes of a symmetric operator, and what is known of it taken out of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rdr_core.shapes import Float

Product = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Known:
    """Directions in which an operator's products are known.

    Attributes:
        values: (j,) Rayleigh quotients u^T H u.
        basis: (P, j) orthonormal columns u, float64, on the operator's device.
        residuals: (j,) ||H u - value u||, of each as an eigenvalue.
    """

    values: np.ndarray
    basis: Float[Tensor, "P j"]
    residuals: np.ndarray

    @classmethod
    def of(cls, product: Product, basis: Float[Tensor, "P j"]) -> Known:
        """What j products tell; none where j is 0."""
        if not basis.shape[1]:
            return cls(np.zeros(0), basis, np.zeros(0))
        images = product(basis.T.contiguous()).T
        values = (basis * images).sum(dim=0)
        residuals = (images - basis * values).norm(dim=0)
        return cls(values.cpu().numpy(), basis, residuals.cpu().numpy())

    def eigenvectors(self) -> Known:
        """Those of them that are eigenvectors: only these may be left out of the rest of a spectrum."""
        good = self.residuals <= 1e-3 * np.abs(self.values).max(initial=0)
        return Known(self.values[good], self.basis[:, torch.from_numpy(good)], self.residuals[good])

    def without(self, rows: Float[Tensor, "n P"]) -> Float[Tensor, "n P"]:
        """Rows less what lies along the basis."""
        return rows - (rows @ self.basis) @ self.basis.T


class Probes:
    """Random signs, less what is known.

    Args:
        draw: a private generator.
        known: what to take out.
    """

    def __init__(self, draw: np.random.Generator, known: Known) -> None:
        self._draw, self.known = draw, known

    def __call__(self, n: int) -> Float[Tensor, "n P"]:
        """The next n of them."""
        basis = self.known.basis
        rows = torch.stack([torch.from_numpy(self._signs(len(basis))).to(basis) for _ in range(n)])
        return self.known.without(rows)

    def _signs(self, size: int) -> np.ndarray:
        return self._draw.integers(0, 2, size).astype(np.float64) * 2 - 1


def squared_cosines(rows: Float[Tensor, "n P"]) -> Float[Tensor, "m"]:
    """Of each row with the one before; NaN where either is 0.

    Example:
        >>> squared_cosines(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 3.0]]))
        tensor([0.5000, 0.5000])
    """
    lengths = (rows * rows).sum(dim=1)
    return (rows[1:] * rows[:-1]).sum(dim=1) ** 2 / (lengths[1:] * lengths[:-1])
