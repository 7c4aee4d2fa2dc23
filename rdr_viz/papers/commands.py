"""The commands `rdr paper`, `rdr paper plan`, `rdr paper run` and `rdr paper pack`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rdr_core.visible import say

if TYPE_CHECKING:
    from rdr_viz.papers.paper import Paper
    from rdr_viz.papers.shelf import Shelf

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode="rich",
    help="""Regenerate the papers: every figure, table and claim beside the papers' own numbers.

    rdr paper                        tables, figures, claims and the page, from the finished runs

    rdr paper plan                   which runs are missing, and how long they would take here

    rdr paper run --grid digits      trains them; --budget 9m stops in time, the same command continues
    """,
)

RunsFolder = Annotated[Path, typer.Option("--runs", help="Folder that holds the runs; the shipped runs are used too.")]
_PARTS = (
    "digits, digits-authors, fashion, fashion-authors, cifar-authors, cifar or imagenet, and parts of the "
    "paper, separated by commas: cifar,table1,figure4."
)
Seeds = Annotated[int | None, typer.Option(help="Number of seeds.", show_default="as the grid says", min=1)]


@app.callback()
def build(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the page, tables and figures.", file_okay=False)]
    = Path("paper"),
    runs: RunsFolder = Path("runs"),
    readme: Annotated[
        Path | None, typer.Option(help="A file whose results are rewritten from the shipped runs.", dir_okay=False)
    ] = None,
) -> None:  # fmt: skip
    """Regenerate the papers from the runs at hand."""
    if context.invoked_subcommand is not None:
        return
    import shlex
    from functools import partial

    from rdr_core.jobs.beside import processors
    from rdr_core.runs.archive import shipped
    from rdr_viz.papers.build import build_papers
    from rdr_viz.papers.results import write_results
    from rdr_viz.papers.shelf import Shelf

    papers, shelf = _papers(), _shelf(runs)
    if readme is not None:
        write_results(readme, papers[0], Shelf([shipped()]))
        say(f"Wrote the results of the shipped runs to {readme}.")
    command = shlex.join(["rdr", "paper", "--out", str(out)] + (["--runs", str(runs)] if str(runs) != "runs" else []))
    build = partial(build_papers, runs=runs, command=command, processes=processors(), progress=True)
    page = build(papers, out, shelf)
    say(f"Open {page} in a browser; tables and figures are beside it as PDF, SVG, PNG and CSV.")
    for own in _own(papers):  # the page above has its tables alone
        say(f"{own.title} has a page of its own: {build([own], out / own.name, shelf)}.")


@app.command()
def plan(
    grid: Annotated[str, typer.Option("--grid", "-g", help=_PARTS, show_default="all grids")] = "",
    seeds: Seeds = None,
    runs: RunsFolder = Path("runs"),
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda or cuda:N; or a machine that was measured before, such as xeon.")
    ] = "auto",
) -> None:  # fmt: skip
    """List the runs that the papers need, which exist, and how much time and space the rest would take.

    Times are measured here on a few steps of each kind of run, with random images, which takes about a minute; or told
    at once of a machine that was measured before.
    """
    from rdr_core.ending import stoppable
    from rdr_viz.papers.plan import show_plan

    papers = _papers()
    usual = ["digits", "fashion-authors", "cifar", "imagenet", *(name for own in _own(papers) for name in own.grids)]
    with stoppable():
        show_plan(papers, grid or ",".join(usual), _shelf(runs), runs=runs, seeds=seeds, device=device)


@app.command()
def run(
    grid: Annotated[str, typer.Option("--grid", "-g", help=_PARTS, show_default="the paper's scale")] = "",
    seeds: Seeds = None,
    budget: Annotated[str, typer.Option(help="Stop after this time, such as 90s, 9m or 2h, and save.")] = "",
    parallel: Annotated[int, typer.Option(help="Runs side by side.", min=1)] = 1,
    scheduler: Annotated[
        str, typer.Option(help="Address of a Dask scheduler whose workers train, such as tcp://10.0.0.1:8786.")
    ] = "",
    runs: RunsFolder = Path("runs"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    root: Annotated[
        Path | None, typer.Option(help="Folder of the data files.", show_default="$RDR_DATA, else ~/.cache/rdr")
    ] = None,
) -> None:
    """Train the missing runs, those that fill most cells first.

    Finished runs are never repeated; stopped or killed runs continue after their last epoch. Several of these commands
    at once share the work.

    rdr paper run --grid digits --parallel 2

    rdr paper run --grid cifar,table1 --budget 9m
    """
    from rdr_core.jobs.told import end_of_work
    from rdr_viz.papers.tasks import budget_seconds
    from rdr_viz.papers.work import make_missing

    seconds = budget_seconds(budget) if budget else None
    outcome = make_missing(
        grid, seeds=seeds, budget=seconds, parallel=scheduler or parallel, runs=runs, device=device, root=root
    )
    if not (outcome.finished or outcome.unfinished or outcome.failed):
        say("Nothing is missing: all of these runs are finished. `rdr paper` draws them.")
        return
    end_of_work(outcome, f"in {runs}", then="`rdr paper` draws them.")


@app.command()
def pack(
    archive: Annotated[Path, typer.Argument(help="The file to write, such as digits.tar.xz.")],
    runs: RunsFolder = Path("runs"),
    weights: Annotated[
        str, typer.Option(help="Methods, with commas, whose seed 0 is packed with its network; others without.")
    ] = "",
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Pack unfinished runs too.")] = False,
) -> None:
    """Pack a folder of runs into a small archive, to move it or to ship it in data/runs.

    Unpack with: tar -xf ARCHIVE -C runs
    """
    from rdr_core.errors import RdrError
    from rdr_core.methods.grammar import parse
    from rdr_core.runs import list_runs
    from rdr_core.runs.archive import pack as pack_runs

    found = [run for run in list_runs(runs) if run.done or unfinished]
    if not found:
        raise RdrError(f"{runs} holds no finished runs to pack; make some with: rdr paper run --grid digits")
    methods = {parse(name).name for name in weights.split(",") if name.strip()}
    with_weights = [run.name for run in found if run.config.method in methods and not run.config.seed]
    pack_runs(found, archive, weights=with_weights, unfinished=unfinished)
    say(f"{archive}: {len(found)} runs, {archive.stat().st_size / 1e6:.1f} MB.")


def _papers() -> list[Paper]:
    from rdr_viz.papers.folders import paper_names
    from rdr_viz.papers.paper import load_paper

    return [load_paper(name) for name in paper_names()]


def _own(papers: list[Paper]) -> list[Paper]:
    """Those that installed packages offer."""
    from rdr_viz.papers.folders import shipped_papers

    return [paper for paper in papers if paper.name not in shipped_papers()]


def _shelf(runs: Path) -> Shelf:
    from rdr_core.runs.archive import shipped
    from rdr_viz.papers.shelf import Shelf

    return Shelf([runs, shipped()])
