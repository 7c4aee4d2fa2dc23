"""The most memory that each analysis takes of 50,000 photographs on disk: python benchmarks/memory.py

Makes up a split of 50,000 images of 128 x 128 pixels in a file on disk (2.5 GB, zeros but for a row of each image; as
floats they would be 10 GB), trains a network of one layer on it for an epoch, and asks each analysis in a process of
its own. Prints the peak of the process's own memory (not of the file's pages, which the system takes back as it needs),
beside its bound, writes data/measurements/memory-cpu.json, and ends with status 1 where the bound does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from own_memory import Peak, in_own_process
from torch import nn

import rdr_core
from rdr_core import LongTailedData, Run
from rdr_core.data.disk.stored import StoredImages
from rdr_core.models import MODELS, Network
from rdr_viz.analysis.curvature import class_curvature
from rdr_viz.analysis.geometry import features
from rdr_viz.analysis.predictions import predictions
from rdr_viz.analysis.priors import following
from rdr_viz.analysis.replayed_ratios import ratio_reliability
from rdr_viz.analysis.surface import loss_surface
from rdr_viz.analysis.weights import shares

OUT = Path(__file__).resolve().parents[1] / "data" / "measurements" / "memory-cpu.json"
#: GiB; the house's promise for a split of any size.
BOUND = 2.0
CLASSES, SIDE, STORED_SIDE = 10, 112, 128

ASKED: dict[str, Callable[[Run, LongTailedData], object]] = {
    "predictions": lambda run, data: predictions(run, data=data),
    "features": lambda run, data: features(run, data=data),
    "measures": lambda run, data: rdr_core.evaluate(run, data=data, device="cpu"),
    "test priors": lambda run, data: following(run, data=data),
    "shares": lambda run, data: shares(run, data=data),
    "ratios": lambda run, data: ratio_reliability(run, passes=2, data=data),
    "surface": lambda run, data: loss_surface(run, points=3, data=data),
    "curvature": lambda run, data: class_curvature(run, by="all", relative_error=0.5, data=data, progress=False),
}


def one_layer(num_classes: int, channels: int) -> Network:
    """Means of patches of 32 x 32 pixels, and a layer: as little arithmetic as images of this size can have."""
    return Network(
        nn.Sequential(nn.AvgPool2d(32), nn.Flatten(), nn.Linear(channels * 9, 16), nn.ReLU()), 16, num_classes
    )


def made_up(folder: Path, images: int) -> LongTailedData:
    """Images on disk, of which the first row of pixels is random and tells the class."""
    path, shape = folder / "pixels.u8", (images, 3, STORED_SIDE, STORED_SIDE)
    labels = np.arange(images) % CLASSES
    if not path.is_file():
        pixels = np.memmap(path, dtype=np.uint8, mode="w+", shape=shape)
        draw = np.random.default_rng(0)
        pixels[:, :, 20] = (draw.integers(0, 56, (images, 3, STORED_SIDE)) + 20 * labels[:, None, None]).astype(
            np.uint8
        )
        pixels.flush()
    stored = StoredImages(np.memmap(path, dtype=np.uint8, mode="r", shape=shape), "made up", SIDE)
    return rdr_core.from_arrays(stored, labels, stored, labels, mean=[0.5] * 3, std=[0.25] * 3)


def trained(folder: Path, images: int, method: str) -> Run:
    """The run, made on the first call."""
    MODELS["small"] = one_layer
    return rdr_core.train(made_up(folder, images), method=method, model="small", epochs=1, augmentation="none",
                          runs=folder / "runs", device="cpu", progress=False)  # fmt: skip


def watched(what: str, folder: Path, images: int) -> tuple[float, float]:
    """A process's whole life: asks one analysis, and tells its peak in GiB and the seconds."""
    started = time.perf_counter()
    with Peak() as peak:
        run = trained(folder, images, "rdr" if what == "ratios" else "ce")
        if what != "training":
            ASKED[what](run, made_up(folder, images))
    return peak.gib, time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=50_000)
    asked = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        made_up(folder, asked.images)
        for what in ("training", *ASKED):
            peak, seconds = in_own_process(watched, what, folder, asked.images)
            found[what] = round(peak, 2)
            print(f"{what}: {peak:.2f} GiB at most (bound {BOUND:g}), {seconds:.0f} s", flush=True)
    OUT.write_text(
        json.dumps({"images": asked.images, "bound": BOUND, "gib": found}, indent=1) + "\n", encoding="utf-8"
    )
    return int(max(found.values()) > BOUND)


if __name__ == "__main__":
    sys.exit(main())
