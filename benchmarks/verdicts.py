"""Every verdict once more, from the shipped runs, with NumPy and pandas alone: nothing of the toolkit.

    python benchmarks/verdicts.py                           prints each claim's mean, interval and verdict
    python benchmarks/verdicts.py --beside paper/claims.csv sets them beside those that `rdr paper` wrote, and fails
                                                            where one differs

It reads the archives of runs, the claims' own words and the grids (data/paper/rdr), takes each run's number (accuracy
of the last epoch, seconds, weights, curvature), the difference or the ratio seed by seed, Student's interval of its
mean, and Holm's rule over all that is asked of a scale.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import struct
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[1] / "data"
PAPER = DATA / "paper" / "rdr"
ALPHA = 0.05
#: The grid's runs are in the archive of its data set.
ARCHIVES = {
    "digits": "digits", "digits-authors": "digits", "fashion": "fashion", "fashion-authors": "fashion",
    "cifar": "cifar", "cifar-authors": "cifar",
}  # fmt: skip
FILES = ("config.json", "data.json", "metrics.json", "history.csv", "classes.safetensors", "done.json")
ACCURACIES = {"all": "accuracy", "many": "many", "medium": "medium", "few": "few"}


# Numbers of a run ------------------------------------------------------------------------------------------------


def runs_of(archive: Path) -> Iterator[dict[str, object]]:
    """Each run's configuration, with the text or bytes of its other files under ``files``."""
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(archive) as tar:
        for entry in tar:
            run, _, file = entry.name.partition("/")
            wanted = file in FILES
            if wanted or file.startswith(("analysis/curvature-", "analysis/class-loss-", "analysis/loss-surface-")):
                found.setdefault(run, {})[file] = tar.extractfile(entry).read()
    for files in found.values():
        if "done.json" in files:
            config = {"schedule": "cosine", "noise_rate": 0.0, "data_seed": 0, "class_order": "file"}
            yield {**config, **json.loads(files["config.json"])["config"], "files": files}


def arrays(content: bytes) -> dict[str, np.ndarray]:
    """A run's columns: a safetensors file is the length of its head, its head in JSON, and the numbers."""
    (length,) = struct.unpack("<Q", content[:8])
    head, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    names = {at["tensor"]: name for name, at in json.loads(head.pop("__metadata__")["tree"])["dict"]}
    types = {"F32": "<f4", "F64": "<f8"}
    return {
        names[key]: np.frombuffer(data[slice(*at["data_offsets"])], types[at["dtype"]]).reshape(at["shape"])
        for key, at in head.items()
    }


def numbers(files: dict[str, bytes]) -> dict[str, float]:
    """All that claims ask of a run, by name."""
    history = pd.read_csv(io.BytesIO(files["history.csv"])).sort_values("epoch").reset_index(drop=True)
    best, metrics = history.iloc[history.accuracy.idxmax()], json.loads(files["metrics.json"])
    at_last = {name: metrics["top1" if name == "all" else name] for name in ACCURACIES}
    found = {name: math.nan if value is None else float(value) for name, value in at_last.items()}
    found |= {f"{name} at the best epoch": float(best[column]) for name, column in ACCURACIES.items()}
    found["seconds"] = float(history.seconds.sum())
    groups = json.loads(files["data.json"])["groups"]
    return found | of_weights(arrays(files["classes.safetensors"]), groups) | of_curvature(files, groups, len(history))


def of_weights(columns: dict[str, np.ndarray], groups: dict[str, list[int]]) -> dict[str, float]:
    """Change of a group's class weights and raw ratios through training, and how weights go with B', without drift."""
    raw = columns["weight"].astype(float)  # a row an epoch, a column a class
    scaled = raw / np.nanmean(raw, axis=1, keepdims=True)
    moved = np.abs(raw - 1) > 1e-5
    starts = [int(np.flatnonzero(column)[0]) for column in moved.T if column.any()]
    after = slice(max(starts, default=0), None)  # from where every class's weight has left 1
    size = max(1, int(0.2 * len(scaled[after])))
    found = {}
    for name, members in groups.items():
        if not members:
            continue
        for what, column in (("weight", scaled), ("ratio", columns["ratio"].astype(float))):
            shown = pd.DataFrame(column[after][:, members])
            change = 100 * (shown.tail(size).mean() / shown.head(size).mean() - 1)
            found[f"change of the {what} of {name}"] = float(change.mean())
        weight, b_prime = (np.nanmean(x[after][:, members], 1) for x in (scaled, columns["b_prime"].astype(float)))
        found[f"correlation of weight and B' on {name}"] = without_drift(weight, b_prime)
    return found


