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

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from rdr_core.errors import RdrError
from rdr_core.methods.batch_classes import BatchClasses, SortedClasses, batch_classes
from rdr_core.shapes import Bool, Float, Int

#: Default ridge l, relative to a class's mean squared feature norm: about the strongest that still agrees with a
#: float64 solve to 1e-4 on well-conditioned features. Measured by ``benchmarks/ridge.py``, in ``data/measurements/``.
RIDGE = 3e-3
_ORDER = 3
#: Squared lengths of features beyond which they are as good as infinite, and as good as 0.
_LONGEST, _SHORTEST = torch.finfo(torch.float32).max ** 2, 1e-280


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
        features: penultimate features, any float type; no gradient flows through them. A sample with one that is not
            finite has ratio 1, and the others of its class have theirs without it.
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
        x, finite, _ = finite_rows(features)
        labels = labels.long()
        classes = batch_classes(x, labels, finite)
        return ratios_moving(prototypes.index_select(0, labels) - classes.means, x, classes, ridge).to(out)


def finite_rows(features: Float[Tensor, "B Z"]) -> tuple[Float[Tensor, "B Z"], Bool[Tensor, "B"], Bool[Tensor, "B"]]:
    """Features in float64 with 0 in the rows of samples that have one which is not finite, so that none spoils others.

    Returns:
        features, which samples are finite, and which have features that are all 0. Longer than float32 holds is as
        good as infinite, since prototypes could not hold it; so short that squares underflow, as good as 0.

    Example:
        >>> finite_rows(torch.tensor([[3.0, 4.0], [torch.inf, 1.0], [0.0, 0.0]]))
        (tensor([[3., 4.],
                [0., 0.],
                [0., 0.]], dtype=torch.float64), tensor([ True, False,  True]), tensor([False, False,  True]))
    """
    x = features.to(torch.float64, copy=True)
    squares = torch.linalg.vecdot(x, x)
    finite, silent = squares < _LONGEST, squares < _SHORTEST  # neither of NaN
    spoilt = ~finite
    if features.dtype == torch.float64:  # squares of the others don't underflow
        spoilt |= silent
    return x.masked_fill_(spoilt[:, None], 0), finite, silent


def ratios_moving(
    shift: Float[Tensor, "B Z"], features: Float[Tensor, "B Z"], classes: BatchClasses, ridge: float
) -> Float[Tensor, "B"]:
    """Ratios that move each class's batch mean by ``shift``: the one solve behind :func:`density_ratio`.

    In float64, since near-singular blocks would lose their digits in float32, at no cost that a
    batch of 128 would notice.

    Args:
        shift: prototype minus batch mean of each sample's class.
        features: of the batch.
        classes: of the batch.
        ridge: see :func:`density_ratio`.
    """
    if isinstance(classes, SortedClasses):
        return ratios_by_class(shift, features, classes, ridge)
    # Of a class without a finite sample none is counted.
    return ratios_towards(shift, features, classes.same, classes.size.clamp_min(1), ridge)


def ratios_by_class(
    shift: Float[Tensor, "B Z"], features: Float[Tensor, "B Z"], classes: SortedClasses, ridge: float
) -> Float[Tensor, "B"]:
    """The same class by class, in the smaller of a class's size and the number of features.

    With more samples than features the answer is ``delta = Phi^T w``, so the system is that of w, in as many dimensions
    as there are features.

    Args:
        shift, features, classes, ridge: as for :func:`ratios_moving`.
    """
    delta = features.new_zeros(len(features) + 1)  # the last takes what blocks are filled up with
    filled = torch.cat([features, features.new_zeros(1, features.shape[1])])
    for at, number in classes.blocks():
        x, size = filled[at], number.to(features.dtype)
        penalty = ((x * x).sum((1, 2)) * ridge / size + torch.finfo(torch.float64).tiny)[:, None, None]
        towards = (size[:, None] * shift[at[:, 0]])[:, :, None]
        if x.shape[1] <= x.shape[2]:
            delta[at] = _solved(x @ x.mT, x @ towards, penalty)[:, :, 0]
        else:
            delta[at] = (x @ _solved(x.mT @ x, towards, penalty))[:, :, 0]
    return delta[:-1] + 1


def _solved(
    system: Float[Tensor, "K n n"], rhs: Float[Tensor, "K n 1"], penalty: Float[Tensor, "K 1 1"]
) -> Float[Tensor, "K n 1"]:
    """Of each class's system the iterated solution; a sample that fills up a block has rhs 0 and gets 0."""
    system.diagonal(dim1=1, dim2=2).add_(penalty[:, :, 0])
    factors, pivots, _ = torch.linalg.lu_factor_ex(system, check_errors=False)
    return iterated(partial(torch.linalg.lu_solve, factors, pivots), rhs, penalty)


