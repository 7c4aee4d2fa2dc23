"""A measure and an analysis of another package, a file each: commands, papers and the explorer have them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from installed import contributed, lay_package

import rdr_core
from rdr_viz.analysis.catalogue import ANALYSES, analyses, has_analysis
from rdr_viz.analysis.measures.measure import MEASURES
from rdr_viz.explorer import Explorer
from rdr_viz.explorer.worker import _work
from rdr_viz.papers.cells import compared_cells
from rdr_viz.papers.claim_rows import claim_row
from rdr_viz.papers.judging import Judge
from rdr_viz.papers.measures import measure
from rdr_viz.papers.shelf import Shelf
from rdr_viz.papers.tasks import choose, missing, tasks_of

MEASURE, ANALYSIS = contributed("number"), contributed("table")
#: Of each registry: the group of its entry points, what it calls one, and code that takes a name of the toolkit's own.
REGISTRIES = {
    "rdr.measures": (MEASURES, "a measure", MEASURE.replace("worst_class", "few")),
    "rdr.analyses": (ANALYSES, "an analysis", ANALYSIS.replace('"biases"', '"groups"')),
}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Lay a package with an entry point where Python finds it, as pip would."""
    monkeypatch.syspath_prepend(tmp_path)
    laid = []

    def lay(code: str, group: str) -> None:
        name = f"other_{group.removeprefix('rdr.')}"
        lay_package(tmp_path, name, code, group)
        REGISTRIES[group][0].refresh()
        laid.append(name)

    yield lay
    MEASURES.remove("worst_class")
    ANALYSES.remove("biases")
    for name in laid:
        sys.modules.pop(name, None)


@pytest.fixture
def both(install):
    """One package each."""
    for group, code in {"rdr.measures": MEASURE, "rdr.analyses": ANALYSIS}.items():
        install(code, group)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> rdr_core.Run:
    """A finished run of one epoch."""
    folder = tmp_path_factory.mktemp("runs")
    return rdr_core.train("digits", imbalance_factor=20, method="ce", epochs=1, runs=folder, progress=False)


def said(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """What `rdr` says, in a process of its own that finds packages in the folder."""
    root = Path(rdr_core.__file__).parents[1]
    around = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(root)]), "RDR_CHECK_SHAPES": "0"}
    code = "from rdr_viz.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=folder, env=around)


@pytest.mark.usefixtures("both")
def test_commands_have_them(run, tmp_path):
    listed = said(tmp_path, "measures").stdout
    assert re.findall(r"^worst_class +points +(.*)$", listed, re.MULTILINE) == ["accuracy on the worst class"]
    assert "biases" in said(tmp_path, "analyse", "--help").stdout
    done = said(tmp_path, "analyse", str(run.path), "--what", "biases")
    assert done.returncode == 0, done.stderr
    assert f"{run.name}: biases, 10 rows" in done.stdout


@pytest.mark.usefixtures("both")
def test_a_paper_has_them(tiny, tmp_path):
    """Its table and its claim ask for the measure, and its runs are analysed."""
    paper = replace(
        tiny,
        cells=tiny.cells.assign(group="worst_class"),
        tables=tuple(replace(table, analyses=("biases",)) for table in tiny.tables),
        claims=tuple(replace(claim, measure=("worst_class",)) for claim in tiny.claims),
    )
    runs = tmp_path / "runs"
    for task in tasks_of(missing(choose([paper], "tiny"), Shelf([runs])), Shelf([runs]), runs, device="cpu"):
        task.run(float("inf"))
        assert (task.done, task.share) == (True, 1.0)
    made = rdr_core.runs.list_runs(runs)
    assert [has_analysis(run, "biases") for run in made] == [True] * 4
    shelf = Shelf([runs])
    cells = compared_cells(paper, "1", paper.grids["tiny"], shelf, runs)
    worst = {(run.config.method, run.config.seed): min(run.metrics["per_class"]) for run in made}
    means = [np.mean([worst[method, seed] for seed in (0, 1)]) for method in cells["method"]]
    assert cells["ours"].to_numpy() == pytest.approx(means)
    row, _ = claim_row(paper.claims[0], paper, Judge(paper, shelf), runs)
    assert row.measured[0].mean == pytest.approx(np.mean([worst["rdr", s] - worst["ce", s] for s in (0, 1)]))
    assert "Measured: accuracy on the worst class" in row.criterion


