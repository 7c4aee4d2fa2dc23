"""How often the truth lies within two standard errors of a trace, and of a density's trace: 95.45 % is promised.

    python benchmarks/standard_errors.py            simulates, writes the CSV, prints the table
    python benchmarks/standard_errors.py --from-csv prints the table of what was simulated
    python benchmarks/standard_errors.py --table    prints what rdr_viz.analysis.curvature.trace widens intervals by

Over spectra on which few or many eigenvalues share in the trace, from two probes on, without deflation, which would
make most of them exact. The Hessian of the mean of (x_i . w)^2 / 2 is X'X / N, so any spectrum can be had.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import stdtrit
from torch import nn
from tqdm import tqdm

from rdr_viz.analysis.curvature import Hessian

RESULTS = Path(__file__).resolve().parents[1] / "data" / "measurements" / "standard-errors.csv"
SIZE = 120
SPECTRA = {
    "flat": np.linspace(0.5, 1.5, SIZE),
    "half below zero": np.linspace(-1.0, 2.0, SIZE),
    "ten of 120": np.repeat([1.0, 0.0], [10, SIZE - 10]),
    "falls as a power": np.arange(1.0, SIZE + 1) ** -2,
    "falls exponentially": np.exp(-np.arange(SIZE) / 5),
    "a network's": np.concatenate([np.linspace(6, 1, 10), 0.4 * np.random.default_rng(0).gamma(0.3, 1, SIZE - 10)]),
    "rank one": np.repeat([1.0, 0.0], [1, SIZE - 1]),
}
PROBES = (2, 3, 5, 10, 16, 30)
SEEDS = 4000


def quadratic(spectrum: np.ndarray) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """A model, images and labels whose Hessian, by :func:`signed`, has that spectrum in a random basis."""
    basis, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((len(spectrum), len(spectrum))))
    images = np.sqrt(len(spectrum) * np.abs(spectrum))[:, None] * basis.T
    return nn.Linear(len(spectrum), 1, bias=False), torch.from_numpy(images), torch.from_numpy(np.sign(spectrum))


def signed(outputs: torch.Tensor, signs: torch.Tensor) -> torch.Tensor:
    """The loss of each image: half its output's square, by its sign."""
    return signs * outputs[:, 0] ** 2 / 2


def within(spectrum: np.ndarray, probes: int, seeds: int) -> dict[str, float]:
    """Percent of seeds in which the truth lay within two standard errors; those without one are not counted."""
    model, images, signs = quadratic(spectrum)
    inside: dict[str, list[bool]] = {"trace": [], "density": []}
    for seed in range(seeds):
        hessian = Hessian(model, images, signs, loss=signed, dtype=torch.float64, seed=seed)
        trace = hessian.trace(probes=probes)
        density = hessian.spectral_density(probes, steps=2)  # its first moment is exact after one
        for name, value, error in (
            ("trace", trace.value, trace.standard_error), ("density", density.trace, density.trace_standard_error),
        ):  # fmt: skip
            if not np.isnan(error):
                inside[name].append(abs(value - spectrum.sum()) <= 2 * error)
    return {name: 100 * float(np.mean(of)) for name, of in inside.items()}


def adaptive(spectrum: np.ndarray, relative_error: float, seeds: int) -> float:
    """The same of a trace that stops where its error is small enough."""
    model, images, signs = quadratic(spectrum)
    inside = []
    for seed in range(seeds):
        hessian = Hessian(model, images, signs, loss=signed, dtype=torch.float64, seed=seed)
        found = hessian.trace(relative_error)
        inside.append(abs(found.value - spectrum.sum()) <= 2 * found.standard_error)
    return 100 * float(np.mean(inside))


def simulate(seeds: int) -> pd.DataFrame:
    """A row for each spectrum and number of probes."""
    rows = []
    for name, probes in tqdm([(name, probes) for name in SPECTRA for probes in PROBES]):
        rows.append({"spectrum": name, "probes": probes, **within(SPECTRA[name], probes, seeds)})
    rows += [
        {"spectrum": name, "probes": "until 0.1", "trace": adaptive(spectrum, 0.1, seeds)}
        for name, spectrum in tqdm(SPECTRA.items())
    ]
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """Trace / density in percent, a row for each spectrum."""
    columns = [*map(str, PROBES), "until 0.1"]
    lines = [f"| spectrum | {' | '.join(columns)} |", "| --- " * (len(columns) + 1) + "|"]
    for name, rows in table.groupby("spectrum", sort=False):
        cells = {
            str(row.probes): f"{row.trace:.1f}" + ("" if np.isnan(row.density) else f" / {row.density:.1f}")
            for row in rows.itertuples()
        }
        lines.append(f"| {name} | {' | '.join(cells[column] for column in columns)} |")
    return "\n".join(lines)


def widening() -> str:
    """Quantiles of |mean - 1| over s / sqrt(n), by half of Student's, for n samples of chi-squared over its freedom."""
    draw, lines = np.random.default_rng(0), []
    for n in (2, 3, 4, 5, 6, 8, 10, 16, 24, 32, 64, 128):
        cells = []
        for freedom in (1, 2, 4, 8, 16, 64):
            off, count = [], 2_000_000
            for _ in range(0, count, 2**17):
                samples = draw.chisquare(freedom, (2**17, n)) / freedom
                off.append(np.abs(samples.mean(1) - 1) / (samples.std(1, ddof=1) / np.sqrt(n)))
            quantile = np.quantile(np.concatenate(off), 2 * 0.9772498680518208 - 1)
            cells.append(max(1.0, quantile / stdtrit(n - 1, 0.9772498680518208)))
        lines.append("    [" + ", ".join(f"{cell:.2f}" for cell in cells) + "],")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--from-csv", action="store_true", help="print the table of what was simulated")
    parser.add_argument("--table", action="store_true", help="print what intervals are widened by")
    asked = parser.parse_args()
    if asked.table:
        print(widening())
    else:
        if not asked.from_csv:
            found = simulate(asked.seeds)
            found.to_csv(RESULTS, index=False, lineterminator="\n", float_format="%.2f")
        print(markdown(pd.read_csv(RESULTS)))
