"""Print the table of docs/methods/what-difficulty-adds.md: what being rare costs each class of Fashion-MNIST.

.venv/bin/python docs/rare_and_easy.py    # of the shipped runs, in seconds

Each seed of these runs draws which class gets which place in the profile, so that a class is rare in some and common in
others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from rdr_core.runs import list_runs
from rdr_core.runs.archive import shipped

METHODS = {"ce": "CE", "inverse": "1/n", "inverse+drw": "1/n+DRW"}


def accuracies() -> pd.DataFrame:
    """A row for each method, seed and class: ``method``, ``seed``, ``name``, ``count``, ``group``, ``accuracy`` (%)."""
    runs = [
        run for run in list_runs(shipped(), dataset="fashion-mnist", schedule="step") if run.config.method in METHODS
    ]
    return pd.DataFrame([
        {"method": run.config.method, "seed": run.config.seed, "name": str(name), "count": int(count),
         "group": str(group), "accuracy": float(accuracy)}
        for run in runs
        for name, count, group, accuracy in
        zip(run.class_names, run.class_counts, run.groups.of_class, run.metrics["per_class"], strict=True)
    ])  # fmt: skip


def markdown(table: pd.DataFrame) -> str:
    """By class CE's accuracy where it is common and where it is rare, and 1/n's there; classes never rare last."""
    means = table.pivot_table(index="name", columns=["group", "method"], values="accuracy")
    seeds = table[table["method"] == "ce"].pivot_table(index="name", columns="group", values="seed", aggfunc="count")
    order = means["Few", "ce"].sort_values(ascending=False, na_position="last").index
    heads = ["class", "CE, many images", *(f"{label}, few images" for label in METHODS.values()), "seeds: many, few"]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for name in order:
        cells = [means.loc[name, ("Many", "ce")], *(means.loc[name, ("Few", method)] for method in METHODS)]
        times = [int(np.nan_to_num(seeds.loc[name, group])) for group in ("Many", "Few")]
        shown = ["" if np.isnan(cell) else f"{cell:.1f}" for cell in cells]
        lines.append(f"| {name} | {' | '.join(shown)} | {times[0]}, {times[1]} |")
    return "\n".join(lines)


def explained(table: pd.DataFrame) -> dict[str, float]:
    """Shares of the variance of CE's class errors that go with the log of the count, with the class, and with both."""
    ce = table[table["method"] == "ce"]
    error, count = 100 - ce["accuracy"].to_numpy(), np.log(ce["count"].to_numpy())[:, None]
    classes = pd.get_dummies(ce["name"]).to_numpy(float)[:, 1:]

    def share(*parts: np.ndarray) -> float:
        design = np.hstack([np.ones((len(error), 1)), *parts])
        left = error - design @ np.linalg.lstsq(design, error, rcond=None)[0]
        return float(1 - left.var() / error.var())

    return {"count": share(count), "class": share(classes), "both": share(count, classes)}


def sentence(table: pd.DataFrame) -> str:
    """The shares in words."""
    shares = {name: f"{100 * share:.0f} %" for name, share in explained(table).items()}
    return (
        f"The logarithm of the count explains {shares['count']} of the variance of cross-entropy's errors over classes "
        f"and {table['seed'].nunique()} seeds, the class itself {shares['class']}, and both together {shares['both']}."
    )


if __name__ == "__main__":
    found = accuracies()
    print(markdown(found), sentence(found), sep="\n\n")
