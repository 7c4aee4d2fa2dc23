"""Photographs at speed, beside torchvision's loader: python benchmarks/disk.py [--device cuda], on a quiet machine.

Makes up a tree of 20,000 JPEG files (6 GB with what is decoded of them, below $TMPDIR) and tells

- how many are decoded a second, which happens once;
- which share of ResNet-50's steps at 224 x 224 waits for images: of ours, and of those of the loader in torchvision's
  reference recipe, the same network in both, in turns;
- how many images a second each gives with nothing else running, in turns, with the files in memory and from disk: no
  step waits that takes fewer;
- the process's own memory where it begins an epoch of a tenth of the images, and of all.

Prints them beside their bounds, writes data/measurements/disk-DEVICE.json, and ends with status 1 where a bound does
not hold. Takes five minutes on two slow cores.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from own_memory import Peak, in_own_process
from PIL import Image
from torch import Tensor

from rdr_core.data import LongTailedData, load_data
from rdr_core.data.sources.listed import PHOTO_MEAN, PHOTO_STD
from rdr_core.files.whole import write_json
from rdr_core.runs import RunConfig
from rdr_core.runs.environment import environment
from rdr_core.training import loop
from rdr_core.training.feed import AHEAD, feed
from rdr_core.training.resized_crop import ResizedCrops
from rdr_core.training.state import TrainingState

OUT = Path(__file__).resolve().parents[1] / "data" / "measurements"
RESULTS = OUT / "disk-cpu.json"
#: The share of a step that waits, images a second over torchvision's, and memory over that of a tenth of the images.
WAITS, FASTER, MEMORY = 0.05, 1.0, 1.1
MODEL, SIDE = "resnet50", 224
CLASSES, ROUNDS = 10, 3
WORKERS = max(2, os.cpu_count() or 1)
#: Batches that either loader may have ready where it was left alone, and two of warming up; none of them is timed.
READY = 2 + max(AHEAD, 2 * WORKERS)


def made_up(tree: Path, count: int) -> None:
    """JPEG files of 500 x 375 pixels, about ImageNet's mean size: parts of the two photographs of scikit-learn."""
    from sklearn.datasets import load_sample_images

    draw, photographs, contents = np.random.default_rng(0), load_sample_images().images, []
    for number in range(min(count, 256)):
        top, left = draw.integers(0, 50), draw.integers(0, 140)
        content = io.BytesIO()
        part = photographs[number % 2][top : top + 375, left : left + 500]
        Image.fromarray(part).save(content, "JPEG", quality=95)
        contents.append(content.getvalue())
    for split, files in (("train", count), ("test", CLASSES)):
        for of_class in range(CLASSES):
            (tree / split / f"class {of_class}").mkdir(parents=True)
        for number in range(files):
            file = tree / split / f"class {number % CLASSES}" / f"{number:06}.jpg"
            file.write_bytes(contents[number % len(contents)])


def opened(tree: Path) -> LongTailedData:
    """Decoded on the first call."""
    return load_data(f"folder:{tree}", root=tree.parent)


def ours(data: LongTailedData, batch_size: int, device: torch.device, cropped: bool = True) -> Iterator[Tensor]:
    """Batch after batch as training takes them: read ahead, then cropped, flipped and normalised on the device."""
    images, draw = data.train.inputs.whole, torch.Generator().manual_seed(int(cropped))
    mean, std = (torch.tensor(values, device=device) for values in (data.mean, data.std))
    for epoch in itertools.count():
        order = torch.randperm(len(images), generator=draw)
        augment = ResizedCrops("plain", SIDE, True, 0).epoch(epoch, len(order), images.shape, device)
        with closing(feed(images, order.split(batch_size), device)) as batches:
            for number, pixels in enumerate(batches):
                yield augment(pixels, number * batch_size, mean, std) if cropped else pixels


