"""Where a paper's runs are looked for: folders of runs, the user's own before those shipped with the toolkit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rdr_core.runs import Run, RunConfig
from rdr_core.runs.layout import finished
from rdr_viz.papers.grids import Grid, Request
from rdr_viz.papers.measures import measure

#: Seeds that are looked for, whatever a grid asks for: more of them are a better answer.
SEEDS = range(10)


class Shelf:
    """Finished runs, found by what was asked of them; each is read once.

    Args:
        folders: that hold runs' folders; the first that has a run is taken.

    Example:
        >>> Shelf(["no-such-folder"]).find(RunConfig(dataset="digits", imbalance_factor=50, method="ce", epochs=1,
        ...                                          model="small", batch_size=32, learning_rate=0.1)) is None
        True
    """

    def __init__(self, folders: Sequence[str | Path]) -> None:
        self.folders = [Path(folder) for folder in folders]
        self._found: dict[RunConfig, Run | None] = {}
        self._measured: dict[tuple[RunConfig, str], float] = {}

    def find(self, config: RunConfig) -> Run | None:
        """The finished run of that configuration, if there is one."""
        if config not in self._found:
            places = (folder / config.name for folder in self.folders)
            place = next((place for place in places if finished(place)), None)
            self._found[config] = None if place is None else Run.open(place)
        return self._found[config]

    def measure(self, config: RunConfig, name: str) -> float:
        """A number of that run; NaN without the run, or where it has none."""
        if (config, name) not in self._measured:
            run = self.find(config)
            self._measured[config, name] = np.nan if run is None else measure(run, name)
        return self._measured[config, name]

    def runs(self, grid: Grid, request: Request, *, in_figure: bool = False) -> list[Run]:
        """The finished runs of all seeds that stand for a setting of the paper."""
        configs = (grid.config(request, seed, in_figure=in_figure) for seed in SEEDS)
        return [run for config in configs if config is not None and (run := self.find(config)) is not None]

    def by_seed(self, grid: Grid, request: Request, name: str) -> dict[int, float]:
        """A number of the runs of a setting by seed, where there is one."""
        found = {}
        for seed in SEEDS:
            config = grid.config(request, seed)
            if config is not None and not np.isnan(value := self.measure(config, name)):
                found[seed] = value
        return found
