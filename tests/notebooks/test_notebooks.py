"""Every notebook runs clean from top to bottom, is stored without outputs, and says the same as its .py twin."""

from __future__ import annotations

import shutil
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext.compare import compare_notebooks
from nbclient import NotebookClient

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


@pytest.mark.slow
@every_notebook
def test_runs_clean(path, tmp_path, monkeypatch):
    # In a copy, so that its runs do not land in the repository.
    copy = Path(shutil.copy(path, tmp_path))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    notebook = nbformat.read(copy, as_version=4)
    # Any cell that raises makes this raise, with the cell and its traceback.
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()

    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    said = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert said == []
    # Without a browser, too, there is something to see: pictures are outputs of their own, not only widgets.
    pictures = [output for output in outputs if "<img " in output.get("data", {}).get("text/html", "")]
    assert pictures
    assert all('alt="' in output.data["text/html"] for output in pictures)
