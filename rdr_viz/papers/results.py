"""The README's results: what our runs say about the claims, and accuracy by group, written by `rdr paper`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rdr_core.errors import RdrError
from rdr_core.files.whole import write_whole
from rdr_core.methods.names import method_order
from rdr_core.runs import Run
from rdr_viz.analysis.words import number, plural
from rdr_viz.displays.figure import render
from rdr_viz.displays.group_accuracy import GroupAccuracy
from rdr_viz.pages.tables import accuracy_table, cells
from rdr_viz.papers.cells import compared_cells
from rdr_viz.papers.claims import NOT_MEASURED, overall
from rdr_viz.papers.finding import finding
from rdr_viz.papers.grids import Grid, requests
from rdr_viz.papers.judging import Judge
from rdr_viz.papers.paper import Paper
from rdr_viz.papers.shelf import Shelf
from rdr_viz.papers.wanted import scales

BEGIN, END = "<!-- written by `rdr paper --readme`: begin -->", "<!-- written by `rdr paper --readme`: end -->"
#: Where the finding goes, if a file has a place for it.
HEAD, FOOT = "<!-- finding, written by `rdr paper --readme`: begin -->", "<!-- finding: end -->"
#: The grid whose runs a newcomer is shown, those that it wants for this artifact; and which of them make the picture.
_GRID, _ARTIFACT = "digits", "readme"
_PICTURED = ("ce", "inverse", "inverse:gamma=0.5", "rdr", "la")


def results(paper: Paper, shelf: Shelf) -> str:
    """Markdown: a table of accuracy by group at the small scale, a table of the results so far at the paper's own
    scale, and a table of the claims with their verdicts.

    The same runs give the same text.
    """
    parts = (_accuracies(paper.grids[_GRID], shelf), beside_the_papers(paper, shelf), _verdicts(paper, shelf))
    return "\n\n".join(filter(None, parts)) + "\n"


def write_results(path: Path, paper: Paper, shelf: Shelf) -> None:
    """Put :func:`results` between a file's two marks, and draw ``data/results/accuracy.png`` beside it.

    Raises:
        RdrError: the file has no such marks.
    """
    text = renewed(path, paper, shelf)
    write_whole(path, lambda beside: Path(beside).write_text(text, encoding="utf-8"))
    pictured = [run for method, runs in _runs(paper.grids[_GRID], shelf).items() if method in _PICTURED for run in runs]
    if pictured:
        display = GroupAccuracy.from_runs(pictured)
        png = render(display.figure(), "png", title=display.title, description=display.alt)
        picture = path.parent / "data" / "results" / "accuracy.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        write_whole(picture, lambda beside: Path(beside).write_bytes(png))


def renewed(path: Path, paper: Paper, shelf: Shelf) -> str:
    """The file's text with the results as they are now.

    Raises:
        RdrError: the marks are missing.
    """
    text = path.read_text(encoding="utf-8")
    top, head, rest = text.partition(HEAD)
    _, foot, bottom = rest.partition(FOOT)
    if head and foot:
        text = f"{top}{HEAD}\n\n{finding(paper, shelf)}\n\n{FOOT}{bottom}"
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RdrError(f"{path} has no place for the results; put these two lines into it: {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n\n{results(paper, shelf)}\n{END}{after}"


def _runs(grid: Grid, shelf: Shelf) -> dict[str, list[Run]]:
    """The runs of each method, in the pictures' order; methods without any are left out."""
    wants = [
        request
        for more in grid.more
        if more["artifact"] == _ARTIFACT
        for request in requests(more["datasets"], more["factors"], more["methods"])
    ]
    wants.sort(key=lambda request: method_order(request.method))
    return {request.method: runs for request in wants if (runs := shelf.runs(grid, request))}


