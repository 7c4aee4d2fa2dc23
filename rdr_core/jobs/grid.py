"""Grids of runs: every combination of some values of `rdr train`'s settings, from a small file or a dict.

dataset = ["cifar10", "cifar100"]
imbalance_factor = [10, 100]
method = ["ce", "inverse", "rdr"]
seed = [0, 1, 2]
draws = ["data_seed"]     # each seed draws its subset too

[[grid]]                  # besides, with what stands above where nothing else is said
dataset = "digits"
epochs = 20
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from rdr_core.errors import RdrError, unknown_name
from rdr_core.files.tomls import read_toml
from rdr_core.jobs.size import data_size
from rdr_core.runs import RunConfig
from rdr_core.runs.requests import configure, settings_of_train

#: Settings that are words; the others are numbers, and the order of classes is either.
_WORDS = {"dataset", "method", "profile", "noise", "model", "recipe", "schedule", "augmentation", "precision"}
#: What a seed may draw besides the first weights and the order of samples.
DRAWN = ("data_seed", "class_order")
#: Several grids of one file.
_MORE = "grid"


def grid_configs(grid: Mapping[str, Any] | str | Path, *, root: str | Path | None = None) -> list[RunConfig]:
    """The runs of a grid, each once, seed by seed.

    Args:
        grid: a TOML file, or what it would say: settings of :func:`rdr_core.train` with one value or a list of them;
            ``dataset`` is needed. ``draws`` names those of :data:`DRAWN` that take the seed's value. ``grid`` is a list
            of further grids, each with the settings above where it has no own.
        root: folder of the data files.

    Raises:
        RdrError: a file that can't be read, a setting or value that is none, or a combination that can't be trained,
            with its line.

    Example:
        >>> grid = {"dataset": "digits", "imbalance_factor": [10, 50], "method": ["ce", "rdr"], "seed": [0, 1]}
        >>> [config.name.rpartition("-")[0] for config in grid_configs(grid)][:3]
        ['digits-if10-ce-s0', 'digits-if10-rdr-s0', 'digits-if50-ce-s0']
    """
    source = _Source(None if isinstance(grid, Mapping) else Path(grid))
    if not isinstance(grid, Mapping):
        grid = read_toml(Path(grid), "a grid is a TOML file, or the name of a paper's grid")
    found: dict[RunConfig, None] = {}
    for one in _several(grid, source):
        found |= dict.fromkeys(_crossed(one, source, root))
    if not found:
        raise RdrError(f"{source.name} has no runs: a list in it is empty.")
    return sorted(found, key=lambda config: config.seed)


class _Source:
    """Where a grid is from, so that a mistake can be told with its line.

    Args:
        path: of the file; None where the grid is from no file.
    """

    def __init__(self, path: Path | None) -> None:
        self._path, self.name = path, "The grid" if path is None else str(path)

    def at(self, *keys: str) -> str:
        """The beginning of a sentence: the file, and the lines in which the keys stand first."""
        text = "" if self._path is None else self._path.read_text(encoding="utf-8")
        lines = [
            number
            for number, line in enumerate(text.splitlines(), 1)
            if re.match(rf"\s*[\"']?({'|'.join(map(re.escape, keys))})[\"']?\s*[=.]|\s*\[+({'|'.join(keys)})\b", line)
        ]
        if not lines:
            return f"{self.name}: "
        return f"{self.name}, line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}: "


def _several(grid: Mapping[str, Any], source: _Source) -> list[dict[str, Any]]:
    common = {key: value for key, value in grid.items() if key != _MORE}
    more = grid.get(_MORE, [])
    if not isinstance(more, list) or not all(isinstance(one, Mapping) for one in more):
        raise RdrError(f"{source.at(_MORE)}{_MORE} is {more!r}; it must be a list of tables, each [[{_MORE}]].")
    own = [] if more and "dataset" not in common else [common]
    return [*own, *({**common, **one} for one in more)]


def _crossed(grid: Mapping[str, Any], source: _Source, root: str | Path | None) -> list[RunConfig]:
    known = {"dataset", *settings_of_train()}
    for key, value in grid.items():
        if key not in known | {"draws"}:
            raise RdrError(f"{source.at(key)}{unknown_name('setting', key, known | {'draws', _MORE})}")
        for one in _values(value):
            if not _fits(key, one):
                what = "text" if key in _WORDS or key == "draws" else "a number"
                raise RdrError(f"{source.at(key)}{key} is {one!r}; it must be {what}, or a list of such.")
    if "dataset" not in grid:
        raise RdrError(f'{source.name} names no data set; say which, as dataset = "cifar10".')
    draws = _values(grid.get("draws", []))
    for one in draws:
        if one not in DRAWN:
            raise RdrError(f"{source.at('draws')}{unknown_name('draw of a seed', one, DRAWN)}")
        if one in grid:
            raise RdrError(f"{source.at('draws', one)}{one} is drawn by the seed, so leave its values out.")
    keys = [key for key in grid if key != "draws"]
    configs = []
    for values in product(*(_values(grid[key]) for key in keys)):
        settings = dict(zip(keys, values, strict=True))
        settings |= dict.fromkeys(draws, settings.get("seed", 0))
        try:
            config = configure(settings.pop("dataset"), root=root, **settings)
            data_size(config)  # an imbalance that leaves a class empty
        except RdrError as error:
            which = ", ".join(f"{key} = {value!r}" for key, value in zip(keys, values, strict=True))
            named = [key for key in keys if str(error).startswith(f"{key} ")] or keys
            raise RdrError(f"{source.at(*named)}{which}: {error}") from None
        configs.append(config)
    return configs


def _values(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple, range)) else [value]


def _fits(key: str, value: Any) -> bool:
    word, number = isinstance(value, str), isinstance(value, (int, float)) and not isinstance(value, bool)
    if key == "class_order":
        return word or number
    return word if key in _WORDS or key == "draws" else number
