"""A method by name: ``rdr+la:tau=0.8`` is RDR's weights on the logit-adjusted loss with tau 0.8.

    name  = part { "+" part }
    part  = word [ ":" parameter { "," parameter } ]
    parameter = word "=" value

One loss (cross-entropy where none is named) and at most one of every other kind. Two names of the
same method have one canonical form, which names runs and figures: parts in a fixed order,
parameters in alphabetical order, defaults left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rdr_core.errors import RdrError, unknown_name
from rdr_core.methods.parts import KINDS, PARTS, Part, format_value

_ORDER = list(KINDS)
#: Kinds of which a method has one between them.
_SAME = {"class weights": "weighting"}


@dataclass(frozen=True)
class UsedPart:
    """A part with the parameters a method gives it (defaults left out)."""

    part: Part
    parameters: Mapping[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """All parameters, defaults included."""
        return {**self.part.defaults_under(self.parameters), **self.parameters}

    def __str__(self) -> str:
        if not self.parameters:
            return self.part.name
        listed = ",".join(f"{key}={format_value(value)}" for key, value in sorted(self.parameters.items()))
        return f"{self.part.name}:{listed}"


@dataclass(frozen=True)
class MethodSpec:
    """What a method is made of; ``name`` is its canonical name."""

    used: tuple[UsedPart, ...]

    @property
    def name(self) -> str:
        weighted = self.get("weighting") is not None
        shown = [str(u) for u in self.used if not (weighted and str(u) == "ce")]
        return "+".join(shown)

    def get(self, kind: str) -> UsedPart | None:
        """The part of this kind; "weighting" finds class weights too."""
        return next((u for u in self.used if _SAME.get(u.part.kind, u.part.kind) == kind), None)

    @property
    def loss(self) -> UsedPart:
        """Its loss, which every method has."""
        return next(u for u in self.used if u.part.kind == "loss")

    @property
    def first_stage(self) -> MethodSpec:
        """The method less its second stage: what is trained before the classifier is refined."""
        return MethodSpec(tuple(u for u in self.used if u.part.kind != "second stage"))

    @property
    def cosine_scale(self) -> float | None:
        """The scale of the cosine classifier that the loss is made for; None is a linear classifier."""
        loss = self.loss
        return float(loss.arguments[loss.part.cosine]) if loss.part.cosine else None

    @property
    def experts(self) -> int:
        """How many experts the loss trains, each with last layers and a classifier of its own; 1 is a plain network."""
        return self.loss.part.experts or 1

    @property
    def held_out(self) -> int:
        """Images of each class that the method wants held out of training."""
        return max(u.arguments[u.part.held_out] if u.part.held_out else 0 for u in self.used)

    @property
    def prior_in_loss(self) -> float:
        """The power of the prior that the loss carries: logit adjustment's tau, 1 for balanced softmax, else 0."""
        return _power(self.loss)

    @property
    def prior_after(self) -> float:
        """The power of the prior that the second stage takes out of the logits: post-hoc adjustment's tau, else 0."""
        return _power(self.get("second stage"))

    @property
    def prior_in_visits(self) -> float:
        """The power of 1 / prior that the sampler carries: 1 where classes are visited equally often, else 0."""
        return _power(self.get("sampler"))

    @property
    def prior_asked(self) -> float:
        """The power of 1 / prior that the weighting is asked for; "rest" is what loss and sampler leave."""
        weighting = self.get("weighting")
        prior = weighting.part.prior if weighting else 0.0
        if weighting and isinstance(prior, str) and weighting.arguments.get(prior) == "rest":
            return max(0.0, 1 - self.prior_in_loss - self.prior_in_visits)
        return _power(weighting)

    @property
    def prior_in_weights(self) -> float:
        """The power of 1 / prior that the weights carry: 1 for 1/n; for RDR, gamma times what it is asked for.

        NaN where they are no power of the prior, as class-balanced and difficulty weights.

        Beside a loss on z + tau log pi, weights ~ pi^-v are Fisher-consistent for the balanced risk
        iff v + tau = 1 (Wang et al. 2023). RDR's default asks for 1 - tau, so with gamma = 1 the pair is. A sampler
        that visits classes ~ pi^(1 - s) counts as weights ~ pi^-s do.
        """
        weighting = self.get("weighting")
        if weighting and weighting.part.prior == 0:
            return math.nan
        if weighting and weighting.part.prior == "prior":
            return self.prior_asked * weighting.arguments["gamma"]
        return self.prior_asked


def _power(used: UsedPart | None) -> float:
    """The power of the class prior that a part carries."""
    if used is None:
        return 0.0
    prior = used.part.prior
    return float(used.arguments[prior] if isinstance(prior, str) else prior)


