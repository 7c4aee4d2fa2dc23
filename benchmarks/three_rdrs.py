"""What each difference between the three RDRs does alone, in points of accuracy.

    python benchmarks/three_rdrs.py digits        trains what is not there yet, writes the CSV, prints the tables
    python benchmarks/three_rdrs.py fashion       the released RDR and its changes on Fashion-MNIST-LT
    python benchmarks/three_rdrs.py digits --from-csv    prints the tables alone

A seed draws the data's subset too, and on Fashion-MNIST which classes are rare. A change is told as the difference to
its base, seed by seed, with Student's 95 % interval of the mean. Runs whose weights begin late share their beginnings.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from rdr_core import Run, RunConfig
from rdr_core.jobs.task import Training
from rdr_core.jobs.work import work_through
from rdr_core.methods.grammar import parse
from rdr_core.training.recipes import settings_for

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements"

#: Base, and what is changed of it: method, and whether by the schedule of the authors' recipe.
BASES = {
    "ours": "rdr",
    "released": "rdr:preset=released",
}
CHANGES = {
    "ours": {
        "m 0.9": "rdr:momentum=0.9",
        "no ridge": "rdr:ridge=0",
        "floor 1e-9": "rdr:floor=1e-9",
        "prototypes from 0 (text)": "rdr:start=zero",
        "unseen classes 0": "rdr:unseen=zero",
        "T0 80 %": "rdr:warmup=0.8",
        "all of the text's": "rdr:preset=text",
        "r = 1 (control)": "inverse",
    },
    "released": {
        "m 0.5": "rdr:preset=released,momentum=0.5",
        "our ridge": "rdr:preset=released,ridge=0.003",
        "floor 0": "rdr:preset=released,floor=0",
        "T0 2.5 %": "rdr:preset=released,warmup=0.025",
        "r = 1 (control)": "inverse+drw",
        "no weights": "ce",
    },
}
GROUPS = ("all", "few")


@dataclass(frozen=True)
class Scale:
    """Where the changes are measured.

    Attributes:
        dataset, factors, seeds: of the runs.
        settings: of the runs, where they are not the data set's own.
        authors: settings by which the base "released" and its changes are trained.
        bases: that are measured.
        left_out: changes that are not.
        draws: settings that a seed draws.
    """

    dataset: str
    factors: tuple[int, ...]
    seeds: int
    settings: dict[str, object]
    authors: dict[str, object]
    bases: tuple[str, ...] = tuple(BASES)
    left_out: tuple[str, ...] = ()
    draws: tuple[str, ...] = ("data_seed",)

    def changes(self, base: str) -> dict[str, str]:
        """What is changed of a base, and the method that it is then."""
        return {change: method for change, method in CHANGES[base].items() if change not in self.left_out}


SCALES = {
    # Digits are grey, so nothing of AutoAugment's is for them.
    "digits": Scale("digits", (50, 100), 6, {"model": "small"}, {"recipe": "authors", "augmentation": "plain"}),
    # Changes of ours, and an early T0, are runs from the start: hours of two cores, which were not spent.
    "fashion": Scale(
        "fashion-mnist",
        (100,),
        5,
        {"model": "small"},
        {"recipe": "authors", "augmentation": "plain"},
        bases=("released",),
        left_out=("T0 2.5 %",),
        draws=("data_seed", "class_order"),
    ),
}


def configs(scale: Scale) -> Iterator[tuple[str, str, int, int, RunConfig]]:
    """Base, change ("" is the base itself), factor, seed, and the run."""
    for seed in range(scale.seeds):
        for factor in scale.factors:
            for base in scale.bases:
                given = dict(scale.settings) | (scale.authors if base == "released" else {})
                model = given.pop("model")
                settings = settings_for(scale.dataset, **given)
                settings |= {"model": model, "seed": seed} | dict.fromkeys(scale.draws, seed)
                for change, name in {"": BASES[base], **scale.changes(base)}.items():
                    whose = {"dataset": scale.dataset, "imbalance_factor": factor, "method": parse(name).name}
                    config = RunConfig(**whose, **settings)
                    yield base, change, factor, seed, config


def train(name: str, runs: Path, parallel: int) -> None:
    """Train what is not there yet, and write the CSV."""
    wanted = list(configs(SCALES[name]))
    outcome = work_through([Training(config, runs, "cpu") for *_, config in wanted], parallel=parallel)
    if outcome.unfinished or outcome.failed:
        raise SystemExit(
            f"{len(outcome.unfinished)} runs are left to do: {outcome.failed or 'the same command goes on'}"
        )
    with (RESULTS / f"three-rdrs-{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["base", "change", "method", "imbalance_factor", "seed", *GROUPS, "negative_ratios"])
        for base, change, factor, seed, config in wanted:
            last = Run.open(runs / config.name).history.iloc[-1]
            values = [f"{last[column]:.4f}" for column in ("accuracy", "few", "negative_ratios")]
            writer.writerow([base, change, config.method, factor, seed, *values])


def tables(name: str) -> str:
    """The tables in Markdown, from the CSV: accuracies of the bases, and what each change adds to them."""
    with (RESULTS / f"three-rdrs-{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    factors = sorted({int(row["imbalance_factor"]) for row in rows})
    heads = [f"{group.capitalize()}, IF {factor}" for factor in factors for group in GROUPS]

    def values(base: str, change: str, factor: int, group: str) -> np.ndarray:
        picked = (base, change, str(factor))
        found = {
            int(row["seed"]): float(row[group])
            for row in rows
            if (row["base"], row["change"], row["imbalance_factor"]) == picked
        }
        return np.array([found[seed] for seed in sorted(found)])

    lines = []
    for base in SCALES[name].bases:
        lines.append(f"| {base}, and what is changed | {' | '.join(heads)} |")
        lines.append("| --- " * (len(heads) + 1) + "|")
        cells = [f"{values(base, '', factor, group).mean():.1f}" for factor in factors for group in GROUPS]
        lines.append(f"| `{BASES[base]}`, in percent | {' | '.join(cells)} |")
        for change, named in SCALES[name].changes(base).items():
            cells = [
                interval(values(base, change, factor, group) - values(base, "", factor, group))
                for factor in factors
                for group in GROUPS
            ]
            lines.append(f"| {change}: `{named}` | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def interval(differences: np.ndarray) -> str:
    """Mean, and Student's 95 % interval of it.

    Example:
        >>> interval(np.array([1.0, 2.0, 3.0]))
        '+2.0 (-0.5 to 4.5)'
    """
    mean, n = differences.mean(), len(differences)
    half = stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / math.sqrt(n)
    return f"{mean:+.1f} ({mean - half:.1f} to {mean + half:.1f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scale", choices=SCALES)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--from-csv", action="store_true", help="print the tables of what was measured")
    asked = parser.parse_args()
    if not asked.from_csv:
        train(asked.scale, asked.runs, asked.parallel)
    print(tables(asked.scale))
