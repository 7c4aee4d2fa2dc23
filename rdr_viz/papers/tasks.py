"""What there is to do for papers: runs to train, and analyses of them to compute."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rdr_core.errors import RdrError, RunBusy, unknown_name
from rdr_core.files.inside import inside
from rdr_core.jobs.task import Task, Training
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.conditions import pick_device
from rdr_core.runs.layout import DONE
from rdr_core.training.interrupt import interrupted_at
from rdr_viz.analysis.catalogue import analyse, has_analysis, progress_of
from rdr_viz.papers.grids import Grid
from rdr_viz.papers.paper import Paper
from rdr_viz.papers.shelf import Shelf
from rdr_viz.papers.wanted import Wanted, wanted


@dataclass(frozen=True)
class Analysing:
    """An analysis of a run, computed once the run is finished, and stored in its folder.

    Attributes:
        config: the run's.
        runs: folder that holds the run's folder.
        what: a name of :data:`rdr_viz.analysis.catalogue.ANALYSES`.
        device, root: as for :func:`rdr_core.train`.
    """

    config: RunConfig
    runs: Path
    what: str
    device: str = "auto"
    root: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.what}, {self.config.name}"

    @property
    def key(self) -> Hashable:
        return self.config.dataset

    @property
    def needs(self) -> tuple[Path, ...]:
        return (self._folder / DONE,)

    after = makes = ()

    @property
    def done(self) -> bool:
        return self.needs[0].is_file() and has_analysis(Run.open(self._folder), self.what)

    @property
    def share(self) -> float:
        if not self.needs[0].is_file():
            return 0.0
        run = Run.open(self._folder)
        if has_analysis(run, self.what):
            return 1.0
        done, total, _ = progress_of(run, self.what)
        return done / total

    def run(self, deadline: float) -> bool:
        """Compute it, or go on with it: of what takes long, the pieces done are kept at a deadline.

        Tells whether it was computed here, not by another process since it was looked for.

        Raises:
            RunBusy: another process is at it.
            KeyboardInterrupt: Ctrl-C or the deadline.
        """
        from filelock import FileLock, Timeout

        run = Run.open(self._folder)
        place = inside(self._folder, f"analysis/.{self.what.replace(' ', '-')}.lock")
        place.parent.mkdir(exist_ok=True)
        try:
            lock = FileLock(place, timeout=0)
            with lock, interrupted_at(deadline):
                here = not has_analysis(run, self.what)
                device = str(pick_device(self.device))
                analyse(run, self.what, run.data(root=self.root), device=device, progress=False)
        except Timeout:
            raise RunBusy(f"{self.what} of {run.path} is being computed by another process.") from None
        return here

    @property
    def _folder(self) -> Path:
        return self.runs / self.config.name


def choose(papers: Sequence[Paper], names: str) -> list[tuple[Paper, Grid, tuple[str, ...]]]:
    """The grids, and the parts of their papers, that a word such as "digits" or "cifar,table1,figure4" asks for.

    Args:
        papers: whose grids and artifacts may be named.
        names: with commas between: grids (default: those at the paper's scale), and artifacts (default: all).

    Raises:
        RdrError: an unknown name.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> [(paper.name, grid.name, parts) for paper, grid, parts in choose([load_paper("rdr")], "table3")]
        [('rdr', 'cifar', ('table3',)), ('rdr', 'imagenet', ('table3',))]
    """
    grids = {name for paper in papers for name in paper.grids}
    artifacts = {name for paper in papers for name in paper.artifacts}
    words = [word.strip().lower() for word in names.split(",") if word.strip()]
    for word in words:
        if word not in grids | artifacts:
            raise unknown_name("grid, table or figure", word, grids | artifacts)
    parts = tuple(word for word in words if word in artifacts)
    chosen = [word for word in words if word in grids]
    return [
        (paper, grid, tuple(part for part in parts if part in paper.artifacts))
        for paper in papers
        for grid in paper.grids.values()
        if (grid.name in chosen if chosen else grid.scale == "paper")
        and (not parts or set(parts) & set(paper.artifacts))
    ]


def missing(
    chosen: Iterable[tuple[Paper, Grid, tuple[str, ...]]], shelf: Shelf, *, seeds: int | None = None
) -> list[Wanted]:
    """The runs that are missing, or whose analyses are, in the order in which they are best made.

    Args:
        chosen: as :func:`choose` returns it.
        shelf: where finished runs are.
        seeds: how many (default: each grid's own).

    Returns:
        For each run, what it fills and its missing analyses.
    """
    by_config: dict[RunConfig, Wanted] = {}
    for paper, grid, parts in chosen:
        for want in wanted(paper, grid, artifacts=parts, seeds=seeds):
            run = shelf.find(want.config)
            lack = tuple(what for what in want.analyses if run is None or not has_analysis(run, what))
            if run is None or lack:
                before = by_config.get(want.config, Wanted(want.config, (), ()))
                merged = (tuple(dict.fromkeys((*old, *new))) for old, new in
                          ((before.artifacts, want.artifacts), (before.analyses, lack)))  # fmt: skip
                by_config[want.config] = Wanted(want.config, *merged)
    # Papers share grids: the first seed of all of them comes before the second of any.
    return sorted(by_config.values(), key=lambda want: want.config.seed)


def tasks_of(
    wants: Iterable[Wanted], shelf: Shelf, runs: Path, *, device: str = "auto", root: Path | None = None
) -> list[Task]:
    """Trainings, each followed by the analyses of its run.

    A run that was shipped without its weights and misses an analysis is trained again, into ``runs``.
    """
    tasks: list[Task] = []
    for want in wants:
        run = shelf.find(want.config)
        if run is not None and (not want.analyses or run.has_weights):
            folder = run.path.parent
        else:
            folder = runs
            tasks.append(Training(want.config, runs, device, root))
        tasks += [Analysing(want.config, folder, what, device, root) for what in want.analyses]
    return tasks


def budget_seconds(words: str) -> float:
    """Seconds in "90s", "9m", "1.5h" or "600".

    Raises:
        RdrError: anything else.

    Example:
        >>> budget_seconds("9m"), budget_seconds("1.5h"), budget_seconds("600")
        (540.0, 5400.0, 600.0)
    """
    units = {"s": 1, "m": 60, "h": 3600}
    text = words.strip().lower()
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise RdrError(f"budget is {words!r}; it must be a time such as 90s, 9m or 2h.")
    return seconds
