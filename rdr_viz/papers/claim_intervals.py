"""Does a claim hold? Each setting's number with its interval over seeds, beside where the claim says it lies."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_core.methods.grammar import parse
from rdr_viz.analysis.measures.measure import MEASURES
from rdr_viz.analysis.words import plural
from rdr_viz.displays.base import Display
from rdr_viz.displays.epochs import log_ticks
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.shared import label_of
from rdr_viz.papers.claim_words import setting_words, signed, unit
from rdr_viz.papers.claims import FAILS, HOLDS, NOT_MEASURED, UNDECIDED, decide
from rdr_viz.papers.more_seeds import half_width, seeds_to_decide, spread_of_the_spread, standard_deviation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rdr_viz.papers.judging import Judge
    from rdr_viz.papers.paper import Claim

# Verdict -> (colour, marker): the page's colours, and a shape besides.
_LOOKS = {HOLDS: ("#00695C", "o"), FAILS: ("#9A3D00", "X"), UNDECIDED: ("#555555", "s")}
_LETTERS = 42  # of the words beneath the axis, a line
_GROUND, _PRINTED = "#E3F3F0", "#B8860B"


@dataclass(frozen=True)
class ClaimIntervals(Display):
    """A dot and an interval for each setting of a claim that is measured, on the ground where the claim holds.

    Attributes:
        data: a row a setting: ``scale``, ``setting`` (words), ``mean``, ``low``, ``high`` (of 95 %), ``level`` (at
            which all questions of the scale are tested), ``wide_low``, ``wide_high`` (the interval of confidence
            1 - level, which decides), ``seeds``, ``verdict``, ``paper`` (the paper's own number, NaN where it prints
            none).
        claim: that is judged.
        planned: None, or the number of seeds that the intervals and ``verdict`` are a plan for.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> from rdr_core.runs.archive import shipped
        >>> from rdr_viz.papers.judging import Judge
        >>> from rdr_viz.papers.shelf import Shelf
        >>> paper = load_paper("rdr")
        >>> shown = ClaimIntervals.of(paper.claims[0], Judge(paper, Shelf([shipped()])))
        >>> sorted(set(shown.data["verdict"])) != ["not measured"]
        True
    """

    data: pd.DataFrame
    claim: Claim
    planned: int | None = None

    title = "Does the claim hold?"
    look = (
        "The thick line is the 95 % interval of this question alone. The thin one allows for all questions asked of "
        "these runs, and decides: the claim holds if all of it is in the shaded area, fails if none of it is, and is "
        "undecided if an edge of the area cuts it."
    )

    @classmethod
    def of(cls, claim: Claim, judge: Judge) -> ClaimIntervals:
        """A claim as it is judged by the runs there are, at every scale.

        Raises:
            RdrError: no setting of it is measured.
        """
        paper = judge.paper
        rows = [
            {
                "scale": grid.scale,
                "setting": setting_words(claim, paper if grid.printed else None, setting, setting.factor),
                "mean": setting.mean, "low": setting.low, "high": setting.high, "level": setting.level,
                "wide_low": setting.wide_low, "wide_high": setting.wide_high, "seeds": setting.seeds,
                "verdict": setting.verdict, "paper": setting.paper,
            }
            for grid in paper.grids.values() for setting in judge.of(claim, grid)
            if setting.verdict != NOT_MEASURED
        ]  # fmt: skip
        if not rows:
            raise RdrError(
                f"Nothing is measured of the claim {claim.says!r}; `rdr paper plan` lists the runs it needs."
            )
        return cls(pd.DataFrame(rows), claim)

    def with_seeds(self, seeds: int) -> ClaimIntervals:
        """The same means with the intervals of that many seeds, each setting's spread taken as it was measured.

        Args:
            seeds: 2 or more.

        Raises:
            RdrError: fewer.
        """
        if seeds < 2:
            raise RdrError(f"seeds is {seeds}; an interval needs 2 or more.")
        known = self._with_intervals()
        mean, sd = self._on_axis(known["mean"]), self._spread(known)
        ends: dict[str, np.ndarray] = {}
        for name, confidence in (("", 0.95), ("wide_", 1 - known["level"].to_numpy())):
            half = half_width(sd, seeds, confidence)
            ends |= {f"{name}low": self._off_axis(mean - half), f"{name}high": self._off_axis(mean + half)}
        planned = known.assign(**ends, seeds=seeds)
        deciding = planned[["wide_low", "wide_high"]].to_numpy()
        planned["verdict"] = [decide(low, high, self.claim.holds_between) for low, high in deciding]
        return ClaimIntervals(planned, self.claim, seeds)

    def needed(self) -> pd.DataFrame:
        """How many seeds would decide each setting, if its mean stayed where it is.

        Returns:
            ``scale``, ``setting``, ``seeds`` (measured), ``needed`` (:func:`seeds_to_decide` with the measured spread),
            ``least`` and ``most`` (with the ends of what these seeds leave open of the spread); NaN where no number of
            seeds up to a thousand would do. Settings with a single seed are left out.
        """
        known = self._with_intervals()
        holds_between = tuple(self._on_axis(self.claim.holds_between))
        found = []
        measured = zip(self._on_axis(known["mean"]), self._spread(known), known["seeds"], known["level"], strict=True)
        for mean, sd, seeds, level in measured:
            factors = {"needed": 1.0, **dict(zip(("least", "most"), spread_of_the_spread(seeds), strict=True))}
            found.append({
                name: seeds_to_decide(mean, factor * sd, holds_between, confidence=1 - level)
                for name, factor in factors.items()
            })  # fmt: skip
        counts = pd.DataFrame(found, columns=["needed", "least", "most"], dtype=float)
        return pd.concat([known[["scale", "setting", "seeds"]], counts], axis=1)

    @property
    def alt(self) -> str:
        said = [self._said(row) for row in self.data.to_dict("records")]
        return f"{self._heading()}, by setting, with 95 % intervals over seeds. {'; '.join(said)}."

    @property
    def finding(self) -> str:
        verdicts = self.data["verdict"]
        counts = [f"{word} in {(verdicts == word).sum()}" for word in (HOLDS, FAILS) if (verdicts == word).any()]
        undecided = (verdicts == UNDECIDED).sum()
        counts += [f"is undecided in {undecided}"] if undecided else []
        where = f"Of {plural(len(verdicts), 'setting')} the claim {', '.join(counts)}."
        return f"With {self.planned} seeds like these: {where[0].lower()}{where[1:]}" if self.planned else where

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a row a setting on ``ax`` (default: a new figure's, as high as it needs) and return it."""
        ax = new_axes(TEXT_WIDTH, 1.25 + 0.3 * len(self.data)) if ax is None else ax
        with rdr_style():
            if self.claim.by == "ratio":
                ax.set_xscale("log")
            for place, row in enumerate(self.data.to_dict("records")):
                color, marker = _LOOKS[row["verdict"]]
                if not np.isnan(row["low"]):
                    for name, width in (("wide_", 0.8), ("", 2.4)):
                        ends = row[f"{name}low"], row[f"{name}high"]
                        ax.plot(ends, [place, place], color=color, lw=width, solid_capstyle="butt")
                ax.plot(row["mean"], place, marker, color=color, ms=6.5, mec="white", mew=0.6)
                words = f"{signed(row['mean'], self.claim)} {row['verdict']}"
                ax.annotate(words, (1, place), xycoords=ax.get_yaxis_transform(), xytext=(6, 0),
                            textcoords="offset points", va="center", color=color, annotation_clip=False)  # fmt: skip
            printed = self.data["paper"].notna()
            if printed.any():
                ax.plot(self.data.loc[printed, "paper"], np.flatnonzero(printed), "D", ls="", mfc="none",
                        mec=_PRINTED, mew=1.2, ms=5)  # fmt: skip
            self._ground(ax)
            if self.claim.by == "ratio":
                _ratio_ticks(ax)
            ax.set_ylim(len(self.data) - 0.45, -0.55)
            ax.set_yticks(range(len(self.data)), self._places())
            ax.grid(False, axis="y")
            key = "\n\N{WHITE DIAMOND} the paper's own number, in its setting" if printed.any() else ""
            # Words as long as this one begin at the left end of a narrow axis, and would leave the figure.
            ax.set_xlabel(f"{fill(f'{self._heading()}{self._in_unit()}', _LETTERS)}{key}", loc="left")
            ax.set_title(self._title())
        return ax

    def _ground(self, ax: Axes) -> None:
        """Shade where the claim holds, as far as the axis goes, and keep the axis' ends."""
        ends = [end for end in self.claim.holds_between if np.isfinite(end)]
        ax.plot(ends, [0] * len(ends), alpha=0)  # in view
        ax.autoscale_view()
        left, right = ax.get_xlim()
        low, high = self.claim.holds_between
        ax.axvspan(max(low, left), min(high, right), color=_GROUND, lw=0, zorder=0)
        for end in ends:
            ax.axvline(end, color="#00695C", lw=0.8, zorder=1)
        ax.set_xlim(left, right)

    def _places(self) -> list[str]:
        several = self.data["scale"].nunique() > 1
        rows = self.data.itertuples()
        return [f"{f'{row.scale}, ' if several else ''}{row.setting} ({plural(row.seeds, 'seed')})" for row in rows]

    def _title(self) -> str:
        scales = list(dict.fromkeys(self.data["scale"]))
        title = f"{self.planned} seeds like these" if self.planned else self.title
        return f"{title} ({scales[0]})" if len(scales) == 1 else title

    def _said(self, row: dict) -> str:
        interval = "" if np.isnan(row["low"]) else (
            f", {signed(row['low'], self.claim)} to {signed(row['high'], self.claim)}"
        )  # fmt: skip
        printed = "" if np.isnan(row["paper"]) else f", the paper's own number {signed(row['paper'], self.claim)}"
        return (
            f"{row['scale']}, {row['setting']}: {signed(row['mean'], self.claim)}{unit(self.claim)}{interval} "
            f"({plural(row['seeds'], 'seed')}), {row['verdict']}{printed}"
        )

    def _heading(self) -> str:
        """What is measured; of several methods, rivals or measures, the settings say which."""
        claim = self.claim
        if claim.by == "order":
            return "Rank correlation of the methods' order at the last epoch with that at the best on the test set"
        words = MEASURES[claim.measure[0]].words
        words = words.rpartition(",")[0] if len(claim.measure) > 1 else words
        words = words[0].upper() + words[1:]
        of = label_of(parse(claim.method[0]).name) if len(claim.method) == 1 else "each"
        if not claim.against:
            return f"{words}, {of}"
        rival = label_of(parse(claim.against[0]).name) if len(claim.against) == 1 else "its rival"
        return f"{words}, {of} {'over' if claim.by == 'ratio' else 'minus'} {rival}"

    def _in_unit(self) -> str:
        return f" ({unit(self.claim).strip()})" if unit(self.claim) else ""

    def _with_intervals(self) -> pd.DataFrame:
        return self.data.dropna(subset=["low"]).reset_index(drop=True)

    def _spread(self, rows: pd.DataFrame) -> np.ndarray:
        """Standard deviation over seeds of each row, of logarithms where the claim is of ratios."""
        ends = zip(self._on_axis(rows["low"]), self._on_axis(rows["high"]), rows["seeds"], strict=True)
        return np.array([standard_deviation(low, high, seeds) for low, high, seeds in ends])

    def _on_axis(self, values: object) -> np.ndarray:
        """Numbers as they are averaged over seeds: ratios as logarithms."""
        values = np.asarray(values, dtype=float)
        with np.errstate(divide="ignore"):  # no ratio is below 0
            return np.log(values.clip(min=0)) if self.claim.by == "ratio" else values

    def _off_axis(self, values: np.ndarray) -> np.ndarray:
        return np.exp(values) if self.claim.by == "ratio" else values


def _ratio_ticks(ax: Axes) -> None:
    """Plain numbers, also where the axis is too short for two of 1, 2 and 5 times powers of ten."""
    from matplotlib.ticker import MaxNLocator

    left, right = ax.get_xlim()
    log_ticks(ax.xaxis, left, right)
    if right < 4 * left:
        ax.xaxis.set_major_locator(MaxNLocator(5))
