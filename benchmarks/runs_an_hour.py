"""Seconds a run and runs an hour: one run at a time on all cores, and single-threaded runs side by side.

    python benchmarks/runs_an_hour.py                     Fashion-MNIST-LT, IF 100, by the authors' schedule
    python benchmarks/runs_an_hour.py --data digits --factor 50 --recipe paper

An epoch is timed after a first one, which loads libraries and data; a run is its recipe's epochs of it. A branch takes
a fifth of a run, since deferred methods share the rest.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median

import rdr_core
from rdr_core.training.recipes import settings_for

METHODS = ("ce", "rdr")
EPOCHS = 3


def seconds_an_epoch(asked: tuple[str, float, str, str, str, int]) -> float:
    """The median over the epochs after the first."""
    import torch

    data, factor, recipe, augmentation, method, threads = asked
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as runs:
        run = rdr_core.train(data, imbalance_factor=factor, method=method, recipe=recipe, epochs=EPOCHS,
                             augmentation=augmentation, runs=runs, progress=False, device="cpu")  # fmt: skip
        return median(run.history["seconds"].iloc[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--factor", type=float, default=100)
    parser.add_argument("--recipe", default="authors")
    parser.add_argument("--augmentation", default="plain", help="(%(default)s, as in the grids of grey images)")
    asked = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    epochs = settings_for(asked.data, asked.recipe)["epochs"]
    found = {}
    for method in METHODS:
        for side_by_side in (1, cores):
            task = (asked.data, asked.factor, asked.recipe, asked.augmentation, method, cores // side_by_side)
            with ProcessPoolExecutor(side_by_side, get_context("spawn")) as pool:
                found[method, side_by_side] = median(pool.map(seconds_an_epoch, [task] * side_by_side))
            run = found[method, side_by_side] * epochs
            print(f"{asked.data}, IF {asked.factor:g}, {method}, {epochs} epochs, {side_by_side} at a time on "
                  f"{cores // side_by_side} threads each: {run:.0f} s a run, {3600 / run * side_by_side:.1f} runs an "
                  f"hour, of deferred methods {5 * 3600 / run * side_by_side:.0f} branches")  # fmt: skip
        gain = found[method, 1] / found[method, cores] * cores
        print(f"{method}: {cores} runs side by side are {gain:.2f} times as fast as one after the other")


if __name__ == "__main__":
    main()
