"""Which ridge the density ratio needs: python benchmarks/ridge.py [--dataset cifar10 --epochs 5].

Two questions, for the iterated Tikhonov regularisation that `density_ratio` uses and for an ordinary ridge: how far
the answer is from a float64 solve class by class where features are well conditioned, and how steady the weights are
on the features of a network in training, where Gram matrices are close to singular. Written to
data/measurements/ridge-DATASET-ifIF.csv.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import torch
from torch import Tensor

import rdr_core
from rdr_core.methods.batch_classes import class_means
from rdr_core.methods.ratio import ratios_towards
from rdr_core.methods.rdr import RDRWeights

OUT = Path(__file__).resolve().parents[1] / "data" / "measurements"
STRENGTHS = (1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 1e-1)


def ordinary_ridge(shift: Tensor, x: Tensor, same: Tensor, size: Tensor, ridge: float) -> Tensor:
    gram = (x @ x.T) * same
    penalty = ridge * (same @ gram.diagonal()) / size + 1e-30
    return 1 + torch.linalg.solve(gram + penalty.diag(), size * (x * shift).sum(1))


def per_class(x: Tensor, labels: Tensor, prototypes: Tensor) -> Tensor:
    ratios = torch.empty(len(x), dtype=torch.float64)
    for c in labels.unique():
        rows = labels == c
        phi = x[rows].T
        ratios[rows] = phi.shape[1] * torch.linalg.solve(phi.T @ phi, phi.T @ prototypes[c])
    return ratios


SOLVERS = {"iterated": ratios_towards, "ordinary": ordinary_ridge}


def error_on_random_features(solver: str, ridge: float) -> float:
    """Largest relative error (2-norm) over twelve random batches, normal and ReLU, d = 5, 10 and 100."""
    worst = 0.0
    for seed in range(12):
        draw = torch.Generator().manual_seed(seed)
        d = (5, 10, 100)[seed % 3]
        x, prototypes = (torch.randn(n, 64, generator=draw, dtype=torch.float64) for n in (128, d))
        if seed >= 6:
            x, prototypes = x.relu(), prototypes.relu()
        labels = torch.randint(d, (128,), generator=draw)
        means, same, size = class_means(x, labels)
        ours = SOLVERS[solver](prototypes[labels] - means, x, same, size, ridge)
        reference = per_class(x, labels, prototypes)
        worst = max(worst, float((ours - reference).norm() / reference.norm()))
    return worst


class Watched(RDRWeights):
    """Keeps, for a few batches of every epoch, what each solver and strength would give."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.seen: list[dict[str, object]] = []

    def weigh(self, features: Tensor, labels: Tensor):
        if self.training and int(self.steps) % 10 == 5:
            x = features.double()
            means, same, size = class_means(x, labels)
            known = torch.where(self.started[labels, None], self.prototypes[labels], means)
            for solver, solve in SOLVERS.items():
                for ridge in STRENGTHS:
                    ratios = solve(known - means, x, same, size, ridge)
                    kept = ratios.clamp_min(0)
                    effective = (same @ kept).square() / (same @ kept.square()).clamp_min(1e-30) / size
                    several = size > 1
                    self.seen.append(
                        {
                            "step": int(self.steps),
                            "solver": solver,
                            "ridge": ridge,
                            "below_zero": float((ratios < 0).double().mean()),
                            "largest": float(ratios.max()),
                            "effective_share": float(effective[several].mean()),
                        }
                    )
        return super().weigh(features, labels)


def watch_training(dataset: str, imbalance_factor: float, epochs: int | None) -> list[dict[str, object]]:
    from rdr_core.methods import parts, rdr

    made: list[Watched] = []

    def watched(context, *, warmup: float = 0.025):
        steps = round(warmup * context.epochs * context.steps_per_epoch)
        made.append(Watched(context.class_counts, context.feature_dim, warmup_steps=steps))
        return made[-1]

    parts.part("watched", kind="weighting", summary="RDR, watched", formula=rdr.__name__, source="")(watched)
    with tempfile.TemporaryDirectory() as folder:
        rdr_core.train(dataset, imbalance_factor=imbalance_factor, method="watched", epochs=epochs, runs=folder)
    return made[0].seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--imbalance-factor", type=float, default=50)
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    seen = watch_training(arguments.dataset, arguments.imbalance_factor, arguments.epochs)
    half = max(row["step"] for row in seen) / 2
    rows = []
    for solver in SOLVERS:
        for ridge in STRENGTHS:
            row: dict[str, object] = {"solver": solver, "ridge": ridge}
            row["error_on_random_features"] = f"{error_on_random_features(solver, ridge):.1e}"
            for when, chosen in (("early", lambda r: r["step"] <= half), ("late", lambda r: r["step"] > half)):
                part = [r for r in seen if (r["solver"], r["ridge"]) == (solver, ridge) and chosen(r)]
                for name in ("below_zero", "largest", "effective_share"):
                    row[f"{name}_{when}"] = round(sum(r[name] for r in part) / len(part), 3)
            rows.append(row)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"ridge-{arguments.dataset}-if{arguments.imbalance_factor:g}.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    print(path.read_text())


if __name__ == "__main__":
    main()
