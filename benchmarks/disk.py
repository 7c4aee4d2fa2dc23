"""How long training on photographs waits for them: python benchmarks/disk.py [--device cuda].

Trains ResNet-50 at 224 x 224 on images read from the decoded cache and times, in each step, the wait for the batch
(reading it from disk and moving it to the device, what reading ahead leaves of it) against the whole step. Prints the
share beside its bound, writes it to data/measurements/disk-DEVICE.json, and ends with status 1 where the bound does not
hold. Also timed: decoding the images into the cache, which happens once, and the random parts and flips of a batch.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from rdr_core.data import LongTailedData, from_arrays
from rdr_core.data.disk.cache import stored_images
from rdr_core.data.sources.listed import PHOTO_MEAN, PHOTO_STD
from rdr_core.runs import RunConfig
from rdr_core.runs.environment import environment
from rdr_core.training import loop
from rdr_core.training.state import TrainingState

OUT = Path(__file__).resolve().parents[1] / "data" / "measurements"
BOUND = 0.1


def photographs(folder: Path, count: int) -> list[Path]:
    """JPEG files of 500 x 375 pixels, about ImageNet's mean size: parts of the two photographs of scikit-learn."""
    from sklearn.datasets import load_sample_images

    draw, files = np.random.default_rng(0), []
    for number in range(count):
        image = load_sample_images().images[number % 2]
        top, left = draw.integers(0, 50), draw.integers(0, 140)
        files.append(folder / f"{number}.jpg")
        Image.fromarray(image[top : top + 375, left : left + 500]).save(files[-1], quality=95)
    return files


def timed_epoch(data: LongTailedData, batch_size: int, device: torch.device) -> tuple[list[float], list[float], float]:
    """Seconds of each step after two of warming up, how many of them it waited, and seconds of one augmentation."""
    config = RunConfig(dataset="imagenet-lt", imbalance_factor=None, method="rdr", epochs=90, model="resnet50",
                       batch_size=batch_size, learning_rate=1e-6)  # fmt: skip
    state = TrainingState(config, data, device)
    waits: list[float] = []
    ends: list[float] = []

    def clocked(feed: Callable[..., Iterator[torch.Tensor]]) -> Callable[..., Iterator[torch.Tensor]]:
        def fed(*arguments: object) -> Iterator[torch.Tensor]:
            batches = feed(*arguments)
            while True:
                started = time.perf_counter()
                batch = next(batches, None)
                waits.append(time.perf_counter() - started)
                if batch is None:
                    return
                yield batch

        return fed

    def tick() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()
        ends.append(time.perf_counter())

    kept, loop.feed = loop.feed, clocked(loop.feed)
    try:
        loop.train_epoch(state, tick=tick, stop=lambda: False)
    finally:
        loop.feed = kept
    rows = torch.arange(batch_size)
    images, augment = state.inputs[rows].to(device), state.augmentation.epoch(0, batch_size, state.inputs.shape, device)
    augment(images, 0, state.mean, state.std)
    started = time.perf_counter()
    augment(images, 0, state.mean, state.std)
    tick()
    return list(np.diff(ends[1:])), waits[2 : len(ends)], ends[-1] - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--images", type=int, default=120, help="images, each visited once (default 120)")
    parser.add_argument("--batch-size", type=int, default=8, help="default 8; 256 is usual on a GPU")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = photographs(folder, arguments.images)
        started = time.perf_counter()
        images = stored_images(files, folder, "benchmark", folder)
        decoding = time.perf_counter() - started
        labels = np.arange(len(files)) % 10
        data = from_arrays(images, labels, images, labels, mean=PHOTO_MEAN, std=PHOTO_STD)
        steps, waits, augmenting = timed_epoch(data, arguments.batch_size, device)
    share = sum(waits) / sum(steps)
    where = environment(arguments.device)
    result = {
        "what": f"share of ResNet-50's steps at 224 x 224, batch {arguments.batch_size}, that waits for images",
        "value": round(share, 5),
        "bound": BOUND,
        "steps": len(steps),
        "seconds_a_step": round(statistics.median(steps), 4),
        "longest_wait": round(max(waits), 5),
        "seconds_of_augmentation_a_batch": round(augmenting, 4),
        "decoding_images_a_second": round(len(files) / decoding, 1),
    }
    print(f"{where['device']}, {where['threads']} threads, torch {where['packages']['torch']}")
    for key, value in result.items():
        print(f"{key:<34} {value}")
    print("holds" if share <= BOUND else "FAILS")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"disk-{arguments.device}.json").write_text(json.dumps({"environment": where, **result}, indent=1) + "\n")
    return int(share > BOUND)


if __name__ == "__main__":
    sys.exit(main())
