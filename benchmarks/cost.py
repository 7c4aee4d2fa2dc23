"""How well `rdr paper plan` foretells what runs take: what it says of a few kinds of run, and what they took.

    python benchmarks/cost.py                 on digits, a few minutes
    python benchmarks/cost.py --cifar         on CIFAR-10 with a small network too, some minutes more

Prints the estimate over the true time, of each kind of run and of all: 1 is right. Each run is foretold and made
several times in turn; the error behind ± is half of what lies between the smallest and the largest of these ratios.
What else the machine does meanwhile moves both, so no bound is set and no test depends on it.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path

from rdr_core.data import load_data
from rdr_core.jobs.cost import seconds_of
from rdr_core.methods.grammar import parse
from rdr_core.runs import RunConfig
from rdr_core.runs.requests import train_config

METHODS = ("ce", "rdr", "sam", "cdb+ccsam", "ce+crt:epochs=5", "inverse+drw")


def configs(cifar: bool) -> list[RunConfig]:
    """A run of each kind of state."""
    small = {"model": "small", "batch_size": 32, "learning_rate": 0.1}
    found = [
        RunConfig(dataset="digits", imbalance_factor=50, method=parse(method).name, epochs=20, **small)
        for method in METHODS
    ]
    if cifar:
        small |= {"batch_size": 128, "augmentation": "strong"}
        found += [
            RunConfig(dataset="cifar10", imbalance_factor=100, method=method, epochs=2, **small)
            for method in METHODS[:3]
        ]
    return found


def ratio_of(config: RunConfig) -> tuple[float, float]:
    """Estimate over true time, and the true time in seconds."""
    foretold = seconds_of([config], "cpu")[config]
    with tempfile.TemporaryDirectory() as runs:
        started = time.perf_counter()
        train_config(config, runs=Path(runs), device="cpu", progress=False)
        took = time.perf_counter() - started
    return foretold / took, took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cifar", action="store_true", help="CIFAR-10 too; its files must be there")
    parser.add_argument("--times", type=int, default=3, help="how often each (default 3)")
    asked = parser.parse_args()
    wanted = configs(asked.cifar)
    for name in dict.fromkeys(config.dataset for config in wanted):
        load_data(name)  # what a plan does not count: libraries are loaded, and the data are there
    ratio_of(wanted[0])
    every = []
    for config in wanted:
        ratios, seconds = zip(*(ratio_of(config) for _ in range(asked.times)), strict=True)
        every += ratios
        spread = (max(ratios) - min(ratios)) / 2
        print(f"{config.dataset:<8} {config.method:<16} took {statistics.median(seconds):6.1f} s   "
              f"foretold / took {statistics.median(ratios):.2f} ± {spread:.2f}", flush=True)  # fmt: skip
    middle = math.exp(statistics.fmean(map(math.log, every)))
    worst = max(every, key=lambda ratio: abs(math.log(ratio)))
    print(f"all of them: {middle:.2f} in the geometric mean, {worst:.2f} at worst")


if __name__ == "__main__":
    main()
