"""Exercises on the RDR paper that check themselves: `notebooks/07_reading_group.ipynb` asks the questions.

What is to be read off or computed from our runs is computed here from the same runs, so that answers follow them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from rdr_core.errors import RdrError
from rdr_viz.analysis.words import listed, number
from rdr_viz.papers.claim_intervals import ClaimIntervals
from rdr_viz.papers.claims import FAILS, HOLDS, NOT_MEASURED, UNDECIDED, overall
from rdr_viz.papers.grids import Request
from rdr_viz.papers.judging import Judge
from rdr_viz.papers.more_seeds import half_width, seeds_to_decide
from rdr_viz.papers.wanted import scales

if TYPE_CHECKING:
    from rdr_viz.papers.judging import Judged
    from rdr_viz.papers.paper import Claim, Paper
    from rdr_viz.papers.shelf import Shelf

#: Our grid, and the paper's setting, that exercises on runs are about: digits at IF 50.
GRID, DATASET, FACTOR = "digits", "cifar10-lt", 100
_VERDICTS = (HOLDS, FAILS, UNDECIDED)


@dataclass(frozen=True)
class Exercise:
    """A question's answer.

    Attributes:
        answer: a number, several of them, or one of ``choices``.
        hint: said of a wrong answer; it does not give the right one away.
        why: the answer in full sentences.
        tolerance: how far off a number may be.
        choices: of words; empty for numbers.
    """

    answer: float | tuple[float, ...] | str
    hint: str
    why: str
    tolerance: float = 0.01
    choices: tuple[str, ...] = ()

    def reply(self, given: object) -> str:
        """Of an answer: right, or not yet and a hint; of what can't be one: what is asked for.

        Example:
            >>> half = Exercise(0.5, "Think of a cake.", "It is a half.")
            >>> half.reply(0.5), half.reply(2), half.reply(...)
            ('Right.', 'Not yet: that is too large. Think of a cake.', 'Put your answer in the place of the dots.')
        """
        if given is ...:
            return "Put your answer in the place of the dots."
        if self.choices:
            return self._word(given)
        wanted = np.atleast_1d(self.answer)
        try:
            values = np.atleast_1d(np.asarray(given, dtype=float))
        except (TypeError, ValueError):
            values = np.array([np.nan])
        if values.shape != wanted.shape or not np.isfinite(values).all():
            return f"The answer is {'a number' if len(wanted) == 1 else f'{len(wanted)} numbers, as (0.1, 0.2)'}."
        off = values - wanted
        if (np.abs(off) <= self.tolerance).all():
            return "Right."
        if len(wanted) > 1:
            return f"Not yet. {self.hint}"
        return f"Not yet: that is too {'large' if off[0] > 0 else 'small'}. {self.hint}"

    def _word(self, given: object) -> str:
        word = str(given).strip().lower()
        if word not in {choice.lower() for choice in self.choices}:
            return f"The answer is one of {listed([repr(choice) for choice in self.choices])}."
        return "Right." if word == str(self.answer).lower() else f"Not that. {self.hint}"


class ReadingGroup:
    """The exercises of the reading group's session.

    Args:
        paper: RDR's.
        shelf: where the runs are that some answers are computed from.

    Attributes:
        judge: of the paper's claims by these runs.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> from rdr_core.runs.archive import shipped
        >>> from rdr_viz.papers.shelf import Shelf
        >>> group = ReadingGroup(load_paper("rdr"), Shelf([shipped()]))
        >>> group.check("2a", 1)
        '2a. Not yet: that is too small. Divide the two inner products: of x with F, and of x with itself.'
    """

    def __init__(self, paper: Paper, shelf: Shelf) -> None:
        self._paper, self._shelf, self.judge = paper, shelf, Judge(paper, shelf)
        self._grid = paper.grids[GRID]
        self._made: dict[str, Callable[[], Exercise]] = {
            "1a": self._gain, "1b": _pairs, "2a": _one_image, "2b": _two_images, "2c": _weight, "2d": _clamped,
            "2e": _b_prime, "3a": self._group, "3b": self._half_width, "3c": self._verdict, "3d": self._control,
            "3e": self._seeds, "3f": self._own_ratio, "4a": self._slip, "4b": self._cost,
        }  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """Of the exercises, in order."""
        return tuple(self._made)

    def exercise(self, name: str) -> Exercise:
        """One of :attr:`names`."""
        return self._made[name]()

    def check(self, name: str, answer: object) -> str:
        """A sentence on an answer; it never is the right one.

        Args:
            name: of the exercise; of another, the sentence says which there are.
            answer: a number, several in a tuple, or a word; ``...`` is none yet.
        """
        if name not in self._made:
            return f"There is no exercise {name!r}; there are {listed(self.names)}."
        return f"{name}. {self.exercise(name).reply(answer)}"

    def answer(self, name: str) -> str:
        """The answer as HTML, folded away until it is clicked on."""
        return f"<details><summary>Answer to {escape(name)}</summary><p>{escape(self.exercise(name).why)}</p></details>"

    def differences(self) -> dict[int, float]:
        """RDR minus 1/n by seed: points of accuracy on Few, digits at IF 50."""
        rdr, rival = (self._by_seed(method, "few") for method in ("rdr", "inverse"))
        return {seed: rdr[seed] - rival[seed] for seed in sorted(set(rdr) & set(rival))}

    def _by_seed(self, method: str, measure: str) -> dict[int, float]:
        return self._shelf.by_seed(self._grid, Request(DATASET, FACTOR, method), measure)

    def _claim(self, start: str) -> Claim:
        return next(claim for claim in self._paper.claims if claim.says.startswith(start))

    def _found(self, start: str) -> str:
        return ClaimIntervals.of(self._claim(start), self.judge).finding

    def _judged(self, start: str) -> dict[str, list[Judged]]:
        """The settings of the claim that begins so that are measured, by scale: those that its picture shows."""
        judged = {scale: self.judge.at(scale, self._claim(start)) for scale in scales(self._paper)}
        return {scale: [one for one in found if one.verdict != NOT_MEASURED] for scale, found in judged.items()}

    def _gain(self) -> Exercise:
        cells = self._paper.cells
        cells = cells[(cells["table"] == "1") & (cells["dataset"] == DATASET) & (cells["imbalance_factor"] == FACTOR)]
        ours, theirs = (float(cells.loc[cells["method"] == method, "paper"].iloc[0]) for method in ("rdr", "ce"))
        return Exercise(
            ours - theirs,
            "Take the upper number of two cells of the column IF 100: the rows RDR and CE.",
            f"{number(ours)} − {number(theirs)} = {number(ours - theirs)} points.",
            tolerance=0.05,
        )

    def _group(self) -> Exercise:
        groups = ("Many", "Medium", "Few")
        gains = {}
        for group in groups:
            rdr, ce = (float(np.mean(list(self._by_seed(method, group.lower()).values()))) for method in ("rdr", "ce"))
            gains[group] = rdr - ce
        said = listed([f"{number(gain)} on {group}" for group, gain in gains.items()])
        return Exercise(
            max(gains, key=lambda group: abs(gains[group])),
            "Compare the heights of the grey and the orange bar within each group.",
            f"RDR minus CE, in points: {said}.",
            choices=groups,
        )

    def _half_width(self) -> Exercise:
        values = np.array(list(self.differences().values()))
        sd = float(values.std(ddof=1))
        half = half_width(sd, len(values))
        return Exercise(
            half,
            "Standard deviation with n − 1, over the square root of the number of seeds, times Student's factor.",
            f"The standard deviation is {number(sd, 2)}; over √{len(values)} and times Student's factor this gives "
            f"± {number(half, 2)} around a mean of {number(values.mean(), 2)}.",
            tolerance=0.05 * half,
        )

    def _verdict(self) -> Exercise:
        values = np.array(list(self.differences().values()))
        half = half_width(float(values.std(ddof=1)), len(values))
        low, high = values.mean() - half, values.mean() + half
        verdict = HOLDS if low > 0 else FAILS if high <= 0 else UNDECIDED
        return Exercise(
            verdict,
            "Where does 0 lie: below the interval, inside it, or above?",
            f"The interval is {number(low)} to {number(high)} points, so the claim {_is(verdict)} at IF 50, if it "
            "were the only one. The page asks more questions, and widens each interval accordingly.",
            choices=_VERDICTS,
        )

    def _control(self) -> Exercise:
        """Of all intervals that the exercise's picture has, whatever the scale."""
        start = "The released RDR beats its fair control"
        claim, judged = self._claim(start), self._judged(start)
        verdict = overall(claim, [one for settings in judged.values() for one in settings])
        by_scale = listed(
            [f"{_is(overall(claim, settings))} on {scale}" for scale, settings in judged.items() if settings]
        )
        return Exercise(
            verdict,
            "It holds only if all intervals of the picture lie to the right of 0, and fails if one lies to the left.",
            f"By itself the claim {by_scale}. {self._found(start)} So it {_is(verdict)}.",
            choices=_VERDICTS,
        )

    def _seeds(self) -> Exercise:
        values = np.array(list(self.differences().values()))
        needed = seeds_to_decide(float(values.mean()), float(values.std(ddof=1)), (0, np.inf))
        if needed is None:
            raise RdrError("No number of seeds would decide whether RDR gains on 1/n; there is nothing to ask here.")
        return Exercise(
            float(needed),
            "The interval must shrink until it ends at 0: try other numbers of seeds in 3b, each with its own factor.",
            f"With a mean of {number(values.mean(), 1)} points and a standard deviation of "
            f"{number(values.std(ddof=1), 1)} it takes {needed} seeds, if mean and spread stay the same; neither "
            "has to. As one of many questions it takes more.",
            tolerance=max(1.0, 0.2 * needed),
        )

    def _own_ratio(self) -> Exercise:
        start = "The sample's own ratio helps"
        verdict = overall(self._claim(start), [one for settings in self._judged(start).values() for one in settings])
        return Exercise(
            verdict,
            "It holds only if each interval of the picture lies to the right of 0, and fails if one lies to the left.",
            f"{self._found(start)} So the claim {_is(verdict)}.",
            choices=_VERDICTS,
        )

    def _slip(self) -> Exercise:
        cells = self._paper.cells
        slip = cells[(cells["table"] == "5") & (cells["dataset"] == "places-lt") & (cells["method"] == "rdr+sam")]
        same = cells[(cells["table"] == "5") & (cells["paper"] == slip["paper"].iloc[0])]
        source = next(dataset for dataset in same["dataset"] if dataset != "places-lt")
        return Exercise(
            self._paper.datasets[source],
            "Look along the row RDR+SAM of table 5 for the same number.",
            f"It is the number of the {self._paper.datasets[source]} cell of the same row, printed twice; table 4 has "
            "40.9 for Places-LT.",
            choices=tuple(self._paper.datasets.values()),
        )

    def _cost(self) -> Exercise:
        sam, ce = (float(np.mean(list(self._by_seed(method, "seconds").values()))) for method in ("ce+sam", "ce"))
        return Exercise(
            sam / ce,
            "Divide the height of SAM's bar by that of CE's.",
            f"{number(sam, 2)} s over {number(ce, 2)} s is {number(sam / ce, 2)}. SAM takes two backward passes a "
            "step, but the other costs of a step are paid only once.",
            tolerance=0.1,
        )


