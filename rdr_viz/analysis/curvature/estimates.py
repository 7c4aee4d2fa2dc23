"""What the curvature computations return: small frozen objects that carry how they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class HowMade:
    """The setting of a result; a curvature without its BatchNorm mode cannot be read.

    Attributes:
        mode: ``"eval"`` (BatchNorm's running statistics) or ``"train"`` (each batch's own).
        dtype: of the products, as ``"float32"``; vectors are always combined in float64.
        device: as ``"cpu"``.
        images: number of images in the mean loss.
        batch_size: images a batch; decides the result in ``"train"`` mode only.
        loss: name of the loss.
        parameters: P, the number of weights that the Hessian is taken by.
        seed: of start vectors and probes.
        backend: ``"rdr"`` or ``"pyhessian"``.
        seconds: wall-clock time of this result.
    """

    mode: str
    dtype: str
    device: str
    images: int
    batch_size: int
    loss: str
    parameters: int
    seed: int
    backend: str
    seconds: float


@dataclass(frozen=True, eq=False)
class Eigenvalues:
    """Extreme eigenvalues with what they are worth.

    Attributes:
        values: (k,) float64, descending; with ``which="both"`` the k largest, then the k smallest.
        residuals: (k,) ||Hv - lambda v|| of the unit vector v returned. An eigenvalue of H lies within that distance
            of lambda (H symmetric).
        vectors: (P, k) float64, orthonormal columns; None if not asked for.
        products: Hessian-vector products spent, those for the residuals included.
        converged: whether every residual asked for was reached before the budget ended.
        how: the setting.
        near: (P, j) orthonormal, near eigenvectors, which may be taken out of the probes of a trace or a density; None
            where the backend gives none.
    """

    values: np.ndarray
    residuals: np.ndarray
    vectors: np.ndarray | None = field(repr=False)
    products: int
    converged: bool
    how: HowMade
    near: Tensor | None = field(repr=False, default=None)

    @property
    def largest(self) -> float:
        """The largest of the values (of those asked for)."""
        return float(self.values[0])

    @property
    def smallest(self) -> float:
        """The smallest of the values (of those asked for)."""
        return float(self.values[-1])


@dataclass(frozen=True, eq=False)
class Trace:
    """The trace of the Hessian, estimated.

    Attributes:
        value: the estimate.
        standard_error: half of the half-width of the 95.45 % interval, so two of them hold the truth as often as two
            sigmas do, few probes or many (see :mod:`rdr_viz.analysis.curvature.trace`). 0 where the trace is exact, NaN
            where too few probes all gave the same.
        probes: random probes drawn.
        samples: (probes,) the probes' own estimates of the trace; their mean is ``value``.
        exact_part: the part of ``value`` that deflated vectors gave, without error.
        products: Hessian-vector products spent.
        converged: whether the error asked for was reached.
        how: the setting.
    """

    value: float
    standard_error: float
    probes: int
    samples: np.ndarray = field(repr=False)
    exact_part: float
    products: int
    converged: bool
    how: HowMade

    @property
    def relative_error(self) -> float:
        """``standard_error`` by the size of ``value``; infinite for a value of 0 that has an error."""
        if self.value:
            return self.standard_error / abs(self.value)
        return 0.0 if self.standard_error == 0 else float("inf")


@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """Density of the eigenvalues, integrating to 1.

    Attributes:
        grid: (G,) eigenvalues, ascending.
        density: (G,) per unit of eigenvalue, the quadrature broadened by Gaussians of width ``sigma``.
        nodes: (probes, j + steps) eigenvalues found before and Ritz values; where a probe ended early, weight 0.
        weights: (probes, j + steps) of the nodes, each row sums to 1.
        sigma: width of the broadening, in units of the eigenvalues.
        lambda_min: smallest Ritz value of any probe: at or above the smallest eigenvalue.
        lambda_max: largest Ritz value of any probe: at or below the largest eigenvalue.
        residual_min: bound on the distance of ``lambda_min`` from an eigenvalue.
        residual_max: the same for ``lambda_max``.
        trace: P times the quadrature's mean: what the density says the trace is.
        trace_standard_error: of that, over the probes, with the promise of a :class:`Trace`'s.
        products: Hessian-vector products spent.
        how: the setting.
    """

    grid: np.ndarray = field(repr=False)
    density: np.ndarray = field(repr=False)
    nodes: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    sigma: float
    lambda_min: float
    lambda_max: float
    residual_min: float
    residual_max: float
    trace: float
    trace_standard_error: float
    products: int
    how: HowMade

    def agrees_with(self, trace: Trace, errors: float = 3.0) -> bool:
        """Whether the density's trace and an estimate of it differ by at most so many joint standard errors.

        What has no standard error contradicts nothing.
        """
        joint = np.nan_to_num(np.hypot(self.trace_standard_error, trace.standard_error), nan=np.inf)
        rounding = 1e-5 * max(abs(self.trace), abs(trace.value))
        return bool(abs(self.trace - trace.value) <= errors * joint + rounding)