def torchvisions(tree: Path, batch_size: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Batch after batch, with labels, by the recipe of torchvision's references/classification."""
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    recipe = transforms.Compose([
        transforms.RandomResizedCrop(SIDE, antialias=True), transforms.RandomHorizontalFlip(), transforms.PILToTensor(),
        transforms.ConvertImageDtype(torch.float), transforms.Normalize(PHOTO_MEAN, PHOTO_STD),
    ])  # fmt: skip
    images = datasets.ImageFolder(tree / "train", recipe)
    loader = DataLoader(images, batch_size, shuffle=True, num_workers=WORKERS, persistent_workers=WORKERS > 0,
                        pin_memory=device.type == "cuda")  # fmt: skip
    while True:
        for batch, labels in loader:
            yield batch.to(device, non_blocking=True), labels.to(device, non_blocking=True)


class Steps:
    """ResNet-50's training steps with images of either loader, and how long each waited for them."""

    def __init__(self, data: LongTailedData, tree: Path, batch_size: int, device: torch.device) -> None:
        config = RunConfig(dataset="imagenet-lt", imbalance_factor=None, method="rdr", epochs=90, model=MODEL,
                           batch_size=batch_size, learning_rate=1e-6)  # fmt: skip
        self.state, self.device = TrainingState(config, data, device), device
        self.theirs = torchvisions(tree, batch_size, device)

    def of_ours(self, count: int) -> tuple[list[float], list[float]]:
        """Seconds of so many steps, and how many of them each waited, by the loop that trains."""
        waits: list[float] = []
        ends: list[float] = []
        state = self.state

        def clocked(*arguments: Any) -> Iterator[Tensor]:
            with closing(feed(*arguments)) as batches:
                while (batch := _timed(batches, waits)) is not None:
                    yield batch

        loop.feed = clocked
        try:
            while len(ends) <= count:
                loop.train_epoch(state, tick=lambda: ends.append(_now(self.device)), stop=lambda: len(ends) > count)
                if state.batch == state.batches:
                    state.epoch, state.batch = state.epoch + 1, 0
        finally:
            loop.feed = feed
        return np.diff(ends).tolist(), waits[1:]

    def of_torchvisions(self, count: int) -> tuple[list[float], list[float]]:
        """The same, with the other loader's batches."""
        waits: list[float] = []
        ends = [_now(self.device)]
        for _ in range(count):
            batch, labels = _timed(self.theirs, waits)
            self.state.step(self.state.objective, batch.contiguous(memory_format=torch.channels_last), labels)
            ends.append(_now(self.device))
        return np.diff(ends).tolist(), waits


def _timed(batches: Iterator[Any], waits: list[float]) -> Any:
    started = time.perf_counter()
    batch = next(batches, None)
    if batch is not None:
        waits.append(time.perf_counter() - started)
    return batch


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def training(steps: Steps, count: int) -> dict[str, Any]:
    """Of each loader the share of its steps that waits, and their seconds; in turns."""
    seconds: dict[str, list[float]] = {"ours": [], "torchvision": []}
    waits: dict[str, list[float]] = {"ours": [], "torchvision": []}
    for _ in range(ROUNDS):
        for name, take in (("ours", steps.of_ours), ("torchvision", steps.of_torchvisions)):
            took, waited = take(READY + -(-count // ROUNDS))
            seconds[name] += took[READY:]
            waits[name] += waited[READY:]
    return {
        "steps": len(seconds["ours"]),
        "waits": {name: sum(waits[name]) / sum(seconds[name]) for name in seconds},
        "longest_wait": {name: max(waits[name]) for name in waits},
        "seconds_a_step": {name: median(seconds[name]) for name in seconds},
    }


def alone(
    loaders: dict[str, Iterator[Any]], batches: int, batch_size: int, device: torch.device, forget: Callable[[], object]
) -> dict[str, float]:
    """Images a second of each loader, with nothing else running; in turns, each after ``forget()``."""
    found: dict[str, list[float]] = {name: [] for name in loaders}
    for _ in range(ROUNDS):
        for name, loader in loaders.items():
            forget()
            for _ in itertools.islice(loader, READY):
                pass
            started = _now(device)
            for _ in itertools.islice(loader, batches):
                pass
            found[name].append(batches * batch_size / (_now(device) - started))
    return {name: median(rates) for name, rates in found.items()}


def forgotten(folder: Path) -> None:
    """Have the system read the folder's files from disk when they are next asked for."""
    os.sync()
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def peak(tree: Path, batch_size: int, batches: int) -> float:
    """GiB that a process takes for itself which opens the images and begins an epoch of them."""
    with Peak() as seen:
        for _ in itertools.islice(ours(opened(tree), batch_size, torch.device("cpu")), batches):
            pass
    return seen.gib


def measured(folder: Path, images: int, count: int, batch_size: int, device: torch.device) -> dict[str, Any]:
    """All that is told, with files below the folder."""
    tree, tenth = folder / "all" / "photographs", folder / "tenth" / "photographs"
    made_up(tree, images)
    made_up(tenth, images // 10)
    started = time.perf_counter()
    data = opened(tree)
    decoded = images / (time.perf_counter() - started)
    opened(tenth)
    some = max(1, min(images // 10 // batch_size, 100))
    memory = [in_own_process(peak, one, batch_size, some) for one in (tenth, tree)]
    trained = training(Steps(data, tree, batch_size, device), count)
    loaders = {"ours": ours(data, batch_size, device), "ours, read": ours(data, batch_size, device, cropped=False),
               "torchvision": torchvisions(tree, batch_size, device)}  # fmt: skip
    in_memory = alone(loaders, some, batch_size, device, lambda: None)
    del loaders, data  # pages of a file that is mapped stay in memory
    loaders = {"ours, read": ours(opened(tree), batch_size, device, cropped=False),
               "torchvision": torchvisions(tree, batch_size, device)}  # fmt: skip
    return {
        "images": images,
        "batch": batch_size,
        "workers": WORKERS,
        "decoded_a_second": decoded,
        **trained,
        "images_a_second": in_memory,
        "images_a_second_from_disk": alone(loaders, some, batch_size, device, lambda: forgotten(folder)),
        "own_memory_gib": {"tenth": memory[0], "all": memory[1]},
    }


class Ratio(NamedTuple):
    """A number, its bound, and whether it is within it."""

    value: float
    bound: str
    holds: bool


def ratios(found: dict[str, Any]) -> dict[str, Ratio]:
    """What is promised, by name."""
    waits, rates, memory = found["waits"]["ours"], found["images_a_second"], found["own_memory_gib"]
    faster, grown = rates["ours"] / rates["torchvision"], memory["all"] / memory["tenth"]
    return {
        "share of a step that waits": Ratio(waits, f"at most {WAITS:g}", waits <= WAITS),
        "images a second, by torchvision's": Ratio(faster, f"at least {FASTER:g}", faster >= FASTER),
        "memory, by that of a tenth": Ratio(grown, f"at most {MEMORY:g}", grown <= MEMORY),
    }


def words(found: dict[str, Any]) -> str:
    """As docs/data.md says it."""
    waits, rates, cold = found["waits"], found["images_a_second"], found["images_a_second_from_disk"]
    where, batch, seconds = found["environment"], found["batch"], found["seconds_a_step"]["ours"]
    place = f"{where['threads']} processors" if where["device"] == "cpu" else where["device"]
    grown = ratios(found)["memory, by that of a tenth"].value
    return "\n".join([
        "| images a second, nothing else running | files in memory | from disk |",
        "| --- | --- | --- |",
        f"| ours, read | {rates['ours, read']:,.0f} | {cold['ours, read']:,.0f} |",
        f"| ours, read, cropped, flipped and normalised | {rates['ours']:,.0f} | |",
        f"| torchvision's reference, {found['workers']} workers | {rates['torchvision']:,.0f} | "
        f"{cold['torchvision']:,.0f} |",
        "",
        f"Training hardly waits for images: {share(waits['ours'])} of the time of ResNet-50's steps at 224 x 224 (at "
        f"most {share(WAITS)} is allowed), and {share(waits['torchvision'])} with torchvision's reference loader "
        f"({place}, batches of {batch}, {found['images']:,} photographs of 500 x 375 pixels, "
        f"`python benchmarks/disk.py`). To read and crop a batch takes "
        f"{share(batch / rates['ours'] / seconds)} of the time of a step. A GPU crops by itself: its steps wait only "
        f"where they take more images a second than are read. Decoding goes at {found['decoded_a_second']:,.0f} images "
        f"a second, once. The process's own memory hardly grows with the set: opening and reading all of these images "
        f"takes {grown:.2f} times as much as a tenth of them (at most {MEMORY:g} is allowed).",
    ])  # fmt: skip


def share(of_one: float) -> str:
    """In percent, to two digits: 1.2 %; less than a thousandth is told as that."""
    return f"{100 * of_one:.2g} %" if of_one >= 1e-3 else "less than 0.1 %"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--images", type=int, default=20_000, help=f"default 20000; at least {10 * CLASSES}")
    parser.add_argument("--steps", type=int, default=24, help="timed, of each loader (default 24)")
    parser.add_argument("--batch-size", type=int, default=8, help="default 8; 256 is usual on a GPU")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the results")
    asked = parser.parse_args()
    if asked.images < 10 * CLASSES:
        parser.error(f"--images is {asked.images}, but a tenth of them must hold one of each of {CLASSES} classes")
    with tempfile.TemporaryDirectory() as name:
        found = measured(Path(name), asked.images, asked.steps, asked.batch_size, torch.device(asked.device))
    promised = ratios(found)
    found = {"environment": environment(asked.device), "ratios": {what: one.value for what, one in promised.items()},
             **found}  # fmt: skip
    asked.out.mkdir(parents=True, exist_ok=True)
    write_json(asked.out / f"disk-{asked.device}.json", found)
    print(words(found), "\n")
    print(f"A step takes {found['seconds_a_step']['ours']:.3f} s, and {found['seconds_a_step']['torchvision']:.3f} s "
          "with torchvision's loader beside it.")  # fmt: skip
    for what, one in promised.items():
        print(f"{what:<36} {one.value:8.4f}  {one.bound:<12} {'holds' if one.holds else 'FAILS'}")
    return int(not all(one.holds for one in promised.values()))


if __name__ == "__main__":
    sys.exit(main())
