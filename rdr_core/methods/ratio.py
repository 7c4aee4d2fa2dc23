"""The density ratio of RDR by first-moment matching: a pure function of one batch.

For class i with features Phi_i (Z, b_i) and prototype F_i the paper (eq. 3-5, 10-12) solves
``min_r || Phi_i r / b_i - F_i ||^2``, one matrix inverse per class. Two things are done
otherwise here, and neither changes the answer where that problem is well posed:

*One solve for all classes.* The Gram matrix of the whole batch, set to zero between samples of
different classes, is block diagonal up to a permutation; one (B, B) solve gives every class's
answer at once. The cost does not depend on the number of classes and nothing waits for the host.

*The ridge pulls towards 1, not towards 0, and only where the features say nothing.* Writing
``r = 1 + delta`` leaves ``Phi_i delta / b_i = F_i - mean_i``, so a class whose prototype is its
batch mean gets exactly 1, singular or not. The normal equations ``G delta = rhs`` are solved by
iterated Tikhonov regularisation of order k = 3: ``(G + l) delta_j = rhs + l delta_(j-1)``, from
``delta_0 = 0``. For an eigenvalue s of G its relative error is (l / (s + l))^k, where an ordinary
ridge has k = 1: strong enough to tame near-singular blocks, invisible in well-conditioned ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Int

#: Default ridge l, relative to a class's mean squared feature norm: about the strongest that still agrees with a
#: float64 solve to 1e-4 on well-conditioned features. Measured by ``benchmarks/ridge.py``, in ``data/measurements/``.
RIDGE = 3e-3
_ORDER = 3


def class_means(
    features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]
) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B B"], Float[Tensor, "B"]]:
    """For each sample its class's mean feature in the batch, with the mask and the counts behind it.

    Returns:
        means: (B, Z), the same bits for all samples of a class.
        same: (B, B), 1 where two samples share a class, else 0.
        size: (B,) samples of the sample's class in the batch.

    Example:
        >>> import torch
        >>> class_means(torch.tensor([[0.0], [2.0], [5.0]]), torch.tensor([1, 1, 0]))[0].flatten()
        tensor([1., 1., 5.])
    """
    equal = labels[:, None] == labels
    same = equal.to(features.dtype)
    size = same.sum(1)
    means = (same @ features) / size[:, None]
    # Rows of a matrix product may differ in the last bit; a class has one mean, that of its first sample.
    return means.index_select(0, equal.view(torch.uint8).argmax(1)), same, size


@torch.no_grad()
def density_ratio(
    features: Float[Tensor, "B Z"],
    labels: Int[Tensor, "B"],
    prototypes: Float[Tensor, "d Z"],
    *,
    ridge: float = RIDGE,
) -> Float[Tensor, "B"]:
    """Ratio r of the balanced to the training density at each sample, within its class.

    Solves, per class i of the batch, ``min_r || Phi_i r / b_i - F_i ||^2`` (paper, eq. 5) for the
    r that lies closest to 1. Values can be below zero; :class:`~rdr_core.methods.rdr.RDRWeights`
    clamps them.

    Args:
        features: penultimate features, any float type; no gradient flows through them.
        labels: class of each sample, 0..d-1.
        prototypes: class prototypes F; only the rows of classes in the batch are read.
        ridge: strength l, relative to the mean squared norm of the class's features. The paper
            names none. The default was measured: within 1e-4 of a float64 per-class solve where every
            eigenvalue of the class's Gram matrix is above 0.06 of that norm (the error of each is
            (l / (s + l))^3), finite and steady where they are not, as when a class has nearly as many
            samples as features. 0 is allowed for well-conditioned features only.

    Returns:
        (B,) ratios, in the features' type (float32 for half types). Exactly 1 where a
        class's prototype is its batch mean.

    Raises:
        RdrError: shapes that do not fit, or a ridge below 0.

    Example:
        >>> import torch
        >>> features = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> density_ratio(features, torch.tensor([0, 0]), torch.tensor([[0.8, 0.2]]), ridge=0.0)
        tensor([1.6000, 0.4000])
    """
    check_batch(features, labels, prototypes)
    if not ridge >= 0:
        raise RdrError(f"ridge is {ridge}; it must be 0 or larger (default {RIDGE}).")
    out = features.dtype if features.dtype in (torch.float32, torch.float64) else torch.float32
    with torch.autocast(features.device.type, enabled=False):
        x = features.double()
        means, same, size = class_means(x, labels)
        return ratios_towards(prototypes.index_select(0, labels) - means, x, same, size, ridge).to(out)


def ratios_towards(
    shift: Float[Tensor, "B Z"],
    features: Float[Tensor, "B Z"],
    same: Float[Tensor, "B B"],
    size: Float[Tensor, "B"],
    ridge: float,
) -> Float[Tensor, "B"]:
    """Ratios that move each class's batch mean by ``shift``: the one solve behind :func:`density_ratio`.

    In float64, since near-singular blocks would lose their digits in float32, at no cost that a
    batch of 128 would notice.

    Args:
        shift: prototype minus batch mean of each sample's class.
        features: of the batch.
        same, size: of :func:`class_means`.
        ridge: see :func:`density_ratio`.
    """
    rhs = size * (features * shift).sum(1)
    system = (features @ features.T).mul_(same)
    # A class whose features are all zero has system = rhs = 0: the tiny floor makes that 0 / tiny.
    penalty = (same @ system.diagonal()).mul_(ridge).div_(size).add_(torch.finfo(torch.float64).tiny)
    system.diagonal().add_(penalty)
    factors, pivots, _ = torch.linalg.lu_factor_ex(system, check_errors=False)
    delta = torch.linalg.lu_solve(factors, pivots, rhs[:, None])
    for _ in range(_ORDER - 1):
        delta = torch.linalg.lu_solve(factors, pivots, torch.addcmul(rhs[:, None], penalty[:, None], delta))
    return delta[:, 0].add_(1)


def check_batch(features: Tensor, labels: Tensor, prototypes: Tensor) -> None:
    """Raise RdrError unless (B, Z), (B,) and (d, Z) fit; reads no values, so nothing waits for the device."""
    fits = features.ndim == 2 and labels.shape == features.shape[:1] and prototypes.ndim == 2
    if not fits or prototypes.shape[1] != features.shape[1]:
        raise RdrError(
            "density ratios need features (B, Z), labels (B,) and prototypes (d, Z), "
            f"got {tuple(features.shape)}, {tuple(labels.shape)} and {tuple(prototypes.shape)}."
        )
