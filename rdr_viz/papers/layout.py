"""A table's cells in the rows and columns in which a paper prints them, each with the words to be set in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import pandas as pd

from rdr_core.errors import RdrError
from rdr_viz.analysis.words import number, with_sign
from rdr_viz.papers.grids import PRINTED

#: Columns that stand side by side; a wider table is taken apart by data set.
WIDEST = 8
#: Where a cell of ours lies from the paper's -> the mark that says so without colour.
MARKS = {"inside": "≈", "above": "▲", "below": "▼", "open": "", "other": "", "empty": ""}

_GROUPS = {"all": "All", "many": "Many", "medium": "Medium", "few": "Few", "lambda_min": "λ min", "lambda_max": "λ max",
           "lambda_min_smallest": "λ min", "lambda_max_smallest": "λ max", "balanced_accuracy": "Balanced",
           "macro_f1": "Macro F1", "roc_auc": "AUC", "average_precision": "AP", "calibration_error": "ECE"}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """What a column measures: the group ``"few"`` of ``"cifar10-lt"`` at imbalance factor 100, say.

    ``stands`` is what stands for that setting of the paper at a small scale, ``"digits, IF 50"``.
    """

    dataset: str
    imbalance_factor: float
    group: str
    stands: str = ""

    @property
    def factor(self) -> str:
        """``"IF 100"``, or ``"IF 100: digits, IF 50"``."""
        return f"IF {self.imbalance_factor:g}" + (f": {self.stands}" if self.stands else "")

    @property
    def label(self) -> str:
        """``"Few"``, ``"λ max"``, ``"Trace, class 6"``.

        Example:
            >>> Column("cifar10-lt", 100, "trace_few").label
            'Trace, Few'
        """
        if self.group.startswith("trace_"):
            of = self.group.removeprefix("trace_")
            return "Trace, " + _GROUPS.get(of, of.replace("class", "class "))
        return _GROUPS.get(self.group, self.group.replace("_", " "))


@dataclass(frozen=True)
class Cell:
    """A cell in words.

    Attributes:
        paper: what the paper prints, ``"75.6 ± 0.8"``; ``"–"`` where it prints nothing.
        ours: ``"74.9 ± 0.5"``, mean and standard deviation over seeds; ``""`` if not measured.
        peeked: ours at the best epoch on the test set, which one must not report; ``""`` where it is no accuracy.
        seeds: how many.
        difference: ours less the paper's with its sign; ``""`` if not measured or in another setting.
        control: ours less its fair control's, "+0.3 over 1/n"; ``""`` where there is none.
        state: "inside" the spread of both, "above" or "below" it; "open" where no spread is known; "other" where ours
            is of another setting; "empty" where there is none.
        note: on a slip of the paper, ``""`` for none.
        command: that fills an empty cell.
    """

    paper: str
    ours: str
    peeked: str
    seeds: int
    difference: str
    control: str
    state: str
    note: str
    command: str

    @property
    def mark(self) -> str:
        """The state as a sign (:data:`MARKS`)."""
        return MARKS[self.state]


@dataclass(frozen=True)
class Part:
    """As much of a table as stands side by side.

    Attributes:
        columns: in the paper's order, those of a data set together.
        rows: label and cells of each row; None where the paper has no such cell.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]

    @property
    def grouped(self) -> bool:
        """Whether a setting has columns for groups or quantities, or accuracy over all classes alone."""
        return any(column.group != "all" for column in self.columns)

    @property
    def starts(self) -> tuple[bool, ...]:
        """Of each column, whether it is the first of a setting's several, beside another setting's."""
        settings = [(column.dataset, column.imbalance_factor) for column in self.columns]
        changes = (here != before for before, here in pairwise(settings))
        return (False, *(self.grouped and change for change in changes))

    def datasets(self) -> Iterator[tuple[str, int]]:
        """Each data set in turn and how many columns it has."""
        for dataset, columns in groupby(self.columns, key=lambda column: column.dataset):
            yield dataset, len(list(columns))

    def factors(self) -> Iterator[tuple[str, int]]:
        """Each data set's imbalance factors in turn (``"IF 100"``) and how many columns each has."""
        for (_, factor), columns in groupby(self.columns, key=lambda column: (column.dataset, column.factor)):
            yield factor, len(list(columns))


def heading(table: str) -> str:
    """A table's name in a heading.

    Example:
        >>> heading("1"), heading("figure4")
        ('Table 1', 'Figure 4')
    """
    return f"Figure {table.removeprefix('figure')}" if table.startswith("figure") else f"Table {table}"


