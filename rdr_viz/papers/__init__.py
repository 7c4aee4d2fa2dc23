"""A paper's numbers beside ours: its tables, its figures, its claims and the page that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.lazy import lazily

if TYPE_CHECKING:
    from rdr_viz.papers.argument import scale_name
    from rdr_viz.papers.cells import compared_cells
    from rdr_viz.papers.claim_intervals import ClaimIntervals
    from rdr_viz.papers.claims import NOT_MEASURED, criterion, overall
    from rdr_viz.papers.comparison import ComparisonTable
    from rdr_viz.papers.figures import draw_figure
    from rdr_viz.papers.folders import paper_names
    from rdr_viz.papers.grids import Request
    from rdr_viz.papers.judging import Judge
    from rdr_viz.papers.more_seeds import spread_of_the_spread
    from rdr_viz.papers.paper import load_paper
    from rdr_viz.papers.reading_group import DATASET, FACTOR, GRID, ReadingGroup
    from rdr_viz.papers.shelf import Shelf
    from rdr_viz.papers.wanted import scales

_HOMES = {
    "DATASET": "rdr_viz.papers.reading_group",
    "FACTOR": "rdr_viz.papers.reading_group",
    "GRID": "rdr_viz.papers.reading_group",
    "NOT_MEASURED": "rdr_viz.papers.claims",
    "ClaimIntervals": "rdr_viz.papers.claim_intervals",
    "ComparisonTable": "rdr_viz.papers.comparison",
    "Judge": "rdr_viz.papers.judging",
    "ReadingGroup": "rdr_viz.papers.reading_group",
    "Request": "rdr_viz.papers.grids",
    "Shelf": "rdr_viz.papers.shelf",
    "compared_cells": "rdr_viz.papers.cells",
    "criterion": "rdr_viz.papers.claims",
    "draw_figure": "rdr_viz.papers.figures",
    "load_paper": "rdr_viz.papers.paper",
    "overall": "rdr_viz.papers.claims",
    "paper_names": "rdr_viz.papers.folders",
    "scale_name": "rdr_viz.papers.argument",
    "scales": "rdr_viz.papers.wanted",
    "spread_of_the_spread": "rdr_viz.papers.more_seeds",
}

__all__ = [
    "DATASET",
    "FACTOR",
    "GRID",
    "NOT_MEASURED",
    "ClaimIntervals",
    "ComparisonTable",
    "Judge",
    "ReadingGroup",
    "Request",
    "Shelf",
    "compared_cells",
    "criterion",
    "draw_figure",
    "load_paper",
    "overall",
    "paper_names",
    "scale_name",
    "scales",
    "spread_of_the_spread",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)
