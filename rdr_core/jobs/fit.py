"""Least squares of relative errors with coefficients that are not negative, for times that are sums of a few terms."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from rdr_core.shapes import Float


def fitted_terms(terms: Float[np.ndarray, "n k"], values: Float[np.ndarray, "n"]) -> Float[np.ndarray, "k"]:
    """Coefficients c >= 0 that minimise the squares of ``(terms @ c - values) / values``.

    Exact: of every subset of terms the unconstrained solution is tried, so there may be few of them. Terms of unlike
    sizes (a constant, and a cube of the batch) are scaled before, so that none is lost to rounding.

    Args:
        terms: of each measured value, k at most eight.
        values: above 0.

    Example:
        >>> batch = np.array([32.0, 64.0, 128.0])
        >>> fitted_terms(np.stack([np.ones(3), batch], 1), 0.5 + 0.01 * batch).round(6).tolist()
        [0.5, 0.01]
        >>> bool(fitted_terms(np.stack([np.ones(3), batch], 1), 0.01 * batch - 0.1)[0] == 0)  # not below 0 to start
        True
    """
    relative = terms / values[:, None]
    scale = np.linalg.norm(relative, axis=0)
    relative = relative / np.where(scale > 0, scale, 1.0)
    best, least = np.zeros(terms.shape[1]), float(len(values))
    for size in range(1, terms.shape[1] + 1):
        for chosen in map(list, combinations(np.flatnonzero(scale > 0), size)):
            found, *_ = np.linalg.lstsq(relative[:, chosen], np.ones(len(values)), rcond=None)
            error = float(((relative[:, chosen] @ found - 1) ** 2).sum())
            if (found >= 0).all() and error < least * (1 - 1e-9):
                best, least = np.zeros(terms.shape[1]), error
                best[chosen] = found / scale[chosen]
    return best