def without_drift(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's correlation of what each value is above the mean of its neighbours."""
    if len(x) < 5 or any(np.ptp(one) <= 1e-6 * np.abs(one).max() for one in (x, y)):
        return math.nan
    x, y = (pd.Series(one[1:-1] - (one[:-2] + one[2:]) / 2).rank() for one in (x, y))
    return round(float(np.corrcoef(x, y)[0, 1]), 12)


def of_curvature(files: dict[str, bytes], groups: dict[str, list[int]], epochs: int) -> dict[str, float]:
    """Means over the Few classes, of the analyses of the last epoch of the four classes with the fewest images."""
    counts = json.loads(files["data.json"])["class_counts"]
    smallest = sorted(sorted(range(len(counts)), key=lambda c: (counts[c], -c))[:4])
    found = stored(files, "curvature", smallest, epochs)
    if found is None:
        return {}
    few = found[found["class"].isin(groups["few"])].set_index("class")
    loss = stored(files, "class-loss", smallest, epochs)
    if loss is None and (surface := stored(files, "loss-surface")) is not None:  # its centre are the weights themselves
        loss = surface[(surface.a == 0) & (surface.b == 0)].rename(columns={"loss": "mean_loss"})
    loss = math.nan if loss is None else loss.set_index("class").mean_loss.reindex(few.index)
    numbers = {
        "lambda_max": few.lambda_max, "lambda_min": few.lambda_min, "trace_few": few.trace,
        "lambda_min / lambda_max on Few": few.lambda_min / few.lambda_max,
        "lambda_max over loss on Few": few.lambda_max / loss, "trace over loss on Few": few.trace / loss,
    }  # fmt: skip
    return {name: float(values.mean(skipna=False)) for name, values in numbers.items()}


def stored(
    files: dict[str, bytes], what: str, classes: list[int] | None = None, epochs: int = 0
) -> pd.DataFrame | None:
    """The table of an analysis of these classes at that epoch, or of a run's only one."""
    for name, content in files.items():
        if name.startswith(f"analysis/{what}-") and name.endswith(".json"):
            asked = json.loads(content)["parameters"]
            right = asked["classes"] == classes and asked["epochs"] == [epochs] if classes else True
            if right and asked.get("k", 1) == 1:
                return pd.read_csv(io.BytesIO(files[name.replace(".json", ".csv")]))
    return None


# What is said of several -----------------------------------------------------------------------------------------


@cache
def students(freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Student's distribution function from 0 on: places, and the chance to lie between 0 and them."""
    u = np.linspace(0, math.pi / 2, 2_000_001)[:-1]  # the integral of the density over x = tan(u)
    density = (1 + np.tan(u) ** 2 / freedom) ** (-(freedom + 1) / 2) / np.cos(u) ** 2
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * (u[1] - u[0])
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    return u, area * constant


def quantile(freedom: int, confidence: float = 0.95) -> float:
    """Student's quantile that a two-sided interval takes.

    Example:
        >>> [round(quantile(freedom), 4) for freedom in (1, 4, 9)]
        [12.7062, 2.7764, 2.2622]
    """
    u, area = students(freedom)
    return float(np.tan(np.interp(confidence / 2, area, u)))


def tail(freedom: int, t: float) -> float:
    """The chance of more than t."""
    u, area = students(freedom)
    beyond = 0.5 - float(np.interp(math.atan(abs(t)), u, area))
    return beyond if t >= 0 else 1 - beyond


def p_value(values: np.ndarray, above: float, below: float) -> float:
    """Twice the chance of so clear an answer, if the mean lay on the nearest end of the range."""
    if len(values) < 2 or not np.ptp(values):
        return math.nan
    error = values.std(ddof=1) / math.sqrt(len(values))
    low, high = ((values.mean() - end) / error for end in (above, below))
    freedom = len(values) - 1
    inside = max(tail(freedom, low), tail(freedom, -high))
    outside = min(tail(freedom, -low), tail(freedom, high))
    return min(1.0, 2 * min(inside, outside))


def holm(p_values: pd.Series) -> float:
    """The level that Holm's rule ends at: the smallest of m may be 0.05 / m, the next 0.05 / (m - 1), and so on."""
    left = sorted(p_values.dropna())
    while left and left[0] <= ALPHA / len(left):
        left.pop(0)
    return ALPHA / max(1, len(left))


def interval(values: np.ndarray, confidence: float) -> tuple[float, float]:
    if len(values) < 2:
        return math.nan, math.nan
    half = quantile(len(values) - 1, confidence) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(values.mean()) - half, float(values.mean()) + half


def verdict(low: float, high: float, above: float, below: float) -> str:
    if not low < high:
        return "undecided"
    if above < low and high < below:
        return "holds"
    return "fails" if high <= above or low >= below else "undecided"


def kendall(x: np.ndarray, y: np.ndarray) -> float:
    """tau-b: pairs in the same order less pairs in another, ties allowed for; NaN where all are level."""
    pairs = np.triu_indices(len(x), 1)
    dx, dy = (np.sign(one[:, None] - one[None, :])[pairs] for one in (x, y))
    size = math.sqrt((dx**2).sum() * (dy**2).sum())
    return float((dx * dy).sum() / size) if size else math.nan


# Claims ----------------------------------------------------------------------------------------------------------


def as_list(value: object) -> list:
    return value if isinstance(value, list) else [value]


def named(method: str) -> str:
    """As runs are named: what begins with no loss and no weighting has cross-entropy."""
    return f"ce+{method}" if method.partition("+")[0] in ("sam", "imbsam", "ccsam") else method


def table_of(grid: dict, runs: pd.DataFrame) -> pd.DataFrame:
    """A grid's own runs of CIFAR-10-LT's part: the paper's imbalance factor and method, noise, seed, and numbers."""
    own = runs[runs.dataset == grid["datasets"].get("cifar10-lt", "")]
    authors = grid.get("settings", {}).get("recipe") == "authors"
    own = own[own.schedule.eq("step") == authors]
    for name, fixed in (("data_seed", "0"), ("class_order", "file")):
        wanted = own.seed.astype(str) if name in grid.get("draws", []) else fixed
        own = own[own[name].astype(str).eq(wanted)]
    factors = {ours: float(theirs) for theirs, ours in grid.get("factors", {}).items() if theirs != "256"}
    own = own.assign(factor=own.imbalance_factor.map(lambda f: factors.get(f, f)))
    taken = set(factors.values()) - set(factors)  # digits' IF 100 stands for 200, and 50 for 100
    own = own[~(own.imbalance_factor.isin(taken) & own.factor.eq(own.imbalance_factor))]
    if "only_factors" in grid:
        own = own[own.factor.isin(grid["only_factors"])]
    theirs = {ours: method for method, ours in grid.get("stands_for", {}).items()}
    own = pd.concat([own, own[own.method.isin(theirs)].assign(method=lambda t: t.method.map(theirs))])
    own = own[~own.method.isin(grid.get("stands_for", {})) | own.index.duplicated()]
    return own[own.method.isin(map(named, grid["only"]))] if "only" in grid else own


def settings_of(claim: dict, grid: dict, own: pd.DataFrame) -> Iterator[tuple[dict[str, object], np.ndarray]]:
    """Each setting of a claim, with the number of each seed; of ratios the logarithm."""
    here = own[own.noise_rate == claim.get("noise_rate", 0.0)]
    for factor in claim["factors"]:
        at = here[here.factor == factor]
        if claim.get("by") == "order":
            methods = list(map(named, claim["method"]))
            methods = [name for name in methods if name in set(map(named, grid.get("only", methods)))]
            # One network is one method, by whatever names it stands.
            stands_for = grid.get("stands_for", {})
            methods = [name for name in methods if stands_for.get(name) not in methods]
            if len(methods) > 3:  # fewer have no order to speak of
                setting = {"method": methods[0], "against": "", "measure": claim["measure"][0]}
                yield {"imbalance_factor": factor, **setting}, orders(at, methods, claim["measure"])
            continue
        for method, against, measure in product(*(as_list(claim.get(k, "")) for k in ("method", "against", "measure"))):
            setting = {"method": named(method), "against": named(against) if against else "", "measure": measure}
            yield {"imbalance_factor": factor, **setting}, compared(at, **setting, log=claim.get("by") == "ratio")


def compared(runs: pd.DataFrame, method: str, against: str, measure: str, log: bool) -> np.ndarray:
    """By seed: a measure of a method, less its rival's, or the logarithm of their ratio."""
    one, other = (
        runs[runs.method == name].set_index("seed").get(measure, pd.Series(dtype=float)).dropna().sort_index()
        for name in (method, against)
    )
    if not against:
        return one.to_numpy(float)
    pair = pd.concat([one, other], axis=1, join="inner", keys=["one", "other"]).sort_index()
    return (np.log(pair.one / pair.other) if log else pair.one - pair.other).to_numpy(float)


def orders(runs: pd.DataFrame, methods: list[str], measures: list[str]) -> np.ndarray:
    """By seed that has all methods: how far they stand in the same order by both measures."""
    runs = runs[runs.method.isin(methods)]
    one, other = (runs.pivot(index="seed", columns="method", values=measure) for measure in measures)
    whole = one.reindex(columns=methods).dropna().index
    alike = np.array([kendall(one.loc[seed].to_numpy(), other.loc[seed].to_numpy()) for seed in whole])
    return alike[~np.isnan(alike)]


def judged(grids: list[dict], claims: list[dict], runs: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row for each claim, scale, imbalance factor, pair of methods and measure that has runs."""
    rows = []
    for grid in grids:
        if grid["name"] not in ARCHIVES or ARCHIVES[grid["name"]] not in runs:
            continue
        own = table_of(grid, runs[ARCHIVES[grid["name"]]])
        for claim in claims:
            low, high = claim.get("between", [claim.get("above", -math.inf), claim.get("below", math.inf)])
            log = claim.get("by") == "ratio"
            ends = [math.log(low) if low > 0 else -math.inf, math.log(high)] if log else [low, high]
            for setting, values in settings_of(claim, grid, own):
                if len(values):
                    rows.append({"claim": claim["says"], "scale": grid["scale"], **setting, "values": values,
                                 "ends": ends, "log": log, "p": p_value(values, *ends)})  # fmt: skip
    table = pd.DataFrame(rows)
    table["level"] = table.groupby("scale")["p"].transform(holm)
    for row in table.itertuples():
        back = math.exp if row.log else float
        for name, confidence in (("", 0.95), ("wide_", 1 - row.level)):
            low, high = interval(row.values, confidence)
            table.loc[row.Index, [f"{name}low", f"{name}high"]] = back(low), back(high)
        table.loc[row.Index, "mean"] = back(row.values.mean())
        table.loc[row.Index, "seeds"] = len(row.values)
        table.loc[row.Index, "verdict"] = verdict(low, high, *row.ends)
    return table.drop(columns=["values", "ends", "log"])


def read(archives: Iterator[Path]) -> dict[str, pd.DataFrame]:
    """The runs of each archive, with their numbers."""
    found = {}
    for archive in archives:
        rows = [{**run, **numbers(run["files"])} for run in runs_of(archive)]
        found[archive.name.partition(".")[0]] = pd.DataFrame(rows).drop(columns="files")
    return found


def beside(found: pd.DataFrame, page: pd.DataFrame) -> list[str]:
    """Where the page says something else, in words."""
    there = page[page.verdict != "not measured"].assign(against=page.against.fillna(""))
    keys = ["claim", "scale", "imbalance_factor", "method", "against", "measure"]
    both = found.merge(there, "outer", on=keys, suffixes=("", "_of_page"), indicator="found_in")
    wrong = [f"only {row.found_in}: {row.claim} ({row.scale})" for row in both[both.found_in != "both"].itertuples()]
    for name in ("mean", "low", "high", "p", "level", "wide_low", "wide_high", "seeds"):
        off = ~np.isclose(both[name], both[f"{name}_of_page"], atol=1e-9, rtol=1e-5, equal_nan=True)
        wrong += [f"{name}: {row.claim} ({row.scale})" for row in both[off & (both.found_in == "both")].itertuples()]
    off = both[(both.verdict != both.verdict_of_page) & (both.found_in == "both")]
    return wrong + [f"verdict: {row.claim} ({row.scale})" for row in off.itertuples()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--beside", type=Path, help="the page's claims.csv")
    asked = parser.parse_args()
    grids, claims = (tomllib.loads((PAPER / f"{name}.toml").read_text())[name] for name in ("grids", "claims"))
    found = judged(grids, claims, read(sorted((DATA / "runs").glob("*.tar.xz"))))
    for row in found.itertuples():
        against = f" - {row.against}" if row.against else ""
        interval = f"{row.mean:+.2f} [{row.wide_low:.2f}, {row.wide_high:.2f}], {row.seeds:.0f} seeds"
        setting = f"{row.scale}, IF {row.imbalance_factor:g}, {row.method}{against}, {row.measure}"
        print(f"{row.verdict}: {row.claim}\n    {setting}: {interval}")
    if asked.beside:
        if wrong := beside(found, pd.read_csv(asked.beside)):
            sys.exit("\n".join(wrong))
        print(f"All {len(found)} are as in {asked.beside}.")


if __name__ == "__main__":
    main()
