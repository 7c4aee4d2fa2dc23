"""What a claim asks, which follows from its measure and its rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.methods.control import control_of
from rdr_core.methods.grammar import parse
from rdr_viz.analysis.measures.measure import MEASURES

if TYPE_CHECKING:
    from rdr_viz.papers.paper import Claim

RATIO, BETTER, MEANS, CHOICES = "ratio", "better", "means", "choices"
#: The questions in the order of the argument.
QUESTIONS = {
    RATIO: "Does the ratio help?",
    BETTER: "Is RDR better than others?",
    MEANS: "Does it work as described?",
    CHOICES: "Cost, schedule and settings",
}


def question(claim: Claim) -> str:
    """The key in :data:`QUESTIONS` of what a claim asks.

    * Accuracy of RDR against its fair control (:func:`rdr_core.methods.control.control_of`), or against itself with
      the ratios of its samples taken away: the ratio.
    * Accuracy of RDR against other methods: whether it is better.
    * Weights, B' and curvature: its means.
    * All else (time, a parameter, deferring, orders of methods): choices.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> [question(claim) for claim in load_paper("rdr").claims[:3]]
        ['better', 'better', 'ratio']
    """
    if MEASURES[claim.measure[0]].unit != "points":
        return CHOICES if claim.measure[0] == "seconds" else MEANS
    if claim.by == "order" or not claim.against or not all(_has_ratio(method) for method in claim.method):
        return CHOICES
    pairs = [(method, rival) for method in claim.method for rival in claim.against]
    if all(_same_but_for_the_ratio(*pair) for pair in pairs):
        return RATIO
    return CHOICES if all(_bare(method) == _bare(rival) for method, rival in pairs) else BETTER


def _same_but_for_the_ratio(method: str, rival: str) -> bool:
    control = control_of(method)
    return parse(rival).name == control or (":" in rival and "ratio=" in rival and _bare(method) == _bare(rival))


def _has_ratio(method: str) -> bool:
    weighting = parse(method).get("weighting")
    return weighting is not None and weighting.part.name == "rdr"


def _bare(method: str) -> list[str]:
    """Its parts without their options."""
    return [part.partition(":")[0] for part in parse(method).name.split("+")]
