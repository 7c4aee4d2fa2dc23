"""Seconds of the last 50 epochs by those of the first 50, in runs of 300 and 1,000: python benchmarks/long_runs.py.

What a run keeps grows by a row an epoch, and is written whole after each. Prints CPU seconds, since a disk's own pace
moves by more than what is measured, of the cheapest tenth of the epochs, and ends with status 1 where an epoch has
become dearer by more than the bound. On a machine that does much else the two move by a fifth either way: 400 rows take
half a millisecond to write.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from unittest import mock

import rdr_core
from rdr_core.training import loop

#: By epochs: a tiny run on digits, of which an epoch is a few steps, so that all that grows shows.
BOUNDS = {300: 1.1, 1000: 1.3}


def seconds_of_epochs(epochs: int, method: str) -> list[float]:
    """CPU seconds of each epoch but the first, all that is written included."""
    marks: list[float] = []
    close = loop.close_epoch

    def marked(state: loop.TrainingState) -> None:
        close(state)
        marks.append(time.process_time())

    with tempfile.TemporaryDirectory() as runs, mock.patch.object(loop, "close_epoch", marked):
        rdr_core.train("digits", imbalance_factor=50, method=method, epochs=epochs, batch_size=64, runs=runs,
                       progress=False, device="cpu")  # fmt: skip
    return [later - earlier for earlier, later in pairwise(marks)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, nargs="+", default=list(BOUNDS))
    parser.add_argument("--method", default="ce")
    arguments = parser.parse_args()
    fails = False
    for epochs in arguments.epochs:
        spent = seconds_of_epochs(epochs, arguments.method)
        first, last = (statistics.quantiles(part, n=10)[0] for part in (spent[:50], spent[-50:]))
        bound = BOUNDS.get(epochs, max(BOUNDS.values()))
        fails |= last > bound * first
        print(f"{epochs} epochs: the last 50 by the first {last / first:.3f} (at most {bound}), "
              f"{1e3 * first:.1f} and {1e3 * last:.1f} ms each")  # fmt: skip
    return int(fails)


if __name__ == "__main__":
    sys.exit(main())
