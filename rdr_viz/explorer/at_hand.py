"""What is at hand: the runs of some folders by what they were trained on, read without opening more than names."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from rdr_core.data.settings import settings_of
from rdr_core.errors import Damaged, RdrError
from rdr_core.files.whole import read_json
from rdr_core.runs import Run, RunConfig
from rdr_core.training.recipes import DEFAULT, nearest_recipe

#: What a choice in the explorer changes; runs that differ in anything else are of different data or length.
VARIED = ("imbalance_factor", "profile", "method", "seed")


@dataclass(frozen=True)
class Entry:
    """A run at hand.

    Attributes:
        run: not read further than its configuration.
        done: whether it is finished; others can't be drawn.
        results: names of the analyses' results stored beside it, as "density".
        data: what it was trained on (:func:`data_words`), so that runs of one name can be compared.
    """

    run: Run
    done: bool
    results: frozenset[str]
    data: str

    @property
    def config(self) -> RunConfig:
        return self.run.config


class Catalogue:
    """The runs of some folders.

    Args:
        folders: of runs; one that is not there holds none.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Catalogue([folder]).data()
        ['digits']
    """

    def __init__(self, folders: Sequence[str | Path]) -> None:
        self.folders = [Path(folder) for folder in folders]
        self.entries: list[Entry] = []
        self.read()

    def read(self) -> None:
        """Look at the folders again."""
        entries = [entry for folder in self.folders for entry in _entries(folder)]
        # Where seeds draw their subsets, a seed on the usual subset is of other data.
        drawn = {entry.data for entry in entries if entry.config.drawn}
        self.entries = [
            replace(entry, data=f"{entry.data}, data seed 0")
            if entry.data in drawn and entry.config.seed and not entry.config.drawn
            else entry
            for entry in entries
        ]

    def data(self) -> list[str]:
        """The data that there are runs of, those with the most first; "digits", which needs no files, without any."""
        names = [entry.data for entry in self.entries]
        return sorted(set(names), key=lambda name: (-names.count(name), name)) or ["digits"]

    def config(
        self, data: str, imbalance_factor: float | None, profile: str | None, method: str, seed: int
    ) -> RunConfig:
        """What to train for that choice: as the other runs of these data, or by the data set's defaults.

        Raises:
            RdrError: there is no run of these data, and they are no data set's own name.
        """
        # Seed 0 does not tell whether seeds draw their subsets.
        alike = sorted((e.config for e in self.entries if e.data == data), key=lambda config: config.seed == 0)
        like = alike[0] if alike else _usual_config(data)
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
            sum(max((_seconds_of(path) for path in folder.glob(f"{name}-*.json")), default=0.0) for name in results)
            for folder in folders
        )
        return max(times, default=None)


def entry_of(run: Run) -> Entry:
    """A run as the catalogue knows it."""
    # A result is NAME-HASH.csv; names have hyphens of their own.
    files = [child.name for child in _children(run.path / "analysis") if child.suffix == ".csv"]
    results = frozenset(name.rpartition("-")[0] for name in files)
    return Entry(run, run.done, results, data_words(run.config))


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
        said.add("data_seed")
        if config.class_order == config.seed:
            words.append("subset and class order drawn by the seed")
            said.add("class_order")
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name not in said and value != usual[field.name]:
            number = f"{value:g}" if isinstance(value, float) else str(value)
            words.append(f"{field.name.replace('_', ' ')} {number}")
    return ", ".join(words)


def _seconds_of(result: Path) -> float:
    """What an analysis took; 0 where that can't be read."""
    try:
        return read_json(result, {"seconds": float})["seconds"]
    except Damaged:
        return 0.0


def _usual_config(data: str) -> RunConfig:
    usual = settings_of(data)
    config = RunConfig(
        dataset=data, imbalance_factor=None, profile=None, method="ce", epochs=usual.epochs, model=usual.model,
        batch_size=usual.batch_size, learning_rate=usual.learning_rate,
    )  # fmt: skip
    if data_words(config) != data or "," in data:
        raise RdrError(f"There is no run of {data!r} here that shows how to train another; choose other data.")
    return config


def _entries(folder: Path) -> Iterator[Entry]:
    """The runs of a folder; what is none is passed over, and so is a damaged one, with a line on stderr."""
    for path in _children(folder):
        try:
            yield entry_of(Run.open(path))
        except Damaged as error:
            print(f"passed over: {error}", file=sys.stderr)
        except RdrError:
            pass


def _children(folder: Path) -> Iterable[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if not entry.name.startswith("."))
    except OSError:
        return []
