"""A paper's tables beside ours: each printed number with the mean over our seeds and their difference."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rdr_core.methods.control import control_of
from rdr_core.methods.names import method_label
from rdr_core.runs.command import command_of
from rdr_viz.analysis.best_epoch import ACCURACIES
from rdr_viz.analysis.measures.picked_epoch import at_best
from rdr_viz.analysis.words import dataset_name
from rdr_viz.papers.grids import Grid, Request

if TYPE_CHECKING:
    from rdr_viz.papers.paper import Paper
    from rdr_viz.papers.shelf import Shelf


def compared_cells(paper: Paper, table: str, grid: Grid, shelf: Shelf, runs: Path) -> pd.DataFrame:
    """The cells of one of the paper's tables that a grid has runs for, or could have.

    Args:
        paper: whose.
        table: its name.
        grid: whose runs; cells that it has no stand-in for are left out.
        shelf: where the runs are.
        runs: folder that commands train into.

    Returns:
        The columns of :attr:`Paper.cells`, and ``row`` (the method's label), ``ours`` (mean over seeds, NaN without a
        run), ``ours_sd`` (NaN for fewer than two), ``seeds``, ``difference`` (ours - paper), ``within`` (whether the
        difference is within the sum of both standard deviations; None where neither is known, or at another scale than
        the paper's), ``scale``, ``stands`` (what stands for the paper's setting at another scale, else ""), ``command``
        (what fills an empty cell, "" otherwise). Of accuracies also ``peeked`` (ours at the best epoch on the test
        set), ``control`` (the fair control's label, "" where it is not run) and ``over_control`` (ours - its, seed by
        seed).
    """
    rows = []
    for cell in paper.cells[paper.cells["table"] == table].to_dict("records"):
        request = Request(cell["dataset"], cell["imbalance_factor"], cell["method"])
        config = grid.config(request, seed=0)
        if config is None:
            continue
        own = shelf.by_seed(grid, request, cell["group"])
        values = np.array(list(own.values()))
        mean = values.mean() if len(values) else np.nan
        spread = values.std(ddof=1) if len(values) > 1 else np.nan
        difference = mean - cell["paper"] if grid.printed else np.nan
        filled = {"ours": mean, "ours_sd": spread, "seeds": len(values), "difference": difference}
        filled |= _beside(grid, shelf, request, cell["group"], own)
        command = ""
        if not len(values):
            done = shelf.find(config)
            command = (
                command_of(config, _unless_usual(runs))
                if done is None
                else run_command(grid, runs, _artifact(paper, table))
            )
        rows.append(
            {**cell, "row": method_label(cell["method"]), **filled,
             "within": _within(difference, spread, cell["paper_sd"]), "scale": grid.scale,
             "stands": "" if grid.printed else f"{dataset_name(config.dataset)}, IF {config.imbalance_factor:g}",
             "command": command}
        )  # fmt: skip
    return pd.DataFrame(rows)


def run_command(grid: Grid, runs: Path, artifact: str = "") -> str:
    """The `rdr paper run` command that makes a grid's missing runs and analyses, of one part of the paper or of all.

    Example:
        >>> from rdr_viz.papers.paper import load_paper
        >>> run_command(load_paper("rdr").grids["cifar"], Path("my runs"), "table1")
        "rdr paper run --grid cifar,table1 --runs 'my runs'"
    """
    command = ["rdr", "paper", "run", "--grid", ",".join(filter(None, (grid.name, artifact)))]
    folder = _unless_usual(runs)
    return shlex.join(command if folder is None else [*command, "--runs", str(folder)])


def _unless_usual(runs: Path) -> Path | None:
    """The folder of runs where a command has to name it."""
    return None if runs == Path("runs") else runs


def _artifact(paper: Paper, table: str) -> str:
    return next(found.artifact for found in paper.tables if found.name == table)


def _beside(grid: Grid, shelf: Shelf, request: Request, group: str, own: dict[int, float]) -> dict[str, object]:
    """What stands beside an accuracy: the one that peeking would give, and the distance from the fair control."""
    found: dict[str, object] = {"peeked": np.nan, "control": "", "over_control": np.nan}
    config = grid.config(request, seed=0)
    if group not in ACCURACIES or config is None:
        return found
    peeked = list(shelf.by_seed(grid, request, at_best(group)).values())
    found["peeked"] = np.mean(peeked) if peeked else np.nan
    control = control_of(config.method)
    beside = shelf.by_seed(grid, request._replace(method=control), group) if control else {}
    paired = [own[seed] - beside[seed] for seed in own if seed in beside]
    if control and paired:
        found |= {"control": method_label(control), "over_control": np.mean(paired)}
    return found


def _within(difference: float, *spreads: float) -> bool | None:
    known = [spread for spread in spreads if not np.isnan(spread)]
    if np.isnan(difference) or not known:
        return None
    return bool(abs(difference) <= sum(known))
