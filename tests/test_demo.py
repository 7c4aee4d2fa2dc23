"""The demo trains, prints and draws; the command reaches it."""

from __future__ import annotations

import io
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_up_runs import make_run
from rich.console import Console
from waiting import run

import rdr_core
from rdr_viz import demo
from rdr_viz.demo import run_demo

ROOT = Path(__file__).parents[1]


def test_demo_trains_the_three_methods_and_draws(tmp_path, monkeypatch):
    asked = []

    def train(dataset, **wanted):
        asked.append((dataset, wanted["imbalance_factor"], wanted["method"], wanted["seed"], wanted["runs"]))
        return make_run(wanted["method"], seed=wanted["seed"])

    monkeypatch.setattr(rdr_core, "train", train, raising=False)
    monkeypatch.setattr(
        demo, "shipped_seeds", lambda runs: [make_run(r.config.method, seed=s) for r in runs for s in (0, 2)]
    )
    out = io.StringIO()
    page = run_demo(tmp_path / "my demo", seed=3, console=Console(file=out, width=80))
    runs = tmp_path / "my demo" / "runs"
    assert asked == [("digits", 50.0, method, 3, runs) for method in ("ce", "inverse", "rdr")]
    assert page == tmp_path / "my demo" / "index.html"
    assert "rdr demo --out &#39;my demo&#39; --seed 3" in page.read_text()
    said = " ".join(out.getvalue().split())
    assert "digits, imbalance factor 50, seed 3" in said
    assert "the same over the shipped seeds" in said
    assert said.count("RDR") >= 3  # one seed, several, and how far they lie apart
    note = (
        "One seed is one draw: the Few classes were learnt from 12 images in all, and over the shipped seeds "
        "accuracy on Few ranges from CE 31.0 to 32.6 % (2 seeds), 1/n 47.5 to 49.1 % (2 seeds) and RDR"
    )
    assert note in said
    assert note in page.read_text()


def test_without_shipped_seeds_the_demo_says_that_one_seed_is_one(three_runs):
    assert demo.spread_words(three_runs, []) == (
        "One seed is one draw: the Few classes were learnt from 12 images in all, so another seed gives other numbers "
        "there."
    )


def test_the_demos_own_requests_are_shipped_with_several_seeds(tmp_path, monkeypatch):
    """Found by all that decides a run but its seed, so that what is set beside a fresh run is the same experiment."""
    configs = []
    monkeypatch.setattr("rdr_core.runs.session.Session.run", lambda session: configs.append(session.config))
    for method in demo.METHODS:
        rdr_core.train(demo.DATASET, imbalance_factor=demo.IMBALANCE_FACTOR, method=method, seed=17, data_seed=17,
                       runs=tmp_path)  # fmt: skip
    found = demo.shipped_seeds([SimpleNamespace(config=config) for config in configs])
    assert {run.config.method for run in found} == set(demo.METHODS)
    assert all(replace(run.config, seed=17, data_seed=17) in configs for run in found)
    assert len(found) >= 3 * len(demo.METHODS)
    values = {run.config.seed: run.metrics["few"] for run in found if run.config.method == "rdr"}
    fresh = next(run for run in found if run.config.method == "rdr")
    assert f"RDR {min(values.values()):.1f} to {max(values.values()):.1f} % ({len(values)} seeds)" in " ".join(
        demo.spread_words([fresh], found).split("\N{NO-BREAK SPACE}")
    )


#: What a newcomer reads before anything has run, but for what is written from the shipped runs.
READ_FIRST = [
    *(ROOT / name for name in ("README.md", "Makefile", "rdr_viz/cli.py", "rdr_viz/demo.py")),
    *sorted((ROOT / "notebooks").glob("*.py")),
    *sorted((ROOT / "notebooks").glob("*.md")),
    *(ROOT / "docs" / name for name in ("index.md", "notebooks.md", "paper.md")),
]


@pytest.mark.parametrize("path", READ_FIRST, ids=lambda path: path.name)
def test_nothing_promises_a_number_that_no_shipped_run_gives_or_a_time_to_the_second(path):
    """`rdr paper --readme` writes means with their spread; beside these no accuracy is told at all, of no seed."""
    text = re.sub(r"<!-- (finding, )?written by.*?end -->", "", path.read_text(encoding="utf-8"), flags=re.S)
    prose = [line for line in text.splitlines() if not re.match(r"\| |.*(def |options=|value=| = \d)", line)]
    promised = [line for line in prose if re.search(r"(?<![\w.,])\d{2}\.\d(?![\d.])", line)]
    assert promised == []
    timed = re.findall(
        r"half a minute|under a minute|about a minute|\b(?:about|in|takes) \d+ (?:s|seconds|minutes)\b", text, re.I
    )
    assert timed == []


@pytest.mark.slow
def test_demo_for_real(tmp_path):
    out = io.StringIO()
    page = run_demo(tmp_path, epochs=3, console=Console(file=out, width=200))
    assert "so another seed gives other numbers there." in out.getvalue()  # no seed of three epochs is shipped
    assert page.read_text().count("<img ") == 4
    assert len(list((tmp_path / "figures").iterdir())) == 16


def test_help_and_a_mistake_on_the_command_line():
    call = [sys.executable, "-c", "from rdr_viz.cli import main; main()"]
    env = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    shown = run([*call, "demo", "--help"], env=env)
    assert shown.returncode == 0
    assert "124 zeros but 2 nines" in shown.stdout
    wrong = run([*call, "demo", "--seed", "-1"], env=env)
    assert wrong.returncode == 2
