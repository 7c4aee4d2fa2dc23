"""From a paper's settings to runs: a grid says what stands for each of them, and in which order runs are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from rdr_core.errors import unknown_name
from rdr_core.methods.grammar import parse
from rdr_core.runs import RunConfig
from rdr_core.runs.recipes import DEFAULT, settings_for
from rdr_core.runs.settings import settings_of

if TYPE_CHECKING:
    from rdr_core.papers.paper import Paper


#: The scales that the paper's own numbers may be set against.
PRINTED = ("paper", "authors' code")
#: What a seed may draw besides the first weights and the order of images.
DRAWN = ("data_seed", "class_order")


class Request(NamedTuple):
    """A run in the paper's terms, whatever its seed.

    Attributes:
        dataset: the paper's name.
        imbalance_factor: the paper's.
        method: our canonical name.
        noise_rate: share of wrong labels.
    """

    dataset: str
    imbalance_factor: float
    method: str
    noise_rate: float = 0.0


def requests(
    datasets: Sequence[str], factors: Sequence[float], methods: Sequence[str], noise_rate: float = 0.0
) -> list[Request]:
    """All combinations of the paper's data sets and factors with our methods."""
    names = [parse(method).name for method in methods]
    return [Request(d, factor, name, noise_rate) for d in datasets for factor in factors for name in names]


@dataclass(frozen=True)
class Grid:
    """How a paper's settings are run.

    Attributes:
        name: by which it is asked for.
        scale: "paper" in the paper's own setting, "authors' code" in that of the released code (:data:`PRINTED`: the
            paper's numbers may be set against both); else what a reader calls the small scale.
        title, note: for the reader.
        datasets: the paper's data set -> ours.
        seeds: how many.
        fewer_seeds: how many at some of the paper's imbalance factors.
        factors: the paper's imbalance factor -> ours, where they differ.
        in_figures: further stand-ins, for figures only, where one data set stands for several.
        only, only_factors: methods and the paper's factors that are run; all of them where empty.
        figures: whether it draws the paper's figures too, and sets their numbers beside ours.
        stands_for: the paper's method -> ours that is run for it, where they differ.
        draws: what each seed draws for itself besides, so that spreads over seeds cover it (:data:`DRAWN`): its subset
            of the data, and which class is rare.
        settings: of the runs, where they are not the data set's own: a ``recipe`` and values of :class:`RunConfig`.
        first: what is made before all else, in order: mappings with ``datasets``, ``factors`` and ``methods``.
        more: what is wanted beside the paper's own parts: the same, with an ``artifact``'s name and ``analyses``, of
            the first seed's runs, or with ``all_seeds`` of all.
    """

    name: str
    scale: str
    title: str
    datasets: Mapping[str, str]
    note: str = ""
    seeds: int = 3
    fewer_seeds: Mapping[str, int] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
    in_figures: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    only_factors: tuple[float, ...] = ()
    figures: bool = True
    stands_for: Mapping[str, str] = field(default_factory=dict)
    draws: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    first: tuple[Mapping[str, Any], ...] = ()
    more: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if odd := set(self.draws) - set(DRAWN):
            raise unknown_name("draw of a seed", min(odd), DRAWN)

    def config(self, request: Request, seed: int, *, in_figure: bool = False) -> RunConfig | None:
        """The run that stands for a setting of the paper; None where this grid has none.

        Example:
            >>> from rdr_core.papers.paper import load_paper
            >>> grid = load_paper("rdr").grids["digits"]
            >>> grid.config(Request("cifar10-lt", 100, "rdr"), seed=0).name[:18]
            'digits-if50-rdr-s0'
        """
        asked = request, seed, in_figure
        if asked not in self._configs:
            self._configs[asked] = self._config(*asked)
        return self._configs[asked]

    def _config(self, request: Request, seed: int, in_figure: bool) -> RunConfig | None:
        from rdr_core.data import SOURCES

        own = self.datasets.get(request.dataset) or (self.in_figures.get(request.dataset) if in_figure else None)
        if own is None or (self.only_factors and request.imbalance_factor not in self.only_factors):
            return None
        if self.only and request.method not in self._only:
            return None
        if seed >= self.fewer_seeds.get(f"{request.imbalance_factor:g}", seed + 1):
            return None
        factor = self.factors.get(f"{request.imbalance_factor:g}", request.imbalance_factor)
        if SOURCES[own].long_tailed:
            factor = None
        elif factor > SOURCES[own].n_max:  # the smallest class would have no image
            return None
        given = dict(self.settings)
        values = settings_for(own, given.pop("recipe", DEFAULT)) | {
            "model": settings_of(own).model, "profile": "exponential" if factor else None,
        }  # fmt: skip
        stand_in = self.stands_for.get(request.method)
        method = parse(stand_in).name if stand_in else request.method
        return RunConfig(
            dataset=own, imbalance_factor=factor, method=method, seed=seed, noise_rate=request.noise_rate,
            **dict.fromkeys(self.draws, seed), **values | given,
        )  # fmt: skip

    @property
    def printed(self) -> bool:
        """Whether the paper's numbers may be set against this grid's."""
        return self.scale in PRINTED

    def shows(self, artifact: str) -> bool:
        """Whether it fills that table or figure."""
        return self.figures or not artifact.startswith("figure")

    @cached_property
    def _configs(self) -> dict[tuple[Request, int, bool], RunConfig | None]:
        return {}  # a page asks for each many times

    @cached_property
    def _first_methods(self) -> list[list[str]]:
        return [[parse(method).name for method in stage["methods"]] for stage in self.first]

    @cached_property
    def _only(self) -> frozenset[str]:
        return frozenset(parse(method).name for method in self.only)

    def place(self, request: Request) -> tuple[int, int]:
        """Its place in :attr:`first`, stage and method; after all stages where it is in none."""
        for at, (stage, methods) in enumerate(zip(self.first, self._first_methods, strict=True)):
            here = request.dataset in stage["datasets"] and request.imbalance_factor in stage["factors"]
            if here and request.method in methods and not request.noise_rate:
                return at, methods.index(request.method)
        return len(self.first), 0


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
        >>> from rdr_core.papers.paper import load_paper
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
