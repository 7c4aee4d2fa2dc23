"""A paper's claims judged by runs: the number, its interval over seeds, the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.methods.control import control_of
from rdr_core.methods.grammar import parse
from rdr_core.papers.grids import Grid, Request, requests
from rdr_viz.numbers.groups import t_interval
from rdr_viz.papers.measures import MEASURES

if TYPE_CHECKING:
    from rdr_core.papers.paper import Claim, Paper
    from rdr_viz.papers.shelf import Shelf

#: Methods that have an order to speak of.
_LEAST = 4
HOLDS, FAILS, UNDECIDED, NOT_MEASURED = "holds", "fails", "undecided", "not measured"


@dataclass(frozen=True)
class Judged:
    """One setting of a claim, judged.

    Attributes:
        request: the setting, with the method the claim is about.
        factor: the imbalance factor of our runs; None where the data are taken as they are.
        against: the rival's canonical name, or "".
        measure: of :data:`rdr_viz.papers.measures.MEASURES`.
        mean, low, high: over seeds, with Student's 95 % interval (NaN for fewer than two).
        seeds: with both methods.
        verdict: :data:`HOLDS`, :data:`FAILS`, :data:`UNDECIDED` or :data:`NOT_MEASURED`.
        paper: the paper's own number, from its tables or as the claim has it; NaN where neither does.
        control: the method's fair control, where the claim does not set it against that anyway; else "".
        of_control: the number with the control in the method's place, over the seeds that have both; NaN without.
    """

    request: Request
    factor: float | None
    against: str
    measure: str
    mean: float
    low: float
    high: float
    seeds: int
    verdict: str
    paper: float
    control: str = ""
    of_control: float = np.nan


def decide(low: float, high: float, holds_between: tuple[float, float]) -> str:
    """The verdict on an interval: inside the range, outside it, or neither.

    Args:
        low, high: ends of the interval; NaN, as of a single seed, decides nothing, and neither do seeds that are all
            equal, as where every method has all of a group right: they know nothing of their own spread.
        holds_between: the open range in which the claim holds.

    Example:
        >>> above = (0, np.inf)
        >>> decide(1, 3, above), decide(-1, 3, above), decide(-3, -1, above), decide(np.nan, np.nan, above)
        ('holds', 'undecided', 'fails', 'undecided')
    """
    if not low < high:
        return UNDECIDED
    least, most = holds_between
    if least < low and high < most:
        return HOLDS
    return FAILS if high <= least or low >= most else UNDECIDED


def judge(claim: Claim, paper: Paper, grid: Grid, shelf: Shelf) -> list[Judged]:
    """Judge a claim in every setting that a grid has runs for, or could have.

    Methods are compared seed by seed: their runs of a seed share the data, the first weights and the order of images.
    """
    if claim.by == "order":
        return _orders(claim, grid, shelf)
    found = []
    for dataset in claim.datasets:
        for factor in claim.factors:
            for method in claim.method:
                for rival in claim.against or ("",):
                    request = Request(dataset, factor, parse(method).name, claim.noise_rate)
                    config = grid.config(request, seed=0)
                    if config is None:
                        continue
                    against = parse(rival).name if rival else ""
                    if against and grid.config(request._replace(method=against), seed=0) is None:
                        continue
                    found += [
                        _judge(claim, paper, grid, shelf, request, config.imbalance_factor, against, name)
                        for name in claim.measure
                    ]
    return found


def _orders(claim: Claim, grid: Grid, shelf: Shelf) -> list[Judged]:
    """In every setting, how far methods stand in the same order by one measure as by the other.

    A grid that runs some of the methods is judged on these, if they are :data:`_LEAST` or more.
    """
    from scipy.stats import kendalltau

    found = []
    for dataset in claim.datasets:
        for factor in claim.factors:
            wanted = requests([dataset], [factor], claim.method, claim.noise_rate)
            here = {grid.config(request, seed=0): request for request in wanted}
            here.pop(None, None)
            if len(here) < _LEAST:
                continue
            one, other = (
                pd.DataFrame({r.method: pd.Series(shelf.by_seed(grid, r, name), dtype=float) for r in here.values()})
                for name in claim.measure
            )
            seeds = one.dropna().index.intersection(other.dropna().index)
            alike = np.array([kendalltau(one.loc[seed], other.loc[seed]).statistic for seed in seeds])
            alike = alike[~np.isnan(alike)]  # a seed in which all are level has no order
            low, high = t_interval(alike)
            verdict = decide(low, high, claim.holds_between) if len(alike) else NOT_MEASURED
            config, request = next(iter(here.items()))
            found.append(
                Judged(request, config.imbalance_factor, "", claim.measure[0],
                       float(alike.mean()) if len(alike) else np.nan, low, high, len(alike), verdict, np.nan)
            )  # fmt: skip
    return found


def overall(judged: list[Judged]) -> str:
    """The verdict on a claim: it fails where a setting fails, and holds where all that there are hold.

    Example:
        >>> overall([])
        'not measured'
    """
    verdicts = [setting.verdict for setting in judged if setting.verdict != NOT_MEASURED]
    if not verdicts:
        return NOT_MEASURED
    if FAILS in verdicts:
        return FAILS
    return HOLDS if set(verdicts) == {HOLDS} and len(verdicts) == len(judged) else UNDECIDED


def criterion(claim: Claim) -> str:
    """In words, how a claim is judged.

    Example:
        >>> from rdr_core.papers.paper import load_paper
        >>> print(criterion(load_paper("rdr").claims[0]))
        Measured: accuracy over all classes, of RDR minus CE, seed by seed. Holds where the 95 % interval of the mean \
