"""The lines that Show code gives make the pictures that the page shows."""

from __future__ import annotations

import html
import re
import shutil
from dataclasses import replace

import pytest

from rdr_core.runs import list_runs
from rdr_viz.explorer.catalogue import Catalogue
from rdr_viz.explorer.code import code_of
from rdr_viz.explorer.pictures import Pictures
from rdr_viz.explorer.state import State
from rdr_viz.explorer.views import VIEWS, plan

STATE = State(methods=("ce", "rdr"), seeds=(0, 1))
CASES = [(name, option) for name, view in VIEWS.items() for option in ("", *list(view.options)[1:2])]


def shown_by(code: str, monkeypatch) -> list[str]:
    """The HTML that a cell with this code shows."""
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    *lines, last = code.rstrip().split("\n")
    scope: dict = {}
    if last.startswith(" "):  # a loop, which displays
        exec(code, scope)
    else:
        exec("\n".join(lines), scope)
        outputs.append(eval(last, scope))
    return [output.data for output in outputs]


@pytest.mark.parametrize(("view", "option"), CASES)
def test_the_lines_make_the_pictures(catalogue, view, option, monkeypatch):
    state = replace(STATE, view=view, option=option, epoch=20 if VIEWS[view].epochs else None)
    requests = plan(state, catalogue).requests
    panels = [Pictures().panel(request, "light") for request in requests]
    outputs = shown_by(code_of(requests), monkeypatch)
    alts = [html.unescape(re.search(r'alt="([^"]*)"', output)[1]) for output in outputs]
    assert alts == [panel.alt for panel in panels]


def test_runs_of_ones_own_are_named_from_here_and_shipped_ones_from_anywhere(stored, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = next(run for run in list_runs(stored) if run.config.imbalance_factor == 50)
    shutil.copytree(run.path, tmp_path / "runs" / run.name)
    own = Catalogue([tmp_path / "runs"])
    state = replace(STATE, methods=(run.config.method,), seeds=(run.config.seed,), data=own.data()[0])
    code = code_of(plan(state, own).requests)
    assert f'Run.open("runs/{run.name}")' in code
    assert "shipped" not in code
    theirs = code_of(plan(state, Catalogue([stored])).requests)
    assert f'Run.open(shipped() / "{run.name}")' in theirs or "Run.open(shipped() / " in theirs
    assert str(stored) not in theirs


def test_it_is_a_few_lines(catalogue):
    for view in VIEWS:
        lines = code_of(plan(replace(STATE, view=view, epoch=20), catalogue).requests).split("\n")
        assert len(lines) <= 20
        assert max(map(len, lines)) <= 120
