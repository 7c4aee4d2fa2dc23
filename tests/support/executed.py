"""A notebook run by a kernel of its own, as JupyterLab would."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from waiting import LIMIT


def executed(notebook: nbformat.NotebookNode, folder: Path, **environment: str) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in a folder; a cell that raises raises here, as does one that hangs."""
    client = NotebookClient(notebook, timeout=int(LIMIT), kernel_name="python3",
                            resources={"metadata": {"path": str(folder)}})  # fmt: skip
    return client.execute(env=os.environ | environment)
