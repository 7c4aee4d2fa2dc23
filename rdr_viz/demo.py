"""The toolkit in about a minute: train three methods on a long-tailed set of digits, draw, write a page."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

METHODS = ("ce", "inverse", "rdr")
DATASET = "digits"
IMBALANCE_FACTOR = 50.0


def run_demo(
    out: str | os.PathLike[str] = "demo",
    *,
    methods: Sequence[str] = METHODS,
    seed: int = 0,
    epochs: int | None = None,
    console: Console | None = None,
) -> Path:
    """Train on ``digits`` at imbalance factor 50, print accuracy by group and write the page.

    A run that is already in ``out/runs`` is read, not trained again.

    Args:
        out: Folder for ``index.html``, ``figures`` and ``runs``; default ``demo`` in the current folder.
        methods: What to train; default CE, 1/n and RDR.
        seed: Of initialisation and batches; default 0.
        epochs: Default: the data set's own.
        console: Where the table is printed; default a rich console on stdout.

    Returns:
        The path of ``index.html``.

    Raises:
        RdrError: as training does.

    Example:
        >>> run_demo("demo")  # doctest: +SKIP
        PosixPath('demo/index.html')
    """
    from rdr_core import train
    from rdr_viz.report import write_report
    from rdr_viz.tables import accuracy_table, print_table

    out = Path(out)
    runs = [
        train(
            DATASET,
            imbalance_factor=IMBALANCE_FACTOR,
            method=method,
            epochs=epochs,
            seed=seed,
            runs=out / "runs",
        )
        for method in methods
    ]
    print_table(accuracy_table(runs), console, title=f"{DATASET}, imbalance factor {IMBALANCE_FACTOR:g}")
    command = f"rdr demo --out {shlex.quote(out.name)} --seed {seed}"
    return write_report(runs, out, command=command)
