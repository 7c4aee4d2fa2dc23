"""Speed as ratios, each pair side by side in one run: `make bench`, or python benchmarks/speed.py [--device cuda].

Prints each ratio beside its bound, writes them to data/measurements/speed-DEVICE.json, and ends with status 1
where a bound does not hold.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import torch

from rdr_core.data import from_arrays
from rdr_core.methods.rdr import RDRWeights
from rdr_core.methods.weighting import Unweighted
from rdr_core.runs import RunConfig
from rdr_core.runs.environment import environment
from rdr_core.training.auto_augment import auto_augment, draw_choices
from rdr_core.training.objective import WeightedObjective
from rdr_core.training.state import TrainingState

OUT = Path(__file__).resolve().parents[1] / "data" / "measurements"


def side_by_side(
    one: Callable, other: Callable, *, pairs: int, device: str, calls: int = 1
) -> tuple[float, float, float]:
    """Median seconds of each and the median of their ratios, in turns of some calls: A B, B A, A B, ..."""

    def seconds(call: Callable) -> float:
        if device == "cuda":
            torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(calls):
            call()
        if device == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - started) / calls

    for call in (one, other) * 3:
        call()
    first, second = [], []
    for pair in range(pairs):
        if pair % 2:
            second.append(seconds(other))
            first.append(seconds(one))
        else:
            first.append(seconds(one))
            second.append(seconds(other))
    ratios = [a / b for a, b in zip(first, second, strict=True)]
    return statistics.median(first), statistics.median(second), statistics.median(ratios)


def training_steps(device: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """A whole step of ResNet-32 at B = 128 and d = 100 with RDR's weights and without, on the same network.

    Batch, augmentation, forward, weights, backward, update, records. One network for both, since two would lie
    in memory differently, which on a CPU weighs more than what is measured.
    """
    draw = torch.Generator().manual_seed(0)
    labels = torch.cat(
        [torch.arange(100), torch.multinomial(0.95 ** torch.arange(100.0), 12_700, True, generator=draw)]
    )
    images = torch.randint(0, 256, (len(labels), 3, 32, 32), dtype=torch.uint8, generator=draw)
    data = from_arrays(images, labels, images[:100], labels[:100])
    config = RunConfig(dataset="cifar100", imbalance_factor=None, method="rdr", epochs=200, model="resnet32",
                       batch_size=128, learning_rate=1e-6)  # fmt: skip
    state = TrainingState(config, data, torch.device(device))
    state.model.train()
    state.weighting.train()
    visits = state.start_visits()
    augment = state.augmentation.epoch(0, len(state.order), state.inputs.shape, state.device)
    plain = WeightedObjective(state.model, state.objective.loss, Unweighted())

    def step(objective: WeightedObjective) -> None:
        rows = state.order[:128]
        batch = augment(state.inputs[rows], 0, state.mean, state.std)
        visits.write(0, state.step(objective, batch, visits.labels[:128]), state.ranks)

    return lambda: step(state.objective), lambda: step(plain)


def weights_of_a_batch(d: int, device: str) -> Callable[[], None]:
    draw = torch.Generator().manual_seed(0)
    rdr = RDRWeights(torch.full((d,), 100), 64).to(device)
    features = torch.randn(128, 64, generator=draw).relu().to(device)
    labels = torch.randint(d, (128,), generator=draw).to(device)
    return lambda: rdr(features, labels)


def weights_by_a_plain_loop(d: int, device: str) -> Callable[[], None]:
    """The paper's algorithm as it is printed: one pseudo-inverse a class."""
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(128, 64, generator=draw).relu().to(device)
    labels = torch.randint(d, (128,), generator=draw).to(device)
    prototypes = torch.zeros(d, 64, device=device)
    prior = torch.full((d,), 1 / d, device=device)

    @torch.no_grad()
    def loop() -> None:
        weights = torch.empty(128, device=device)
        for c in labels.unique():
            rows = labels == c
            phi = features[rows].T
            ratio = phi.shape[1] * torch.linalg.pinv(phi.T @ phi) @ (phi.T @ prototypes[c])
            weights[rows] = ratio.clamp_min(0) / prior[c]
            prototypes[c] = 0.5 * prototypes[c] + 0.5 * phi.mean(1)
        weights / weights.mean()

    return loop


