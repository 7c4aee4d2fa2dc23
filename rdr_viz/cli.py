"""The command ``rdr``: the core's commands and those that draw.

Nothing heavy is imported here, so that ``rdr --help`` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the page, its figures and the runs.", file_okay=False)
    ] = Path("demo"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the first weights and the order of images.")] = 0,
) -> None:
    """Train three methods on long-tailed digits and write a page of pictures.

    The training set has 124 zeros but 2 nines (imbalance factor 50).
    Cross-entropy (CE), inverse frequency (1/n) and density ratio
    re-weighting (RDR) learn from the same images. Printed is accuracy over
    all classes and over those with many, medium and few images.

    Takes under a minute; needs no download and no GPU. Trained runs are
    kept: a second call only draws.

    Then open demo/index.html in a browser. demo/figures has every picture
    as PDF, SVG and PNG, with the plotted numbers as CSV.
    """
    from rdr_viz.demo import run_demo

    page = run_demo(out, seed=seed)
    typer.echo(f"Open {page} in a browser; the pictures and their numbers are in {page.parent / 'figures'}.")


def main() -> None:
    """Entry point of ``rdr``."""
    from rdr_core.cli import app, run_app

    app.command("demo")(demo)
    run_app(app)
