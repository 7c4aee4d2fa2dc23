"""Measure the paces of this machine: python benchmarks/paces.py NAME --words "one thread of ..." [--device cuda]

Steps of each network at several batch sizes, of each part of methods that makes them longer, and of RDR's weights for
several numbers of classes, with made-up images, each three times in turn; the memory of a step too. Writes
data/paces/NAME.json and prints how well the model fitted to most of these points foretells the others; ends with status
1 where one is foretold worse than by 15 %. About ten minutes of one quiet thread.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from tqdm import tqdm

from rdr_core.jobs.machines import Machine, Point, long_tail, points_of
from rdr_core.jobs.pace import measured_pace, state_of
from rdr_core.jobs.size import DataSize, made_up
from rdr_core.methods.grammar import parse
from rdr_core.runs import RunConfig
from rdr_core.runs.environment import environment
from rdr_core.training.loop import train_epoch

OUT = Path(__file__).resolve().parents[1] / "data" / "paces"
#: How far from what was measured a point that is left out may be foretold.
BOUND = 0.15
ROUNDS = 3
PARTS = ("cdb", "ib", "mixup", "remix", "sam", "imbsam", "ccsam", "focalsam", "muon", "sade", "ce+crt", "ce+lws",
         "ce+taunorm", "ce+posthoc", "sade+agreement")  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A point to be measured."""

    network: str
    image: tuple[int, int, int]
    batch: int
    classes: int = 10
    method: str = "ce"
    augmentation: str = "plain"
    left_out: bool = False


def plans(gpu: bool) -> Iterator[Plan]:
    """What is measured; every second batch size in the middle is left out."""
    sizes = {
        ("small", (1, 8, 8)): (32, 64, 128, 256, 512),
        ("small", (1, 28, 28)): (32, 64, 128, 256, 512),
        ("small", (3, 32, 32)): (32, 64, 128, 256),
        ("lenet", (1, 28, 28)): (32, 64, 128),
        ("resnet32", (3, 32, 32)): (32, 64, 128, 256),
        ("resnet10", (3, 224, 224)): (64, 128, 256) if gpu else (4, 8, 16),
        ("resnet50", (3, 224, 224)): (64, 128, 256) if gpu else (2, 4, 8),
    }
    for (network, image), batches in sizes.items():
        for number, batch in enumerate(batches):
            yield Plan(network, image, batch, left_out=number % 2 == 1)
    for batch, classes, left_out in (
        (32, 10, False), (64, 100, True), (128, 10, False), (128, 100, False), (256, 100, True), (320, 10, False),
        (512, 10, False), (512, 100, True), (1024, 10, True), (1024, 100, False), (2048, 100, False),
    ):  # fmt: skip
        yield Plan("small", (1, 8, 8), batch, classes, "rdr", left_out=left_out)
        if (batch, classes) in ((1024, 10), (2048, 100)):
            yield Plan("small", (1, 8, 8), batch)
    yield Plan("resnet32", (3, 32, 32), 128, 100, "rdr", left_out=True)
    for method in PARTS:
        yield Plan("small", (1, 28, 28), 128, method=method)
    for method in ("rdr+sam", "cdb+ccsam", "rdr+mixup"):
        yield Plan("small", (1, 28, 28), 128, method=method, left_out=True)
    for side, batch in ((28, 128), (32, 64)):
        yield Plan("small", (3, side, side), batch, augmentation="strong", left_out=True)
    yield Plan("small", (3, 32, 32), 128, augmentation="strong")


def measured(plan: Plan, device: torch.device) -> Point:
    """The pace of a plan, once."""
    shares = long_tail(plan.classes)
    counts = np.maximum(1, np.round(20_000 * shares)).astype(int)
    size = DataSize(plan.classes, plan.image, counts, 1000, photographs=plan.image[-1] == 224)
    method = parse(plan.method).name
    config = RunConfig(
        dataset="arrays", imbalance_factor=None, method=method, epochs=100, model=plan.network, batch_size=plan.batch,
        learning_rate=1e-3, augmentation=plan.augmentation,
    )  # fmt: skip
    pace = measured_pace(config, size, device)
    return Point(
        plan.network, plan.image[-1], 0, plan.batch, plan.classes, method, plan.augmentation, pace.step,
        max(0.0, pace.closing - pace.images * pace.image), pace.image, pace.visit, 0.0, plan.left_out,
    )  # fmt: skip