def ratios_towards(
    shift: Float[Tensor, "B Z"],
    features: Float[Tensor, "B Z"],
    same: Float[Tensor, "B B"],
    size: Float[Tensor, "B"],
    ridge: float,
) -> Float[Tensor, "B"]:
    """The same for all classes at once, by a mask.

    Args:
        shift, features, ridge: as for :func:`ratios_moving`.
        same, size: of :func:`rdr_core.methods.batch_classes.class_means`.
    """
    rhs = (size * (features * shift).sum(1))[:, None]
    system = (features @ features.T).mul_(same)
    squares = same @ system.diagonal()
    # A class whose features are all zero has system = rhs = 0: the tiny floor makes that 0 / tiny.
    penalty = (squares * ridge).div_(size).add_(torch.finfo(torch.float64).tiny)[:, None]
    if system.device.type != "cpu":
        solve = solver_by_products(system, size, squares / size, ridge)
    else:
        system.diagonal().add_(penalty[:, 0])
        factors, pivots, _ = torch.linalg.lu_factor_ex(system, check_errors=False)
        solve = partial(torch.linalg.lu_solve, factors, pivots)
    return iterated(solve, rhs, penalty)[:, 0].add_(1)


def iterated(
    solve: Callable[[Float[Tensor, "*K B 1"]], Float[Tensor, "*K B 1"]],
    rhs: Float[Tensor, "*K B 1"],
    penalty: Float[Tensor, "*K n 1"],
) -> Float[Tensor, "*K B 1"]:
    """``delta_k`` of ``(G + l) delta_j = rhs + l delta_(j-1)``, from 0.

    Args:
        solve: of G + l.
        rhs: of the plain normal equations.
        penalty: l.

    Example:
        >>> iterated(lambda rhs: rhs / 2, torch.ones(1, 1), torch.ones(1, 1))  # G = l = 1: 1 - (1/2)^3
        tensor([[0.8750]])
    """
    delta = solve(rhs)
    for _ in range(_ORDER - 1):
        delta = solve(torch.addcmul(rhs, penalty, delta))
    return delta


def ratios_by_inverse(
    prototypes: Float[Tensor, "B Z"],
    features: Float[Tensor, "B Z"],
    labels: Int[Tensor, "B"],
    same: Float[Tensor, "B B"],
    size: Float[Tensor, "B"],
    counted: Bool[Tensor, "B"] | None = None,
) -> Float[Tensor, "B"]:
    """Ratios ``b (Phi^T Phi)^-1 Phi^T F`` as the text prints them and the authors' code takes them: no ridge.

    In the features' own precision. Where a class's Gram matrix is exactly singular the pseudo-inverse stands in, as in
    their code; where it is so but for rounding (more samples than features, say) ratios are rounding's, as in theirs.
    On a GPU, where nothing may wait for the host, Newton's iteration in float64 takes the inverse's place, which leaves
    out what is below 1e-9 of the class's features: the same ratios but where theirs are rounding's.

    Args:
        prototypes: of each sample's class.
        features: of the batch.
        labels: class of each sample.
        same, size: of :func:`rdr_core.methods.batch_classes.class_means`.
        counted: samples that are there; the features of the others are 0, which is no reason for a pseudo-inverse. None
            (default) is all of them.

    Example:
        >>> import torch
        >>> x, y = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0])
        >>> from rdr_core.methods.batch_classes import class_means
        >>> _, same, size = class_means(x.double(), y)
        >>> ratios_by_inverse(torch.tensor([[0.8, 0.2], [0.8, 0.2]]), x, y, same, size)
        tensor([1.6000, 0.4000], dtype=torch.float64)
    """
    if features.device.type != "cpu":
        x = features.double()
        gram = (x @ x.T).mul_(same)
        solve = solver_by_products(gram, size, (same @ gram.diagonal()) / size, ridge=0.0)
        return solve((size * (x * prototypes).sum(1))[:, None])[:, 0]
    x = features if features.dtype in (torch.float32, torch.float64) else features.float()
    gram = (x @ x.T).mul_(same)
    if counted is not None:
        gram.diagonal().add_(~counted)
    inverse, singular = torch.linalg.inv_ex(gram)  # block by block, as the rest is zero
    if singular:
        inverse = _inverse_by_class(x, labels if counted is None else torch.where(counted, labels, -1))
    return size * ((inverse @ x) * prototypes).sum(1)


