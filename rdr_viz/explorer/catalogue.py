"""What is at hand: the runs of some folders by what they were trained on, read without opening more than names."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rdr_core.errors import RdrError
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.files import read_json
from rdr_core.runs.recipes import DEFAULT, nearest_recipe
from rdr_core.runs.settings import settings_of
from rdr_viz.explorer.state import State
from rdr_viz.palette import known_methods, method_order

if TYPE_CHECKING:
    import pandas as pd

#: What a choice in the explorer changes; runs that differ in anything else are of different data or length.
VARIED = ("imbalance_factor", "profile", "method", "seed")
#: Imbalance factors to train at where there is no run yet.
USUAL_IMBALANCE = (10.0, 50.0, 100.0)

_COLUMNS = (
    "data", "imbalance_factor", "profile", "noise", "method", "seed", "epochs", "path", "done", "results",
)  # fmt: skip
_T = TypeVar("_T")


@dataclass(frozen=True)
class Entry:
    """A run at hand.

    Attributes:
        run: not read further than its configuration.
        done: whether it is finished; others can't be drawn.
        results: names of the analyses' results stored beside it, as "density".
    """

    run: Run
    done: bool
    results: frozenset[str]

    @property
    def config(self) -> RunConfig:
        return self.run.config

    @property
    def data(self) -> str:
        return data_words(self.config)


class Catalogue:
    """The runs of some folders.

    Args:
        folders: of runs; one that is not there holds none.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     empty = Catalogue([folder])
        ...     empty.data(), empty.imbalances("digits", "exponential")
        (['digits'], [10.0, 50.0, 100.0])
    """

    def __init__(self, folders: Sequence[str | Path]) -> None:
        self.folders = [Path(folder) for folder in folders]
        self.entries: list[Entry] = []
        self.read()

    def read(self) -> None:
        """Look at the folders again."""
        self.entries = [entry for folder in self.folders for entry in _entries(folder)]
        # Which data a run is of is asked with every choice. The same run may be in two folders, with other analyses.
        self._by_choice: dict[tuple, list[Entry]] = {}
        for entry in self.entries:
            key = (entry.data, *(getattr(entry.config, name) for name in VARIED))
            self._by_choice.setdefault(key, []).append(entry)

    def table(self) -> pd.DataFrame:
        """A row a run: data, imbalance_factor, profile, noise, method, seed, epochs, path, done, results."""
        import pandas as pd

        rows = [
            (e.data, e.config.imbalance_factor, e.config.profile, e.config.noise_rate, e.config.method, e.config.seed,
             e.config.epochs, e.run.path, e.done, sorted(e.results))
            for e in self.entries
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=_COLUMNS)

    def data(self) -> list[str]:
        """The data that there are runs of, those with the most first; "digits", which needs no files, without any."""
        names = [key[0] for key in self._by_choice]
        return sorted(set(names), key=lambda name: (-names.count(name), name)) or ["digits"]

    def profiles(self, data: str) -> list[str | None]:
        """The profiles that there are runs of these data with."""
        return self._values(lambda e: e.config.profile, str, data=data) or ["exponential"]

    def imbalances(self, data: str, profile: str | None) -> list[float | None]:
        """The imbalance factors at hand, rising; None alone for data taken as they are."""
        found = self._values(lambda e: e.config.imbalance_factor, lambda f: f or 0.0, data=data, profile=profile)
        return found or ([None] if profile is None else list(USUAL_IMBALANCE))

    def methods(self, data: str) -> list[str]:
        """The methods there are runs of, at any imbalance, plain ones first, then the toolkit's others."""
        plain = known_methods()
        there = self._values(lambda e: e.config.method, lambda m: (m not in plain, method_order(m)), data=data)
        return [*there, *(method for method in plain if method not in there)]

    def seeds(self, data: str) -> list[int]:
        """The seeds there are runs of, and the next one."""
        there = self._values(lambda e: e.config.seed, int, data=data)
        return [*there, max(there, default=-1) + 1]

    def find(
        self, data: str, imbalance_factor: float | None, profile: str | None, method: str, seed: int, result: str = ""
    ) -> Entry | None:
        """The finished run of that choice, of several one with that result; None where there is none."""
        entries = self._by_choice.get((data, imbalance_factor, profile, method, seed), ())
        return max((e for e in entries if e.done), key=lambda e: result in e.results, default=None)

    def any(self, data: str, imbalance_factor: float | None, profile: str | None) -> Entry | None:
        """A finished run of these data with this tail, of any method and seed."""
        wanted = (data, imbalance_factor, profile)
        found = (e for key, entries in self._by_choice.items() if key[:3] == wanted for e in entries if e.done)
        return next(found, None)

    def config(
        self, data: str, imbalance_factor: float | None, profile: str | None, method: str, seed: int
    ) -> RunConfig:
        """What to train for that choice: as the other runs of these data, or by the data set's defaults.

        Raises:
            RdrError: there is no run of these data, and they are no data set's own name.
        """
        like = next((e.config for e in self.entries if e.data == data), None)
        if like is None:
            like = _usual_config(data)
        return replace(like.with_seed(seed), imbalance_factor=imbalance_factor, profile=profile, method=method)

    def seconds(self, config: RunConfig, results: Collection[str]) -> float | None:
        """What it took to compute results of the run of the same data that is nearest in imbalance and has them.

        Args:
            config: of the run that they are wanted of.
            results: names of them, as "density"; of several of a name the longest counts.

        Returns:
            None where no run has them.
        """
        data, wanted = data_words(config), config.imbalance_factor or 1.0
        alike = [e for e in self.entries if e.data == data and e.results.issuperset(results)]
        far = [abs(math.log((e.config.imbalance_factor or 1.0) / wanted)) for e in alike]
        folders = [e.run.path / "analysis" for e, distance in zip(alike, far, strict=True) if distance == min(far)]
        # Another run may have had it computed of fewer classes.
        times = (
            sum(
                max((read_json(path)["seconds"] for path in folder.glob(f"{name}-*.json")), default=0.0)
                for name in results
            )
            for folder in folders
        )
        return max(times, default=None)

    def nearest(self, state: State) -> State:
        """The state of the same data, tail, methods and seeds as far as there are runs of such, else of the nearest."""
        data = state.data if state.data in self.data() else self.data()[0]
        profiles = self.profiles(data)
        profile = state.profile if state.profile in profiles else profiles[0]
        tails = self.imbalances(data, profile)
        wanted = state.imbalance_factor or 1.0
        tail = min(tails, key=lambda factor: abs(math.log((factor or 1.0) / wanted)))
        there = [
            {key[4] for key, entries in self._by_choice.items() if key[:4] == (data, tail, profile, method) and entries}
            for method in state.methods
        ]
        methods = [method for method, seeds in zip(state.methods, there, strict=True) if seeds] or state.methods
        seeds = set.intersection(*(found for found in there if found)) if any(there) else set(state.seeds)
        seeds = seeds & set(state.seeds) or seeds or state.seeds
        return replace(state, data=data, profile=profile, imbalance_factor=tail, methods=tuple(methods),
                       seeds=tuple(sorted(seeds)))  # fmt: skip

    def _values(
        self, value: Callable[[Entry], _T], order: Callable[[_T], object], *, data: str, profile: object = ...
    ) -> list[_T]:
        chosen = (entries[0] for key, entries in self._by_choice.items() if key[0] == data)
        return sorted({value(e) for e in chosen if profile in (..., e.config.profile)}, key=order)


