"""What a method does with infinite data: the minimiser of its expected loss, at each point on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.shapes import Float, Int

if TYPE_CHECKING:
    from rdr_core.methods.grammar import MethodSpec

#: Losses whose minimiser is known here, and the kinds of parts that move it in closed form, if at all.
_LOSSES = ("ce", "la", "balanced_softmax", "focal")
_KINDS = ("loss", "weighting", "class weights", "schedule", "second stage")
#: Halvings of an interval of logits; 60 reach the last bit.
_HALVINGS, _WIDEST = 60, 60.0


def population_minimiser(
    posteriors: Float[np.ndarray, "N d"],
    class_counts: Int[np.ndarray, "d"],
    method: str,
    *,
    ratios: Float[np.ndarray, "d"] | None = None,
) -> Float[np.ndarray, "N d"]:
    """The probabilities that a method's network gives in the test, were its data infinite and it able to do anything.

    Then the network at x depends on x alone, and minimises sum_c p(c | x) w_c loss(z, c). With weights w and a loss on
    z + tau log pi the minimum has softmax(z) ~ p(c | x) w_c / pi_c^tau: weights ~ 1/n, RDR's with ratios of 1, and LA
    all give the posterior under the balanced prior, and two of them together move it as far again. Focal loss decides
    as cross-entropy does, but its probabilities are not the posterior (Charoenphakdee et al. 2021): they are solved for
    here, by halving intervals.

    Args:
        posteriors: p(c | x) under the training prior, at N points.
        class_counts: training images of each class: the prior pi, and what class weights are made from.
        method: of the losses ``ce``, ``la``, ``balanced_softmax`` and ``focal``, with class weights or RDR's, deferred
            (which changes nothing at the end) or not, and ``posthoc`` or not.
        ratios: RDR's r, one for each class (default: 1, which it is where batches look like their class).

    Returns:
        Softmax of the logits that are used in the test.

    Raises:
        RdrError: a method of other parts.

    Example:
        >>> here = np.array([[0.9, 0.1]])  # a point at which both classes are equally dense, nine to one in training
        >>> [population_minimiser(here, np.array([9, 1]), method).round(3).tolist() for method in ("ce", "la")]
        [[[0.9, 0.1]], [[0.5, 0.5]]]
        >>> population_minimiser(here, np.array([9, 1]), "inverse+la").round(3).tolist()  # the prior is taken out twice
        [[0.1, 0.9]]
    """
    from rdr_core.methods.grammar import parse  # loads torch

    spec = parse(method)
    loss, stage = spec.loss, spec.get("second stage")
    other = [used.part.name for used in spec.used if used.part.kind not in _KINDS]
    other += [used.part.name for used in (stage,) if used and used.part.name != "posthoc"]
    other += [loss.part.name] if loss.part.name not in _LOSSES else []
    if other:
        raise RdrError(
            f"{method!r}: what infinite data would make of {other[0]} is not known in closed form; name a method of "
            f"the losses {', '.join(_LOSSES)} with class weights or rdr."
        )
    log_prior = np.log(np.asarray(class_counts, dtype=float) / np.sum(class_counts))
    with np.errstate(divide="ignore"):
        logs = np.log(posteriors) + _log_weights(spec, class_counts, ratios)
    if loss.part.name == "focal" and loss.arguments["gamma"] > 0:
        logs = _focal_logs(logs, loss.arguments["gamma"])
    return _softmax(logs - (spec.prior_in_loss + spec.prior_after) * log_prior)


def _log_weights(
    spec: MethodSpec, class_counts: Int[np.ndarray, "d"], ratios: Float[np.ndarray, "d"] | None
) -> Float[np.ndarray, "d"]:
    """Logarithm of each class's weight, up to a constant."""
    import torch

    used = spec.get("weighting")
    counts = np.asarray(class_counts, dtype=np.int64)
    if used is None:
        return np.zeros(len(counts))
    if used.part.kind == "class weights":
        return np.log(used.part.make(torch.from_numpy(counts), **used.arguments).double().numpy())
    if used.part.name != "rdr":
        raise RdrError(
            f"{spec.name!r}: weights of {used.part.name} depend on more than the class; name class weights or rdr."
        )
    ratios = np.ones(len(counts)) if ratios is None else np.asarray(ratios, dtype=float)
    return used.arguments["gamma"] * np.log(ratios) - spec.prior_in_weights * np.log(counts / counts.sum())


def _focal_logs(logs: Float[np.ndarray, "N d"], gamma: float) -> Float[np.ndarray, "N d"]:
    """log p of the minimiser of sum_c q_c (1 - p_c)^gamma (-log p_c) with p on the simplex; q = exp(logs), any scale.

    All classes have one slope there: q_c s(p_c) = lambda, s(p) = (1 - p)^gamma / p - gamma (1 - p)^(gamma - 1) log p,
    which falls in p. So lambda fixes every p_c, and their sum falls in lambda.
    """
    logs = logs - logs.max(1, keepdims=True)

    def log_slope(u: np.ndarray) -> np.ndarray:  # at p = sigmoid(u)
        log_p, log_rest = -np.logaddexp(0, -u), -np.logaddexp(0, u)
        return (gamma - 1) * log_rest + np.log(np.exp(-u) - gamma * log_p)

    def logits(log_lambda: np.ndarray) -> np.ndarray:  # (N, 1) -> (N, d): where the slope is that
        low, high = np.full(logs.shape, -_WIDEST), np.full(logs.shape, _WIDEST)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            steep = logs + log_slope(middle) > log_lambda
            low, high = np.where(steep, middle, low), np.where(steep, high, middle)
        return (low + high) / 2

    low, high = np.full((len(logs), 1), -_WIDEST), np.full((len(logs), 1), _WIDEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = (1 / (1 + np.exp(-logits(middle)))).sum(1, keepdims=True) > 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return -np.logaddexp(0, -logits((low + high) / 2))


def _softmax(logs: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
    shares = np.exp(logs - logs.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)
