"""The command ``rdr``: the core's commands and those that draw.

Nothing heavy is imported here, so that ``rdr --help`` answers at once.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from rdr_core.visible import say

if TYPE_CHECKING:
    pass


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the page, its figures and the runs.", file_okay=False)
    ] = Path("demo"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the initial weights and the order of images.")] = 0,
) -> None:
    """Train three methods on long-tailed digits and write a page of pictures.

    The training set has 124 zeros but 2 nines (imbalance factor 50).
    Cross-entropy (CE), inverse frequency (1/n) and density ratio
    re-weighting (RDR) learn from the same images. The command prints accuracy
    over all classes and over those with many, medium and few images, for this
    seed and over the shipped seeds: one seed says little about a method.

    It takes a minute or two and needs no download and no GPU. Trained runs
    are kept: a second call only draws.

    Then open demo/index.html in a browser. demo/figures has every picture
    as PDF, SVG and PNG, with the plotted numbers as CSV.
    """
    from rdr_viz.demo import run_demo

    page = run_demo(out, seed=seed)
    say(f"Open {page} in a browser; the pictures and their numbers are in {page.parent / 'figures'}.")


def plot(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    kind: Annotated[str, typer.Option("--kind", "-k", help="What to draw; `rdr kinds` lists them.")] = "accuracy",
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            help="A name (writes all files), a name with .png or such (that file), or a folder/.",
            show_default="the kind, in this folder",
        ),
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="For a dark page or slide.")] = False,
) -> None:
    """Draw stored runs: PDF, SVG and PNG, with the plotted numbers as CSV.

    rdr plot runs/* --kind accuracy               methods side by side, seeds averaged

    rdr plot runs/digits-if50-rdr-* -k weights    one run's class weights over the epochs
    """
    from rdr_core.runs.run_list import open_runs
    from rdr_viz.displays.kinds import make_display

    display = make_display(kind, open_runs(runs))
    paths = display.save(kind if out is None else out, theme="dark" if dark else "light")
    say(display.finding)
    say(f"Written: {', '.join(str(path) for path in paths.values())}")


def analyse(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    what: Annotated[str, typer.Option("--what", "-w")] = "groups",
    root: Annotated[
        Path | None, typer.Option(help="Folder of the data files.", show_default="$RDR_DATA, else ~/.cache/rdr")
    ] = None,
) -> None:
    """Analyse stored runs and keep the tables in the runs' folders.

    Stored tables are read, not computed again. Pictures that need a table compute it too.

    rdr analyse runs/* --what groups,geometry

    rdr analyse runs/digits-if50-rdr-* -w curvature    a minute on two cores
    """
    from rdr_core.ending import stoppable
    from rdr_core.errors import unknown_name
    from rdr_core.runs.run_list import open_runs
    from rdr_viz.analysis.catalogue import analyse, analyses

    names = [name.strip() for name in what.split(",") if name.strip()]
    for name in names:  # a typo in the last one must not come to light after an hour
        if name not in analyses():
            raise unknown_name("analysis", name, analyses())
    with stoppable():
        for run in open_runs(runs):
            data = run.data(root=root)
            for name in names:
                rows = len(analyse(run, name, data))
                say(f"{run.name}: {name}, {rows:,} rows, in {run.path / 'analysis'}")


class _Analyse(TyperCommand):
    """`rdr analyse`: its help lists all analyses, which are imported only when help is asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from rdr_viz.analysis.catalogue import analyses

        for parameter in self.params:
            if parameter.name == "what":
                vars(parameter)["help"] = f"{', '.join(analyses())}; separate several with commas."
        super().format_help(ctx, formatter)


def gallery(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs that differ in method and seed only.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the page and its figures.", file_okay=False)] = (
        Path("gallery")
    ),
) -> None:
    """Draw every kind of picture of stored runs, on one page.

    Analyses that the runs do not have yet (curvature, geometry) are computed
    and kept in their folders, so only the first call takes long.

    rdr gallery demo/runs/* --out gallery
    """
    import shlex

    from rdr_core.ending import stoppable
    from rdr_core.runs.run_list import open_runs
    from rdr_viz.displays.kinds import kinds
    from rdr_viz.pages.report import write_report

    command = shlex.join(["rdr", "gallery", *map(str, runs), "--out", str(out)])
    with stoppable():
        page = write_report(open_runs(runs), out, kinds=kinds(), command=command, progress=True)
    say(f"Open {page} in a browser; the pictures and their numbers are in {page.parent / 'figures'}.")


def publish(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Runs' folders, or folders that hold runs.", show_default="the shipped runs"),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file.", dir_okay=False)] = Path("explorer.html"),
    title: Annotated[str, typer.Option(help="Title of the page.")] = "What a long tail does",
) -> None:
    """Write the explorer of stored runs as one HTML file: it needs no Python, no server and no network.

    rdr publish runs -o tail.html
    """
    import shlex
    from datetime import date
    from importlib.metadata import version

    from rdr_core.ending import stoppable
    from rdr_core.runs import list_runs
    from rdr_core.runs.archive import shipped
    from rdr_core.runs.run_list import open_runs
    from rdr_viz.explorer.publish import publish as write

    found = []
    for place in runs or [shipped()]:
        found += open_runs([place]) if (place / "config.json").exists() else list_runs(place)
    done = [run for run in found if run.done]
    command = shlex.join(["rdr", "publish", *map(str, runs or []), "-o", str(out)])
    of = f"RDR toolkit {version('rdr-toolkit')} (MIT licence), {date.today():%d %B %Y}"
    made = f"Made from {len(done)} runs by `{command}`, {of}."
    with stoppable():
        page = write(done, out, title=title, made=made)
    left = f"; {len(found) - len(done)} unfinished runs are left out" if len(done) < len(found) else ""
    say(f"{len(done)} runs in {page}, {page.stat().st_size / 1e6:.1f} MB{left}. Open it in a browser or mail it.")


def kinds() -> None:
    """List the kinds of pictures, with the question each answers."""
    from rdr_viz.displays.base import DISPLAYS
    from rdr_viz.displays.kinds import compares_runs
    from rdr_viz.displays.kinds import kinds as all_kinds

    known = all_kinds(in_galleries=None)
    width = max(map(len, known))
    for kind in known:
        takes = "runs" if compares_runs(kind) else "one run"
        say(f"{kind:<{width}}  {takes:<7}  {DISPLAYS[kind].title}")


def measures() -> None:
    """List the measures of a run that papers' tables and claims can use, with their units."""
    from rdr_viz.analysis.measures.measure import MEASURES

    known = MEASURES.all()
    width, unit = (max(map(len, words)) for words in (known, (one.unit for one in known.values())))
    for name in sorted(known):
        say(f"{name:<{width}}  {known[name].unit:<{unit}}  {known[name].words}")


Port = Annotated[
    int | None,
    typer.Option(help="Port to listen on.", show_default="the server's usual one, or a free one", min=1, max=65535),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the address, but open no browser.")]


def lab(
    folder: Annotated[Path, typer.Argument(help="Folder for your copies of the notebooks.", file_okay=False)] = Path(
        "rdr-notebooks"
    ),
    port: Port = None,
    no_browser: NoBrowser = False,
) -> None:
    """Copy the notebooks to a folder of your own and open them in JupyterLab.

    Your changes are never overwritten: a new version is written beside them. Only this machine can reach the
    server. Ctrl-C ends it.
    """
    from rdr_core.ending import stoppable
    from rdr_viz.explorer.launch import run_lab

    with stoppable():
        run_lab(folder, port=port, browser=not no_browser)


def app(
    runs: Annotated[Path, typer.Option("--runs", help="Folder that holds the runs; the shipped runs are used too.")]
    = Path("runs"),
    port: Port = None,
    no_browser: NoBrowser = False,
    dark: Annotated[bool, typer.Option("--dark", help="Show a dark page.")] = False,
) -> None:  # fmt: skip
    """Open the explorer as a page: choose imbalance, method and view with controls, without code.

    Only this machine can reach the server. Ctrl-C ends it; trainings started from the page continue.
    """
    from rdr_core.ending import stoppable
    from rdr_viz.explorer.launch import run_app

    with stoppable():
        run_app(runs, port=port, browser=not no_browser, dark=dark)


def playground(
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")] = Path("playground.html"),
) -> None:
    """Write the playground: two methods learn side by side from points in the plane.

    One page trains CE, focal, CB, LA, 1/n, its powers and RDR in the browser:
    no server, no network. It has a lesson of five tasks that check themselves.

    rdr playground -o page.html
    """
    from rdr_viz.explorer.playground import write_playground

    say(f"Open {write_playground(out)} in a browser.")


@cache
def commands() -> typer.Typer:
    """The core's commands and those that draw; once, since these are added to the core's own."""
    from rdr_core.cli import app as everything
    from rdr_viz.papers.commands import app as paper
    from rdr_viz.sweeping import sweep

    for command in (demo, sweep, analyse, plot, gallery, publish, playground, kinds, measures, lab, app):
        everything.command(cls=_Analyse if command is analyse else None)(command)
    everything.add_typer(paper, name="paper")
    return everything


def main() -> None:
    """Entry point of ``rdr``."""
    from rdr_core.ending import run_app

    os.environ.pop("MPLBACKEND", None)  # pictures are files, which no window's backend draws; there may be none of it
    run_app(commands())
