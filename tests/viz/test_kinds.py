"""Pictures by name, in Python and on the command line."""

from __future__ import annotations

import re
import sys

import pytest
from made_up_runs import make_run

import rdr_core
from rdr_core import RdrError
from rdr_viz.cli import main
from rdr_viz.displays.base import Display
from rdr_viz.kinds import KINDS, compares_runs, display_class, make_display


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_display_that_answers_a_question(kind):
    found = display_class(kind)
    assert issubclass(found, Display)
    assert found.title.endswith("?")
    assert compares_runs(kind) or hasattr(found, "from_run")


def test_a_kind_draws_one_run_or_several():
    assert make_display("weights", [make_run("rdr")]).method == "rdr"
    methods = make_display("accuracy", [make_run("rdr"), make_run("ce")]).data.method
    assert set(methods) == {"ce", "rdr"}
    with pytest.raises(RdrError, match="'weights' draws one run, not 2; name one of them"):
        make_display("weights", [make_run("rdr"), make_run("ce")])
    with pytest.raises(RdrError, match="no run to draw"):
        make_display("accuracy", [])
    with pytest.raises(RdrError, match="no kind of picture named 'weigths'; did you mean 'weights'"):
        make_display("weigths", [make_run()])


@pytest.fixture
def rdr(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rdr", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


def test_plot_draws_a_stored_run_to_files(rdr, tmp_path):
    run = rdr_core.train("digits", imbalance_factor=20, epochs=3, runs="runs", progress=False)
    status, out, _ = rdr("plot", str(run.path), "--kind", "weights", "--out", "figures/w")
    assert status == 0
    assert "Mean weight in epoch" in out
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"w.pdf", "w.svg", "w.png", "w.csv"}
    status, out, err = rdr("plot", "nowhere")
    assert (status, out) == (2, "")
    assert err.startswith("rdr: nowhere is not a run's folder")


def test_kinds_lists_each_with_its_question(rdr):
    _, out, _ = rdr("kinds")
    for kind in KINDS:
        assert re.search(rf"^{kind} .*\?$", out, flags=re.MULTILINE)
