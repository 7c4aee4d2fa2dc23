"""Runs made up for drawing: the names of a stored run, realistic values, no training."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from rdr_core.data.kinds import IMAGES
from rdr_core.runs import RunConfig


class FakeGroups:
    """Class indices by group, like the core's."""

    def __init__(self, many: list[int], medium: list[int], few: list[int]) -> None:
        self.many, self.medium, self.few = (np.array(part, dtype=int) for part in (many, medium, few))
        self.of_class = np.empty(len(many) + len(medium) + len(few), dtype=object)
        for name, members in self.items():
            self.of_class[members] = name

    def items(self):
        yield "Many", self.many
        yield "Medium", self.medium
        yield "Few", self.few


_ACCURACY = {
    "ce": (96.0, 78.0, 31.0),
    "inverse": (93.5, 81.0, 47.5),
    "rdr": (94.5, 82.5, 45.0),
}


def make_run(
    method: str = "rdr",
    *,
    seed: int = 0,
    epochs: int = 20,
    warm_up: int = 0,
    few: bool = True,
    class_names: tuple[str, ...] | None = None,
    dataset: str = "digits",
    imbalance_factor: float | None = 50.0,
    path=None,
    **settings,
):
    """A run of 10 classes with 124 down to 2 training images, deterministic in its arguments."""
    rng = np.random.default_rng([seed, *method.encode()])
    d = 10
    counts = np.array([124, 80, 52, 34, 22, 14, 9, 6, 4, 2])
    names = class_names or tuple(str(i) for i in range(d))
    groups = FakeGroups([0, 1, 2], [3, 4, 5, 6], [7, 8, 9]) if few else FakeGroups([0, 1, 2], list(range(3, d)), [])
    pi = counts / counts.sum()
    base = 1 / pi if method != "ce" else np.ones(d)
    base = base / (pi * base).sum()
    rows = []
    for epoch in range(1, epochs + 1):
        t = epoch / epochs
        b_prime = np.sqrt(pi) * (1 - 0.9 * t * np.linspace(0.4, 1, d) + 0.02 * rng.normal(size=d)).clip(0, 1)
        ratio = np.full(d, np.nan)
        weight = base.copy()
        if method.startswith("rdr"):
            ratio = 1 + np.linspace(0.35, -0.15, d) * (1 - 0.5 * t) + 0.02 * rng.normal(size=d)
            weight = base * ratio
        if method != "ce" and epoch <= warm_up:
            weight = np.ones(d)
        for k in range(d):
            rows.append(
                {
                    "epoch": epoch,
                    "class": k,
                    "count": int(counts[k]),
                    "group": groups.of_class[k],
                    "accuracy": 50.0 + 40 * t,
                    "weight": weight[k],
                    "ratio": ratio[k],
                    "b_prime": b_prime[k],
                    "b_prime_probability": 0.9 * b_prime[k],
                    "b_prime_batch": 0.6 * b_prime[k],
                    "b_prime_quantile": 0.7 * b_prime[k],
                }
            )
    many, medium, few_accuracy = np.array(_ACCURACY.get(method, (90.0, 80.0, 40.0))) + 0.8 * seed
    top1 = 0.3 * many + 0.4 * medium + 0.3 * few_accuracy
    history = pd.DataFrame(
        {
            "epoch": np.arange(1, epochs + 1),
            "learning_rate": 0.1,
            "loss": np.linspace(2.3, 0.1, epochs),
            "train_accuracy": 99.0,
            "accuracy": top1,
            "many": many,
            "medium": medium,
            "few": few_accuracy if few else np.nan,
            "negative_ratios": np.linspace(0.28, 0.22, epochs) if method.startswith("rdr") else np.nan,
            "bound_terms": 1.0,
            "seconds": 0.4,
        }
    )
    run = SimpleNamespace(
        name=f"{dataset}-{method}-{seed}",
        path=path,
        config=RunConfig(
            dataset=dataset,
            imbalance_factor=imbalance_factor,
            method=method,
            seed=seed,
            epochs=epochs,
            **{"model": "small", "batch_size": 32, "learning_rate": 0.1} | settings,
        ),
        kind=IMAGES,
        class_counts=counts,
        class_names=names,
        groups=groups,
        history=history,
        classes=pd.DataFrame(rows),
        metrics={
            "top1": float(top1),
            "many": float(many),
            "medium": float(medium),
            "few": float(few_accuracy) if few else None,
            "per_class": [50.0] * d,
        },
    )
    run.as_stored = run
    return run
