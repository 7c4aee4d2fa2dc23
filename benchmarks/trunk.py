"""What a shared beginning saves: five methods with deferred weights, with one trunk and each from nothing.

    python benchmarks/trunk.py                    on digits, a minute
    python benchmarks/trunk.py --data cifar10     with a small network

Prints seconds and their ratio, at most 0.45: 0.8 of one run and 0.2 of five, in place of five, are 0.36, and what a
trunk keeps for its branches takes the rest.
"""

from __future__ import annotations

import argparse
import tempfile
import time

import rdr_core

METHODS = ("inverse+drw", "inverse:gamma=0.5+drw", "cb+drw", "rdr:preset=released", "rdr:warmup=0.8")
MOST = 0.45


def seconds(data: str, epochs: int, *, trunk: bool) -> float:
    """Of all methods, one after the other, in a folder of their own."""
    with tempfile.TemporaryDirectory() as runs:
        started = time.perf_counter()
        for method in METHODS:
            rdr_core.train(data, method=method, model="small", epochs=epochs, runs=runs, trunk=trunk, device="cpu",
                           progress=False)  # fmt: skip
        return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="digits")
    parser.add_argument("--epochs", type=int, default=60)
    asked = parser.parse_args()
    seconds(asked.data, 1, trunk=False)  # libraries are loaded, data read
    alone, shared = (seconds(asked.data, asked.epochs, trunk=trunk) for trunk in (False, True))
    print(f"{len(METHODS)} methods on {asked.data}, {asked.epochs} epochs: from nothing {alone:.1f} s, with a trunk "
          f"{shared:.1f} s, ratio {shared / alone:.2f} (at most {MOST})")  # fmt: skip