def memory(plan: Plan, device: torch.device) -> tuple[int, float]:
    """Z, and the bytes that a plain step takes at most beside what is there before."""
    counts = np.full(plan.classes, -(-4 * plan.batch // plan.classes))
    size = DataSize(plan.classes, plan.image, counts, plan.classes, photographs=plan.image[-1] == 224)
    config = RunConfig(dataset="arrays", imbalance_factor=None, method="ce", epochs=100, model=plan.network,
                       batch_size=plan.batch, learning_rate=1e-3)  # fmt: skip
    state = state_of(config, made_up(config, size, plan.classes, least=3 * plan.batch), device)
    train_epoch(state, tick=lambda: None, stop=lambda: state.batch >= 2)
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        train_epoch(state, tick=lambda: None, stop=lambda: state.batch >= 3)
        return state.model.feature_dim, float(torch.cuda.max_memory_allocated(device) - before)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        train_epoch(state, tick=lambda: None, stop=lambda: state.batch >= 3)
    moves = [event.nbytes() for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    return state.model.feature_dim, float(np.cumsum(moves).max())


def foretold(point: Point, machine: Machine) -> Point:
    """The same as the machine's model has it."""
    counts = np.maximum(1, np.round(20_000 * long_tail(point.classes))).astype(int)
    size = DataSize(point.classes, (1, point.side, point.side), counts, 1000, photographs=False)
    config = RunConfig(dataset="arrays", imbalance_factor=None, method=point.method, epochs=100, model=point.network,
                       batch_size=point.batch, learning_rate=1e-3, augmentation=point.augmentation)  # fmt: skip
    found = machine.foretell(config, size)
    assert found is not None, point
    return replace(point, step=found.pace.step, visit=found.pace.visit, memory=found.memory)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="of the machine, a word")
    parser.add_argument("--words", default="", help="what it is, for readers; where it is measured")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--again", action="store_true", help="only tell of the points that are there")
    asked = parser.parse_args()
    if not (asked.words or asked.again):
        parser.error("say with --words what the machine is, for readers; --again tells of one that was measured")
    path, device = OUT / f"{asked.name}.json", torch.device(asked.device)
    if not asked.again:
        torch.set_num_threads(1)
        chosen = [*plans(device.type == "cuda")]
        rounds = [[measured(plan, device) for plan in tqdm(chosen, unit="point")] for _ in range(ROUNDS)]
        points = []
        for plan, *found in zip(chosen, *rounds, strict=True):
            features, taken = memory(plan, device)
            middle = {
                name: median(getattr(point, name) for point in found) for name in ("step", "closing", "image", "visit")
            }
            points.append(replace(found[0], features=features, memory=taken, **middle))
        content = {"words": asked.words, "gpu": device.type == "cuda", "environment": environment(str(device))}
        rows = [[float(f"{value:.4g}") if isinstance(value, float) else value for value in astuple(p)] for p in points]
        OUT.mkdir(parents=True, exist_ok=True)
        lines = ",\n  ".join(json.dumps(row) for row in rows)
        head = json.dumps(content, indent=1).removesuffix("\n}")
        path.write_text(f'{head},\n "points": [\n  {lines}\n ]\n}}\n', encoding="utf-8")
    content = json.loads(path.read_text(encoding="utf-8"))
    points = points_of(content)
    machine = Machine(asked.name, content["words"], content["gpu"], points)
    worst = 0.0
    for point in points:
        told = foretold(point, machine)
        off = told.step / point.step - 1
        worst = max(worst, abs(off)) if point.left_out else worst
        words = f"{1e3 * point.step:9.1f} ms  foretold {off:+.1%}{'  left out' if point.left_out else ''}"
        if point.method == "ce":
            words += f"   memory {point.memory / 1e6:8.1f} MB {told.memory / point.memory - 1:+.1%}"
        print(f"{point.network:<9}{point.side:>4} B {point.batch:<5} d {point.classes:<4} {point.method:<16}{words}")
    print(f"left out: {worst:.1%} off at worst, at most {BOUND:.0%} {'holds' if worst <= BOUND else 'FAILS'}")
    return int(worst > BOUND)


if __name__ == "__main__":
    sys.exit(main())
