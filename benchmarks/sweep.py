"""What a local Dask cluster costs and gives: python benchmarks/sweep.py, on a quiet machine with two processors.

Forty tiny runs in this process, with one worker and with two, in turn. What counts is the time from run to run once
all processes are there; what it takes until the first run is there is told beside it. Writes
data/measurements/sweep-cpu.json, and ends with status 1 where a bound is missed.
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

from rdr_core.files.whole import write_json
from rdr_core.jobs.cluster import on_cluster
from rdr_core.jobs.outcome import News
from rdr_core.jobs.task import Training
from rdr_core.jobs.work import work_through
from rdr_core.runs.requests import configure
from rdr_core.training.threads import using_threads

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "sweep-cpu.json"
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
    found = {
        "runs": asked.runs,
        "overhead_ms": 1e3 * (one.each - here.each),
        "two_by_one": one.each / two.each,
        "start_seconds": one.first - here.first,
    }
    write_json(RESULTS, found)
    paces = (f"{1e3 * pace.each:.0f}" for pace in (here, one, two))
    print("ms a run in this process, of one worker, and of two:", *paces)
    print(words(found))
    return int(found["overhead_ms"] > AT_MOST or found["two_by_one"] < AT_LEAST)


def words(found: dict) -> str:
    """As docs/scaling.md says it."""
    # Rounds of one and the same differ by up to 10 ms a run.
    over = found["overhead_ms"]
    longer = f"{over:.0f} ms longer than in one process" if over > 10 else "as long as in one process, to 10 ms"
    return (
        f"Beside the runs themselves this costs next to nothing: on two processors each of {found['runs']} tiny runs "
        f"takes {longer}, two workers are {found['two_by_one']:.2f} times as fast as one, and until the "
        f"first run is there it takes {found['start_seconds']:.0f} seconds more (`python benchmarks/sweep.py`)."
    )


if __name__ == "__main__":
    sys.exit(main())
