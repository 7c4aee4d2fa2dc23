"""A paper's figures drawn from our runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdr_core.papers.grids import Grid
from rdr_viz.analysis import NotStored, only_stored
from rdr_viz.displays.method_diagram import MethodDiagram
from rdr_viz.kinds import compares_runs, make_display

if TYPE_CHECKING:
    from rdr_core.papers.paper import Figure, Picture
    from rdr_viz.displays.base import Display
    from rdr_viz.papers.shelf import Shelf

#: The one kind of picture that needs no run.
DIAGRAM = "diagram"


def draw_figure(figure: Figure, grid: Grid, shelf: Shelf) -> list[Display] | None:
    """Our pictures of a figure; nothing is computed that is not stored.

    Args:
        figure: of the paper.
        grid: whose runs.
        shelf: where they are.

    Returns:
        The pictures in order; None where a run or an analysis lacks.
    """
    pictures = [picture for picture in figure.pictures if grid.scale == "paper" or not picture.paper_scale_only]
    drawn = [_draw(picture, grid, shelf) for picture in pictures]
    return None if None in drawn else drawn


def _draw(picture: Picture, grid: Grid, shelf: Shelf) -> Display | None:
    if picture.kind == DIAGRAM:
        return MethodDiagram()
    asked = [request for request in picture.requests if grid.config(request, seed=0, in_figure=True) is not None]
    runs = [shelf.runs(grid, request, in_figure=True) for request in asked]
    whole = {request.method for request in asked} == {request.method for request in picture.requests}
    if not runs or not all(runs) or not whole:  # half of the methods would be another picture
        return None
    several = compares_runs(picture.kind)
    if picture.seeds == "first" or not several:
        runs = [of_seeds[:1] for of_seeds in runs]
    try:
        with only_stored():
            return make_display(picture.kind, [run for of_seeds in runs for run in of_seeds], **picture.options)
    except NotStored:
        return None
