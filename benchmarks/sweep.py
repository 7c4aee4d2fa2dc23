"""What a local Dask cluster costs and gives: python benchmarks/sweep.py, on a quiet machine with two processors.

Forty tiny runs in this process, with one worker and with two, in turn. What counts is the time from run to run once
all processes are there; what it takes until the first run is there is printed beside it. Ends with status 1 where a
bound is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rdr_core.jobs.cluster import on_cluster
from rdr_core.jobs.outcome import News
from rdr_core.jobs.pool import work_through
from rdr_core.jobs.task import Training
from rdr_core.runs.requests import configure
from rdr_core.training.threads import using_threads

#: Two workers by one, and milliseconds a run.
AT_LEAST, AT_MOST = 1.8, 50.0


class Pace(NamedTuple):
    """Seconds until the first run was there, and from run to run after it, of one worker's runs."""

    first: float
    each: float


def measured(runs: int, workers: int) -> Pace:
    """Of so many workers; of this process where there is none."""
    config = configure("digits", imbalance_factor=50, method="rdr", epochs=15)
    with tempfile.TemporaryDirectory() as folder, using_threads(1):
        tasks = [Training(replace(config, seed=seed), Path(folder), "cpu") for seed in range(runs)]
        started = time.time()
        if workers:
            news: News = on_cluster(tasks, workers, float("inf"))
            assert len(news.made) == runs
        else:
            assert len(work_through(tasks, progress=False).made_here) == runs
        ends = sorted((task.runs / task.name / "done.json").stat().st_mtime for task in tasks)
    warm = max(1, workers)  # the first run of each process is its slowest
    return Pace(ends[0] - started, (ends[-1] - ends[warm - 1]) / (runs - warm))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    measured(2, 0)  # what is imported and read once
    rounds = [[measured(asked.runs, workers) for workers in (0, 1, 2)] for _ in range(asked.rounds)]
    here, one, two = (Pace(*map(median, zip(*paces, strict=True))) for paces in zip(*rounds, strict=True))
    overhead, gain = 1e3 * (one.each - here.each), one.each / two.each
    print(f"{asked.runs} runs, median of {asked.rounds} rounds, on this machine:")
    print(f"here {1e3 * here.each:.0f} ms a run; one worker {1e3 * one.each:.0f}; two {1e3 * two.each:.0f}")
    print(f"overhead {overhead:.0f} ms a run (at most {AT_MOST:.0f})")
    print(f"two workers by one {gain:.2f} (at least {AT_LEAST})")
    print(f"until the first run is there: here {here.first:.1f} s, one worker {one.first:.1f} s, two {two.first:.1f} s")
    return int(overhead > AT_MOST or gain < AT_LEAST)


if __name__ == "__main__":
    sys.exit(main())
