"""How far the ratios of our default are from those of Algorithm 1, on the same batches of the same training.

    python benchmarks/text_ratios.py             trains, writes the CSV, prints the table (a quarter of an hour)
    python benchmarks/text_ratios.py --from-csv  prints the table of what was measured

Networks train with `rdr`. In each batch Algorithm 1 as printed (`rdr:preset=text`) is asked too, of the same features,
with prototypes of its own that follow them. A seed moves the data's subset too.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from rdr_core.data import load_data
from rdr_core.data.groups import GROUPS
from rdr_core.methods.contract import Weighing, Weighting
from rdr_core.methods.rdr import RDRWeights
from rdr_core.runs import RunConfig
from rdr_core.training.loop import train_epoch
from rdr_core.training.randomness import fold, isolated
from rdr_core.training.recipes import settings_for
from rdr_core.training.state import TrainingState
from rdr_core.training.threads import using_threads
from rdr_viz.analysis.correlation import spearman

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "text-ratios.csv"
#: A ratio is far out from here on.
FAR = 10.0


@dataclass(frozen=True)
class Setting:
    """What is trained.

    Attributes:
        title: of its rows.
        dataset, model, factor, epochs: of the runs.
        seeds: how many.
    """

    title: str
    dataset: str
    model: str
    factor: int
    epochs: int
    seeds: int


SETTINGS = (
    Setting("CIFAR-10, ResNet-32", "cifar10", "resnet32", 100, 3, 3),
    Setting("CIFAR-10, small network", "cifar10", "small", 100, 5, 3),
    Setting("digits", "digits", "small", 50, 60, 10),
)
#: From and to which share of the batches after the warm-up.
PARTS = {"early": (0.0, 0.2), "late": (0.8, 1.0)}


class Both(Weighting):
    """Weighs by ours, and keeps of each batch the ratios of the text's beside them.

    Attributes:
        seen: a frame a batch: ``batch``, ``class``, ``ours``, ``text``.
    """

    def __init__(self, ours: RDRWeights) -> None:
        super().__init__()
        self.ours = ours
        self.text = RDRWeights(ours.class_counts, ours.prototypes.shape[1], preset="text")
        self.seen: list[pd.DataFrame] = []

    def weigh(self, features: torch.Tensor, labels: torch.Tensor) -> Weighing:
        weighed, ratios = self.ours.weigh(features, labels), self.text.weigh(features, labels).ratios
        columns = {"class": labels.numpy(), "ours": weighed.ratios.double(), "text": ratios.double()}
        self.seen.append(pd.DataFrame({"batch": len(self.seen), **columns}))
        return weighed


def compared(visits: pd.DataFrame, group_of_class: NDArray[np.str_]) -> pd.DataFrame:
    """How far two ratios of the same visits are apart, over all visits and by group.

    Args:
        visits: ``batch``, ``class``, ``ours``, ``text``: a row for each image in each batch.
        group_of_class: (d,) "Many", "Medium" or "Few".

    Returns:
        ``group`` ("All" and those with visits). Of each of the two, as ``below_zero_ours`` and so on: ``below_zero``
        and ``far``, shares of the visits whose ratio is below 0 and above :data:`FAR` in size, in percent, and
        ``mean``, the mean over classes of their mean ratios. ``rank_correlation``, Spearman's of the two within a class
        in a batch: the mean over classes of their means over batches with three images or more; NaN without such.
    """
    alike = {
        (klass, batch): spearman(rows["ours"], rows["text"])
        for (klass, batch), rows in visits.groupby(["class", "batch"])
        if len(rows) >= 3
    }
    by_class = visits.groupby("class")[["ours", "text"]].mean()
    by_class["rank"] = pd.Series(alike, dtype=float).groupby(level=0).mean() if alike else np.nan
    rows = []
    for group in ("All", *GROUPS):
        own = visits if group == "All" else visits[group_of_class[visits["class"]] == group]
        if own.empty:
            continue
        classes = by_class.loc[own["class"].unique()]
        row: dict[str, object] = {"group": group}
        for name, those in (("below_zero", own < 0), ("far", own.abs() > FAR)):
            row |= {f"{name}_{which}": 100 * those[which].mean() for which in ("ours", "text")}
        row |= {f"mean_{which}": classes[which].mean() for which in ("ours", "text")}
        rows.append(row | {"rank_correlation": classes["rank"].mean()})
    return pd.DataFrame(rows)


def measured(setting: Setting, seed: int) -> pd.DataFrame:
    """The comparison in each of :data:`PARTS` of a training."""
    whose = {"dataset": setting.dataset, "imbalance_factor": setting.factor, "method": "rdr", "model": setting.model}
    settings = settings_for(setting.dataset, epochs=setting.epochs)
    config = RunConfig(**whose, seed=seed, data_seed=seed, **settings)
    data = load_data(config.dataset, **config.data_request)
    with isolated(fold(seed, "run")), using_threads(1):
        state = TrainingState(config, data, torch.device("cpu"))
        state.weighting = state.objective.weighting = both = Both(state.weighting)
        with tqdm(total=state.batches * config.epochs, desc=f"{setting.title}, seed {seed}") as bar:
            for epoch in range(config.epochs):
                state.epoch, state.batch = epoch, 0
                train_epoch(state, tick=bar.update, stop=lambda: False)
    tables = []
    warm_up = both.ours.warmup_steps
    after = len(both.seen) - warm_up
    for part, ends in PARTS.items():
        start, end = (warm_up + round(share * after) for share in ends)
        table = compared(pd.concat(both.seen[start:end]), np.asarray(data.groups.of_class))
        tables.append(table.assign(part=part, batches=end - start))
    whole = pd.concat(tables, ignore_index=True)
    about = {"setting": setting.title, "imbalance_factor": setting.factor, "epochs": setting.epochs, "seed": seed}
    for place, (name, value) in enumerate(about.items()):
        whole.insert(place, name, value)
    return whole


def markdown(table: pd.DataFrame) -> str:
    """Means over seeds, ours beside the text's."""
    lines = ["| trained | group | below 0 | above 10 in size | class mean | rank correlation |", "| --- " * 6 + "|"]
    keys = ["setting", "imbalance_factor", "epochs", "part", "group"]
    for (title, factor, epochs, part, group), rows in table.groupby(keys, sort=False):
        mean = rows.mean(numeric_only=True)
        percent = [f"{mean[f'{name}_ours']:.1f} / {mean[f'{name}_text']:.1f} %" for name in ("below_zero", "far")]
        alike = "" if np.isnan(mean["rank_correlation"]) else f"{mean['rank_correlation']:.2f}"
        cells = [*percent, f"{mean['mean_ours']:.3g} / {mean['mean_text']:.3g}".replace("e+", "e"), alike]
        about = f"{title}, IF {factor}, {epochs} epochs, {rows['seed'].nunique()} seeds: {part}"
        lines.append(f"| {about} | {group} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from-csv", action="store_true", help="print the table of what was measured")
    if not parser.parse_args().from_csv:
        tables = [measured(setting, seed) for setting in SETTINGS for seed in range(setting.seeds)]
        pd.concat(tables).round(6).to_csv(RESULTS, index=False)
    print(markdown(pd.read_csv(RESULTS)))


if __name__ == "__main__":
    main()
