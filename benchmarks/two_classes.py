"""CDB-loss on the ground it was first shown on: a 9 or a 4, with few fours.

    python benchmarks/two_classes.py --parallel 2   trains what is missing, writes the CSVs, prints the table (6 h)
    python benchmarks/two_classes.py --from-csv     prints the table of what was measured

The protocol is that of Ren et al. 2018 ("Learning to reweight examples"), which Sinha et al. 2020 take up: 5,000 of
MNIST's images, of which a share are nines, LeNet, and the error on the test images with both classes counting the same.
A draw is a seed of the network and of the images alike. Every method trains on the same 5,000 images; the 25 of each
class on which CDB looks at its accuracies lie beside them, so that cross-entropy on its own images is `ce`. The last
epoch is reported. Each row is on disk as soon as it is there: stopped, the same command goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

import rdr_core
from rdr_core import LongTailedData, RdrError, from_arrays, load_data, method_label
from rdr_core.files.whole import write_whole
from rdr_core.training.threads import using_threads
from rdr_viz.analysis.groups import t_interval

MEASURED = Path(__file__).resolve().parents[1] / "data" / "measurements"
RESULTS, WEIGHTS = MEASURED / "two-classes.csv", MEASURED / "two-classes-weights.csv"

IMAGES, HELD_OUT = 5000, 25
SHARES = (0.9, 0.95, 0.98, 0.99, 0.995)
DRAWS = 20
METHODS = (
    "ce", "focal", "cb", "inverse", "rdr", "cdb:tau=0.5", "cdb:tau=1", "cdb:tau=1.5", "cdb:tau=2", "cdb:tau=5",
    "cdb:tau=code", "cdb",
)  # fmt: skip
#: Whether weights by difficulty do better than by count, and than by count and ratio.
DIFFICULTY, RIVALS = "cdb:tau=1", ("inverse", "rdr")
#: 3,000 steps; rate times steps is what Ren et al.'s 8,000 at 0.001 make. In fewer and larger steps a class that CDB
#: leaves out for an epoch (weight 0) is forgotten, and the network ends at one answer for all images.
SETTINGS = {"model": "lenet", "epochs": 60, "batch_size": 100, "learning_rate": 0.003, "augmentation": "none"}
#: The share at which the weights of each epoch are kept, for the picture.
WATCHED = 0.99


@dataclass(frozen=True)
class Cell:
    """One training: which share of the images are nines, which draw, and the method."""

    share: float
    draw: int
    method: str


def two_classes(share: float, draw: int) -> LongTailedData:
    """5,000 of MNIST's training images, nines and fours, and 25 of each beside them to measure on.

    Args:
        share: of the nines, in (0, 1).
        draw: seed of which images.

    Raises:
        RdrError: a share that leaves a class empty.
    """
    digits = _digits()
    labels = digits.train.labels.numpy()
    fours = round((1 - share) * IMAGES) if 0 <= share <= 1 else 0
    wanted = (IMAGES - fours, fours)
    if min(wanted) < 1:
        raise RdrError(
            f"share is {share:g}; of {IMAGES} images it must leave each class at least one: take a share from "
            f"{1 / IMAGES:g} to {1 - 1 / IMAGES:g}, such as 0.99."
        )
    random = np.random.default_rng(draw)
    chosen = np.concatenate([
        random.permutation(np.flatnonzero(labels == klass))[: number + HELD_OUT] for klass, number in enumerate(wanted)
    ])  # fmt: skip
    images = digits.train.inputs[torch.as_tensor(chosen)]
    return from_arrays(images, labels[chosen], digits.test.inputs, digits.test.labels, name="mnist", seed=draw,
                       class_names=digits.class_names, held_out=HELD_OUT)  # fmt: skip


@cache
def _digits() -> LongTailedData:
    return load_data("mnist:9-4", imbalance_factor=None, profile=None)


def measured(cell: Cell) -> tuple[Cell, dict[str, float], list[dict[str, float]]]:
    """Errors of the last epoch in percent, and each epoch's mean weight of an image of the rare class."""
    with tempfile.TemporaryDirectory() as runs, using_threads(1):
        run = rdr_core.train(
            two_classes(cell.share, cell.draw), method=cell.method, seed=cell.draw, runs=runs, device="cpu",
            progress=False, **SETTINGS,
        )  # fmt: skip
        nines, fours = (100 - float(accuracy) for accuracy in run.metrics["per_class"])
        weights = run.classes[run.classes["class"] == 1][["epoch", "weight"]]
    return cell, {"nines": nines, "fours": fours}, weights.to_dict("records")