def arrange(cells: pd.DataFrame) -> list[Part]:
    """Lay cells out as the paper does: a row a method, a column a data set, imbalance factor and group.

    Rows and columns keep the order in which they first come, but the columns of a data set stand together, and those of
    one of its imbalance factors. More than :data:`WIDEST` columns are taken apart by data set.

    Args:
        cells: of one table, a row a cell: ``dataset``, ``imbalance_factor``, ``row``, ``group``, ``paper``,
            ``paper_sd``, ``note``, ``ours``, ``ours_sd``, ``seeds``, ``difference``, ``within``, ``scale``,
            ``stands``, ``command``; numbers that are not known are NaN.

    Raises:
        RdrError: a place has two cells.
    """
    places = ["row", "dataset", "imbalance_factor", "group"]
    twice = cells[cells.duplicated(places)]
    if len(twice):
        row = twice.iloc[0]
        raise RdrError(
            f"The table has two cells for {row['row']} on {row['dataset']}, IF {row['imbalance_factor']:g}, "
            f"{row['group']}; give those of one scale at a time."
        )
    digits = _digits(cells["paper"])
    at = {
        (row["row"], Column(row["dataset"], float(row["imbalance_factor"]), row["group"], row["stands"])): _cell(
            row, digits
        )
        for row in cells.to_dict("records")
    }
    labels = list(dict.fromkeys(label for label, _ in at))
    columns = _together([column for _, column in at])
    if len(columns) <= WIDEST:
        apart = [columns]
    else:
        apart = [list(found) for _, found in groupby(columns, key=lambda column: column.dataset)]
    return [
        Part(tuple(found), tuple((label, tuple(at.get((label, column)) for column in found)) for label in labels))
        for found in apart
        if found
    ]


def tally(cells: pd.DataFrame) -> dict[str, int]:
    """How many cells there are of each state (:class:`Cell`), in the order of :data:`MARKS`; those with none left out.

    Example:
        >>> import pandas as pd
        >>> tally(pd.DataFrame({"ours": [70.1, 68.0, None], "difference": [0.1, -2.0, None], "scale": "paper",
        ...                     "within": [True, False, None]}))
        {'inside': 1, 'below': 1, 'empty': 1}
    """
    states = [_state(row) for row in cells.to_dict("records")]
    return {state: states.count(state) for state in MARKS if state in states}


def _together(columns: list[Column]) -> list[Column]:
    """Without repetition, those of a data set and of one of its factors beside each other, else as they come."""
    datasets = list(dict.fromkeys(column.dataset for column in columns))
    settings = list(dict.fromkeys((column.dataset, column.imbalance_factor) for column in columns))
    return sorted(
        dict.fromkeys(columns),
        key=lambda column: (datasets.index(column.dataset), settings.index((column.dataset, column.imbalance_factor))),
    )


def _digits(printed: pd.Series) -> int:
    """As many decimals as the paper prints, at least one and at most two."""
    known = printed.dropna()
    return 1 if (known.round(1) == known.round(2)).all() else 2


def _cell(row: Mapping[str, Any], digits: int) -> Cell:
    state = _state(row)
    compared = state not in ("other", "empty") and not pd.isna(row["difference"])
    difference = with_sign(number(row["difference"], digits)) if compared else ""
    return Cell(
        paper="–" if pd.isna(row["paper"]) else _with_spread(row["paper"], row["paper_sd"], digits),
        ours="" if state == "empty" else _with_spread(row["ours"], row["ours_sd"], digits),
        peeked="" if state == "empty" or pd.isna(row.get("peeked")) else number(row["peeked"], digits),
        seeds=0 if state == "empty" else int(row["seeds"]),
        difference=difference,
        control="" if state == "empty" else _control(row, digits),
        state=state,
        note=str(row["note"]),
        command=str(row["command"]),
    )


def _control(row: Mapping[str, Any], digits: int) -> str:
    return f"{with_sign(number(row['over_control'], digits))} over {row['control']}" if row.get("control") else ""


def _state(row: Mapping[str, Any]) -> str:
    if pd.isna(row["ours"]):
        return "empty"
    if row["scale"] not in PRINTED:
        return "other"
    if pd.isna(row["within"]) or pd.isna(row["difference"]):
        return "open"
    if row["within"]:
        return "inside"
    return "above" if row["difference"] > 0 else "below"


def _with_spread(value: float, sd: float, digits: int) -> str:
    return number(value, digits) + ("" if pd.isna(sd) else f" ± {number(sd, digits)}")
