"""The toolkit at first sight: train three methods on a long-tailed set of digits, draw, write a page."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from rdr_core.runs import Run

METHODS = ("ce", "inverse", "rdr")
DATASET = "digits"
IMBALANCE_FACTOR = 50.0


def run_demo(
    out: str | os.PathLike[str] = "demo",
    *,
    methods: Sequence[str] = METHODS,
    seed: int = 0,
    epochs: int | None = None,
    console: Console | None = None,
) -> Path:
    """Train on ``digits`` at imbalance factor 50, print accuracy by group and write the page.

    The results of the same methods over the shipped seeds are beside it, since one seed says little about them. A run
    that is already in ``out/runs`` is read, not trained again.

    Args:
        out: Folder for ``index.html``, ``figures`` and ``runs``; default ``demo`` in the current folder.
        methods: What to train; default CE, 1/n and RDR.
        seed: Of initialisation and batches; default 0.
        epochs: Default: the data set's own.
        console: Where the table is printed; default a rich console on stdout.

    Returns:
        The path of ``index.html``.

    Raises:
        RdrError: as training does.

    Example:
        >>> run_demo("demo")  # doctest: +SKIP
        PosixPath('demo/index.html')
    """
    from rich.console import Console

    from rdr_core import train
    from rdr_viz.pages.report import write_report
    from rdr_viz.pages.tables import accuracy_table, print_table

    out, console = Path(out), console or Console()
    runs = [
        train(
            DATASET,
            imbalance_factor=IMBALANCE_FACTOR,
            method=method,
            epochs=epochs,
            seed=seed,
            data_seed=seed,  # as the shipped runs have it
            runs=out / "runs",
        )
        for method in methods
    ]
    print_table(accuracy_table(runs), console, title=f"{DATASET}, imbalance factor {IMBALANCE_FACTOR:g}, seed {seed}")
    others = shipped_seeds(runs)
    note = spread_words(runs, others)
    if others:
        print_table(accuracy_table(others), console, title="the same over the shipped seeds")
    console.print(note, highlight=False)
    command = f"rdr demo --out {shlex.quote(out.name)} --seed {seed}"
    return write_report(runs, out, command=command, note=note)


def shipped_seeds(runs: Sequence[Run]) -> list[Run]:
    """The shipped runs that differ from one of these in their seed and its images only, or not even in that."""
    from rdr_core.runs.archive import shipped
    from rdr_viz.papers.shelf import SEEDS, Shelf

    shelf = Shelf([shipped()])
    found = (shelf.find(replace(run.config, seed=seed, data_seed=seed)) for run in runs for seed in SEEDS)
    return [run for run in found if run is not None]


def spread_words(runs: Sequence[Run], others: Sequence[Run]) -> str:
    """What one seed is worth, in words: on how few images Few was learnt, and how far seeds lie apart there.

    Args:
        runs: of one seed.
        others: of several (:func:`shipped_seeds`); may be empty.
    """
    from rdr_core.methods.names import method_label
    from rdr_viz.analysis.words import listed, number, plural

    few = [int(runs[0].class_counts[c]) for c in runs[0].groups.few]
    said = f"One seed is one draw: the Few classes were learnt from {plural(sum(few), 'image')} in all"
    ends = []
    for method in dict.fromkeys(run.config.method for run in others):
        values = [run.metrics["few"] for run in others if run.config.method == method]
        ends.append(f"{method_label(method)} {number(min(values))} to {number(max(values))} % ({len(values)} seeds)")
    if not ends:
        return f"{said}, so another seed gives other numbers there."
    return f"{said}, and over the shipped seeds accuracy on Few ranges from {listed(ends)}."
