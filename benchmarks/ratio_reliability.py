"""How much of RDR's ratio belongs to the image: the table of docs/methods/density-ratio.md.

    python benchmarks/ratio_reliability.py               trains and analyses what is not there yet, writes the CSV
    python benchmarks/ratio_reliability.py --from-csv    prints the table alone

`rdr` on digits, six seeds that move the data's subset too, at two imbalance factors; intervals are Student's over the
seeds.
"""

from __future__ import annotations

import argparse
from functools import partial
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd

from rdr_core import RunConfig
from rdr_core.runs.requests import train_config
from rdr_core.training.recipes import settings_for
from rdr_viz.analysis.accuracy import ALL_AND_GROUPS
from rdr_viz.analysis.groups import t_interval
from rdr_viz.analysis.replayed_ratios import ratio_reliability

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "ratio-reliability-digits.csv"
FACTORS = (50, 100)
SEEDS = range(1, 7)
BATCH = 32
_COLUMNS = ["level", "class", "group", "images", "passes", "ratio", "spread", "reliability", "low", "high"]


def measured(runs: Path) -> pd.DataFrame:
    """A row for each run and all classes, group and class, after the last epoch."""
    tables = []
    for factor in FACTORS:
        for seed in SEEDS:
            config = RunConfig(dataset="digits", imbalance_factor=factor, method="rdr", seed=seed, data_seed=seed,
                               model="small", **settings_for("digits", batch_size=BATCH))  # fmt: skip
            found = ratio_reliability(train_config(config, runs=runs, device="cpu", progress=False))[_COLUMNS]
            tables.append(found.assign(imbalance_factor=factor, seed=seed))
    table = pd.concat(tables, ignore_index=True)
    return table[["imbalance_factor", "seed", *_COLUMNS]]


def markdown(table: pd.DataFrame) -> str:
    """By factor and group: r and its reliability, what of its spread is the images' own, and how many are alone."""
    heads = ["digits", "classes", "mean of r", "spread of r", "reliability of r", "spread of the images' own r",
             "visits alone of the class"]  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for factor in FACTORS:
        for group in ALL_AND_GROUPS:
            rows = _rows(table, factor, group)
            cells = [rows["ratio"].mean(), rows["spread"].mean(), _own_spread(table, factor, group)]
            mean, spread, own = (f"{cell:.2f}" for cell in cells)
            low, high = t_interval(rows["reliability"].to_numpy())
            share = f"{rows['reliability'].mean():.2f} ({low:.2f} to {high:.2f})"
            total = int(_rows(table, factor, "All")["images"].iloc[0])
            lonely = 100 * _classes(table, factor, group)["images"].map(partial(alone, total=total)).mean()
            lines.append(f"| IF {factor} | {group} | {mean} | {spread} | {share} | {own} | {lonely:.0f} % |")
    return "\n".join(lines)


def _rows(table: pd.DataFrame, factor: int, group: str) -> pd.DataFrame:
    return table[(table["imbalance_factor"] == factor) & (table["group"] == group) & (table["level"] != "class")]


def _classes(table: pd.DataFrame, factor: int, group: str) -> pd.DataFrame:
    rows = table[(table["imbalance_factor"] == factor) & (table["level"] == "class")]
    return rows if group == "All" else rows[rows["group"] == group]


def alone(images: int, total: int, batch: int = BATCH) -> float:
    """Chance that no other image of its class is in an image's batch, where batches are drawn at random.

    Args:
        images: of the class.
        total: of all classes.
        batch: images; the last batch of an epoch has what is left.

    Example:
        >>> alone(1, 100), round(alone(2, 64), 4) == round(32 / 63, 4)
        (1.0, True)
    """
    sizes = [batch] * (total // batch) + [total % batch] * (total % batch > 0)
    chances = [comb(total - images, size - 1) / comb(total - 1, size - 1) for size in sizes]
    return float(np.average(chances, weights=sizes))


def _own_spread(table: pd.DataFrame, factor: int, group: str) -> float:
    """Standard deviation between the images of a class, were each one's r averaged over ever more batches.

    The root of a class's mean variance between images over the seeds, as a mean over the group's classes.
    """
    rows = _classes(table, factor, group)
    between = (rows["reliability"] * rows["spread"] ** 2).groupby(rows["class"]).mean().dropna()
    return float(np.sqrt(between.clip(lower=0)).mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--from-csv", action="store_true", help="print the table of what was measured")
    asked = parser.parse_args()
    if not asked.from_csv:
        measured(asked.runs).to_csv(RESULTS, index=False, lineterminator="\n", float_format="%.5g")
    print(markdown(pd.read_csv(RESULTS)))
