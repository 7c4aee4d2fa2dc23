"""A paper's claims set against runs: the number of each setting, its interval over seeds, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.methods.control import control_of
from rdr_core.methods.grammar import parse
from rdr_viz.analysis.groups import t_interval
from rdr_viz.analysis.several import holm_level, p_value
from rdr_viz.papers.claims import NOT_MEASURED, decide
from rdr_viz.papers.grids import Grid, Request, requests
from rdr_viz.papers.wanted import scales

if TYPE_CHECKING:
    from rdr_viz.papers.paper import Claim, Paper
    from rdr_viz.papers.shelf import Shelf

#: Methods that have an order to speak of.
_LEAST = 4


@dataclass(frozen=True)
class Judged:
    """One setting of a claim, judged.

    Attributes:
        request: the setting, with the method the claim is about.
        factor: the imbalance factor of our runs; None where the data are taken as they are.
        against: the rival's canonical name, or "".
        measure: of :data:`rdr_viz.analysis.measures.measure.MEASURES`.
        values: the number of each seed; of a claim by ratio its logarithm.
        mean, low, high: over seeds, with Student's 95 % interval (NaN for fewer than two).
        p: :func:`rdr_viz.analysis.several.p_value` of this setting alone.
        verdict: :data:`HOLDS`, :data:`FAILS`, :data:`UNDECIDED` or :data:`NOT_MEASURED`.
        paper: the paper's own number, from its tables or as the claim has it; NaN where neither does.
        control: the method's fair control, where the claim does not set it against that anyway; else "".
        of_control: the number with the control in the method's place, over the seeds that have both; NaN without.
        level: at which all questions of its scale are tested (:func:`rdr_viz.analysis.several.holm_level`).
        wide_low, wide_high: the interval of confidence 1 - level, which decides.
    """

    request: Request
    factor: float | None
    against: str
    measure: str
    values: tuple[float, ...]
    mean: float
    low: float
    high: float
    p: float
    verdict: str
    paper: float = np.nan
    control: str = ""
    of_control: float = np.nan
    level: float = np.nan
    wide_low: float = np.nan
    wide_high: float = np.nan

    @property
    def method(self) -> str:
        """The one that the claim is about, as the paper's."""
        return self.request.method

    @property
    def seeds(self) -> int:
        """With both methods."""
        return len(self.values)


class Judge:
    """Judges claims at a scale together: whoever asks forty questions gets two answers by chance at 95 % each.

    Args:
        paper: whose claims.
        shelf: where the runs are.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> from rdr_viz.papers.shelf import Shelf
        >>> paper = load_paper("rdr")
        >>> {one.verdict for one in Judge(paper, Shelf([])).of(paper.claims[0], paper.grids["digits"])}
        {'not measured'}
    """

    def __init__(self, paper: Paper, shelf: Shelf) -> None:
        self.paper, self._shelf = paper, shelf
        self._scales: dict[tuple[str, tuple[Claim, ...]], dict[tuple[Claim, str], list[Judged]]] = {}

    def of(self, claim: Claim, grid: Grid) -> list[Judged]:
        """A claim in every setting that one of the paper's grids has runs for, or could have.

        One that is not the paper's own is judged as a question more.
        """
        claims = self.paper.claims if claim in self.paper.claims else (*self.paper.claims, claim)
        if (grid.scale, claims) not in self._scales:
            self._scales[grid.scale, claims] = self._together(scales(self.paper)[grid.scale], claims)
        return self._scales[grid.scale, claims][claim, grid.name]

    def at(self, scale: str, claim: Claim) -> list[Judged]:
        """The same in all grids of a scale."""
        return [setting for grid in scales(self.paper)[scale] for setting in self.of(claim, grid)]

    def _together(self, grids: Sequence[Grid], claims: tuple[Claim, ...]) -> dict[tuple[Claim, str], list[Judged]]:
        """Holm's verdicts on all that is measured of these grids: one is wrong in at most 5 % of such families."""
        found = {
            (claim, grid.name): compare(claim, self.paper, grid, self._shelf)
            for grid in grids for claim in claims
        }  # fmt: skip
        level = holm_level([one.p for settings in found.values() for one in settings])
        return {
            (claim, grid): [_at(level, claim, one) for one in settings] for (claim, grid), settings in found.items()
        }


def compare(claim: Claim, paper: Paper, grid: Grid, shelf: Shelf) -> list[Judged]:
    """A claim in every setting that a grid has runs for, or could have, each as if it were the only question.

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
                    if grid.config(request, seed=0) is None:
                        continue
                    against = parse(rival).name if rival else ""
                    if against and grid.config(request._replace(method=against), seed=0) is None:
                        continue
                    found += [_compare(claim, paper, grid, shelf, request, against, name) for name in claim.measure]
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
            found.append(_judged(claim, grid, next(iter(here.values())), "", claim.measure[0], alike))
    return found


def _compare(claim: Claim, paper: Paper, grid: Grid, shelf: Shelf, request: Request, against: str, name: str) -> Judged:
    judged = _judged(claim, grid, request, against, name, _compared(claim, grid, shelf, request, against, name))
    printed = _printed(claim, paper, request, against, name)
    config = grid.config(request, seed=0)
    control = (control_of(config.method) if config else None) or ""
    of_control = np.nan
    if control and against not in ("", control):
        of_control = _mean(claim, _compared(claim, grid, shelf, request._replace(method=control), against, name))
    shown = "" if np.isnan(of_control) else control
    return replace(judged, paper=printed, control=shown, of_control=of_control)


def _judged(claim: Claim, grid: Grid, request: Request, against: str, name: str, values: np.ndarray) -> Judged:
    low, high = _interval(claim, values, 0.95)
    verdict = decide(low, high, claim.holds_between) if len(values) else NOT_MEASURED
    config = grid.config(request, seed=0)
    return Judged(
        request, config.imbalance_factor if config else None, against, name, tuple(map(float, values)),
        _mean(claim, values), low, high, p_value(values, ends(claim)), verdict,
    )  # fmt: skip


def _at(level: float, claim: Claim, alone: Judged) -> Judged:
    """The verdict where all questions share that level."""
    low, high = _interval(claim, np.array(alone.values), 1 - level)
    verdict = decide(low, high, claim.holds_between) if alone.seeds else NOT_MEASURED
    return replace(alone, level=level, wide_low=low, wide_high=high, verdict=verdict)


def _interval(claim: Claim, values: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = t_interval(values, confidence)
    return (float(np.exp(low)), float(np.exp(high))) if claim.by == "ratio" else (low, high)


def ends(claim: Claim) -> tuple[float, float]:
    """Of where the claim holds, as its numbers are averaged over seeds: ratios as logarithms."""
    low, high = claim.holds_between
    if claim.by != "ratio":
        return low, high
    return (float(np.log(low)) if low > 0 else -np.inf), float(np.log(high))


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
