"""What the core's commands print: runs as tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rdr_core.visible import say, visible

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from rdr_core.runs import Run

#: Measures as columns of `rdr evaluate`.
MEASURES = {
    "top1": "All", "many": "Many", "medium": "Medium", "few": "Few", "balanced_accuracy": "Bal",
    "macro_f1": "F1", "roc_auc": "AUC", "average_precision": "AP", "calibration_error": "ECE",
}  # fmt: skip

#: Characters of a cell: those of a folder's name, which a reader may want to copy.
_WIDEST = 255


def speaks() -> bool:
    """Whether this process is the one that prints: the first that torchrun started, or the only one."""
    rank, size = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    return not (rank.isdecimal() and size.isdecimal() and 0 < int(rank) < int(size))


def show(*runs: Run) -> None:
    """Print runs as a table; a group without a class is a dash."""
    from rich.console import Console

    if not speaks():
        return
    table = table_of("run", "method", "IF", "seed", "epochs", "All", "Many", "Medium", "Few")
    for run in runs:
        history = run.history
        last = history.iloc[-1] if len(history) else {}
        accuracy = [last.get(name) for name in ("accuracy", "many", "medium", "few")]
        config = run.config
        add_row(
            table,
            run.name,
            config.method,
            "-" if config.imbalance_factor is None else f"{config.imbalance_factor:g}",
            str(config.seed),
            _epochs(run, history),
            *("-" if value is None or value != value else f"{value:.1f}" for value in accuracy),
        )
    Console().print(table)
    # A folder unfolded, to be copied into the next command.
    say(f"in {runs[0].path}" if len(runs) == 1 else "in " + ", ".join(sorted({str(run.path.parent) for run in runs})))


def _epochs(run: Run, history: pd.DataFrame) -> str:
    """As 60, 20 of 60, or 60 + 10 where a second stage learnt for 10 epochs."""
    done = f"{len(history)}" if run.done else f"{len(history)} of {run.epochs}"
    if not run.base:
        return done
    learns = not run.done or history.learning_rate.iloc[-1] > 0
    return f"{run.config.epochs} + {done}" if learns else f"{run.config.epochs}"


def add_row(table: Table, *cells: object) -> None:
    """Add a row to a table, of text alone: what is markup to rich is text here, and what a terminal does is seen."""
    from rich.text import Text

    table.add_row(*(Text(visible(cell, _WIDEST)) for cell in cells))


def table_of(*columns: str) -> Table:
    """An empty table; columns of numbers are set to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numeric = column in {
            "IF", "seed", "epochs", "classes", "largest class", *MEASURES.values(),
        }  # fmt: skip
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    return table
