"""The verdicts on Fashion-MNIST once more, from the shipped runs, with NumPy and pandas alone: nothing of the toolkit.

    python benchmarks/verdicts.py                           prints each claim's mean, interval and verdict
    python benchmarks/verdicts.py --beside paper/claims.csv sets them beside those that `rdr paper` wrote, and fails
                                                            where one differs

It reads the archives' config.json and history.csv and the claims' own words (data/paper/rdr/claims.toml), takes the
last epoch of each run, the difference seed by seed, and Student's 95 % interval of its mean. Claims on accuracies are
judged; those on weights and curvature, and on orders of methods, are not.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
import tarfile
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[1] / "data"
#: What the page calls the grid -> its schedule, and the method that stands for the paper's RDR there.
SCALES = {
    "Fashion-MNIST, authors' schedule": ("step", {"rdr": "rdr:preset=released"}),
    "Fashion-MNIST": ("cosine", {}),
}
#: Measure -> column of a history.
MEASURES = {"all": "accuracy", "many": "many", "medium": "medium", "few": "few"}


def last_epochs(archive: Path) -> pd.DataFrame:
    """A row for each run whose seed draws its subset and its order of classes: what it is of, and its last epoch."""
    found: dict[str, dict[str, object]] = {}
    with tarfile.open(archive) as tar:
        for entry in tar:
            run, _, file = entry.name.partition("/")
            if file == "config.json":
                found.setdefault(run, {}).update(json.load(tar.extractfile(entry))["config"])
            elif file == "history.csv":
                history = pd.read_csv(io.BytesIO(tar.extractfile(entry).read()))
                found.setdefault(run, {}).update(history.loc[history.epoch.idxmax(), [*MEASURES.values()]])
    table = pd.DataFrame(found.values())
    drawn = (table.data_seed == table.seed) & (table.class_order.astype(str) == table.seed.astype(str))
    return table[drawn]


def quantile(freedom: int) -> float:
    """Student's 97.5 % quantile, from the integral of its density over x = tan(u).

    Example:
        >>> [round(quantile(freedom), 4) for freedom in (1, 4, 9)]
        [12.7062, 2.7764, 2.2622]
    """
    u = np.linspace(0, math.pi / 2, 2_000_001)[:-1]
    density = (1 + np.tan(u) ** 2 / freedom) ** (-(freedom + 1) / 2) / np.cos(u) ** 2
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * (u[1] - u[0])
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    return float(np.tan(np.interp(0.475, area * constant, u)))


def verdict(values: np.ndarray, above: float, below: float) -> tuple[float, float, float, str]:
    """Mean, ends of its interval, and what they say of a claim that it lies between ``above`` and ``below``."""
    mean = float(values.mean())
    if len(values) < 2 or not values.std():
        return mean, math.nan if len(values) < 2 else mean, math.nan if len(values) < 2 else mean, "undecided"
    half = quantile(len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))
    low, high = mean - half, mean + half
    if above < low and high < below:
        return mean, low, high, "holds"
    return mean, low, high, "fails" if high <= above or low >= below else "undecided"


def as_list(value: object) -> list:
    return value if isinstance(value, list) else [value]


def judged(runs: pd.DataFrame, claims: list[dict]) -> pd.DataFrame:
    """A row for each claim, imbalance factor, pair of methods and group that has runs."""
    rows = []
    for claim in claims:
        if claim.get("by", "difference") != "difference" or "cifar10-lt" not in claim["datasets"]:
            continue
        low, high = claim.get("between", [claim.get("above", -math.inf), claim.get("below", math.inf)])
        for scale, (schedule, stands_for) in SCALES.items():
            here = runs[(runs.schedule == schedule) & (runs.noise_rate == claim.get("noise_rate", 0.0))]
            for factor in claim["factors"]:
                at = here[here.imbalance_factor == factor]
                for method in as_list(claim["method"]):
                    for against in as_list(claim.get("against", [])):
                        one, other = (
                            at[at.method == stands_for.get(name, name)].set_index("seed") for name in (method, against)
                        )
                        for measure in as_list(claim["measure"]):
                            column = MEASURES.get(measure)
                            pairs = (one[column] - other[column]).dropna().to_numpy(float) if column else ()
                            if len(pairs):
                                mean, least, most, said = verdict(pairs, low, high)
                                rows.append([claim["says"], scale, factor, method, against, measure, mean, least, most,
                                             len(pairs), said])  # fmt: skip
    return pd.DataFrame(rows, columns=["claim", "scale", "imbalance_factor", "method", "against", "measure", "mean",
                                       "low", "high", "seeds", "verdict"])  # fmt: skip


def beside(found: pd.DataFrame, page: pd.DataFrame) -> list[str]:
    """Where the page says something else, in words."""
    there = page[page.scale.isin(SCALES) & (page.verdict != "not measured") & page.measure.isin(MEASURES)]
    there = there[there["by"].eq("difference") & there.against.notna()]
    keys = ["claim", "scale", "imbalance_factor", "method", "against", "measure"]
    both = found.merge(there, "outer", on=keys, suffixes=("", "_of_page"), indicator="found_in")
    wrong = [f"only {row.found_in}: {row.claim} ({row.scale})" for row in both[both.found_in != "both"].itertuples()]
    for name in ("mean", "low", "high", "seeds"):
        off = ~np.isclose(both[name], both[f"{name}_of_page"], atol=1e-9, rtol=1e-7, equal_nan=True)
        wrong += [f"{name}: {row.claim} ({row.scale})" for row in both[off & (both.found_in == "both")].itertuples()]
    off = both[(both.verdict != both.verdict_of_page) & (both.found_in == "both")]
    return wrong + [f"verdict: {row.claim} ({row.scale})" for row in off.itertuples()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--beside", type=Path, help="the page's claims.csv")
    asked = parser.parse_args()
    runs = pd.concat([last_epochs(path) for path in sorted((DATA / "runs").glob("fashion*.tar.xz"))])
    found = judged(runs, tomllib.loads((DATA / "paper" / "rdr" / "claims.toml").read_text())["claims"])
    for row in found.itertuples():
        compared = f"{row.scale}, IF {row.imbalance_factor:g}, {row.method} - {row.against}, {row.measure}"
        interval = f"{row.mean:+.2f} [{row.low:.2f}, {row.high:.2f}] over {row.seeds} seeds"
        print(f"{row.verdict}: {row.claim}\n    {compared}: {interval}")
    if asked.beside:
        if wrong := beside(found, pd.read_csv(asked.beside)):
            sys.exit("\n".join(wrong))
        print(f"All {len(found)} are as in {asked.beside}.")


if __name__ == "__main__":
    main()
