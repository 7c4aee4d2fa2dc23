"""Which method wins if the test classes are as rare as in training, equally frequent, or reversed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.errors import RdrError
from rdr_viz.analysis.groups import t_interval
from rdr_viz.analysis.priors import POWERS, prior_shift
from rdr_viz.analysis.words import listed, number, percent, plural
from rdr_viz.displays.base import Display, display
from rdr_viz.displays.figure import TEXT_WIDTH, new_axes, rdr_style
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.shared import data_of, in_methods_order, label_of, legend_above, method_handles, seeds_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

_TICKS = (0, 20, 40, 50, 60, 70, 80, 85, 90, 93, 95, 97, 98, 99, 99.5)  # percent
_WIDTH = 2.0  # points of error from where on the scale is nearly logarithmic
_SAME = 1e-9  # points


@display("priors", place=220)
@dataclass(frozen=True)
class PriorShift(Display):
    """Accuracy over test priors n^t, from the training prior reversed to the training prior; one of them is marked.

    Thresholds that follow the test prior, on the logits of a network trained without a remedy, are drawn beside the
    methods if such a network is available or its thresholds are stored.

    Attributes:
        data: ``method``, ``label``, ``seed``, ``power`` (t), ``accuracy`` (percent); see
            :func:`rdr_viz.analysis.priors.prior_shift`.
        setting: data set and imbalance factor.
        own_subsets: whether each seed has its own training set; intervals over seeds then cover that too.
        power: the t that is marked and described (default 0, the field's balanced test).

    Example:
        >>> PriorShift.from_runs(runs).marked(1.0).finding  # doctest: +SKIP
    """

    data: pd.DataFrame
    setting: str
    own_subsets: bool = False
    power: float = 0.0

    title = "Which method wins if the test set is long-tailed too?"
    look = (
        "On the right, test classes are as frequent as in training; in the middle, equally frequent; on the left, "
        "reversed. Where lines cross, the winner depends on the test. Post-hoc thresholds, where drawn, know its "
        "prior."
    )

    @classmethod
    def from_run(cls, run: Run, *, power: float = 0.0, data: LongTailedData | None = None) -> PriorShift:
        """One run alone."""
        return cls.from_runs([run], power=power, data=data)

    @classmethod
    def from_runs(cls, runs: Sequence[Run], *, power: float = 0.0, data: LongTailedData | None = None) -> PriorShift:
        """Weigh each run's accuracy by class.

        Args:
            runs: finished runs that differ in method and seed alone.
            power: the t to mark, a multiple of 0.05 from -1 to 1.
            data: where the runs were trained on the user's own arrays.

        Raises:
            RdrError: runs that can't be compared, or another power.
        """
        runs = list(runs)
        found = prior_shift(runs, data=data)
        own_subsets = len({run.config.data_seed for run in runs}) > 1
        return cls(found, data_of(runs[0]), own_subsets).marked(power)

    def marked(self, power: float) -> PriorShift:
        """The same with another prior marked.

        Raises:
            RdrError: a power that is no multiple of 0.05 from -1 to 1.
        """
        at = np.flatnonzero(np.isclose(POWERS, power))
        if not len(at):
            raise RdrError(
                f"power is {power:g}; it must be a multiple of 0.05 from -1 (reversed) to 1 (as in training)."
            )
        return replace(self, power=float(POWERS[at[0]]))

    def summary(self) -> pd.DataFrame:
        """A row a method at the marked prior, the best first: ``method``, ``accuracy``, ``seeds``, and ``behind`` the
        best with ``low`` and ``high`` (points, Student's 95 % interval over the seeds that both have; NaN for one)."""
        here = self.data[self.data["power"] == self.power]
        by_seed = here.pivot(index="seed", columns="method", values="accuracy")
        means = by_seed.mean()
        order = sorted(means.index, key=lambda method: (-round(means[method], 9), self._methods().index(method)))
        best, rows = by_seed[order[0]], []
        for method in order:
            behind = (best - by_seed[method]).dropna()
            low, high = t_interval(behind.to_numpy())
            rows.append(
                {"method": method, "accuracy": means[method], "seeds": int(by_seed[method].count()),
                 "behind": behind.mean(), "low": low, "high": high}
            )  # fmt: skip
        return pd.DataFrame(rows)

    @property
    def alt(self) -> str:
        means = self._means()
        parts = []
        for method in self._methods():
            told = [f"{number(means.loc[t, method])} at t = {_t(t)}" for t in (-1.0, 0.0, 1.0)]
            parts.append(f"{label_of(method)} {', '.join(told)}")
        return (
            f"Lines, test accuracy in percent against t of the test prior n^t, {self.setting}, "
            f"{seeds_words(self.data)}. {'; '.join(parts)}."
        )

    @property
    def finding(self) -> str:
        table = self.summary()
        first, rest = table[table["behind"].abs() < _SAME], table[table["behind"].abs() >= _SAME]
        names = listed([label_of(method) for method in first["method"]])
        said = f"Test classes {self._prior_words()}: {names} {'is' if len(first) == 1 else 'are'} "
        value = percent(first["accuracy"].iloc[0])
        if rest.empty:
            return f"{said}at {value}."
        second, last = rest.iloc[0], rest.iloc[-1]
        told = f"{label_of(second['method'])} is {_behind(second)} points behind"
        if second["low"] <= 0 <= second["high"]:
            told += ", which these seeds do not tell apart"
        if len(rest) > 1:
            told += f"; {label_of(last['method'])}, the last, is {_behind(last)} points behind"
        seeds = int(last["seeds"])
        whose = ", each with its own training set" if self.own_subsets else " on one training set"
        over = "one seed" if seeds == 1 else f"95 % intervals over {plural(seeds, 'seed')}{whose}"
        return f"{said}ahead with {value}; {told} ({over})."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw on ``ax`` (default: a new figure's axes) and return it."""
        ax = new_axes(TEXT_WIDTH, 3.4) if ax is None else ax
        means = self._means()
        low, high = max(0.0, means.min().min() - 3), 100 - (100 - means.max().max()) / 2
        with rdr_style():
            ax.set_yscale("function", functions=(stretched, unstretched))
            ax.axvline(self.power, color="#222222", lw=0.9, ls=":", zorder=0)
            for method in self._methods():
                look = method_style(method).line()
                ax.plot(means.index, means[method], **(look | {"marker": "", "linewidth": 1.6}))
                ax.plot(self.power, means.loc[self.power, method], **(look | {"linestyle": "none", "markersize": 6}))
            ax.set(xlim=(-1.03, 1.03), ylim=(low, high))
            ax.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1\nreversed", "−0.5", "0\nall alike", "0.5", "1\nas in training"])
            ax.set_yticks([tick for tick in _TICKS if low <= tick <= high], minor=False)
            ax.yaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
            ax.set(xlabel="t: a class's share of the test goes with $n^t$", ylabel="Test accuracy (%)")
            pad = legend_above(ax, method_handles(self._methods()), columns=5)
            ax.set_title(f"{self.setting} ({seeds_words(self.data)})", pad=pad)
        return ax

    def _methods(self) -> list[str]:
        return in_methods_order(self.data)

    def _means(self) -> pd.DataFrame:
        """Over seeds: a row a power, a column a method."""
        return self.data.pivot_table(index="power", columns="method", values="accuracy", aggfunc="mean")

    def _prior_words(self) -> str:
        named = {
            -1.0: "as frequent as in training, reversed",
            0.0: "equally frequent",
            1.0: "as frequent as in training",
        }
        words = named.get(self.power, "as frequent as n to the power of t")
        return f"{words} (t = {_t(self.power)})"


def _t(power: float) -> str:
    return f"{power:g}".replace("-", "−")


def _behind(row: pd.Series) -> str:
    """Points, with their interval where there is one."""
    interval = "" if np.isnan(row["low"]) else f" [{number(row['low'])} to {number(row['high'])}]"
    return f"{number(row['behind'])}{interval}"


def stretched(accuracy: np.ndarray) -> np.ndarray:
    """Accuracy on a scale on which 96, 98 and 99 % lie about equally far apart, as errors on a logarithmic one do."""
    return -np.arcsinh((100 - np.asarray(accuracy, dtype=float)) / _WIDTH)


def unstretched(place: np.ndarray) -> np.ndarray:
    return 100 + _WIDTH * np.sinh(np.asarray(place, dtype=float))
