"""Which runs a paper wants of each of its grids, and in which order they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rdr_core.training.config import RunConfig
from rdr_viz.papers.grids import Grid, Request, requests
from rdr_viz.papers.paper import Paper


def scales(paper: Paper) -> dict[str, list[Grid]]:
    """The grids of each scale, the paper's own first."""
    names = sorted(dict.fromkeys(grid.scale for grid in paper.grids.values()), key=lambda scale: scale != "paper")
    return {name: [grid for grid in paper.grids.values() if grid.scale == name] for name in names}


class Wanted(NamedTuple):
    """A run that a paper wants.

    Attributes:
        config: the run.
        artifacts: what of the paper it fills: "table1", "figure4", "claims".
        analyses: of it, that are wanted too.
    """

    config: RunConfig
    artifacts: tuple[str, ...]
    analyses: tuple[str, ...]


def wanted(paper: Paper, grid: Grid, *, artifacts: Sequence[str] = (), seeds: int | None = None) -> list[Wanted]:
    """The runs of a grid in the order in which they fill most: by seed, ``grid.first`` first, then by cells filled.

    Args:
        paper: whose.
        grid: one of its grids.
        artifacts: of :attr:`Paper.artifacts`; empty (default) is all of them.
        seeds: how many (default: the grid's).

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> paper = load_paper("rdr")
        >>> [run.config.method for run in wanted(paper, paper.grids["cifar"], seeds=1)[:3]]
        ['ce', 'inverse', 'rdr']
    """
    uses = [use for use in _uses(paper, grid) if not artifacts or use.artifact in artifacts]
    place: dict[RunConfig, tuple[int, tuple[int, int]]] = {}
    filled: dict[RunConfig, list[_Use]] = {}
    for seed in range(grid.seeds if seeds is None else seeds):
        for use in uses:
            config = grid.config(use.request, seed, in_figure=use.in_figure)
            if config is None or (seed and use.first_seed):
                continue
            here = seed, grid.place(use.request)
            place[config] = min(place.get(config, here), here)
            filled.setdefault(config, []).append(use)
    return [
        Wanted(
            config,
            tuple(dict.fromkeys(use.artifact for use in filled[config])),
            tuple(dict.fromkeys(what for use in filled[config] for what in use.analyses)),
        )
        for config in sorted(filled, key=lambda config: (place[config], -len(filled[config])))
    ]


class _Use(NamedTuple):
    """Something in the paper that wants a run."""

    artifact: str
    request: Request
    analyses: tuple[str, ...]
    in_figure: bool = False
    first_seed: bool = False


def _uses(paper: Paper, grid: Grid) -> Iterator[_Use]:
    tables = {table.name: table for table in paper.tables}
    for row in paper.cells.itertuples():
        request = Request(row.dataset, row.imbalance_factor, row.method)
        if grid.shows(tables[row.table].artifact):
            yield _Use(tables[row.table].artifact, request, tables[row.table].analyses)
    for figure in paper.figures if grid.figures else ():
        for picture in figure.pictures:
            if picture.paper_scale_only and grid.scale != "paper":
                continue
            for request in picture.requests:
                yield _Use(f"figure{figure.number}", request, picture.analyses, True, picture.seeds == "first")
    for claim in paper.claims:
        for request in claim.requests:
            yield _Use("claims", request, claim.analyses)
    for more in grid.more:
        for request in requests(more["datasets"], more["factors"], more["methods"]):
            first_seed = not more.get("all_seeds", False)
            yield _Use(more["artifact"], request, tuple(more["analyses"]), first_seed=first_seed)
