"""How many operations one training step of each method gives a GPU: in small networks their number decides the time.

    python benchmarks/operations.py    counts, writes data/measurements/operations.csv, prints the table

Counted are recorded steps (rdr_core/training/recorded.py) on tensors without values, which take a GPU's path and refuse
to tell the host any number. What only takes memory, or looks at a tensor in another way, starts nothing and is not
counted. A convolution, its gradient, and an update of all weights at once count as one each, though a GPU's libraries
may start several kernels for them.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from pathlib import Path
from unittest.mock import patch

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rdr_core.data import LongTailedData, from_arrays
from rdr_core.runs import RunConfig
from rdr_core.training.loop import train_epoch
from rdr_core.training.recorded import REHEARSALS, RecordedSteps
from rdr_core.training.state import TrainingState

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "operations.csv"
METHODS = (
    "ce", "focal", "la", "balanced_softmax", "vs", "ldam", "las", "seesaw", "sade", "inverse", "inverse+drw", "cb",
    "cdb", "ib", "ilr", "rdr", "rdr:preset=released", "rdr:ratio=class", "rdr+la", "mixup", "remix", "sam", "rdr+sam",
    "imbsam", "ccsam", "focalsam",
)  # fmt: skip
NETWORKS = ("small", "resnet32")
_NOWHERE = torch.device("meta")
#: Operations that only take memory, or are marks for a profiler.
_NOTHING = ("aten.empty", "aten.new_empty", "aten.empty_like", "profiler.")


class Operations(TorchDispatchMode):
    """Counts the operations that a device is given."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if not (function.is_view or str(function).startswith(_NOTHING)):
            self.counted[str(function)] += 1
        return function(*args, **kwargs or {})


class _Watched:
    """Takes the steps; those that a GPU would replay, watched."""

    def __init__(self, watch: TorchDispatchMode) -> None:
        self._watch = watch

    def rehearse(self, step: Callable[[], None]) -> None:
        step()

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        def watched() -> None:
            with self._watch:
                step()

        return watched


def random_images(held_out: int) -> LongTailedData:
    """Ten classes in CIFAR's shape, 640 images, of which some a class are held out."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(640) % 10
    images = torch.randint(0, 256, (640, 3, 32, 32), dtype=torch.uint8, generator=draw)
    return from_arrays(images, labels, images[:20], labels[:20], held_out=held_out)


def watch_a_step(method: str, model: str, watch: TorchDispatchMode) -> None:
    """Take the first steps of a training on tensors without values, and one more inside ``watch``."""
    held_out = 5 if "cdb" in method else 0
    config = RunConfig(dataset="random", imbalance_factor=None, method=method.replace("cdb", "cdb:images=5"), epochs=4,
                       model=model, batch_size=128, learning_rate=0.1)  # fmt: skip
    state = TrainingState(config, random_images(held_out), torch.device("cpu"))
    with ExitStack() as stack:
        # Neither autocast nor the fused update knows such a device; the update is added by who counts.
        stack.enter_context(patch.object(torch, "autocast", lambda *_, **__: nullcontext()))
        stack.enter_context(patch.object(torch.optim.SGD, "step", lambda self: None))
        take_values(state)
        state.steps = RecordedSteps(_NOWHERE, _Watched(watch))
        train_epoch(state, tick=lambda: None, stop=lambda: state.batch > REHEARSALS)
    if state.steps.replay is None:
        raise RuntimeError(f"The step of {method} was not recorded.")


def take_values(state: TrainingState) -> None:
    """Leave shapes alone of all that a step works on, as if it lay on a device that tells nothing."""
    state.device = _NOWHERE
    for owner, name in [
        *((state, name) for name in ("inputs", "labels", "mean", "std")),
        *((state.mixing, name) for name in ("class_counts",) if hasattr(state.mixing, name)),
        *((state.step, name) for name in ("tail", "radii", "shares") if hasattr(state.step, name)),
    ]:
        setattr(owner, name, getattr(owner, name).to(_NOWHERE))
    state.model.to(_NOWHERE)
    state.weighting.to(_NOWHERE)
    state.objective.loss.keywords["class_counts"] = state.objective.loss.keywords["class_counts"].to(_NOWHERE)
    state.step.optimizer.param_groups[0]["params"] = list(state.model.parameters())


def operations(method: str, model: str) -> int:
    """Of a step, with one for the update."""
    watch = Operations()
    watch_a_step(method, model, watch)
    return sum(watch.counted.values()) + 1


def measured() -> dict[str, dict[str, int]]:
    """What was counted: method, network, operations."""
    with RESULTS.open(newline="", encoding="utf-8") as file:
        return {row["method"]: {name: int(row[name]) for name in NETWORKS} for row in csv.DictReader(file)}


def table() -> str:
    """In Markdown."""
    found = measured()
    lines = ["| operations of a step | small network | ResNet-32 | ResNet-32, over CE |", "| --- | --- | --- | --- |"]
    for method, counts in found.items():
        more = counts["resnet32"] / found["ce"]["resnet32"]
        lines.append(f"| `{method}` | {counts['small']} | {counts['resnet32']} | {more:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    rows = [{"method": method} | {name: operations(method, name) for name in NETWORKS} for method in METHODS]
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["method", *NETWORKS], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(table())
