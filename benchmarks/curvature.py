"""Curvature's speed as ratios, side by side in one run: python benchmarks/curvature.py.

On the digits network after a run of cross-entropy at IF 50. Prints each figure beside its bound, writes them to
data/measurements/curvature-cpu.json, and ends with status 1 where a bound does not hold. Takes a few minutes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

import rdr_core
from rdr_core.runs import Run
from rdr_core.runs.environment import environment
from rdr_core.training.normalise import normalise
from rdr_viz.analysis.curvature import Eigenvalues, Hessian, class_curvature, class_density

OUT = Path(__file__).resolve().parents[1] / "data" / "measurements"
#: PyHessian stops when its estimate changes by less than the tolerance; tried in turn until its error is as asked.
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)


def images_of(run: Run, chosen: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    data = run.data()
    rows = torch.isin(data.train.labels, torch.tensor(chosen))
    return (
        normalise(data.train.inputs[rows], torch.tensor(data.mean), torch.tensor(data.std)),
        data.train.labels[rows],
    )


def in_turns(calls: dict[str, Callable[[], object]], pairs: int) -> dict[str, float]:
    """Median seconds of each, called in turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(pairs):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}


def against_pyhessian(run: Run, klass: int, pairs: int, k: int = 1, which: str = "both") -> dict[str, object]:
    """Ours against PyHessian's k largest, at PyHessian's loosest tolerance with an error of 1e-4 in each of them."""
    x, y = images_of(run, [klass])
    model = run.model()
    exact = Hessian(model, x, y, dtype=torch.float64).eigenvalues(k, which, tolerance=1e-8, budget=3000)
    our, their = Hessian(model, x, y), Hessian(model, x, y, backend="pyhessian")

    def ours() -> Eigenvalues:
        return our.eigenvalues(k, which)

    def theirs(tolerance: float) -> np.ndarray:
        return their.eigenvalues(k, tolerance=tolerance, budget=300).values

    found = ours()
    errors = np.abs(found.values / exact.values - 1)
    off: dict[float, float] = {}
    for tolerance in TOLERANCES:
        off[tolerance] = np.abs(theirs(tolerance) / exact.values[:k] - 1).max()
        if off[tolerance] <= 1e-4:
            break
    seconds = in_turns({"ours": ours, "theirs": lambda: theirs(tolerance)}, pairs)
    many = "" if k == 1 else f" {k}"
    ends = {"both": f"{many or ' 1'} at each end", "largest": f"{many or ' the'} largest"}[which]
    return {
        "what": f"class {klass} ({len(y)} images):{ends} / PyHessian's{many} largest",
        "value": seconds["ours"] / seconds["theirs"],
        "bound": 1 / 3 if (k, which) in ((1, "both"), (5, "largest")) else None,
        "detail": f"{1e3 * seconds['ours']:.0f} ms, {found.products} products, against {1e3 * seconds['theirs']:.0f} "
        f"ms; largest errors {errors[:k].max():.0e} (largest), {errors[-k:].max():.0e} (smallest) against "
        f"{off[tolerance]:.0e} at tolerance {tolerance:.0e} ({off[1e-3]:.0e} at its default)",
        "errors_hold": bool((errors <= 1e-4).all()),
    }


def product_against_gradients(run: Run, chosen: list[int], pairs: int) -> dict[str, object]:
    x, y = images_of(run, chosen)
    hessian = Hessian(run.model(), x, y)
    vector = torch.randn(hessian.parameters, generator=torch.Generator().manual_seed(0))
    model = run.model()
    parameters = list(model.parameters())

    def gradient() -> None:
        torch.autograd.grad(torch.nn.functional.cross_entropy(model(x), y), parameters)

    with hessian._products.many() as product:
        seconds = in_turns({"product": lambda: product(vector), "gradient": gradient}, 10 * pairs)
    return {
        "what": f"one product / two gradients, {len(y)} images",
        "value": seconds["product"] / (2 * seconds["gradient"]),
        "bound": 1.1,
        "detail": f"{1e3 * seconds['product']:.2f} against 2 x {1e3 * seconds['gradient']:.2f} ms",
    }


def all_classes(run: Run) -> dict[str, object]:
    started = time.perf_counter()
    table = class_curvature(run, epochs=run.kept[-1:], progress=False)
    middle = time.perf_counter()
    class_density(run, progress=False)
    ended = time.perf_counter()
    worst = float((table["trace_standard_error"] / table["trace"].abs()).max())
    return {
        "what": "seconds of eigenvalues, trace and density of all ten classes",
        "value": ended - started,
        "bound": 90.0,
        "detail": f"{middle - started:.1f} s and {ended - middle:.1f} s (density); trace to {100 * worst:.1f} %",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="times each is called (default 5)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default 1, as runs on digits have)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore", message="Using backward")  # PyHessian's
    with tempfile.TemporaryDirectory() as folder:
        run = rdr_core.train("digits", imbalance_factor=50, method="ce", runs=folder, progress=False)
        rows = []
        for measure in (
            *(partial(product_against_gradients, run, [klass], arguments.pairs) for klass in (0, 5, 9)),
            *(
                partial(against_pyhessian, run, klass, arguments.pairs, *ask)
                for ask in ((1, "both"), (1, "largest"), (5, "both"), (5, "largest"))
                for klass in (9, 7, 5, 0)
            ),
            partial(all_classes, run),
        ):
            row = measure()
            row["value"] = round(float(row["value"]), 4)
            right = row.pop("errors_hold", True)
            verdict = "for comparison"
            if row["bound"] is not None:
                row["holds"] = bool(row["value"] <= row["bound"] and right)
                verdict = f"at most {row['bound']:<5.3g} {'holds' if row['holds'] else 'FAILS'}"
            print(f"{row['what']:<64} {row['value']:8.3f}  {verdict:<20} {row['detail']}", flush=True)
            rows.append(row)
    where = environment("cpu")
    print(f"{where['device']}, {torch.get_num_threads()} threads, torch {where['packages']['torch']}")
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"environment": where, "threads": torch.get_num_threads(), "ratios": rows}, indent=1) + "\n"
    (OUT / "curvature-cpu.json").write_text(text)
    return int(not all(row.get("holds", True) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
