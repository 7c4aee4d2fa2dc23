"""Run the notebooks and keep their outputs as a page can show them.

A page has no kernel, so a control in it would move and change nothing: words say what it is instead, above the picture
of its first choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ExecutePreprocessor

WIDGET, WIDGET_STATE = "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"
#: Characters of a control's choices that are all listed.
LONGEST = 300


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in ``folder``, where its own runs land; tells each cell that it begins.

    A cell may take as long as it does: machines differ and are busy, and whoever waits sees how far it is.
    """
    notebook = nbformat.read(path, as_version=4)
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]

    def tell(cell: nbformat.NotebookNode, cell_index: int) -> None:
        print(f"cell {code.index(cell_index) + 1} of {len(code)}", end=", ", flush=True)

    # The kernel's own log would warn that it listens on this machine; what cells say goes into the page.
    quiet = ["--log-level=ERROR"]
    running = ExecutePreprocessor(timeout=None, kernel_name="python3", extra_arguments=quiet, on_cell_execute=tell)
    running.preprocess(notebook, {"metadata": {"path": folder}})
    states = notebook.metadata.pop("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = {"text/html": in_words(states[output.data[WIDGET]["model_id"]]["state"], states)}
    return notebook


#: Where the explorer lies in the site, from a notebook's page.
_EXPLORER = '<iframe class="alive" src="../explorer.html" title="The explorer of the shipped runs"></iframe>'


def in_words(control: dict, states: dict) -> str:
    """What a control is called, what it is set to, and what else it could be; of a box, that of all in it.

    The explorer needs no kernel to move: it stands there itself.
    """
    if "_esm" in control:
        return _EXPLORER
    found = list(_each_in_words(control, states))
    if len(found) == 1:
        return f"<p><em>A control in the notebook.</em> {found[0]}</p>"
    listed = "".join(f"<li>{words}</li>" for words in found)
    return f"<p><em>Controls in the notebook:</em></p><ul>{listed}</ul>" if found else ""


def _each_in_words(control: dict, states: dict) -> Iterator[str]:
    if control.get("children"):
        for child in control["children"]:
            yield from _each_in_words(states[child.removeprefix("IPY_MODEL_")]["state"], states)
        return
    words = ""
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
    if words:  # else a progress bar's parts, a button
        yield f"{escape(control['description'])}: {words}" if control.get("description") else words
