"""The README's results: what our runs say of the claims, and accuracy by group, written by `rdr paper`."""

from __future__ import annotations

from pathlib import Path

from rdr_core.errors import RdrError
from rdr_core.papers.grids import Grid, Request
from rdr_core.papers.paper import Paper
from rdr_core.runs.files import write_whole
from rdr_viz.palette import method_order
from rdr_viz.papers.build import scales
from rdr_viz.papers.claims import NOT_MEASURED, judge, overall
from rdr_viz.papers.shelf import Shelf
from rdr_viz.tables import accuracy_table, cells

BEGIN, END = "<!-- written by `rdr paper --readme`: begin -->", "<!-- written by `rdr paper --readme`: end -->"
#: The grid and the paper's setting whose accuracies a newcomer is shown; it is the one that runs on any laptop.
_GRID, _DATASET, _FACTOR = "digits", "cifar10-lt", 100


def results(paper: Paper, shelf: Shelf) -> str:
    """Markdown: a table of accuracy by group at the small scale, and one of the claims with their verdicts.

    The same runs give the same text.
    """
    return f"{_accuracies(paper.grids[_GRID], paper, shelf)}\n\n{_verdicts(paper, shelf)}\n"


def write_results(path: Path, paper: Paper, shelf: Shelf) -> None:
    """Put :func:`results` between a file's two marks.

    Raises:
        RdrError: the file lacks them.
    """
    text = renewed(path, paper, shelf)
    write_whole(path, lambda beside: Path(beside).write_text(text, encoding="utf-8"))


def renewed(path: Path, paper: Paper, shelf: Shelf) -> str:
    """The file's text with the results as they are now.

    Raises:
        RdrError: it lacks the marks.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RdrError(f"{path} has no place for the results; put these two lines into it: {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n\n{results(paper, shelf)}\n{END}{after}"


def _accuracies(grid: Grid, paper: Paper, shelf: Shelf) -> str:
    methods = {request.method for claim in paper.claims for request in claim.requests}
    methods |= set(paper.cells.loc[paper.cells["dataset"] == _DATASET, "method"])
    found = {
        method: runs
        for method in sorted(methods, key=method_order)
        if (runs := shelf.runs(grid, Request(_DATASET, _FACTOR, method)))
    }
    if not found:
        return "No run is finished yet."
    table = accuracy_table([run for runs in found.values() for run in runs])
    rows = [
        f"| `{method}` | {' | '.join([line[0], *line[2:], line[1]])} |"
        for method, line in zip(found, cells(table), strict=True)
    ]
    config = next(iter(found.values()))[0].config
    head = (
        f"{config.dataset.capitalize()}, imbalance factor {config.imbalance_factor:g}, {config.epochs} epochs; test "
        "accuracy in percent, mean and standard deviation over seeds:\n\n"
        "| `-m` | in pictures | All | Many | Medium | Few | seeds |\n| --- | --- | --- | --- | --- | --- | --- |\n"
    )
    return head + "\n".join(rows)


def _verdicts(paper: Paper, shelf: Shelf) -> str:
    by_scale = scales(paper)
    rows = []
    for claim in paper.claims:
        said = []
        for grids in by_scale.values():
            judged = [setting for grid in grids for setting in judge(claim, paper, grid, shelf)]
            said.append(overall(judged) if judged else NOT_MEASURED)
        rows.append(f"| {claim.says} | {' | '.join(word if word != NOT_MEASURED else '' for word in said)} |")
    names = ["paper's setting" if name == "paper" else name for name in by_scale]
    return (
        "What our runs say of the paper's claims. A claim holds where the 95 % interval over seeds says so in every "
        "setting, fails where it says the contrary in one, is undecided otherwise, and empty where nothing is "
        "measured:\n\n"
        f"| claim | {' | '.join(names)} |\n| --- |{' --- |' * len(names)}\n" + "\n".join(rows)
    )
