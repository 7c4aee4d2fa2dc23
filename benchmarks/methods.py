"""What a training step of each method costs, against cross-entropy's: python benchmarks/methods.py [--device cuda].

Named methods are measured alone (python benchmarks/methods.py las seesaw); the others' numbers are kept, and theirs
come with the environment of their own.

ResNet-32 on synthetic images of CIFAR's shape, 128 a batch, 100 classes; each method and cross-entropy in turns, on
the same network. Every registered loss, weighting and schedule is there, one's own included. Bounds: 1.05 for these;
for a sharpness-aware step the passes that it needs and 2 to 5 % more, ImbSAM's measured against these passes
themselves. Prints each ratio beside its bound, writes them to data/measurements/methods-DEVICE.json, and ends with
status 1 where a bound does not hold. About two minutes on two CPU cores.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

import torch
from speed import OUT, side_by_side

from rdr_core.data import LongTailedData, from_arrays
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import PARTS
from rdr_core.runs import RunConfig
from rdr_core.runs.environment import environment
from rdr_core.training.loop import train_epoch
from rdr_core.training.state import TrainingState

CLASSES, BATCH = 100, 128


def data(held_out: int) -> LongTailedData:
    """400 images of class 0, 50 of class 99, and those held out."""
    draw = torch.Generator().manual_seed(0)
    counts = (400 * 0.979 ** torch.arange(CLASSES)).long() + held_out
    labels = torch.arange(CLASSES).repeat_interleave(counts)
    images = torch.randint(0, 256, (len(labels), 3, 32, 32), dtype=torch.uint8, generator=draw)
    return from_arrays(images, labels, images[labels.argsort(stable=True)][:CLASSES], torch.arange(CLASSES),
                       held_out=held_out)  # fmt: skip


class Training:
    """A run in its last epoch, where whatever is deferred has begun; a call is a few steps of its loop.

    Args:
        method: its name.
        device: where.
        body: of another's network, to be trained by this one too. Two networks would lie in memory differently,
            which on a CPU weighs as much as what is measured.
    """

    def __init__(self, method: str, device: str, body: torch.nn.Module | None = None) -> None:
        config = RunConfig(dataset="cifar100", imbalance_factor=None, method=method, epochs=200, model="resnet32",
                           batch_size=BATCH, learning_rate=1e-6)  # fmt: skip
        self.state = TrainingState(config, data(parse(method).held_out), torch.device(device))
        self.state.epoch = config.epochs - 1
        if body is not None:
            self.state.model.body = body
            self.state._build_method()  # whose optimizer is to train that body
        # On a GPU the start of the loop would weigh beside a single step.
        self.steps = 10 if device == "cuda" else 1

    def __call__(self) -> None:
        state = self.state
        if state.batch + self.steps > state.batches:
            state.batch = 1
        last = state.batch + self.steps
        train_epoch(state, tick=lambda: None, stop=lambda: state.batch >= last)


class Passes:
    """The passes that an ImbSAM step needs, by themselves: a plain step, and one more forward and two backward."""

    def __init__(self, plain: Training) -> None:
        self.plain, self.steps = plain, plain.steps
        self.images = torch.rand(BATCH, 3, 32, 32, device=plain.state.device)

    def __call__(self) -> None:
        state = self.plain.state
        for _ in range(self.steps):
            outcome = state.objective(self.images, state.labels[:BATCH])
            outcome.loss.backward(retain_graph=True)
            outcome.loss.backward()
        self.plain()


def methods() -> Iterator[tuple[str, float, str]]:
    """Each method that is measured against cross-entropy with its bound, and what its step has."""
    once, twice = "1 forward, 1 backward", "2 forward, 2 backward"
    for part in PARTS.all().values():
        if part.kind == "loss" and part.experts:  # of ResNet-32's three stages, of equal cost, each has its own two
            yield part.name, 1.05 * (1 + 2 * part.experts) / 3, f"{once} of a stage, and of two by each expert"
        elif part.kind in ("loss", "weighting", "class weights") and part.name != "ce":
            yield part.name, 1.05, once
        elif part.kind == "schedule":
            yield f"inverse+{part.name}", 1.05, once
        elif part.kind == "mixing":
            yield f"rdr+{part.name}", 1.1, f"{once}, 2 losses and weighings"
    yield "ccsam", 1.05, once
    yield "muon", 1.5, f"{once}, 5 iterations for each weight"
    yield "sam", 2.05, twice
    yield "rdr+sam", 2.08, twice


def measure(device: str, pairs: int, only: list[str]) -> Iterator[dict[str, object]]:
    plain = Training("ce", device)

    def against_plain(method: str, bound: float, passes: str) -> dict[str, object]:
        one = Training(method, device, None if parse(method).experts > 1 else plain.state.model.body)
        seconds, other, ratio = side_by_side(one, plain, pairs=pairs, device=device)
        milliseconds = f"{1e3 * seconds / one.steps:.1f} against {1e3 * other / one.steps:.1f} ms"
        row = {"what": f"{method} step / ce step", "value": round(ratio, 4), "bound": round(bound, 4)}
        return row | {"detail": f"{passes}; {milliseconds}"}

    for method, bound, passes in methods():
        if not only or method in only:
            yield against_plain(method, bound, passes)
    needed = Passes(plain)
    for method in ("imbsam", "focalsam"):
        if only and method not in only:
            continue
        one = Training(method, device, plain.state.model.body)
        seconds, other, ratio = side_by_side(one, needed, pairs=pairs, device=device)
        milliseconds = f"{1e3 * seconds / one.steps:.1f} against {1e3 * other / one.steps:.1f} ms"
        yield {"what": f"{method} step / its passes", "value": round(ratio, 4), "bound": 1.05,
               "detail": f"2 forward, 3 backward; {milliseconds}"}  # fmt: skip


def joined(before: list[dict[str, object]], now: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows measured now in the place of those of the same name, and new ones after the others."""
    fresh = {row["what"]: row for row in now}
    kept = [fresh.pop(row["what"], row) for row in before]
    return [*kept, *fresh.values()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", help="to measure; all of them if none is named")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--pairs", type=int, default=10, help="pairs of training steps a method (default 10)")
    arguments = parser.parse_args()
    rows = []
    for row in measure(arguments.device, arguments.pairs, arguments.methods):
        row["holds"] = bool(row["value"] <= row["bound"])
        verdict = f"at most {row['bound']:<6.4g} {'holds' if row['holds'] else 'FAILS'}"
        print(f"{row['what']:<32} {row['value']:8.4f}  {verdict}   {row['detail']}", flush=True)
        rows.append(row)
    where = environment(arguments.device)
    print(f"{where['device']}, {where['threads']} threads, torch {where['packages']['torch']}")
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"methods-{arguments.device}.json"
    if arguments.methods and path.exists():
        kept = json.loads(path.read_text())
        rows = joined(kept["ratios"], [row | {"environment": where} for row in rows])
        where = kept["environment"]
    path.write_text(json.dumps({"environment": where, "ratios": rows}, indent=1) + "\n")
    return int(not all(row["holds"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
