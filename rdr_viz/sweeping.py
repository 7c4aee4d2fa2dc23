"""The command `rdr sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdr_core.visible import say

if TYPE_CHECKING:
    from rdr_core.jobs.task import Task, Training


def sweep(
    grid: Annotated[str, typer.Argument(help="A TOML file, or a paper's grid by name, such as digits.")],
    parallel: Annotated[
        int | None,
        typer.Option(help="Runs side by side here.", min=1, show_default="one a processor, or one a GPU"),
    ] = None,
    scheduler: Annotated[
        str, typer.Option(help="Address of a Dask scheduler whose workers train, such as tcp://10.0.0.1:8786.")
    ] = "",
    slurm: Annotated[
        Path | None, typer.Option(help="Start workers as jobs of Slurm, as this file says; written where it is not.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what there is to do, and how long it takes.")
    ] = False,
    runs: Annotated[Path, typer.Option("--runs", help="Folder that holds the runs.")] = Path("runs"),
    device: Annotated[
        str,
        typer.Option(
            help="auto (a GPU if there is one), cpu, cuda or cuda:N; with --dry-run also a machine that was "
            "measured before, such as xeon."
        ),
    ] = "auto",
    root: Annotated[
        Path | None, typer.Option(help="Folder of the data files.", show_default="$RDR_DATA, else ~/.cache/rdr")
    ] = None,
) -> None:
    """Train every run of a grid, on this machine or on a cluster.

    A grid is a small file with one value or a list for each setting of `rdr train`:

    [dim]dataset = "digits"
    imbalance_factor = \\[10, 50]
    method = \\["ce", "inverse", "rdr"]
    seed = \\[0, 1, 2][/dim]

    Finished runs are never repeated; stopped or killed ones go on after their last epoch, with the same command,
    here or elsewhere.

    rdr sweep grid.toml --dry-run

    rdr sweep grid.toml --scheduler tcp://10.0.0.1:8786

    rdr sweep grid.toml --slurm site.toml
    """
    from rdr_core.ending import stoppable
    from rdr_core.jobs.slurm import read_slurm
    from rdr_core.jobs.sweep import make_runs, usual_parallel
    from rdr_core.jobs.told import end_of_work

    with stoppable():
        tasks = _tasks(grid, runs, device, root)
        site = None if slurm is None else read_slurm(slurm)
        if dry_run:
            _tell(tasks, runs, device, parallel)
            if site is not None:
                say(f"A job of Slurm:\n\n{site.script()}")
            return
        where = site or scheduler or parallel or usual_parallel(device)
        outcome = make_runs(tasks, runs, f"Sweep of {Path(grid).name}", parallel=where)
    end_of_work(outcome, f"in {runs}", then=f"`rdr runs {runs}` lists them.")


def _tasks(grid: str, runs: Path, device: str, root: Path | None) -> list[Task]:
    from rdr_core.jobs.grid import grid_configs
    from rdr_core.jobs.sweep import tasks_of_grid
    from rdr_core.runs.archive import shipped
    from rdr_viz.papers.folders import paper_names
    from rdr_viz.papers.paper import load_paper
    from rdr_viz.papers.shelf import Shelf
    from rdr_viz.papers.tasks import choose, missing, tasks_of

    papers = [load_paper(name) for name in paper_names()]
    if grid in {name for paper in papers for name in paper.grids}:
        shelf = Shelf([runs, shipped()])
        return tasks_of(missing(choose(papers, grid), shelf), shelf, runs.absolute(), device=device, root=root)
    return list(tasks_of_grid(grid_configs(grid, root=root), runs, device=device, root=root))


def _tell(tasks: list[Task], runs: Path, device: str, parallel: int | None) -> None:
    """What there is to do, and how much time and space it would take."""
    from rdr_core.jobs.cost import seconds_of
    from rdr_core.jobs.machines import machine_names, read_machine
    from rdr_core.jobs.space import bytes_of
    from rdr_core.jobs.sweep import states_of, usual_parallel
    from rdr_core.jobs.task import Training
    from rdr_core.jobs.told import tell_states
    from rdr_core.plain import total
    from rdr_core.runs.conditions import pick_device
    from rdr_viz.papers.plan import space_words, time_words

    trainings: list[Training] = [task for task in tasks if isinstance(task, Training)]
    tell_states(states_of(trainings))
    left = [task.config for task in trainings if not task.done]
    if not left:
        return
    there = read_machine(device) if device in machine_names() else None
    whole = total(seconds_of(left, device, runs=runs, progress=True).values())
    if whole is None:
        where = f"on {there.words}" if there else "here"
        say(f"How long they take can't be told {where}: some are of photographs, of networks not measured there, or of "
            "data that are not at hand.")  # fmt: skip
    else:
        where = f"on {there.words}" if there else "on this machine"
        parallel = parallel or (1 if there else usual_parallel(device))
        side = f", and with {parallel} side by side at best {time_words(whole / parallel)}" if parallel > 1 else ""
        say(f"What is left takes about {time_words(whole)} {where}, one after the other{side}.")
        if there.gpu if there else pick_device(device).type == "cuda":
            say(f"That is {whole / 3600:,.1f} GPU hours.")
    space = total(bytes_of(left).values())
    if space is not None:
        say(f"Finished, these runs take about {space_words(space)} of disk.")
