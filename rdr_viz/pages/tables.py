"""Accuracy by method and group as a table, for eyes and for files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rdr_core.visible import visible
from rdr_viz.analysis.accuracy import ALL_AND_GROUPS, accuracy_by_group, summarise
from rdr_viz.analysis.words import number

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from rdr_core.runs import Run


def accuracy_table(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per method, in the fixed order: test accuracy in percent, mean over seeds.

    Returns:
        Columns ``method`` (label), ``seeds``, ``All``, ``Many``, ``Medium``, ``Few`` and, where any method has several
        seeds, ``All sd``, ... (sample standard deviation, n - 1). NaN where the group has no class, and for the sd of
        one seed.

    Raises:
        RdrError: as :func:`rdr_viz.analysis.accuracy.accuracy_by_group`.
    """
    import pandas as pd

    summary = summarise(accuracy_by_group(runs))
    several = summary["seeds"].max() > 1
    rows = []
    for _, group_rows in summary.groupby("method", sort=False):
        by_group = group_rows.set_index("group")
        row = {"method": by_group["label"].iloc[0], "seeds": int(by_group["seeds"].max())}
        row |= {group: by_group.loc[group, "mean"] for group in ALL_AND_GROUPS}
        if several:
            row |= {f"{group} sd": by_group.loc[group, "sd"] for group in ALL_AND_GROUPS}
        rows.append(row)
    return pd.DataFrame(rows)


def cells(table: pd.DataFrame) -> list[list[str]]:
    """The table as text, a list per method: label, seeds, then ``"71.3"``, ``"71.3 ± 0.4"`` or ``"–"`` (no class)."""
    lines = []
    for _, row in table.iterrows():
        line = [str(row["method"]), f"{row['seeds']:,}"]
        for group in ALL_AND_GROUPS:
            mean, sd = row[group], row.get(f"{group} sd", float("nan"))
            text = number(mean) if mean == mean else "–"
            line.append(f"{text} ± {number(sd)}" if sd == sd else text)
        lines.append(line)
    return lines


def print_table(table: pd.DataFrame, console: Console | None = None, *, title: str | None = None) -> None:
    """Print what :func:`accuracy_table` returned, the best mean of each column in bold.

    Args:
        table: The accuracies.
        console: Default: a new rich console on stdout.
        title: Printed above.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console()
    shown = Table(title=title, title_justify="left", caption="test accuracy in percent", caption_justify="left")
    shown.add_column("Method")
    shown.add_column("Seeds", justify="right")
    for group in ALL_AND_GROUPS:
        shown.add_column(group, justify="right")
    for line, bold in zip(cells(table), best(table), strict=True):
        styles = ("bold" if strong else "" for strong in bold)
        shown.add_row(*(Text(visible(text), style=style) for text, style in zip(line, styles, strict=True)))
    console.print(shown)


def best(table: pd.DataFrame) -> list[list[bool]]:
    """For each cell of :func:`cells`, whether it is its column's best mean to the printed digit; several may be."""
    marks = [[False] * (2 + len(ALL_AND_GROUPS)) for _ in range(len(table))]
    if len(table) < 2:
        return marks
    for column, group in enumerate(ALL_AND_GROUPS, start=2):
        rounded = table[group].round(1)
        for row, value in enumerate(rounded):
            marks[row][column] = bool(value == rounded.max())
    return marks
