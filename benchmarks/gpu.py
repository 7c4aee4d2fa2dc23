"""What training costs on a GPU, in seconds and as ratios: python benchmarks/gpu.py [--small].

The paper's setting on random images: CIFAR-10's shape, imbalance factor 100 (12,406 images, 97 steps an epoch),
ResNet-32, batch 128. Prints a line for each number, then all as JSON on the last line. Takes two or three minutes on
one GPU; --small is a tiny case for any machine, which shows that it runs and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from rdr_core.data import LongTailedData, from_arrays
from rdr_core.runs import RunConfig
from rdr_core.runs.environment import environment
from rdr_core.training.kernels import fastest_convolutions
from rdr_core.training.loop import close_epoch, plain_steps, train_epoch
from rdr_core.training.state import TrainingState

#: What is timed: methods with the usual augmentation, and one with AutoAugment and Cutout.
CASES = (
    *((method, "plain") for method in ("ce", "rdr", "la", "sam", "rdr+sam", "imbsam", "ccsam", "inverse+drw")),
    ("ce", "strong"),
)


@dataclass(frozen=True)
class Setting:
    """What is trained; ``epochs`` are timed, ``whole`` is the length of the run that is told from them."""

    n_max: int
    tested: int
    batch: int
    model: str
    epochs: int
    processes: tuple[int, ...]
    cases: tuple[tuple[str, str], ...] = CASES
    whole: int = 200

    def data(self) -> LongTailedData:
        counts = [int(self.n_max * 100 ** (-i / 9)) for i in range(10)]
        labels = torch.arange(10).repeat_interleave(torch.tensor(counts))
        draw = torch.Generator().manual_seed(0)

        def images(number: int) -> torch.Tensor:
            return torch.randint(0, 256, (number, 3, 32, 32), dtype=torch.uint8, generator=draw)

        return from_arrays(images(len(labels)), labels, images(self.tested), torch.arange(self.tested) % 10)

    def state(
        self, method: str, device: torch.device, *, augmentation: str = "plain", recorded: bool = True
    ) -> TrainingState:
        config = RunConfig(dataset="random", imbalance_factor=None, method=method, epochs=self.whole,
                           model=self.model, batch_size=self.batch, learning_rate=0.01,
                           augmentation=augmentation)  # fmt: skip
        torch.manual_seed(0)
        state = TrainingState(config, self.data(), device)
        if not recorded:
            state.steps = plain_steps
        return state


FULL = Setting(n_max=5000, tested=10_000, batch=128, model="resnet32", epochs=3, processes=(1, 2, 4, 8))
SMALL = Setting(n_max=100, tested=100, batch=16, model="small", epochs=1, processes=(1, 2),
                cases=(("ce", "plain"), ("rdr", "plain"), ("ce", "strong")))  # fmt: skip


def seconds_of_epochs(state: TrainingState, epochs: int) -> dict[str, float]:
    """Median seconds of a step and of all else in an epoch, after a first epoch in which kernels are chosen."""

    def now() -> float:
        if state.device.type == "cuda":
            torch.cuda.synchronize(state.device)
        return time.perf_counter()

    steps, rest = [], []
    with fastest_convolutions(state.device):
        for _ in range(epochs + 1):
            started = now()
            train_epoch(state, tick=lambda: None, stop=lambda: False)
            trained = now()
            close_epoch(state)
            steps.append((trained - started) / state.batches)
            rest.append(now() - trained)
    return {"step": statistics.median(steps[1:]), "rest": statistics.median(rest[1:]), "batches": state.batches}


def measure(setting: Setting, device: torch.device) -> dict[str, object]:
    """Seconds of a step by method and augmentation, recorded and plain, and of the whole run that they make."""
    found: dict[str, dict[str, object]] = {}
    for method, augmentation in setting.cases:
        state = setting.state(method, device, augmentation=augmentation)
        times = seconds_of_epochs(state, setting.epochs)
        as_on_a_cpu = setting.state(method, device, augmentation=augmentation, recorded=False)
        plain = seconds_of_epochs(as_on_a_cpu, setting.epochs)
        found[method if augmentation == "plain" else f"{method}, {augmentation}"] = {
            "recorded": bool(getattr(state.steps, "replay", None)),
            "step_ms": 1e3 * times["step"],
            "plain_step_ms": 1e3 * plain["step"],
            "recorded_over_plain": times["step"] / plain["step"],
            "rest_of_epoch_ms": 1e3 * times["rest"],
            "run_seconds": setting.whole * (times["step"] * times["batches"] + times["rest"]),
            "step_over_ce": 1e3 * times["step"] / found["ce"]["step_ms"] if found else 1.0,
        }
    return found


def side_by_side(setting: Setting, number: int, arguments: list[str]) -> float:
    """Seconds of an epoch in each of so many processes at a time, and so what a run costs: their mean over them."""
    command = [sys.executable, os.fspath(Path(__file__).resolve()), "--one-process", *arguments]
    # All wait for a line, so that none trains while another yet starts.
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for _ in range(number)]  # fmt: skip
    for process in started:
        process.stdout.readline()
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    seconds = [float(process.communicate()[0]) for process in started]
    return statistics.mean(seconds) / number


def one_process(setting: Setting, device: torch.device) -> None:
    """What each of the processes does: make ready, wait for a line, train, say how long an epoch took."""
    state = setting.state("rdr", device)
    seconds_of_epochs(state, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    times = seconds_of_epochs(state, setting.epochs)
    print(times["step"] * times["batches"] + times["rest"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tiny case, on a CPU too")
    parser.add_argument("--one-process", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    setting = SMALL if arguments.small else FULL
    if not (arguments.small or torch.cuda.is_available()):
        parser.error("there is no usable GPU on this machine; --small runs on any")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if arguments.one_process:
        one_process(setting, device)
        return
    methods = measure(setting, device)
    for method, row in methods.items():
        print(f"{method:<12} {row['step_ms']:7.2f} ms a step, plain {row['plain_step_ms']:7.2f} "
              f"({row['recorded_over_plain']:.2f}); over ce {row['step_over_ce']:.2f}; the rest of an epoch "
              f"{row['rest_of_epoch_ms']:.0f} ms; a run {row['run_seconds']:.0f} s"
              + ("" if row["recorded"] else "; not recorded"))  # fmt: skip
    torch.cuda.empty_cache()
    parallel = {}
    for number in setting.processes:
        parallel[number] = setting.whole * side_by_side(setting, number, ["--small"] if arguments.small else [])
        print(f"{number} at a time: {parallel[number]:.0f} s for each run of rdr")
    print(json.dumps({"environment": environment(str(device)), "methods": methods, "seconds_a_run_of_rdr": parallel}))


if __name__ == "__main__":
    main()