def data_words(config: RunConfig) -> str:
    """What a run was trained on and how, but for what the explorer varies: the data set, and what is unusual.

    Example:
        >>> data_words(RunConfig(dataset="digits", imbalance_factor=50, method="ce", epochs=15, noise_rate=0.05,
        ...                      model="small", batch_size=32, learning_rate=0.1))
        'digits, 5 % label noise, 15 epochs'
    """
    recipe, settings = nearest_recipe(config.dataset, vars(config))
    usual = {field.name: field.default for field in fields(RunConfig)} | vars(settings_of(config.dataset)) | settings
    words = [config.dataset]
    if config.noise_rate:
        kind = "" if config.noise == "symmetric" else f"{config.noise} "
        words.append(f"{100 * config.noise_rate:g} % {kind}label noise")
    if recipe != DEFAULT:
        words.append(f"recipe {recipe}")
    if config.epochs != usual["epochs"]:
        words.append(f"{config.epochs} epochs")
    said = {"dataset", "noise_rate", "noise", "epochs", *VARIED}
    if config.drawn:
        words.append("subset and class order drawn by the seed")
        said |= {"data_seed", "class_order"}
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name not in said and value != usual[field.name]:
            number = f"{value:g}" if isinstance(value, float) else str(value)
            words.append(f"{field.name.replace('_', ' ')} {number}")
    return ", ".join(words)


def _usual_config(data: str) -> RunConfig:
    usual = settings_of(data)
    config = RunConfig(
        dataset=data, imbalance_factor=None, profile=None, method="ce", epochs=usual.epochs, model=usual.model,
        batch_size=usual.batch_size, learning_rate=usual.learning_rate,
    )  # fmt: skip
    if data_words(config) != data or "," in data:
        raise RdrError(f"There is no run of {data!r} here that would say how to train another; choose other data.")
    return config


def _entries(folder: Path) -> Iterator[Entry]:
    """The runs of a folder; what is none, or damaged, is passed over."""
    for path in _children(folder):
        with suppress(RdrError):
            run = Run.open(path)
            # A result is NAME-HASH.csv; names have hyphens of their own.
            files = [child.name for child in _children(path / "analysis") if child.suffix == ".csv"]
            yield Entry(run, run.done, frozenset(name.rpartition("-")[0] for name in files))


def _children(folder: Path) -> Iterable[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if not entry.name.startswith("."))
    except OSError:
        return []
