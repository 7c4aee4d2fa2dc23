"""Print the numbers of docs/curvature.md's "Flat, or only small?": does curvature differ beyond the training loss?

.venv/bin/python docs/flat_or_small.py    # of the shipped runs, in seconds
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from rdr_core.runs import Run, list_runs
from rdr_core.runs.archive import shipped
from rdr_viz.analysis.curvature import class_curvature
from rdr_viz.analysis.groups import t_interval
from rdr_viz.analysis.stored import NotStored
from rdr_viz.analysis.words import number, short, with_sign
from rdr_viz.papers.measures import measure

SETTINGS = {
    "digits, IF 50": {"dataset": "digits", "imbalance_factor": 50, "schedule": "cosine"},
}
PAIRS = {"RDR over CE": ("rdr", "ce"), "1/n over CE": ("inverse", "ce"), "RDR over 1/n": ("rdr", "inverse")}
#: Measure -> its name, and whether methods are compared by ratio, else by difference.
QUANTITIES = {
    "lambda_max": ("λ max", True), "lambda_max over loss on Few": ("λ max / loss", True),
    "trace_few": ("trace", True), "trace over loss on Few": ("trace / loss", True),
    "lambda_min": ("λ min", False), "lambda_min / lambda_max on Few": ("λ min / λ max", False),
}  # fmt: skip


def by_class() -> pd.DataFrame:
    """A row for each shipped digits run, without label noise, and class: ``run``, ``trace``, ``mean_loss``."""
    rows = []
    for run in list_runs(shipped(), dataset="digits", noise_rate=0):
        try:
            table = class_curvature(run.as_stored)
        except NotStored:
            continue
        last = table[(table["epoch"] == run.config.epochs) & (table["rank"] == 1)]
        rows.append(last[["trace", "mean_loss"]].assign(run=run.name))
    found = pd.concat(rows, ignore_index=True)
    return found[(found["mean_loss"] > 0) & (found["trace"] > 0)]


def together(points: pd.DataFrame) -> str:
    """How far trace and loss go together, in a sentence."""
    logs = np.log(points[["trace", "mean_loss"]])
    ends = [short(points["mean_loss"].min()), short(points["mean_loss"].max())]
    return (
        f"Over the {points['run'].nunique()} shipped networks on digits that have both, {len(points)} classes in all "
        f"with a training loss of {ends[0]} to {ends[1]}, the logarithm of the trace correlates with that of the loss: "
        f"r = {number(logs.corr().iloc[0, 1], 2)}."
    )


def compared(runs: list[Run], name: str, pair: tuple[str, str], by_ratio: bool) -> str:
    """One method's number over (or minus) another's: mean and 95 % interval over seeds, and how many."""
    values = {(run.config.method, run.config.seed): measure(run, name) for run in runs if run.config.method in pair}
    both = [(values[pair[0], seed], values.get((pair[1], seed), np.nan)) for one, seed in values if one == pair[0]]
    a, b = np.array(both, dtype=float).reshape(-1, 2).T
    each = np.log(a / b) if by_ratio else a - b
    each = each[~np.isnan(each)]
    if not len(each):
        return ""
    words = (lambda v: f"×{short(np.exp(v))}") if by_ratio else (lambda v: with_sign(short(v)))
    low, high = t_interval(each)
    interval = "" if np.isnan(low) else f" [{words(low)} to {words(high)}]"
    return f"{words(each.mean())}{interval} ({len(each)})"


def markdown() -> str:
    """By setting and quantity, the three comparisons; in brackets the seeds."""
    lines = [f"| {' | '.join(['setting', 'mean over Few', *PAIRS])} |", "| --- " * (2 + len(PAIRS)) + "|"]
    for setting, asked in SETTINGS.items():
        runs = list_runs(shipped(), noise_rate=0, **asked)
        for name, (words, by_ratio) in QUANTITIES.items():
            cells = [compared(runs, name, pair, by_ratio) for pair in PAIRS.values()]
            lines.append(f"| {setting} | {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(together(by_class()), markdown(), sep="\n\n")
