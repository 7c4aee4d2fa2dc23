"""What RDR's weights cost as the batch grows, by mask and by class: python benchmarks/batch_size.py

Prints milliseconds on one thread, side by side, and their ratio to a plain product of the same features with
themselves; writes data/measurements/batch-size-cpu.csv. Bounds: at B = 4,096, d = 1,000 at most 1.5 products; at
B = 128 at most the cost by mask, which is what there was.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

import rdr_core.methods.batch_classes as ways
from rdr_core import RDRWeights
from rdr_core.training.threads import using_threads

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "batch-size-cpu.csv"
#: Samples, classes and features; by mask only while that takes less than a second.
BATCHES = (
    (128, 100, 64), (256, 100, 64), (384, 100, 64), (512, 100, 64), (512, 1000, 64), (1024, 1000, 64),
    (4096, 1000, 64), (4096, 1000, 512),
)  # fmt: skip
_LONGEST = 1024
ROUNDS = 7


def batch(samples: int, classes: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features after a ReLU, and labels with a tail: a third of the samples are of a twenty-seventh of the classes."""
    draw = torch.Generator().manual_seed(0)
    labels = (torch.rand(samples, generator=draw) ** 3 * classes).long()
    return torch.randn(samples, width, generator=draw).relu(), labels


def milliseconds(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Medians of some rounds, in turns."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for at in range(ROUNDS + 1):
        for name, call in calls.items():
            started, times = time.perf_counter(), 0
            while times < 2 or time.perf_counter() - started < 0.05:
                call()
                times += 1
            if at:
                found[name].append(1000 * (time.perf_counter() - started) / times)
    return {name: statistics.median(times) for name, times in found.items()}


def measured(samples: int, classes: int, width: int) -> dict[str, float]:
    """A row of the table."""
    features, labels = batch(samples, classes, width)
    counts = torch.bincount(labels, minlength=classes).clamp(min=1)

    def weigh(large: int) -> Callable[[], object]:
        weigher = RDRWeights(counts, width)

        def call() -> None:
            ways.LARGE = large
            weigher(features, labels)

        return call

    usual = ways.LARGE
    calls = {"product": lambda: features @ features.T, "by_class": weigh(1), "as_used": weigh(usual)}
    if samples <= _LONGEST:
        calls["by_mask"] = weigh(samples + 1)
    found = milliseconds(calls)
    ways.LARGE = usual
    return {"samples": samples, "classes": classes, "features": width, **found}


def markdown(found: pd.DataFrame) -> str:
    """The table of docs/scaling.md."""
    lines = [
        "| samples, classes, features | by mask | by class | as used, in products of the features |",
        "| --- | --- | --- | --- |",
    ]
    for row in found.itertuples():
        mask = "" if pd.isna(row.by_mask) else f"{row.by_mask:.2f} ms"
        lines.append(
            f"| {row.samples:,}, {row.classes:,}, {row.features} | {mask} | {row.by_class:.2f} ms | "
            f"{row.as_used / row.product:.2f} |"
        )
    return "\n".join(lines)


def ratios(found: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """What the bounds are of, and the bounds."""
    largest, smallest = found[found["samples"] == 4096].iloc[0], found[found["samples"] == 128].iloc[0]
    return {
        "products at B = 4,096": (largest["as_used"] / largest["product"], 1.5),
        "of by mask at B = 128": (smallest["as_used"] / smallest["by_mask"], 1.05),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from-csv", action="store_true", help="print what was measured")
    if parser.parse_args().from_csv:
        found = pd.read_csv(RESULTS)
    else:
        with using_threads(1):
            found = pd.DataFrame([measured(*sizes) for sizes in BATCHES])
        found.to_csv(RESULTS, index=False, float_format="%.4g")
    print(markdown(found))
    for what, (ratio, bound) in ratios(found).items():
        print(f"{what}: {ratio:.2f}, at most {bound:g}")
    return int(any(ratio > bound for ratio, bound in ratios(found).values()))


if __name__ == "__main__":
    raise SystemExit(main())
