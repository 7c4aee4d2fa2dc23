"""Print the table of docs/methods/on-digits.md: every method on digits, against cross-entropy on the same images.

.venv/bin/python docs/every_method.py    # of the shipped runs, in seconds

Each seed draws the training images and the network anew. Only seeds that every method has are compared.
"""

from __future__ import annotations

import pandas as pd

from rdr_core import method_label, method_order
from rdr_core.runs import list_runs
from rdr_core.runs.archive import shipped
from rdr_viz.analysis.groups import t_interval

BASE = "ce"


def accuracies() -> pd.DataFrame:
    """A row a method and seed: ``method``, ``seed``, ``all``, ``many``, ``few`` (%), of seeds that all methods have."""
    runs = [
        run
        for run in list_runs(shipped(), dataset="digits", imbalance_factor=50, schedule="cosine", noise_rate=0)
        if run.config.data_seed == run.config.seed
    ]
    table = pd.DataFrame([
        {"method": run.config.method, "seed": run.config.seed, "all": run.metrics["top1"], "many": run.metrics["many"],
         "few": run.metrics["few"]}
        for run in runs
    ])  # fmt: skip
    seeds = table.groupby("seed")["method"].nunique()
    own = table[table["seed"].isin(seeds[seeds > seeds.max() / 2].index)]
    whole = own.groupby("method")["seed"].nunique()
    return own[own["method"].isin(whole[whole == whole.max()].index)]


def markdown(table: pd.DataFrame) -> str:
    """Means over seeds and, in brackets, the difference from cross-entropy with its 95 % interval."""
    seeds = table["seed"].nunique()
    lines = [
        f"Accuracy in percent on digits at imbalance factor 50 (60 epochs, the last one), mean over {seeds} seeds, "
        "each with its own training images; in brackets the difference from cross-entropy on the same images, with its "
        "95 % interval.",
        "",
        "| method | over all classes | on Many | on Few |",
        "| --- | --- | --- | --- |",
    ]
    by_seed = table.pivot(index="seed", columns="method")
    for method in sorted(table["method"].unique(), key=method_order):
        cells = []
        for measure in ("all", "many", "few"):
            own = by_seed[measure, method]
            cell = f"{own.mean():.1f}"
            if method != BASE:
                gain = own - by_seed[measure, BASE]
                low, high = t_interval(gain.to_numpy())
                cell += f" ({gain.mean():+.1f} [{low:+.1f}, {high:+.1f}])"
            cells.append(cell)
        lines.append(f"| {method_label(method)} `{method}` | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(accuracies()))