def parse(name: str) -> MethodSpec:
    """The method that ``name`` means.

    Raises:
        RdrError: an unknown part or parameter (with the nearest names), a value out of range,
            or parts that make no sense together, with the reason.

    Example:
        >>> parse("ce+rdr").name, parse("la + rdr:gamma=1.0,momentum=0.9").name
        ('rdr', 'rdr:momentum=0.9+la')
        >>> parse("rdr+inverse")
        Traceback (most recent call last):
            ...
        rdr_core.errors.RdrError: 'rdr+inverse' has two weightings, 'inverse' and 'rdr'; RDR's weights are the \
density ratio times 1/n already, so name one of them.
    """
    if not isinstance(name, str) or not name.strip():
        raise RdrError(f"{name!r} is not a method; try 'ce', 'rdr' or 'rdr+la' (`rdr methods` lists the parts).")
    known = PARTS.all()
    used = [_parse_part(text.strip(), known, name) for text in name.split("+")]
    _refuse_nonsense(name, used)
    if not any(u.part.kind == "loss" for u in used):
        used.append(UsedPart(known["ce"], {}))
    used.sort(key=lambda u: _ORDER.index(u.part.kind))
    spec = MethodSpec(tuple(used))
    _refuse_prior_twice(name, spec)
    _refuse_linear_stage(name, spec)
    _refuse_other_experts(name, spec)
    return spec


def _parse_part(text: str, known: Mapping[str, Part], whole: str) -> UsedPart:
    word, _, listed = text.partition(":")
    word = word.strip()
    if word not in known:
        raise unknown_name("part of a method", word, known)
    given = {}
    for item in filter(None, (piece.strip() for piece in listed.split(","))):
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if not equals or not value:
            raise RdrError(f"{item!r} in method {whole!r} is not a parameter; write it as in 'rdr:gamma=0.5'.")
        if key in given:
            raise RdrError(f"method {whole!r} gives {word}:{key} twice; give it once.")
        given[key] = value
    used = known[word]
    checked = used.check(given)
    return UsedPart(used, used.shortest(checked))


def _refuse_nonsense(name: str, used: list[UsedPart]) -> None:
    by_kind: dict[str, list[str]] = {}
    for u in used:
        by_kind.setdefault(_SAME.get(u.part.kind, u.part.kind), []).append(u.part.name)
    for kind, names in by_kind.items():
        if len(names) == 1:
            continue
        first, second = sorted(names)[:2]
        if first == second:
            raise RdrError(f"{name!r} names {first!r} twice; name it once.")
        if kind == "loss":
            raise RdrError(
                f"{name!r} has two losses, {first!r} and {second!r}; a sample has one loss, so name one of them."
            )
        if kind == "weighting":
            reason = (
                "RDR's weights are the density ratio times 1/n already, so name one of them."
                if "rdr" in names
                else "their product would correct the imbalance twice, so name one of them."
            )
            raise RdrError(f"{name!r} has two weightings, {first!r} and {second!r}; {reason}")
        raise RdrError(f"{name!r} has two parts of the kind {kind}, {first!r} and {second!r}; name one of them.")
    if "schedule" in by_kind and "weighting" not in by_kind:
        schedule = by_kind["schedule"][0]
        raise RdrError(f"{name!r} defers weights but has none; add a weighting, as in 'inverse+{schedule}'.")


def _refuse_linear_stage(name: str, spec: MethodSpec) -> None:
    stage = spec.get("second stage")
    if stage and spec.cosine_scale is not None:
        loss = spec.loss.part.name
        raise RdrError(
            f"{name!r}: {stage.part.name} changes a linear classifier, but {loss} trains a cosine classifier, whose "
            f"rows have no length and no bias; leave {stage.part.name} out or take another loss."
        )


def _refuse_other_experts(name: str, spec: MethodSpec) -> None:
    """What changes one classifier can't change several experts', and what weighs experts needs them."""
    loss = spec.loss.part.name
    for used in spec.used:
        what, needed = used.part.name, used.part.experts
        if needed in (None, spec.experts):
            continue
        if needed == 1:
            raise RdrError(
                f"{name!r}: {what} changes one classifier, but {loss} trains {spec.experts} experts, each with its own "
                f"one; leave {what} out or take another loss."
            )
        raise RdrError(f"{name!r}: {what} weighs {needed} experts, and {loss} trains one network; write 'sade+{what}'.")


def _refuse_prior_twice(name: str, spec: MethodSpec) -> None:
    """A loss that has the prior leaves raw logits for the test; a second stage that takes it out would do so again."""
    stage = spec.get("second stage")
    if stage and spec.prior_after and spec.prior_in_loss:
        loss = spec.loss.part.name
        raise RdrError(
            f"{name!r} takes the prior out of the logits twice, in training ({loss}) and after it ({stage.part.name}); "
            f"name one of them, as in {loss!r} or 'ce+{stage.part.name}'."
        )