@pytest.mark.usefixtures("both")
def test_the_explorer_computes_it_and_knows_how_long_it_took(run):
    task = {"config": run.config.to_dict(), "runs": str(run.path.parent), "what": "biases"}
    assert _work([task]) == {"state": "done", "error": ""}
    assert has_analysis(run, "biases")
    sent = []
    explorer = Explorer(run.path.parent)
    explorer.send = lambda content, buffers=None: sent.append(content)
    ids = [one["id"] for tail in json.loads(explorer.head)["sets"][0]["tails"] for one in tail["runs"]]
    explorer._asked(explorer, {"ask": "estimate", "missing": [], "runs": ids, "what": "biases", "key": "k",
                               "data": "digits", "factor": 20, "profile": "exponential"}, None)  # fmt: skip
    assert sent[-1]["analyse"] > 0


@pytest.mark.parametrize("group", REGISTRIES)
@pytest.mark.parametrize("broken", ["begins with", "ends with", "takes a name"])
def test_a_package_that_fails_is_told_of_and_left_out(group, broken, install, capfd):
    registry, one, clash = REGISTRIES[group]
    code = MEASURE if registry is MEASURES else ANALYSIS
    install({"begins with": "1 / 0", "ends with": f"{code}\n1 / 0\n", "takes a name": clash}[broken], group)
    why = "RdrError: There is" if broken == "takes a name" else "ZeroDivisionError: division by zero"
    known = registry.all()
    said = capfd.readouterr().err
    assert re.search(
        rf"^rdr: The package other_\w+ offers {one} in .*imported \({why}.*left out; fix or uninstall", said
    )
    assert known == registry.all()


def test_a_failing_package_is_one_sentence_on_the_command_line(install, tmp_path):
    install("1 / 0", "rdr.measures")
    done = said(tmp_path, "measures")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "training" in done.stdout
    assert done.stderr.startswith("rdr: The package other_measures offers a measure")


CELL = """
import sys
from rdr_core.errors import RdrError
from rdr_viz.analysis.catalogue import analyses, analysis
from rdr_viz.analysis.measures.measure import MEASURES, measure
for register in (measure("few", words="few"), measure("trace_class9", words="trace"), analysis("groups", "groups")):
    try:
        register(lambda run: 0.0)
    except RdrError as error:
        print(error)
for words in ("one", "two"):  # a cell may be run again
    measure("own", words=words)(lambda run: 1.0)
print(MEASURES["own"].words, len(analyses()))
print({"torch", "matplotlib"} & set(sys.modules))
"""


def test_a_notebooks_cell_has_names_of_its_own_and_nothing_of_this_imports_torch(tmp_path):
    root = Path(rdr_core.__file__).parents[1]
    around = os.environ | {"PYTHONPATH": str(root), "RDR_CHECK_SHAPES": "0"}
    done = subprocess.run([sys.executable, "-c", CELL], capture_output=True, text=True, cwd=tmp_path, env=around)
    assert done.stdout.splitlines() == [
        "There is a measure named 'few' already; choose another name.",
        "There is a measure named 'trace_class9' already; choose another name.",
        "There is an analysis named 'groups' already; choose another name.",
        "two 6",
        "set()",
    ], done.stderr


def test_every_number_of_a_runs_metrics_is_a_measure(run):
    numbers = {name: value for name, value in run.metrics.items() if name != "per_class"}
    names = {"top1": "all"}
    assert len(numbers) == 9
    for name, value in numbers.items():
        np.testing.assert_equal(measure(run, names.get(name, name)), np.nan if value is None else value)


def test_what_papers_alone_ask_for_is_not_offered(run, tmp_path):
    assert "density of the smallest class" in ANALYSES.all()
    assert "density of the smallest class" not in analyses()
    done = said(tmp_path, "analyse", str(run.path), "--what", "density of the smallest class")
    assert done.returncode == 2
    assert "Known: curvature, geometry, groups, ratios, shares, surface." in done.stderr
