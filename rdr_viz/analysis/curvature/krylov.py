"""Lanczos with full re-orthogonalisation: the space that eigenvalues and spectral density are read from.

Every new vector is made orthogonal to all before, twice, so converged eigenvalues don't come back as copies (Parlett
1998, chapter 13). Both ends of the spectrum converge in the one space. Where it outgrows its room, the best Ritz
vectors of both ends are kept and the iteration goes on from there (thick restart: Wu and Simon 2000).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.shapes import Float

#: By the products' type: a remainder that is smaller than this share of the operator is rounding, not direction.
ROUNDING = {torch.float32: 1e-7, torch.float64: 1e-14}

#: Told of products that overflow.
NOT_FINITE = "A Hessian-vector product is not finite: the loss or its gradient overflows there."


class Krylov:
    """Orthonormal vectors q_1 ... q_m, grown one product at a time, and the operator's projection on them.

    Args:
        product: (P,) -> (P,) float64, symmetric.
        start: (P,) float64, of any length but 0; the vectors live where it does.
        room: vectors that there is place for.
        dtype: that the products are computed in.
        apart: orthonormal columns that the operator maps to 0, so that the space stays orthogonal to them.

    Attributes:
        multiplied: m, the vectors whose products are in the projection.
        remainder: norm of what the last product has outside the space; 0 where the space is closed.
        steps: products made.
        scale: the longest product so far, a lower bound of the operator's norm.

    Example:
        >>> values = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
        >>> space = Krylov(lambda v: values * v, torch.ones(3, dtype=torch.float64), room=5)
        >>> while not space.multiplied or space.remainder:
        ...     space.step()
        >>> space.ritz()[0].round(6).tolist()
        [1.0, 2.0, 5.0]
    """

    def __init__(
        self,
        product: Callable[[Float[Tensor, "P"]], Float[Tensor, "P"]],
        start: Float[Tensor, "P"],
        room: int,
        dtype: torch.dtype = torch.float64,
        apart: Float[Tensor, "P j"] | None = None,
    ) -> None:
        self.product, self.room, self.rounding = product, min(room, len(start)), ROUNDING[dtype]
        # One row more than there is room: the vector that comes next. Untouched rows cost no memory on a CPU.
        self._rows = start.new_empty(self.room + 1, len(start))
        self._rows[0] = start / start.norm()
        self._projection = np.zeros((self.room, self.room))
        self.multiplied, self.steps, self.remainder, self.scale = 0, 0, 0.0, 0.0
        self._apart = apart
        self._pressed = 0  # vectors kept by the last press

    @property
    def full(self) -> bool:
        """Whether :meth:`press` must come before the next step."""
        return self.multiplied == self.room

    def step(self) -> None:
        """Multiply the next vector and take its product into the space.

        Raises:
            RdrError: the product is not finite.
        """
        self.take(self.product(self.following))

    @property
    def following(self) -> Float[Tensor, "P"]:
        """The vector to multiply next."""
        return self._rows[self.multiplied]

    def take(self, image: Float[Tensor, "P"]) -> None:
        """Take the product of :attr:`following` into the space.

        Raises:
            RdrError: it is not finite.
        """
        m = self.multiplied
        # In exact arithmetic the image has parts along the last two vectors only (after a press, along all): once for
        # those, once more for what rounding left along any.
        first = 0 if m == self._pressed else max(m - 1, 0)
        near, rows = self._rows[first : m + 1], self._rows[: m + 1]
        inside = near @ image
        image = image - inside @ near
        rest = rows @ image
        image = image - rest @ rows
        rest[first:] += inside
        # One transfer, so one wait for the device in a step.
        *column, remainder = torch.cat([rest, image.norm()[None]]).tolist()
        if not np.isfinite([*column, remainder]).all():
            raise RdrError(NOT_FINITE)
        self._projection[m, : m + 1] = self._projection[: m + 1, m] = column
        self.scale = max(self.scale, float(np.linalg.norm([*column, remainder])))
        self.multiplied, self.steps = m + 1, self.steps + 1
        closed = remainder <= self.rounding * self.scale or self.multiplied == len(image)
        self.remainder = 0.0 if closed else remainder
        if self.remainder:
            following = image / remainder
            if remainder <= 1e-4 * self.scale:  # what rounding left inside has grown with it
                for _ in range(2):
                    following = following - (rows @ following) @ rows
                    if self._apart is not None:
                        following = following - self._apart @ (self._apart.T @ following)
                    following = following / following.norm()
            self._rows[m + 1] = following

    def ritz(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ritz values (m,) ascending, their coordinates (m, m) in columns, and their residuals (m,)."""
        m = self.multiplied
        values, coordinates = np.linalg.eigh(self._projection[:m, :m])
        return values, coordinates, np.abs(self.remainder * coordinates[-1])

    def first_image(self) -> Float[Tensor, "P"]:
        """The product of the start vector, before any press."""
        known = min(2, self.multiplied)
        return torch.from_numpy(self._projection[0, :known]).to(self._rows) @ self._rows[:known]

    def vectors(self, coordinates: np.ndarray) -> Float[Tensor, "P k"]:
        """The vectors with these coordinates (m, k)."""
        chosen = torch.from_numpy(np.ascontiguousarray(coordinates.T)).to(self._rows)
        return (chosen @ self._rows[: self.multiplied]).T

    def press(self, values: np.ndarray, coordinates: np.ndarray) -> None:
        """Keep only these Ritz vectors, and the vector that comes next."""
        kept = len(values)
        following = self._rows[self.multiplied].clone()
        self._rows[:kept] = self.vectors(coordinates).T
        self._rows[kept] = following
        self._projection[:] = 0
        self._projection[range(kept), range(kept)] = values
        self.multiplied = self._pressed = kept
