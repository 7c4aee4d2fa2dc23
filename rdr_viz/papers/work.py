"""Making the missing runs of papers: the code behind `rdr paper run`, also for machines without a command line.

A GPU machine that has little more than torch makes the next runs with::

    python -c "from rdr_viz.papers.work import make_missing; make_missing('cifar', budget=540, parallel=4)"
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from rdr_core.jobs.outcome import Outcome
from rdr_core.jobs.sweep import make_runs
from rdr_core.runs.archive import shipped
from rdr_core.runs.conditions import pick_device
from rdr_viz.papers.folders import paper_names
from rdr_viz.papers.paper import load_paper
from rdr_viz.papers.shelf import Shelf
from rdr_viz.papers.tasks import choose, missing, tasks_of


def make_missing(
    names: str = "", *, seeds: int | None = None, budget: float | None = None, parallel: int | str = 1,
    runs: str | Path = "runs", device: str = "auto", root: str | Path | None = None, progress: bool = True,
) -> Outcome:  # fmt: skip
    """Make the missing runs and analyses of all papers, those that fill most cells first.

    Args:
        names: grids and parts, as "digits" or "cifar,table1,figure4" (:func:`rdr_viz.papers.tasks.choose`); empty
            (default) is all at the paper's scale.
        seeds: how many (default: as each grid says).
        budget: seconds after which to stop, with all saved; None (default) is no limit.
        parallel: as for :func:`rdr_core.jobs.work.work_through`.
        runs: folder that they are made in; what is finished there, or shipped, is not made again.
        device, root: as for :func:`rdr_core.train`.
        progress: show a bar.

    Returns:
        What has become of them.

    Raises:
        RdrError: a name, device or number that can't be.
    """
    pick_device(device)
    shelf = Shelf([runs, shipped()])
    wants = missing(choose([load_paper(name) for name in paper_names()], names), shelf, seeds=seeds)
    if find_spec("scipy") is None:  # curvature's errors need Student's quantiles
        print(
            "Without scipy runs are made, but not analysed; pack their weights and analyse elsewhere.", file=sys.stderr
        )
        wants = [want._replace(analyses=()) for want in wants if shelf.find(want.config) is None]
    tasks = tasks_of(wants, shelf, Path(runs).absolute(), device=device, root=None if root is None else Path(root))
    title = f"rdr paper run{f' --grid {names}' if names else ''}"
    return make_runs(tasks, Path(runs), title, parallel=parallel, budget=budget, progress=progress and bool(tasks))
