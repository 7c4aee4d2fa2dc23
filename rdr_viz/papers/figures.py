"""A paper's figures drawn from our runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rdr_viz.analysis.stored import NotStored
from rdr_viz.displays.kinds import averages_seeds, compares_runs, make_display
from rdr_viz.displays.method_diagram import MethodDiagram
from rdr_viz.papers.grids import Grid, Request

if TYPE_CHECKING:
    from rdr_viz.displays.base import Display
    from rdr_viz.papers.paper import Figure, Paper, Picture
    from rdr_viz.papers.shelf import Shelf

#: The one kind of picture that needs no run.
DIAGRAM = "diagram"


class Drawn(NamedTuple):
    """A picture of a figure.

    Attributes:
        display: the picture.
        setting: of its runs, that tells it from the figure's other pictures, as "CIFAR-10-LT, IF 10"; "" where there
            is none to tell.
    """

    display: Display
    setting: str


def draw_figure(figure: Figure, paper: Paper, grid: Grid, shelf: Shelf) -> list[Drawn | None]:
    """Our pictures of a figure; nothing is computed that is not stored.

    Args:
        figure: of the paper.
        paper: whose names of data sets are said.
        grid: whose runs.
        shelf: where they are.

    Returns:
        The pictures that this grid can draw, in order; None for one whose runs or analyses are missing.
    """
    pictures = [picture for picture in figure.pictures if _can_draw(picture, grid)]
    drawn = [_draw(picture, grid, shelf) for picture in pictures]
    return [
        None if display is None else Drawn(display, _setting(picture, paper, grid))
        for picture, display in zip(pictures, drawn, strict=True)
    ]


def _setting(picture: Picture, paper: Paper, grid: Grid) -> str:
    """What all of a picture's runs share; the small scale's one data set goes without saying."""
    configs = [(request, grid.config(request, seed=0, in_figure=True)) for request in picture.requests]
    shared = [(request.dataset, config.imbalance_factor) for request, config in configs if config is not None]
    datasets, factors = {dataset for dataset, _ in shared}, {factor for _, factor in shared}
    words = [paper.datasets[name] for name in datasets] if len(datasets) == 1 and grid.printed else []
    words += [f"IF {factor:g}" for factor in factors if factor is not None] if len(factors) == 1 else []
    return ", ".join(words)


def _can_draw(picture: Picture, grid: Grid) -> bool:
    """Whether the grid has stand-ins for all of a picture's methods: half of them would be another picture."""
    if not grid.figures or (picture.paper_scale_only and grid.scale != "paper"):
        return False
    return {request.method for request in _asked(picture, grid)} == {request.method for request in picture.requests}


def _asked(picture: Picture, grid: Grid) -> list[Request]:
    return [request for request in picture.requests if grid.config(request, seed=0, in_figure=True) is not None]


def _draw(picture: Picture, grid: Grid, shelf: Shelf) -> Display | None:
    if picture.kind == DIAGRAM:
        return MethodDiagram()
    runs = [shelf.runs(grid, request, in_figure=True) for request in _asked(picture, grid)]
    if not all(runs):
        return None
    several = compares_runs(picture.kind) or averages_seeds(picture.kind)
    if picture.seeds == "first" or not several:
        runs = [of_seeds[:1] for of_seeds in runs]
    try:
        stored = [run.as_stored for of_seeds in runs for run in of_seeds]
        return make_display(picture.kind, stored, **picture.options)
    except NotStored:
        return None