over seeds is above 0; fails where it is not above 0 anywhere; else undecided.
    """
    low, high = claim.holds_between
    where = (
        f"between {low:g} and {high:g}" if claim.between else f"above {low:g}" if high == np.inf else f"below {high:g}"
    )
    label = _labels(claim.method)
    if claim.by == "order":
        one, other = (MEASURES[name].words for name in claim.measure)
        return (
            f"Measured: Kendall's rank correlation of the methods' order by {one} with that by {other}, seed by seed "
            f"(1: no two of {label} change places). Holds where the 95 % interval of the mean over seeds is {where}; "
            f"fails where it is not {where} anywhere; else undecided."
        )
    of = f"of {label}"
    if claim.against:
        rival = _labels(claim.against)
        of += f" over {rival}" if claim.by == "ratio" else f" minus {rival}"
        of += ", seed by seed"
    words = " and ".join(MEASURES[name].words for name in claim.measure)
    mean = "geometric mean" if claim.by == "ratio" else "mean"
    return (
        f"Measured: {words}, {of}. Holds where the 95 % interval of the {mean} over seeds is {where}; fails where it "
        f"is not {where} anywhere; else undecided."
    )


def _labels(methods: tuple[str, ...]) -> str:
    from rdr_viz.numbers.words import listed
    from rdr_viz.palette import method_style

    return listed([method_style(parse(method).name).label for method in methods])


def _judge(
    claim: Claim,
    paper: Paper,
    grid: Grid,
    shelf: Shelf,
    request: Request,
    factor: float | None,
    against: str,
    name: str,
) -> Judged:
    compared = _compared(claim, grid, shelf, request, against, name)
    mean = _mean(claim, compared)
    low, high = t_interval(compared)
    if claim.by == "ratio":
        low, high = (float(np.exp(value)) for value in (low, high))
    verdict = decide(low, high, claim.holds_between) if len(compared) else NOT_MEASURED
    printed = _printed(claim, paper, request, against, name)
    control = control_of(grid.config(request, seed=0).method) or ""
    of_control = np.nan
    if control and against not in ("", control):
        of_control = _mean(claim, _compared(claim, grid, shelf, request._replace(method=control), against, name))
    shown = "" if np.isnan(of_control) else control
    return Judged(request, factor, against, name, mean, low, high, len(compared), verdict, printed, shown, of_control)


def _compared(claim: Claim, grid: Grid, shelf: Shelf, request: Request, against: str, name: str) -> np.ndarray:
    """The number of each seed: as it is, less the rival's, or the logarithm of its ratio to that."""
    values = shelf.by_seed(grid, request, name)
    if not against:
        return np.array(list(values.values()))
    rival = shelf.by_seed(grid, request._replace(method=against), name)
    both = sorted(set(values) & set(rival))
    pairs = np.array([[values[seed], rival[seed]] for seed in both]).reshape(-1, 2)
    return np.log(pairs[:, 0] / pairs[:, 1]) if claim.by == "ratio" else pairs[:, 0] - pairs[:, 1]


def _mean(claim: Claim, compared: np.ndarray) -> float:
    if not len(compared):
        return np.nan
    return float(np.exp(compared.mean()) if claim.by == "ratio" else compared.mean())


def _printed(claim: Claim, paper: Paper, request: Request, against: str, name: str) -> float:
    """What the paper's tables say; of a number printed in several, the first."""
    if claim.printed is not None:
        return claim.printed
    ours = _cell(paper.cells, request, request.method, name)
    if not against:
        return ours
    rival = _cell(paper.cells, request, against, name)
    return ours / rival if claim.by == "ratio" else ours - rival


def _cell(cells: pd.DataFrame, request: Request, method: str, group: str) -> float:
    here = cells[
        (cells["dataset"] == request.dataset)
        & (cells["imbalance_factor"] == request.imbalance_factor)
        & (cells["method"] == method)
        & (cells["group"] == group)
    ]
    return float(here["paper"].iloc[0]) if len(here) and not request.noise_rate else np.nan