def _accuracies(grid: Grid, shelf: Shelf) -> str:
    found = _runs(grid, shelf)
    if not found:
        return "No run is finished yet."
    table = accuracy_table([run for runs in found.values() for run in runs])
    rows = [
        f"| `{method}` | {' | '.join([line[0], *line[2:], line[1]])} |"
        for method, line in zip(found, cells(table), strict=True)
    ]
    config = next(iter(found.values()))[0].config
    whose = "each of which draws its subset of the data" if grid.draws else "all on one subset of the data"
    head = (
        f"{config.dataset.capitalize()}, imbalance factor {config.imbalance_factor:g}, {config.epochs} epochs; test "
        f"accuracy in percent, mean and standard deviation over seeds, {whose}:\n\n"
        "| `-m` | in pictures | All | Many | Medium | Few | seeds |\n| --- | --- | --- | --- | --- | --- | --- |\n"
    )
    return head + "\n".join(rows)


def beside_the_papers(paper: Paper, shelf: Shelf) -> str:
    """The paper's accuracies over all classes beside ours, at each scale that compares; "" without runs."""
    words = {
        "paper": "In the paper's own setting, accuracy over all classes, the paper's number / **ours**; the missing "
        "ones wait for a GPU:",
        "authors' code": "By the authors' code (`--recipe authors`; RDR is `rdr:preset=released`), the same:",
    }
    return "\n\n".join(filter(None, (_compared(paper, shelf, scale, lead) for scale, lead in words.items())))


def _compared(paper: Paper, shelf: Shelf, scale: str, lead: str) -> str:
    grids = scales(paper).get(scale, [])
    parts = [compared_cells(paper, table.name, grid, shelf, Path("runs")) for table in paper.tables for grid in grids]
    parts = [part for part in parts if len(part)]
    if not parts:
        return ""
    printed = pd.concat(parts, ignore_index=True)
    printed = printed[(printed["group"] == "all") & printed["ours"].notna()]
    # What several tables print is taken from the first.
    printed = printed.drop_duplicates(["dataset", "imbalance_factor", "method"])
    if printed.empty:
        return ""
    settings = list(dict.fromkeys(zip(printed["dataset"], printed["imbalance_factor"], strict=True)))
    cell = {
        (row.method, (row.dataset, row.imbalance_factor)):
        f"{number(row.paper)} / **{number(row.ours)}** ({plural(row.seeds, 'seed')})"
        for row in printed.itertuples()
    }  # fmt: skip
    rows = [
        f"| `{method}` | {' | '.join(cell.get((method, setting), '') for setting in settings)} |"
        for method in sorted(set(printed["method"]), key=method_order)
    ]
    heads = [f"{paper.datasets[dataset]}, IF {factor:g}" for dataset, factor in settings]
    return f"{lead}\n\n| `-m` | {' | '.join(heads)} |\n| --- |{' --- |' * len(heads)}\n" + "\n".join(rows)


def _verdicts(paper: Paper, shelf: Shelf) -> str:
    judge = Judge(paper, shelf)
    said = {scale: [overall(claim, judge.at(scale, claim)) for claim in paper.claims] for scale in scales(paper)}
    # The paper's own has its column whatever there is: what is empty there is what is still owed.
    shown = {scale: words for scale, words in said.items() if scale == "paper" or set(words) != {NOT_MEASURED}}
    rows = [
        f"| {claim.says} | {' | '.join('' if word == NOT_MEASURED else word for word in words)} |"
        for claim, *words in zip(paper.claims, *shown.values(), strict=True)
    ]
    names = ["paper's setting" if name == "paper" else name for name in shown]
    return (
        "What our runs say about the paper's claims. A claim holds where the interval over seeds supports it in every "
        "setting, fails where the interval contradicts it in one, and is undecided otherwise; a cell is empty where "
        "nothing is measured. Intervals are widened for all questions of a column, so that in 95 of 100 such columns "
        "no verdict is wrong by chance:\n\n"
        f"| claim | {' | '.join(names)} |\n| --- |{' --- |' * len(names)}\n" + "\n".join(rows)
    )
