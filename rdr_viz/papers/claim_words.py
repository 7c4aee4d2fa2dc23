"""What is measured of a claim, in words: which setting, how much, in which unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.methods.names import method_label
from rdr_viz.analysis.measures.measure import MEASURES
from rdr_viz.analysis.words import number, short, with_sign

if TYPE_CHECKING:
    from rdr_viz.papers.judging import Judged
    from rdr_viz.papers.paper import Claim, Paper


def setting_words(claim: Claim, paper: Paper | None, setting: Judged, factor: float | None) -> str:
    """Which of the claim's settings, in words; what all of them share goes without saying.

    Args:
        claim: whose.
        paper: whose names of data sets are said; None at a small scale, where one set stands for those of the paper.
        setting: judged.
        factor: the imbalance factor to say; None for data taken as they are.
    """
    words = [paper.datasets[setting.request.dataset]] if paper is not None and len(claim.datasets) > 1 else []
    words += [f"IF {factor:g}"] if factor is not None else []
    each = claim.by != "order"  # an order is all methods'
    words += [method_label(setting.request.method)] if each and len(claim.method) > 1 else []
    words += [f"against {method_label(setting.against)}"] if len(claim.against) > 1 else []
    words += [setting.measure.rpartition(" ")[2].capitalize()] if each and len(claim.measure) > 1 else []
    return ", ".join(words)


def unit(claim: Claim) -> str:
    """Of a claim's numbers, as " points" with a no-break space, or ""."""
    words = MEASURES[claim.measure[0]].unit
    return "" if claim.by != "difference" or not words else f"\N{NO-BREAK SPACE}{words}"


def signed(value: float, claim: Claim) -> str:
    """Differences and changes with their sign, ratios without.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> paper = load_paper("rdr")
        >>> accuracy, cost = (next(c for c in paper.claims if c.measure == (name,)) for name in ("all", "seconds"))
        >>> signed(1.25, accuracy), signed(-1.25, accuracy), signed(0.7, cost)
        ('+1.2', '−1.2', '×0.70')
    """
    if claim.by == "ratio":
        return f"×{number(value, 2)}"
    if claim.by == "order":
        return number(value, 2)
    return with_sign(number(value, 1) if MEASURES[claim.measure[0]].unit else short(value))