def _pairs() -> Exercise:
    return Exercise(
        "b",
        "What else differs between the two runs, besides what the claim is about?",
        "b: runs of one seed share the data, initial weights and order of images, so only the method differs. "
        "In a the weights 1/n come together with the ratio; in c the test set chooses the best of several seeds.",
        choices=("a", "b", "c"),
    )


def _one_image() -> Exercise:
    return Exercise(
        2.0,
        "Divide the two inner products: of x with F, and of x with itself.",
        "r = ⟨x, F⟩ / ⟨x, x⟩ = (2·3 + 1·4) / (2·2 + 1·1) = 10 / 5 = 2: the class usually has longer features.",
    )


def _two_images() -> Exercise:
    return Exercise(
        (1.5, 0.5),
        "The mean (r₁x₁ + r₂x₂) / 2 must be F; here each coordinate has an equation of its own.",
        "First coordinate: 2·r₁ / 2 = 1.5, so r₁ = 1.5. Second: 1·r₂ / 2 = 0.25, so r₂ = 0.5.",
    )


def _weight() -> Exercise:
    return Exercise(
        2.4,
        "First r over the class's share for each of the four images, then divide by the mean of the four.",
        "Before scaling: 1/0.9 = 1.11 three times and 0.5/0.1 = 5. Their mean is 2.083, so it is 5 / 2.083 = 2.4.",
        tolerance=0.02,
    )


def _clamped() -> Exercise:
    return Exercise(
        0.0,
        "A loss with a negative weight would be made larger by training.",
        "0: ratios below zero are clamped. The paper does not say so, but without it the image would be unlearnt.",
    )


def _b_prime() -> Exercise:
    return Exercise(
        0.1**0.5 * (1 - 0.2),
        "The square root of the share, times one minus the probability of the true class.",
        "√0.1 × (1 − 0.2) = 0.316 × 0.8 = 0.253, against √0.9 × (1 − 0.8) = 0.190 for the common class: the bound "
        "wants a smaller weight where B′ is large.",
        tolerance=0.005,
    )


def _is(verdict: str) -> str:
    return "is undecided" if verdict == UNDECIDED else verdict
