"""From stored runs to a folder with everything of a paper: tables, figures, claims, and the page that shows them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from rdr_core.files.whole import write_whole
from rdr_core.methods.names import method_label
from rdr_viz.analysis.words import number, with_sign
from rdr_viz.displays.figure import csv_text
from rdr_viz.displays.peeking import Peeking
from rdr_viz.pages import Section
from rdr_viz.papers.argument import Argument, write_paper_page
from rdr_viz.papers.blocks import FigureBlock, OrderBlock, OtherPaper, PeekingBlock, PlanRow, TableBlock
from rdr_viz.papers.cells import compared_cells, run_command
from rdr_viz.papers.claim_rows import claim_row, needed
from rdr_viz.papers.comparison import ComparisonTable
from rdr_viz.papers.drawing import Drawing
from rdr_viz.papers.figures import draw_figure
from rdr_viz.papers.grids import Grid, requests
from rdr_viz.papers.judging import Judge, Judged
from rdr_viz.papers.order_of_methods import OrderOfMethods
from rdr_viz.papers.paper import Claim, Figure, Paper
from rdr_viz.papers.shelf import Shelf
from rdr_viz.papers.wanted import scales, wanted

#: Methods and the paper's imbalance factors whose best and last epochs are shown beside each other.
PEEKED = (
    "ce", "focal", "cb", "la", "inverse", "inverse:gamma=0.5", "inverse+drw", "inverse:gamma=0.5+drw", "cb+drw", "rdr",
    "rdr:gamma=0.5", "rdr:preset=released", "rdr:warmup=0.8", "rdr+la", "sam", "rdr+sam",
)  # fmt: skip
_FACTORS = (10, 100, 200)

#: A picture's setting in words, and the picture, which may still be being drawn.
_Picture = tuple[str, Future[Section]]


def build_papers(
    papers: Sequence[Paper],
    out: str | os.PathLike[str],
    shelf: Shelf,
    *,
    runs: Path = Path("runs"),
    command: str = "rdr paper",
    processes: int = 1,
    progress: bool = False,
    home: str = "",
) -> Path:
    """Write tables, figures and claims of papers, and one page; nothing is trained, and nothing analysed anew.

    Args:
        papers: the first is what the page is about; of the others it has the tables.
        out: folder; ``index.html``, ``claims.csv``, ``tables/`` and ``figures/`` (PDF, SVG, PNG, CSV) are
            written into it.
        shelf: where finished runs are.
        runs: folder that the commands on the page train into.
        command: what repeats the page.
        processes: that draw (:class:`rdr_viz.papers.drawing.Drawing`); the files are the same.
        progress: show a bar.
        home: address of the site that the page is a part of, ``""`` for none.

    Returns:
        The path of the page.
    """
    out = Path(out)
    paper, *others = papers
    steps = len(paper.figures) + sum(len(each.tables) for each in papers) + 2 * len(scales(paper))
    with tqdm(total=steps, desc="tables and figures", disable=not progress) as bar, Drawing(bar, processes) as drawing:
        # Pictures first, so that the drawing has work while the claims are judged.
        tables = _tables(paper, shelf, runs, out / "tables", drawing)
        figures = [
            block for figure in paper.figures
            for block in _figure(figure, paper, shelf, runs, out / "figures", drawing)
        ]  # fmt: skip
        orders = [_order(scale, tables, paper, out / "figures", drawing) for scale in scales(paper)]
        rest = [
            OtherPaper(other, _tables(other, shelf, runs, out / "tables", drawing, before=papers[:place]))
            for place, other in enumerate(others, start=1)
        ]
        peeked = [_peeking(scale, grids, shelf, out / "figures", drawing) for scale, grids in scales(paper).items()]
        judge = Judge(paper, shelf)
        judged = [claim_row(claim, paper, judge, runs) for claim in paper.claims]
        drawing.finish()
    rows = csv_text(pd.DataFrame([_row(row.claim, *one) for row, found in judged for one in found]))
    write_whole(out / "claims.csv", lambda beside: Path(beside).write_text(rows, encoding="utf-8"))
    plan = [_plan(each, grid, shelf, runs) for each in papers for grid in each.grids.values()]
    page = Argument(
        paper=paper, claims=[row for row, _ in judged], tables=tables, plan=plan, others=rest,
        command=command, home=home,
        figures=[replace(block, pictures=_drawn(pictures)) for block, pictures in figures],
        orders=[OrderBlock(scale, _drawn(pictures)) for scale, pictures in orders],
        peeking=[PeekingBlock(scale, picture.result(), rows) for scale, picture, rows in filter(None, peeked)],
    )  # fmt: skip
    return write_paper_page(out / "index.html", page)


def _drawn(pictures: Sequence[_Picture]) -> list[tuple[str, Section]]:
    return [(setting, picture.result()) for setting, picture in pictures]


def _tables(
    paper: Paper, shelf: Shelf, runs: Path, folder: Path, drawing: Drawing, before: Sequence[Paper] = ()
) -> list[TableBlock]:
    """A paper's tables; one named as a table of a paper ``before`` has its paper's name before that of its files."""
    taken = {table.artifact for other in before for table in other.tables}
    blocks = []
    for table in paper.tables:
        pictures = []
        for scale, grids in scales(paper).items():
            shown = [grid for grid in grids if grid.shows(table.artifact)]
            parts = [compared_cells(paper, table.name, grid, shelf, runs) for grid in shown]
            parts = [part for part in parts if len(part)]
            if not parts:
                continue
            cells = pd.concat(parts, ignore_index=True)
            if scale != "paper" and cells["ours"].isna().all():
                continue  # what is missing has its command at the page's end
            prefix = f"{paper.name}-" if table.artifact in taken else ""
            stem = f"{prefix}{table.artifact}-{_file_name(scale)}"
            pictures.append(drawing.save(ComparisonTable(cells, paper.datasets), folder / stem))
            lacking = cells.loc[cells["command"] != "", "command"].nunique()
            note = "" if scale == "paper" else " ".join(grid.note for grid in grids)
            blocks.append(TableBlock(table.name, table.caption, scale, cells, lacking, note, stem))
        drawing.step(pictures)
    return blocks


def _figure(
    figure: Figure, paper: Paper, shelf: Shelf, runs: Path, folder: Path, drawing: Drawing
) -> list[tuple[FigureBlock, list[_Picture]]]:
    """The figure at every scale that has its runs; where the paper's are missing, with the command that makes them.

    Its pictures are still being drawn, so they stand beside it.
    """
    blocks: list[tuple[FigureBlock, list[_Picture]]] = []
    needed = any(picture.requests for picture in figure.pictures)
    for scale, grids in scales(paper).items():
        drawn = [(grid, draw_figure(figure, paper, grid, shelf)) for grid in grids]
        pictures: list[_Picture] = []
        for grid, each in drawn:
            for index, one in enumerate(each):
                letter = chr(ord("a") + index) if len(each) > 1 else ""
                stem = f"figure{figure.number}{letter}" + (f"-{_file_name(grid.name)}" if needed else "")
                if one is not None:
                    pictures.append((one.setting, drawing.section(one.display, folder / stem)))
        if not needed:  # a diagram: the same at every scale
            blocks.append((FigureBlock(figure.number, figure.caption, figure.shows, [], "", ""), pictures[:1]))
            break
        lacking = [grid for grid, each in drawn if None in each]
        if pictures or (lacking and scale == "paper"):
            command = run_command(lacking[0], runs, f"figure{figure.number}") if lacking else ""
            blocks.append((FigureBlock(figure.number, figure.caption, figure.shows, [], scale, command), pictures))
    drawing.step([picture for _, pictures in blocks for _, picture in pictures])
    return blocks


def _order(
    scale: str, tables: Sequence[TableBlock], paper: Paper, folder: Path, drawing: Drawing
) -> tuple[str, list[_Picture]]:
    """The order of methods in what the tables print over all classes, in each setting that has enough of them.

    The scale, and pictures that are still being drawn.
    """
    cells = [block.cells[block.cells["group"] == "all"] for block in tables if block.scale == scale]
    displays = OrderOfMethods.of(pd.concat(cells, ignore_index=True), paper.datasets) if cells else []
    pictures = [
        (
            (each.our_setting or each.paper_setting).rpartition(", ")[2],
            drawing.section(each, folder / f"order-{_file_name(scale)}-{place}"),
        )
        for place, each in enumerate(displays, start=1)
    ]
    drawing.step([picture for _, picture in pictures])
    return scale, pictures


def _row(claim: Claim, scale: str, setting: Judged) -> dict[str, object]:
    return {
        "claim": claim.says, "scale": scale, "dataset": setting.request.dataset,
        "imbalance_factor": setting.request.imbalance_factor, "method": setting.request.method,
        "against": setting.against, "by": claim.by if setting.against else "", "measure": setting.measure,
        "mean": setting.mean, "low": setting.low, "high": setting.high, "seeds": setting.seeds, "p": setting.p,
        "level": setting.level, "wide_low": setting.wide_low, "wide_high": setting.wide_high,
        "needed": needed(claim, setting),
        "verdict": setting.verdict, "paper": setting.paper, "control": setting.control,
        "of_control": setting.of_control,
    }  # fmt: skip


def _peeking(
    scale: str, grids: Sequence[Grid], shelf: Shelf, folder: Path, drawing: Drawing
) -> tuple[str, Future[Section], list[tuple[str, str, str, str, str, int]]] | None:
    """Best and last epochs of the grids' runs by the methods that :data:`PEEKED` names; None where no run is made.

    The scale, the picture, which is still being drawn, and the rows beside it.
    """
    runs = {
        run.path: run for grid in grids for dataset in grid.datasets
        for request in requests([dataset], _FACTORS, PEEKED) for run in shelf.runs(grid, request)
    }  # fmt: skip
    if not runs:
        drawing.step([])
        return None
    display = Peeking.from_runs(list(runs.values()))
    picture = drawing.section(display, folder / f"peeking-{_file_name(scale)}")
    drawing.step([picture])
    rows = [
        (row.setting, method_label(row.method), number(row.last), number(row.best),
         with_sign(number(row.gain)) + ("" if np.isnan(row.low) else f" [{number(row.low)} to {number(row.high)}]"),
         row.seeds)
        for row in display.summary().itertuples()
    ]  # fmt: skip
    return scale, picture, rows


def _plan(paper: Paper, grid: Grid, shelf: Shelf, runs: Path) -> PlanRow:
    configs = [want.config for want in wanted(paper, grid)]
    finished = sum(shelf.find(config) is not None for config in configs)
    lacks = finished < len(configs)
    command = run_command(grid, runs) if lacks else ""
    return PlanRow(grid.title, finished, len(configs), grid.note if lacks else "", command)


def _file_name(scale: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", scale.lower()))
