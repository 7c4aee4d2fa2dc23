"""The density ratio of RDR by first-moment matching: a pure function of one batch.

For class i with features Phi_i (Z, b_i) and prototype F_i the paper (eq. 3-5, 10-12) solves
``min_r || Phi_i r / b_i - F_i ||^2``, one matrix inverse per class. Two things are done
otherwise here, and neither changes the answer where that problem is well posed:

*One solve for all classes.* The Gram matrix of the whole batch, set to zero between samples of
different classes, is block diagonal up to a permutation; one (B, B) solve gives every class's
answer at once. The cost does not depend on the number of classes and nothing waits for the host.

*The ridge pulls towards 1, not towards 0, and only where the features say nothing.* Writing
``r = 1 + delta`` leaves ``Phi_i delta / b_i = F_i - mean_i``, so a class whose prototype is its
batch mean gets exactly 1, singular or not. The normal equations ``G delta = rhs`` are then solved
with the filter ``s / (s^2 + l^2)`` in place of ``1 / s`` for each eigenvalue s of G: its relative
error is (l/s)^2 where s is large, so a ridge that is strong enough to tame the noise of
near-singular blocks is invisible in well-conditioned ones (an ordinary ridge errs by l/s).
"""

from __future__ import annotations

import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.shapes import Bool, Float, Int

#: Default ridge, relative to a class's mean squared feature norm. Chosen by ``benchmarks/ridge.py``.
RIDGE = 1e-4


def same_class(labels: Int[Tensor, "B"]) -> Bool[Tensor, "B B"]:
    """Which pairs of the batch share a class."""
    return labels[:, None] == labels[None, :]


def class_means(features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Float[Tensor, "B Z"]:
    """For each sample the batch's mean feature of its class, the same bits for all samples of a class.

    Example:
        >>> import torch
        >>> class_means(torch.tensor([[0.0], [2.0], [5.0]]), torch.tensor([1, 1, 0]))
        tensor([[1.],
                [1.],
                [5.]])
    """
    mask = same_class(labels)
    means = (mask.to(features.dtype) @ features) / mask.sum(1, keepdim=True)
    # Rows of a matrix product may differ in the last bit; a class has one mean, that of its first sample.
    return means[first_of_class(mask)]


def first_of_class(mask: Bool[Tensor, "B B"]) -> Int[Tensor, "B"]:
    """For each sample the position of the first sample of its class."""
    return mask.to(torch.uint8).argmax(1)


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
        ridge: strength l of the filter ``s / (s^2 + l^2)``, relative to the mean squared norm of
            the class's features. The paper names none. The default was measured: within 1e-4 of a
            float64 per-class solve on well-conditioned features, and steady on singular ones.
            0 is allowed for well-conditioned features only.

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
    # Near-singular blocks square their condition number below; in float64 that leaves 6 digits and
    # costs nothing at B = 128. Autocast would undo it.
    with torch.autocast(features.device.type, enabled=False):
        x = features.double()
        mask = same_class(labels)
        means = class_means(x, labels)
        target = prototypes[labels].to(torch.float64)
        size = mask.sum(1)
        rhs = size * (x * (target - means)).sum(1)
        gram = (x @ x.T) * mask
        scale = (mask.double() @ gram.diagonal()) / size
        # A class whose features are all zero has gram = rhs = 0: the tiny floor makes that 0 / tiny.
        penalty = (ridge * scale).square() + torch.finfo(torch.float64).tiny
        system = gram @ gram
        system.diagonal().add_(penalty)
        delta = torch.linalg.solve_ex(system, gram @ rhs, check_errors=False).result
        return (1 + delta).to(out)


def check_batch(features: Float[Tensor, "B Z"], labels: Int[Tensor, "B"], prototypes: Float[Tensor, "d Z"]) -> None:
    """Raise RdrError unless the three shapes fit; reads no values, so nothing waits for the device."""
    fits = features.ndim == 2 and labels.shape == features.shape[:1] and prototypes.ndim == 2
    if not fits or prototypes.shape[1] != features.shape[1]:
        raise RdrError(
            "density ratios need features (B, Z), labels (B,) and prototypes (d, Z), "
            f"got {tuple(features.shape)}, {tuple(labels.shape)} and {tuple(prototypes.shape)}."
        )
