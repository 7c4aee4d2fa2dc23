"""Run the notebooks and write them with their outputs as pages: `make notebooks` calls it.

A page has no kernel, so a control in it would move and change nothing: a line says what it is instead, above the
picture of its first choice.
"""

from __future__ import annotations

import argparse
import tempfile
from html import escape
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor

ROOT = Path(__file__).resolve().parents[1]
WIDGET, WIDGET_STATE = "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"
#: Seconds that a cell may take.
LIMIT = 120
#: Characters of a control's choices that are all listed.
LONGEST = 300


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("notebooks", nargs="*", type=Path, help="default: all")
    arguments.add_argument("--out", type=Path, default=ROOT / "notebooks-html", help="folder (default: %(default)s)")
    given = arguments.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for path in given.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
        page = given.out / f"{path.stem}.html"
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(publish(path, Path(folder)), encoding="utf-8")
        print(f"Written: {page}")


def publish(path: Path, folder: Path) -> str:
    """The notebook as a page (:func:`executed`)."""
    notebook = executed(path, folder)
    heading = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    return HTMLExporter(template_name="lab").from_notebook_node(notebook, {"metadata": {"name": heading}})[0]


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in ``folder``, where its own runs land."""
    notebook = nbformat.read(path, as_version=4)
    # The kernel's own log would warn that it listens on this machine; what cells say goes into the page.
    quiet = ["--log-level=ERROR"]
    running = ExecutePreprocessor(timeout=LIMIT, kernel_name="python3", extra_arguments=quiet)
    running.preprocess(notebook, {"metadata": {"path": folder}})
    states = notebook.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = {"text/html": in_words(states[output.data[WIDGET]["model_id"]]["state"], states)}
    return notebook


def in_words(control: dict, states: dict) -> str:
    """What a control is called, what it is set to, and what else it could be; of a box, that of all in it."""
    if "children" in control:
        inside = (states[child.removeprefix("IPY_MODEL_")]["state"] for child in control["children"])
        return "".join(in_words(each, states) for each in inside)
    if "_options_labels" in control:
        index = control["index"]
        chosen = index if isinstance(index, list) else [index]  # of a menu for several, of one for one
        labels = [escape(label) for label in control["_options_labels"]]
        marked = [f"<strong>{label}</strong>" if at in chosen else label for at, label in enumerate(labels)]
        if sum(map(len, labels)) > LONGEST:
            marked = [f"{', '.join(label for at, label in enumerate(marked) if at in chosen)} (of {len(labels)})"]
        words = ", ".join(marked)
    elif control.get("description") and "value" in control:
        words = escape(str(control["value"]))
    else:  # a progress bar's parts, a button
        return ""
    if not words:
        return ""
    name = f"{escape(control['description'])}: " if control.get("description") else ""
    return f"<p><em>A control in the notebook.</em> {name}{words}</p>"


if __name__ == "__main__":
    main()