def missing(found: pd.DataFrame) -> Iterator[Cell]:
    """What is not measured yet, draw by draw, so that what is there can be compared at any time."""
    there = set(zip(found["share"], found["draw"], found["method"], strict=True))
    for draw in range(DRAWS):
        for share in SHARES:
            for method in METHODS:
                if (share, draw, method) not in there:
                    yield Cell(share, draw, method)


def whole_draws(found: pd.DataFrame) -> pd.DataFrame:
    """Of what is measured, the draws that have every share and method, so that all means are over the same images."""
    rows = found.groupby("draw").size()
    return found[found["draw"].isin(rows[rows == len(SHARES) * len(METHODS)].index)]


def markdown(found: pd.DataFrame) -> str:
    """Balanced error by method and share, and its difference from cross-entropy's: means with 95 % intervals."""
    found = whole_draws(found)
    error = found.assign(error=(found["nines"] + found["fours"]) / 2)
    table = error.pivot_table(index="draw", columns=["share", "method"], values="error")
    draws = len(table)
    lines = [
        f"Balanced error in percent on 1,991 test images, mean over {draws} draws of images and network; in brackets "
        "the difference from cross-entropy on the same images, with its 95 % interval.",
        "",
        f"| method | {' | '.join(f'{100 * share:g} % nines' for share in SHARES)} |",
        "| --- " * (len(SHARES) + 1) + "|",
    ]
    for method in METHODS:
        cells = []
        for share in SHARES:
            own, ce = table[share, method], table[share, "ce"]
            cell = f"{own.mean():.1f}"
            if method != "ce":
                low, high = t_interval(own - ce)
                cell += f" ({(own - ce).mean():+.1f} [{low:+.1f}, {high:+.1f}])"
            cells.append(cell)
        lines.append(f"| {method_label(method)} | {' | '.join(cells)} |")
    for rival in RIVALS:
        gains = [table[share, DIFFICULTY] - table[share, rival] for share in SHARES]
        cells = [f"{gain.mean():+.1f} [{low:+.1f}, {high:+.1f}]" for gain in gains for low, high in [t_interval(gain)]]
        lines.append(f"| {method_label(DIFFICULTY)} less {method_label(rival)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def read() -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was measured: errors and weights; empty where nothing is there yet."""
    if not RESULTS.is_file():
        key = ["share", "draw", "method"]
        return pd.DataFrame(columns=[*key, "nines", "fours"]), pd.DataFrame(columns=[*key[1:], "epoch", "weight"])
    return pd.read_csv(RESULTS), pd.read_csv(WEIGHTS)


def _with(table: pd.DataFrame, rows: list[dict[str, float]]) -> pd.DataFrame:
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True) if len(table) else pd.DataFrame(rows)


def _write(errors: pd.DataFrame, weights: pd.DataFrame) -> None:
    keys = ["draw", "share", "method"]
    order = {method: place for place, method in enumerate(METHODS)}
    for table, path in ((weights, WEIGHTS), (errors, RESULTS)):
        by = [key for key in (*keys, "epoch") if key in table]
        table = table.sort_values(by, key=lambda column: column.map(order) if column.name == "method" else column)
        write_whole(path, lambda beside, table=table: table.to_csv(beside, index=False, float_format="%.5g"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from-csv", action="store_true", help="print what was measured, train nothing")
    parser.add_argument("--parallel", type=int, default=1, help="trainings side by side, one thread each")
    asked = parser.parse_args()
    errors, weights = read()
    if not asked.from_csv:
        cells = list(missing(errors))
        two_classes(SHARES[0], 0)  # fetched once, not by each process
        with ProcessPoolExecutor(asked.parallel, get_context("spawn")) as pool:
            # Not all at once: what fails ends the command, without the rest being trained first.
            asks = (pool.submit(measured, cell) for cell in cells)
            under_way = set(islice(asks, asked.parallel))
            with tqdm(total=len(cells), desc="trainings") as bar:
                while under_way:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    under_way |= set(islice(asks, len(done)))
                    for job in done:
                        cell, row, epochs = job.result()
                        errors = _with(errors, [vars(cell) | row])
                        if cell.share == WATCHED:
                            about = {"draw": cell.draw, "method": cell.method}
                            weights = _with(weights, [about | epoch for epoch in epochs])
                        _write(errors, weights)
                        bar.update()
    print(markdown(errors))


if __name__ == "__main__":
    main()
