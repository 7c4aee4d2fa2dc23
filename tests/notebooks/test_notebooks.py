"""Every notebook runs clean from top to bottom, is stored without outputs, and says the same as its .py twin."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_each_notebook_has_a_twin_and_each_twin_a_notebook():
    assert NOTEBOOKS
    assert [path.stem for path in sorted(FOLDER.glob("[0-9]*.py"))] == [path.stem for path in NOTEBOOKS]


@every_notebook
def test_the_twin_says_the_same(path):
    import jupytext  # takes a second and a half of each process that reads this file
    from jupytext.compare import compare_notebooks

    notebook, twin = jupytext.read(path), jupytext.read(path.with_suffix(".py"))
    assert notebook.metadata.jupytext.formats == "ipynb,py:percent"
    compare_notebooks(twin, notebook, fmt="py:percent")


@every_notebook
def test_stored_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    for cell in code_cells(notebook):
        assert cell.outputs == [], cell.source
        assert cell.execution_count is None, cell.source


@every_notebook
def test_the_first_screen_says_what_one_will_learn(path):
    first, second, *_ = nbformat.read(path, as_version=4).cells
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "You will learn" in first.source
    assert second.cell_type == "code"
    # What only gathers tools is folded, in JupyterLab and in the published page.
    folded = second.metadata.get("jupyter", {}).get("source_hidden", False)
    assert folded == ("hide-input" in second.metadata.get("tags", [])) == (len(second.source.splitlines()) > 10)


@pytest.mark.slow
@every_notebook
def test_runs_clean(path, tmp_path):
    from executed import executed  # which imports a client of kernels

    # Elsewhere, so that its runs don't land in the repository; as stored, its outputs stay in memory.
    ran = executed(nbformat.read(path, as_version=4), tmp_path, MPLBACKEND="agg", PYTHONWARNINGS="default")
    outputs = [output for cell in code_cells(ran) for output in cell.outputs]
    # Warnings too go to a cell's stderr.
    said = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert said == []
    # Without a browser, too, there is something to see: pictures are outputs of their own, not only widgets. The
    # explorer alone is drawn in the page; tests/explorer looks at it there.
    pictures = [output for output in outputs if "<img " in output.get("data", {}).get("text/html", "")]
    assert pictures or path.stem == "03_explorer"
    assert all('alt="' in output.data["text/html"] for output in pictures)
