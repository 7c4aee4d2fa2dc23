"""The demo trains, prints and draws; the command reaches it."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from made_up_runs import make_run
from rich.console import Console

import rdr_core
import rdr_viz
from rdr_viz.demo import run_demo
from rdr_viz.kinds import KINDS, KINDS_OF_STUDIES, display_class


def test_demo_trains_the_three_methods_and_draws(tmp_path, monkeypatch):
    asked = []

    def train(dataset, **wanted):
        asked.append((dataset, wanted["imbalance_factor"], wanted["method"], wanted["seed"], wanted["runs"]))
        return make_run(wanted["method"], seed=wanted["seed"])

    monkeypatch.setattr(rdr_core, "train", train, raising=False)
    out = io.StringIO()
    page = run_demo(tmp_path / "my demo", seed=3, console=Console(file=out, width=80))
    runs = tmp_path / "my demo" / "runs"
    assert asked == [("digits", 50.0, method, 3, runs) for method in ("ce", "inverse", "rdr")]
    assert page == tmp_path / "my demo" / "index.html"
    assert "rdr demo --out &#39;my demo&#39; --seed 3" in page.read_text()
    assert "RDR" in out.getvalue()


@pytest.mark.slow
def test_demo_for_real(tmp_path):
    page = run_demo(tmp_path, epochs=3, console=Console(file=io.StringIO()))
    assert page.read_text().count("<img ") == 4
    assert len(list((tmp_path / "figures").iterdir())) == 16


def test_help_and_a_mistake_on_the_command_line():
    call = [sys.executable, "-c", "from rdr_viz.cli import main; main()"]
    env = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    shown = subprocess.run([*call, "demo", "--help"], capture_output=True, text=True, env=env)
    assert shown.returncode == 0
    assert "124 zeros but 2 nines" in shown.stdout
    wrong = subprocess.run([*call, "demo", "--seed", "-1"], capture_output=True, text=True, env=env)
    assert wrong.returncode == 2


def test_public_names_are_just_these():
    displays = {display_class(kind).__name__ for kind in KINDS | KINDS_OF_STUDIES}
    others = {
        "Hessian", "MethodDiagram", "accuracy_table", "analyse", "class_curvature", "class_density", "make_display",
        "method_style", "print_table", "run_demo", "write_page", "write_report",
    }  # fmt: skip
    assert set(rdr_viz.__all__) == displays | others
    assert all(callable(getattr(rdr_viz, name)) for name in rdr_viz.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rdr_viz.nothing  # noqa: B018