def strong_augmentation(device: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """AutoAugment of the same images at once, as training does it, and image by image, as torchvision does."""
    from torchvision.transforms import v2

    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (512, 3, 32, 32), dtype=torch.uint8, generator=draw).to(device)
    policy = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
    return (
        lambda: auto_augment(images, draw_choices(len(images), draw)),
        lambda: torch.stack([policy(image) for image in images]),
    )


def seconds_of_import() -> float:
    """What everything that training imports costs after torch, the best of five processes."""
    code = (
        "import time, torch; t = time.perf_counter(); import rdr_core; rdr_core.train, rdr_core.density_ratio;"
        "import rdr_core.training.loop, rdr_core.methods.grammar;"
        "print(time.perf_counter() - t)"
    )
    return min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5))


def seconds_of_help() -> float:
    command = Path(sysconfig.get_path("scripts")) / "rdr"

    def once() -> float:
        started = time.perf_counter()
        subprocess.run([command, "--help"], check=True, capture_output=True)
        return time.perf_counter() - started

    return min(once() for _ in range(5))


def measure(device: str, pairs: int) -> list[dict[str, object]]:
    rows = []

    def add(what: str, value: float, bound: float, detail: str) -> None:
        rows.append({"what": what, "value": round(value, 4), "bound": bound, "detail": detail})

    rdr, ce, ratio = side_by_side(*training_steps(device), pairs=pairs, device=device)
    add("RDR step / CE step, ResNet-32, B 128, d 100", ratio, 1.01 if device == "cpu" else 1.05,
        f"{1e3 * rdr:.1f} against {1e3 * ce:.1f} ms")  # fmt: skip
    ours, loop, ratio = side_by_side(
        weights_of_a_batch(100, device), weights_by_a_plain_loop(100, device), pairs=pairs, device=device, calls=50
    )
    add("RDR weights / plain loop with pinv, d 100", ratio, 1 / 8, f"{1e3 * ours:.2f} against {1e3 * loop:.2f} ms")
    many, few, ratio = side_by_side(
        weights_of_a_batch(1_000_000, device), weights_of_a_batch(10, device), pairs=pairs, device=device, calls=50
    )
    add("RDR weights, d 1,000,000 / d 10", ratio, 1.5, f"{1e3 * many:.2f} against {1e3 * few:.2f} ms")
    ours, each, ratio = side_by_side(*strong_augmentation(device), pairs=pairs, device=device)
    add("AutoAugment of 512 images, at once / one by one", ratio, 1 / 4,
        f"{1e3 * ours:.1f} against {1e3 * each:.1f} ms")  # fmt: skip
    if device == "cpu":
        add("seconds of import rdr_core after torch", seconds_of_import(), 0.2, "best of 5 processes")
        add("seconds of rdr --help", seconds_of_help(), 0.5, "best of 5 processes")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--pairs", type=int, default=40, help="pairs of training steps (default 40)")
    arguments = parser.parse_args()
    rows = measure(arguments.device, arguments.pairs)
    where = environment(arguments.device)
    print(f"{where['device']}, {where['threads']} threads, torch {where['packages']['torch']}")
    for row in rows:
        holds = "holds" if row["value"] <= row["bound"] else "FAILS"
        print(f"{row['what']:<48} {row['value']:8.4f}  at most {row['bound']:<6g} {holds}   {row['detail']}")
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"environment": where, "ratios": rows}, indent=1) + "\n"
    (OUT / f"speed-{arguments.device}.json").write_text(text)
    return int(any(row["value"] > row["bound"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
