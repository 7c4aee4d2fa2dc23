"""The methods side by side on digits at imbalance factor 50: python benchmarks/digits.py [--runs DIR] [--seeds 5].

Writes data/digits-if50/: results.csv, a row for each method and seed, and the README's pictures. About two minutes
on one core; runs that are there are read.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

import rdr_core
from rdr_viz import GroupAccuracy, WeightAndBPrime, WeightsByClass

OUT = Path(__file__).resolve().parents[1] / "data" / "digits-if50"
METHODS = ("ce", "focal", "cb", "inverse", "inverse:gamma=0.5", "rdr", "rdr:gamma=0.5", "la", "rdr+la")


def markdown(results: pd.DataFrame) -> str:
    """The README's table: mean and standard deviation over seeds, in percent."""
    lines = ["| method | All | Many | Medium | Few |", "| --- | --- | --- | --- | --- |"]
    for method, part in results.groupby("method", sort=False):
        mean, sd = part.mean(numeric_only=True), part.std(numeric_only=True)
        cells = [f"{mean[c]:.1f} ± {sd[c]:.1f}" for c in ("top1", "many", "medium", "few")]
        lines.append(f"| `{method}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", default="runs/digits-if50", help="where runs are kept (default runs/digits-if50)")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    runs = [
        rdr_core.train("digits", imbalance_factor=50, method=method, seed=seed, runs=arguments.runs)
        for method in METHODS
        for seed in range(arguments.seeds)
    ]
    rows = [
        {"method": run.config.method, "seed": run.config.seed}
        | {name: round(run.metrics[name], 2) for name in ("top1", "many", "medium", "few")}
        for run in runs
    ]
    OUT.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(OUT / "results.csv", index=False)
    shown = [run for run in runs if run.config.method in ("ce", "inverse", "inverse:gamma=0.5", "rdr", "la")]
    first = next(run for run in runs if run.config.method == "rdr")
    displays = {
        "accuracy": GroupAccuracy.from_runs(shown),
        "weights": WeightsByClass.from_run(first),
        "weight-and-b-prime": WeightAndBPrime.from_run(first),
    }
    for name, display in displays.items():
        for suffix, path in display.save(OUT / name).items():
            if suffix != "png":
                path.unlink()
        print(f"{name}: {display.alt}\n  {display.finding}\n")
    print(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
