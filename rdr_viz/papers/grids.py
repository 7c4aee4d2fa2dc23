"""From a paper's settings to runs: a grid says what stands for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, NamedTuple

from rdr_core.data.settings import settings_of
from rdr_core.errors import RdrError, unknown_name
from rdr_core.files.expected import of_shape
from rdr_core.methods.grammar import parse
from rdr_core.runs import RunConfig
from rdr_core.training.recipes import DEFAULT, settings_for

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


#: What a mapping of :attr:`Grid.first` has, and one of :attr:`Grid.more` besides.
_ASKED = {"datasets": [str], "factors": [float], "methods": [str]}
_MORE = {"artifact": str, "analyses?": [str], "all_seeds?": bool}


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
        if wrong := of_shape([*self.first], [_ASKED], "first") or of_shape([*self.more], [_ASKED | _MORE], "more"):
            raise RdrError(f"Of the grid {self.name!r}, {wrong}.")
        known = {"recipe", *(each.name for each in fields(RunConfig))}
        if odd := set(self.settings) - known:
            raise unknown_name("setting of a run", min(odd), known)

    def config(self, request: Request, seed: int, *, in_figure: bool = False) -> RunConfig | None:
        """The run that stands for a setting of the paper; None where this grid has none.

        Example:
            >>> from rdr_viz.papers.paper import load_paper
            >>> grid = load_paper("rdr").grids["digits"]
            >>> grid.config(Request("cifar10-lt", 100, "rdr"), seed=0).name[:18]
            'digits-if50-rdr-s0'
        """
        asked = request, seed, in_figure
        if asked not in self._configs:
            self._configs[asked] = self._config(*asked)
        return self._configs[asked]

    def _config(self, request: Request, seed: int, in_figure: bool) -> RunConfig | None:
        from rdr_core.data.datasets import DATASETS

        own = self.datasets.get(request.dataset) or (self.in_figures.get(request.dataset) if in_figure else None)
        if own is None or (self.only_factors and request.imbalance_factor not in self.only_factors):
            return None
        if self.only and request.method not in self._only:
            return None
        if seed >= self.fewer_seeds.get(f"{request.imbalance_factor:g}", seed + 1):
            return None
        factor: float | None = None
        if not DATASETS[own].long_tailed:
            factor = self.factors.get(f"{request.imbalance_factor:g}", request.imbalance_factor)
            largest = DATASETS[own].n_max
            if largest is not None and factor > largest:  # the smallest class would have no image
                return None
        given = dict(self.settings)
        values = settings_for(own, given.pop("recipe", DEFAULT)) | {
            "model": settings_of(own).model, "profile": "exponential" if factor else None,
        }  # fmt: skip
        stand_in = self.stands_for.get(request.method)
        draws: dict[str, Any] = dict.fromkeys(self.draws, seed)
        method = parse(stand_in).name if stand_in else request.method
        return RunConfig(
            dataset=own, imbalance_factor=factor, method=method, seed=seed, noise_rate=request.noise_rate,
            **draws, **values | given,
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
