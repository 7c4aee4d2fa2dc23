"""What the core's commands print: runs as tables, and what was found of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from rdr_core.errors import Damaged
from rdr_core.visible import say, visible

if TYPE_CHECKING:
    from rich.table import Table

    from rdr_core.runs import Run
    from rdr_core.runs.checking import Checked

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
    if not speaks():
        return
    from rdr_core.methods.replaced import told
    from rdr_core.runs.stand_ins import replaced

    rows = []
    for run in runs:
        epochs, last = run.last_epoch
        accuracy = [last.get(name) for name in ("accuracy", "many", "medium", "few")]
        config = run.config
        factor = "-" if config.imbalance_factor is None else f"{config.imbalance_factor:g}"
        numbers = ("-" if value is None or value != value else f"{value:.1f}" for value in accuracy)
        rows.append(
            (
                visible(run.name, _WIDEST),
                visible(config.method, _WIDEST),
                factor,
                str(config.seed),
                _epochs(run, epochs, last),
                *numbers,
            )
        )
    header = ("run", "method", "IF", "seed", "epochs", "All", "Many", "Medium", "Few")
    for line in _in_columns(header, rows, words=2, width=get_terminal_size().columns):
        print(line)
    for run in runs:
        try:
            said = told(replaced(run.path))
        except Damaged as error:
            said = str(error)
        if said:
            say(said if len(runs) == 1 else f"{run.name}: {said}")
    # A folder unfolded, to be copied into the next command.
    say(f"in {runs[0].path}" if len(runs) == 1 else "in " + ", ".join(sorted({str(run.path.parent) for run in runs})))


def show_checked(found: Iterable[Checked], as_json: bool) -> bool:
    """Print what was found of runs, each as soon as it is; whether all are good."""
    listed = []
    for run in found:
        state = "in training, not looked at" if run.busy else "good" if run.good else "damaged"
        listed.append({
            "run": str(run.path), "state": state.partition(",")[0], "files": run.files, "given_checksums": run.sealed,
            "findings": [finding.sentence for finding in run.findings], "repaired": run.repaired,
        })  # fmt: skip
        if as_json:
            continue
        given = f"; {run.sealed} of an older version were given their checksums" if run.sealed else ""
        say(f"{run.path}: {state}" + ("" if run.busy else f", {run.files} files{given}"))
        for sentence in (*run.repaired, *(finding.sentence for finding in run.findings)):
            say(f"    {sentence}")
    if as_json:
        print(json.dumps(listed, indent=1))
    return all(run["state"] != "damaged" for run in listed)


def _epochs(run: Run, epochs: int, last: dict[str, float]) -> str:
    """As 60, 20 of 60, or 60 + 10 where a second stage learnt for 10 epochs."""
    done = f"{epochs}" if run.done else f"{epochs} of {run.epochs}"
    if not run.base:
        return done
    learns = not run.done or last["learning_rate"] > 0
    return f"{run.config.epochs} + {done}" if learns else f"{run.config.epochs}"


def _in_columns(header: tuple[str, ...], rows: list[tuple[str, ...]], *, words: int, width: int) -> Iterator[str]:
    """Rows set in columns below their header, numbers to the right; rich would take milliseconds for each.

    Args:
        header, rows: a text a column.
        words: so many columns are words; they are folded where a row would be longer than ``width``.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for column in range(words):
        over = sum(widths) + 2 * (len(widths) - 1) - width
        widths[column] = max(widths[column] - max(over, 0), min(widths[column], 12))
    for row in (header, *rows):
        parts = [[text[at : at + w] for at in range(0, len(text), w)] for text, w in zip(row, widths, strict=True)]
        for at in range(max(map(len, parts))):
            cells = [part[at] if at < len(part) else "" for part in parts]
            texts = [cell.ljust(w) if column < words else cell.rjust(w)
                     for column, (cell, w) in enumerate(zip(cells, widths, strict=True))]  # fmt: skip
            yield "  ".join(texts).rstrip()
        if row is header:
            yield "  ".join("─" * w for w in widths)


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
