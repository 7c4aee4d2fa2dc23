"""A method in words: its parts one by one, then what they make together, above all which of them carry the prior."""

from __future__ import annotations

import math
import textwrap

from rdr_core.methods.control import control_of
from rdr_core.methods.grammar import MethodSpec, UsedPart, parse
from rdr_core.methods.parts import PARTS, format_value

#: What the literature calls some combinations, and their names here.
RECIPES = {
    "square root of 1/n": "inverse:gamma=0.5",
    "LDAM-DRW (Cao et al. 2019)": "cb+ldam+drw",
    "CDT (Ye et al. 2020)": "vs:tau=0",
    "IB, from half of the run on (Park et al. 2021)": "ib+drw:start=0.5",
    "ADRW, v = 0.1 (Wang et al. 2023)": "inverse:gamma=0.1+la:tau=0.9+drw",
    "VS + ADRW, v = 0.1 (Wang et al. 2023)": "inverse:gamma=0.1+vs:tau=0.9+drw",
    "RDR + LA, the prior once: weights r, the prior in the loss": "rdr+la",
    "RDR + LA, the prior twice: weights r / pi, the prior in the loss too": "rdr:prior=1+la",
}

_WIDTH = 110


def explain(name: str) -> str:
    """Explain a method in plain text, in the papers' terms.

    Args:
        name: of a part or a combination, such as "rdr" or "rdr:gamma=0.5+la".

    Raises:
        RdrError: not a method (:func:`rdr_core.methods.grammar.parse`).

    Example:
        >>> print(explain("la:tau=0.5"))
        la:tau=0.5
        <BLANKLINE>
        la (loss): logit adjustment: the log prior is added to the logits in training, not in tests
            formula   -log softmax(z + tau log pi)_y
            source    Menon et al. 2021, eq. 10
            options   tau = 0.5 (0 or larger; default 1)
        <BLANKLINE>
        together
            prior     The loss (la) carries tau = 0.5. That is less than 1, so a part of the imbalance stays.
    """
    part = PARTS.all().get(name)
    if part and (part.kind == "schedule" or (part.kind == "second stage" and part.experts != 1)):
        return _part(UsedPart(part, {}))  # without weights to schedule, or experts to weigh, it is not a method
    spec = parse(name)
    return "\n\n".join([spec.name, *map(_part, spec.used), _together(spec)])


def prior_in_words(spec: MethodSpec) -> str:
    """Which parts carry the class prior, and whether the powers add to 1, as the balanced risk needs.

    Weights ~ pi^-v and a loss on z + tau log pi are Fisher-consistent for the balanced risk iff v + tau = 1
    (Wang et al. 2023). Visits ~ pi^(1 - s) change the mean loss as weights ~ pi^-s would, so s counts with v.

    Example:
        >>> prior_in_words(parse("inverse+la"))
        'The weights (inverse) carry v = 1 and the loss (la) carries tau = 1. That is 2 in sum, so the prior is \
corrected more than once: Fisher-consistent would be v + tau = 1.'
    """
    weighting, loss, stage, sampler = (spec.get(kind) for kind in ("weighting", "loss", "second stage", "sampler"))
    v, tau, after, s = spec.prior_in_weights, spec.prior_in_loss, spec.prior_after, spec.prior_in_visits
    said = []
    if sampler and s:
        said.append(f"the sampler ({sampler.part.name}) carries s = {s:g}")
    if weighting and v and not math.isnan(v):
        said.append(f"the weights ({weighting.part.name}) carry v = {v:g}")
    if loss and tau:
        said.append(f"the loss ({loss.part.name}) carries tau = {tau:g}")
    if stage and after:
        said.append(f"the second stage ({stage.part.name}) takes out tau = {after:g}")
    if spec.experts > 1:
        also = " Weights or visits beside them correct a second time." if math.isnan(v) or v or s else ""
        whose = f"{spec.experts} experts ({spec.loss.part.name})"
        return f"Each of the {whose} carries a share of its own, on average about all of it.{also}"
    carriers = " and ".join(said)
    carriers = carriers[:1].upper() + carriers[1:]
    if weighting and math.isnan(v):
        other = f"the weights ({weighting.part.name}) do not follow a power of the prior"
        return f"{carriers}; {other}, so they correct a second time." if said else f"{other.capitalize()}."
    total = v + tau + after + s
    if not said:
        visits = [u.part.name for u in spec.used if u.part.kind in ("sampler", "second stage")]
        if visits:
            return f"Neither loss nor weights carry it; see above for what {' and '.join(visits)} does about it."
        return "No part carries it: a class counts as often as it occurs, which favours the large ones."
    if math.isclose(total, 1):
        verdict = f"That is 1{_in_sum(said)}, as Fisher consistency for the balanced risk needs (Wang et al. 2023)."
    elif total < 1:
        verdict = f"That is less than 1{_in_sum(said)}, so a part of the imbalance stays."
    else:
        verdict = (
            f"That is {total:g}{_in_sum(said)}, so the prior is corrected more than once: "
            f"Fisher-consistent would be {'s + ' if s else ''}v + tau = 1."
        )
    return f"{carriers}. {verdict}"


def _in_sum(said: list[str]) -> str:
    return " in sum" if len(said) > 1 else ""


def _part(used: UsedPart) -> str:
    part = used.part
    options = []
    usual = part.defaults_under(used.parameters)
    for key, value in used.arguments.items():
        allowed = f"{part.ranges[key].words}; " if key in part.ranges else ""
        options.append(f"{key} = {format_value(value)} ({allowed}default {format_value(usual[key])})")
    facts = {"formula": [part.formula], "source": [part.source], "options": options, "notes": [part.notes]}
    return "\n".join([_wrapped(f"{part.name} ({part.kind}): {part.summary}", "", "    "), *_facts(facts)])


def _together(spec: MethodSpec) -> str:
    schedule = spec.get("schedule")
    prior, control = prior_in_words(spec), control_of(spec.first_stage.name)
    if schedule and spec.prior_in_weights > 0:
        prior += (
            f" Until {schedule.part.name} turns the weights on, the loss carries tau = {spec.prior_in_loss:g} alone."
        )
    facts = {
        "prior": [prior],
        "control": [f"{control}, which differs only in what this method adds."] if control else [],
        "network": [_network(spec)],
        "held out": [f"{spec.held_out} images of each class, before the imbalance is made."] if spec.held_out else [],
    }
    return "\n".join(["together", *_facts(facts)])


def _network(spec: MethodSpec) -> str:
    if spec.experts > 1:
        return f"{spec.experts} experts, which share the first layers; the logits are their mean."
    return f"Cosine classifier, scale {spec.cosine_scale:g}." if spec.cosine_scale is not None else ""


def _facts(facts: dict[str, list[str]]) -> list[str]:
    """Lines with the fact's name before its first value; empty ones are left out."""
    lines = []
    for name, values in facts.items():
        for at, value in enumerate(filter(None, values)):
            lines.append(_wrapped(value, f"    {name if at == 0 else '':<10}", " " * 14))
    return lines


def _wrapped(text: str, first: str, rest: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
