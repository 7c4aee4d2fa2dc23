"""Accuracy as a table."""

from __future__ import annotations

import io

from made_up_runs import make_run
from rich.console import Console

from rdr_viz import accuracy_table, print_table
from rdr_viz.pages.tables import best, cells


def test_one_seed(three_runs):
    table = accuracy_table(three_runs)
    assert table.columns.tolist() == ["method", "seeds", "All", "Many", "Medium", "Few"]
    assert table["method"].tolist() == ["CE", "1/n", "RDR"]
    assert cells(table)[1] == ["1/n", "1", "74.7", "93.5", "81.0", "47.5"]
    assert best(table) == [
        [False, False, False, True, False, False],
        [False, False, False, False, False, True],
        [False, False, True, False, True, False],
    ]


def test_several_seeds_and_a_missing_group():
    table = accuracy_table([make_run("ce", seed=s, few=False) for s in (0, 1, 2)] + [make_run("rdr", few=False)])
    assert cells(table) == [
        ["CE", "3", "70.1 ± 0.8", "96.8 ± 0.8", "78.8 ± 0.8", "–"],
        ["RDR", "1", "74.8", "94.5", "82.5", "–"],
    ]


def test_printed(three_runs):
    out = io.StringIO()
    print_table(accuracy_table(three_runs), Console(file=out, width=80), title="digits")
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("digits")
    assert any(line.replace(" ", "") == "│RDR│1│74.8│94.5│82.5│45.0│" for line in lines)