def _inverse_by_class(x: Float[Tensor, "B Z"], labels: Int[Tensor, "B"]) -> Float[Tensor, "B B"]:
    """Each class's inverse Gram matrix, the pseudo-inverse of an exactly singular one; zero between classes."""
    inverse = x.new_zeros(len(x), len(x))
    for label in labels.unique():
        rows = (labels == label).nonzero()[:, 0]
        gram = x[rows] @ x[rows].T
        found, singular = torch.linalg.inv_ex(gram)
        inverse[rows[:, None], rows] = torch.linalg.pinv(gram, rtol=1e-15) if singular else found
    return inverse


def solver_by_products(
    gram: Float[Tensor, "B B"], size: Float[Tensor, "B"], square: Float[Tensor, "B"], ridge: float
) -> Callable[[Float[Tensor, "B 1"]], Float[Tensor, "B 1"]]:
    """``rhs -> (gram + ridge diag(square))^-1 rhs`` by matrix products alone, as a GPU wants it.

    Factorizations of one small matrix leave a GPU idle, and those of its library can't be part of a recorded step
    (:mod:`rdr_core.training.recorded`). Eigenvalues of a class's block of the system lie between ridge and
    size + ridge times its ``square``, so after scaling by class Newton's iteration for the inverse converges from the
    identity, at a pace that ridge and B tell beforehand: 12 rounds of two products for the default and B = 128. The
    ratios agree with elimination's to 1e-11 on features of a network, and to 1e-6 where those of a class are all alike.

    Args:
        gram: Gram matrix of the batch, zero between classes; float64.
        size: samples of the sample's class in the batch.
        square: mean squared norm of the class's features.
        ridge: relative to ``square``. Below 1e-9 rounds are as for that, enough for well-conditioned features.

    Example:
        >>> import torch
        >>> gram = torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
        >>> two = torch.tensor([2.0, 2.0], dtype=torch.float64)
        >>> solver_by_products(gram, size=two, square=two, ridge=0.5)(4 * torch.ones(2, 1).double()).round().flatten()
        tensor([1., 1.], dtype=torch.float64)
    """
    upper = size + 2 * ridge
    scale = torch.where(square > 0, 2 / (square * upper), 0.0)[:, None]
    least = 2 * max(ridge, 1e-9) / (len(gram) + 2 * ridge)
    identity = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    error = (1 - 2 * ridge / upper).diag_embed().addcmul_(scale, gram, value=-1)
    inverse = newton_inverse(error, least, identity)
    return lambda rhs: inverse @ (scale * rhs)


def newton_inverse(error: Float[Tensor, "B B"], least: float, identity: Float[Tensor, "B B"]) -> Float[Tensor, "B B"]:
    """Inverse of ``1 - error``, a symmetric matrix whose eigenvalues lie between ``least`` and ``2 - least``.

    Newton's iteration ``X <- X (2 - A X)`` scaled so that the eigenvalues of A X stay centred around 1 (Pan and
    Schreiber 1991): the smallest grows fourfold a round. Written for the error ``E = 1 - A X``, which unlike A X itself
    can be rounded in every round without harm: ``X <- c X (1 + E)``, ``E <- 1 - c (1 - E^2)``.

    Args:
        error: 1 - A, float64.
        least: tells how many rounds are needed; the result's relative error is below 1e-14 / least.
        identity: 1, made by the caller, once.

    Example:
        >>> import torch
        >>> one = torch.eye(2, dtype=torch.float64)
        >>> newton_inverse(one - torch.diag(torch.tensor([0.5, 1.25])).double(), 0.5, one).diagonal()
        tensor([2.0000, 0.8000], dtype=torch.float64)
    """
    inverse, distance = identity, 1 - least
    while distance > torch.finfo(torch.float64).eps:
        centre = 2 / (2 - distance**2)
        inverse = torch.addmm(inverse, inverse, error, beta=centre, alpha=centre)
        distance = distance**2 / (2 - distance**2)
        if distance > torch.finfo(torch.float64).eps:
            error = torch.addmm(identity, error, error, beta=1 - centre, alpha=centre)
    return inverse


def check_batch(features: Tensor, labels: Tensor, prototypes: Tensor) -> None:
    """Raise RdrError unless (B, Z), (B,) and (d, Z) fit; reads no values, so nothing waits for the device."""
    fits = features.ndim == 2 and labels.shape == features.shape[:1] and prototypes.ndim == 2
    if not fits or prototypes.shape[1] != features.shape[1]:
        raise RdrError(
            "density ratios need features (B, Z), labels (B,) and prototypes (d, Z), "
            f"got {tuple(features.shape)}, {tuple(labels.shape)} and {tuple(prototypes.shape)}."
        )
