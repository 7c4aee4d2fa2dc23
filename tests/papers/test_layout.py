"""Every cell stands where the paper has it, in words that say its numbers."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_cells import made_up_cells

from rdr_core import RdrError
from rdr_viz.papers.layout import MARKS, WIDEST, arrange, tally
from rdr_viz.papers.paper import load_paper

PAPER = load_paper()
TABLES = [table.name for table in PAPER.tables]
MINUS = "\N{MINUS SIGN}"


def one_cell(**values: object) -> pd.DataFrame:
    cell = {
        "table": "1", "dataset": "a", "imbalance_factor": 10.0, "row": "CE", "method": "ce", "group": "all",
        "paper": 70.0, "paper_sd": math.nan, "note": "", "ours": 71.0, "ours_sd": 0.4, "seeds": 3, "difference": 1.0,
        "within": False, "scale": "paper", "stands": "", "command": "",
    }  # fmt: skip
    return pd.DataFrame([cell | values])


def only(cells: pd.DataFrame):
    (part,) = arrange(cells)
    ((_, (cell,)),) = part.rows
    return cell


@pytest.mark.parametrize("table", TABLES)
def test_each_cell_stands_once_in_its_row_and_column(table):
    cells = made_up_cells(PAPER, table)
    found = {}
    for part in arrange(cells):
        for row, in_row in part.rows:
            for column, cell in zip(part.columns, in_row, strict=True):
                if cell is not None:
                    place = row, column.dataset, column.imbalance_factor, column.group
                    assert place not in found
                    found[place] = cell
    assert len(found) == len(cells)
    for row in cells.to_dict("records"):
        cell = found[row["row"], row["dataset"], row["imbalance_factor"], row["group"]]
        assert float(cell.paper.split(" ± ")[0].replace(MINUS, "-")) == row["paper"]  # no digit of the paper's is lost
        assert (cell.ours == "") == math.isnan(row["ours"])


@pytest.mark.parametrize("table", TABLES)
def test_columns_of_a_setting_stand_together_and_wide_tables_are_taken_apart(table):
    parts = arrange(made_up_cells(PAPER, table))
    for part in parts:
        assert len(part.columns) <= WIDEST
        for spans in (list(part.datasets()), list(part.factors())):
            assert sum(span for _, span in spans) == len(part.columns)
        names = [name for name, _ in part.datasets()]
        assert len(names) == len(set(names))
    assert len(parts) == (2 if table == "2" else 1)


def test_a_shuffled_setting_is_put_together():
    cells = pd.concat([one_cell(dataset=d, imbalance_factor=f) for f in (500.0, 200.0) for d in ("a", "b")])
    (part,) = arrange(cells)
    assert [(c.dataset, c.imbalance_factor) for c in part.columns] == [("a", 500), ("a", 200), ("b", 500), ("b", 200)]


def test_a_place_with_two_cells_is_refused():
    with pytest.raises(RdrError, match="two cells for CE on a, IF 10, all"):
        arrange(pd.concat([one_cell(), one_cell(scale="digits")]))


@given(paper=st.floats(-300, 400), difference=st.floats(-30, 30), within=st.sampled_from([True, False, None]))
def test_a_measured_cell_says_its_difference_and_where_it_lies(paper, difference, within):
    ours = paper + difference
    cell = only(one_cell(paper=paper, ours=ours, difference=difference, within=within))
    expected = "open" if within is None else "inside" if within else "above" if difference > 0 else "below"
    assert cell.state == expected
    digits = 1 if round(paper, 1) == round(paper, 2) else 2
    assert float(cell.difference.replace(MINUS, "-")) == round(difference, digits)
    assert cell.difference.startswith("+") == (round(difference, digits) > 0)
    assert float(cell.ours.split(" ± ")[0].replace(MINUS, "-")) == round(ours, digits)
    assert (cell.mark == "") == (within is None)


def test_another_setting_has_no_difference_and_an_empty_cell_its_command():
    other = only(one_cell(scale="digits", difference=math.nan, within=None))
    assert (other.state, other.ours, other.seeds, other.difference) == ("other", "71.0 ± 0.4", 3, "")
    empty = only(one_cell(ours=math.nan, ours_sd=math.nan, seeds=0, difference=math.nan, within=None, command="go"))
    assert (empty.state, empty.ours, empty.difference, empty.command) == ("empty", "", "", "go")
    assert only(one_cell(paper=math.nan, difference=math.nan, within=None)).paper == "–"
    assert only(one_cell(paper_sd=0.25, ours_sd=math.nan, seeds=1)).ours == "71.0"


@pytest.mark.parametrize("scale", ["paper", "digits"])
@pytest.mark.parametrize("table", TABLES)
def test_every_cell_is_counted_once(table, scale):
    cells = made_up_cells(PAPER, table, scale=scale)
    counts = tally(cells)
    assert sum(counts.values()) == len(cells)
    assert counts["empty"] == cells["ours"].isna().sum()
    assert counts.get("inside", 0) == sum(value is True for value in cells["within"])
    assert [state for state in MARKS if state in counts] == list(counts)
