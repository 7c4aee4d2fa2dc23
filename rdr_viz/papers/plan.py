"""Which runs papers need, which there are, and what the rest would take on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rdr_core.jobs.cost import seconds_of
from rdr_core.jobs.machines import machine_names, read_machine
from rdr_core.jobs.space import bytes_of
from rdr_core.plain import total
from rdr_viz.papers.grids import Grid
from rdr_viz.papers.paper import Paper
from rdr_viz.papers.tasks import choose
from rdr_viz.papers.wanted import wanted

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.runs import RunConfig
    from rdr_viz.papers.shelf import Shelf


def plan_table(
    chosen: Sequence[tuple[Paper, Grid, tuple[str, ...]]],
    shelf: Shelf,
    *,
    seeds: int | None = None,
    seconds: dict[RunConfig, float | None],
) -> pd.DataFrame:
    """A row for each grid and part of a paper: ``grid``, ``part``, ``data`` (sets and IFs), ``methods``, ``runs``,
    ``finished``, ``seconds`` (of the missing ones; NaN if that of one is not known here).

    A run that fills several parts is in each; the row "all" counts it once.
    """
    import pandas as pd

    rows = []
    for paper, grid, parts in chosen:
        wants = wanted(paper, grid, artifacts=parts, seeds=seeds)
        for part in (*(parts or paper.artifacts), "all"):
            configs = [want.config for want in wants if part == "all" or part in want.artifacts]
            if not configs:
                continue
            lacking = [config for config in configs if shelf.find(config) is None]
            costs = [cost for config in lacking if (cost := seconds.get(config)) is not None]
            rows.append(
                {
                    "paper": paper.name,
                    "grid": grid.name,
                    "part": part,
                    "data": _data(configs),
                    "methods": len({config.method for config in configs}),
                    "seeds": len({config.seed for config in configs}),
                    "runs": len(configs),
                    "finished": len(configs) - len(lacking),
                    "seconds": float(sum(costs)) if len(costs) == len(lacking) else float("nan"),
                }
            )
    return pd.DataFrame(rows)


def show_plan(papers: Sequence[Paper], names: str, shelf: Shelf, *, runs: Path, seeds: int | None, device: str) -> None:
    """Measure what the missing runs cost, or foretell it on a machine that was measured, and print the table.

    Runs begun in ``runs`` count with their rest only.
    """
    from rich.console import Console
    from rich.table import Table

    chosen = choose(papers, names)
    lacking = {
        want.config
        for paper, grid, parts in chosen
        for want in wanted(paper, grid, artifacts=parts, seeds=seeds)
        if shelf.find(want.config) is None
    }
    seconds = seconds_of(sorted(lacking, key=lambda config: config.name), device, runs=runs, progress=True)
    table = plan_table(chosen, shelf, seeds=seeds, seconds=seconds)
    console = Console()
    for (paper, grid), rows in table.groupby(["paper", "grid"], sort=False):
        title = f"{grid} ({paper}): {next(one.title for of, one, _ in chosen if (of.name, one.name) == (paper, grid))}"
        shown = Table(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
        # Widths of a terminal's 80 columns, and the same for every grid: a column that does not fit is left out unsaid.
        for name, width in (("part", 8), ("data", 27), ("methods", 7), ("seeds", 5), ("runs", 5), ("made", 5),
                            ("time left", 9)):  # fmt: skip
            shown.add_column(name, justify="left" if name in ("part", "data") else "right", width=width)
        for row in rows.to_dict("records"):
            counts = (str(row[name]) for name in ("methods", "seeds", "runs", "finished"))
            shown.add_row(
                row["part"], row["data"], *counts, time_words(row["seconds"]),
                style="bold" if row["part"] == "all" else "",
            )  # fmt: skip
        console.print(shown, "")
    space = total(bytes_of(lacking).values())
    if lacking and space is not None:
        console.print(f"What is missing takes about {space_words(space)} of disk when it is finished.")
    if device in machine_names():
        console.print(f"Times are on {read_machine(device).words}, one run after the other.")


def time_words(seconds: float) -> str:
    """A time as a person says it.

    Example:
        >>> [time_words(seconds) for seconds in (0, 42, 600, 7.4e3, 4e5, 2.4e7, float("nan"))]
        ['', '42 s', '10 min', '2.1 h', '4.6 days', '278 days', 'unknown']
    """
    if seconds != seconds:
        return "unknown"
    for unit, size, digits in (("days", 86_400, 1), ("h", 3_600, 1), ("min", 60, 0), ("s", 1, 0)):
        if seconds >= (1.5 if unit != "s" else 0) * size:
            return f"{seconds / size:.{digits if seconds < 100 * size else 0}f} {unit}" if seconds else ""
    return ""


def space_words(size: float) -> str:
    """Bytes as a person says them.

    Example:
        >>> [space_words(size) for size in (447_000, 3.2e6, 4.5e10, 2e12)]
        ['0.4 MB', '3.2 MB', '45 GB', '2 TB']
    """
    for unit, of in (("TB", 1e12), ("GB", 1e9)):
        if size >= of:
            return f"{size / of:.3g} {unit}"
    return f"{size / 1e6:.1f} MB" if size < 1e7 else f"{size / 1e6:.0f} MB"


def _data(configs: Iterable[RunConfig]) -> str:
    """As "cifar10 IF 10, 100, 5% noise too; cifar100 IF 10"."""
    words = []
    for dataset in dict.fromkeys(config.dataset for config in configs):
        here = [config for config in configs if config.dataset == dataset]
        factors = sorted({config.imbalance_factor for config in here if config.imbalance_factor is not None})
        noises = sorted({config.noise_rate for config in here if config.noise_rate})
        clean = any(not config.noise_rate for config in here)
        text = dataset + (f" IF {', '.join(f'{factor:g}' for factor in factors)}" if factors else "")
        text += "".join(f", {noise:.0%} noise{' too' if clean else ''}" for noise in noises)
        words.append(text)
    return "; ".join(words)
