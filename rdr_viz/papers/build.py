"""From stored runs to a folder with everything of a paper: tables, figures, claims, and the page that shows them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from rdr_core.papers.grids import PRINTED, Grid, requests, wanted
from rdr_core.papers.paper import Claim, Figure, Paper
from rdr_core.runs.files import write_whole
from rdr_viz.displays.peeking import Peeking
from rdr_viz.figure import csv_text
from rdr_viz.numbers.words import number, with_sign
from rdr_viz.palette import method_style
from rdr_viz.papers.cells import compared_cells, run_command
from rdr_viz.papers.claim_words import setting_words, signed, unit
from rdr_viz.papers.claims import NOT_MEASURED, Judged, criterion, judge
from rdr_viz.papers.comparison import ComparisonTable
from rdr_viz.papers.drawing import Drawing
from rdr_viz.papers.figures import draw_figure
from rdr_viz.papers.page import (
    ClaimRow,
    FigureBlock,
    OtherPaper,
    PeekingBlock,
    PlanRow,
    TableBlock,
    Verdict,
    write_paper_page,
)
from rdr_viz.papers.shelf import Shelf

#: Methods and the paper's imbalance factors whose best and last epochs are shown beside each other.
PEEKED = (
    "ce", "focal", "cb", "la", "inverse", "inverse:gamma=0.5", "inverse+drw", "inverse:gamma=0.5+drw", "cb+drw", "rdr",
    "rdr:gamma=0.5", "rdr:preset=released", "rdr:warmup=0.8", "rdr+la", "sam", "rdr+sam",
)  # fmt: skip
_FACTORS = (10, 100, 200)


def build_papers(
    papers: Sequence[Paper],
    out: str | os.PathLike[str],
    shelf: Shelf,
    *,
    runs: Path = Path("runs"),
    command: str = "rdr paper",
    processes: int = 1,
    progress: bool = False,
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

    Returns:
        The path of the page.
    """
    out = Path(out)
    paper, *others = papers
    steps = len(paper.figures) + sum(len(each.tables) for each in papers) + len(scales(paper))
    with tqdm(total=steps, desc="tables and figures", disable=not progress) as bar, Drawing(bar, processes) as drawing:
        # Pictures first, so that the drawing has work while the claims are judged.
        tables = _tables(paper, shelf, runs, out / "tables", drawing)
        figures = [
            block for figure in paper.figures
            for block in _figure(figure, paper, shelf, runs, out / "figures", drawing)
        ]  # fmt: skip
        rest = [OtherPaper(other, _tables(other, shelf, runs, out / "tables", drawing)) for other in others]
        peeked = [_peeking(scale, grids, shelf, out / "figures", drawing) for scale, grids in scales(paper).items()]
        judged = {claim: _judged(claim, paper, shelf) for claim in paper.claims}
        drawing.finish()
    rows = csv_text(pd.DataFrame([_row(claim, *one) for claim, found in judged.items() for one in found]))
    write_whole(out / "claims.csv", lambda beside: Path(beside).write_text(rows, encoding="utf-8"))
    claims = [_claim(claim, paper, found) for claim, found in judged.items()]
    plan = [_plan(each, grid, shelf, runs) for each in papers for grid in each.grids.values()]
    return write_paper_page(
        out / "index.html", paper=paper, claims=claims, tables=tables, plan=plan, others=rest, command=command,
        figures=[
            replace(block, pictures=[(where, picture.result()) for where, picture in block.pictures])
            for block in figures
        ],
        peeking=[replace(block, picture=block.picture.result()) for block in peeked if block],
    )  # fmt: skip


def scales(paper: Paper) -> dict[str, list[Grid]]:
    """The grids of each scale, the paper's own first."""
    names = sorted(dict.fromkeys(grid.scale for grid in paper.grids.values()), key=lambda scale: scale != "paper")
    return {name: [grid for grid in paper.grids.values() if grid.scale == name] for name in names}


def _tables(paper: Paper, shelf: Shelf, runs: Path, folder: Path, drawing: Drawing) -> list[TableBlock]:
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
            stem = f"{table.artifact}-{_file_name(scale)}"
            pictures.append(drawing.save(ComparisonTable(cells, paper.datasets), folder / stem))
            lacking = cells.loc[cells["command"] != "", "command"].nunique()
            note = "" if scale == "paper" else " ".join(grid.note for grid in grids)
            blocks.append(TableBlock(table.name, table.caption, scale, cells, lacking, note))
        drawing.step(pictures)
    return blocks


def _figure(
    figure: Figure, paper: Paper, shelf: Shelf, runs: Path, folder: Path, drawing: Drawing
) -> list[FigureBlock]:
    """The figure at every scale that has its runs; where the paper's lacks them, with the command that makes them.

    Its pictures are still being drawn: each is the future of one.
    """
    blocks = []
    needed = any(picture.requests for picture in figure.pictures)
    for scale, grids in scales(paper).items():
        drawn = [(grid, draw_figure(figure, paper, grid, shelf)) for grid in grids]
        pictures = []
        for grid, each in drawn:
            for index, one in enumerate(each):
                letter = chr(ord("a") + index) if len(each) > 1 else ""
                stem = f"figure{figure.number}{letter}" + (f"-{_file_name(grid.name)}" if needed else "")
                if one is not None:
                    pictures.append((one.setting, drawing.section(one.display, folder / stem)))
        if not needed:  # a diagram: the same at every scale
            blocks.append(FigureBlock(figure.number, figure.caption, figure.shows, pictures[:1], "", ""))
            break
        lacking = [grid for grid, each in drawn if None in each]
        if pictures or (lacking and scale == "paper"):
            command = run_command(lacking[0], runs, f"figure{figure.number}") if lacking else ""
            blocks.append(FigureBlock(figure.number, figure.caption, figure.shows, pictures, scale, command))
    drawing.step([picture for block in blocks for _, picture in block.pictures])
    return blocks


def _judged(claim: Claim, paper: Paper, shelf: Shelf) -> list[tuple[str, Judged]]:
    """Every setting of the claim at every scale, with the scale's name."""
    return [
        (scale, setting) for scale, grids in scales(paper).items() for grid in grids
        for setting in judge(claim, paper, grid, shelf)
    ]  # fmt: skip


def _claim(claim: Claim, paper: Paper, judged: list[tuple[str, Judged]]) -> ClaimRow:
    verdicts = [_verdict(claim, paper, scale, setting) for scale, setting in judged]
    printed = {
        setting_words(claim, paper, setting, setting.request.imbalance_factor): setting.paper
        for scale, setting in judged
        if not np.isnan(setting.paper)
    }
    said = "; ".join(f"{where}: {signed(value, claim)}{unit(claim)}" for where, value in printed.items())
    return ClaimRow(claim.says, verdicts, criterion(claim), said)


def _verdict(claim: Claim, paper: Paper, scale: str, setting: Judged) -> Verdict:
    measured, interval = "", ""
    if setting.verdict != NOT_MEASURED:
        measured = signed(setting.mean, claim) + unit(claim)
        if not np.isnan(setting.low):
            interval = f"{signed(setting.low, claim)} to {signed(setting.high, claim)}"
    where = setting_words(claim, paper if scale in PRINTED else None, setting, setting.factor)
    control = ""
    if setting.control:
        control = f"its control, {method_style(setting.control).label}: {signed(setting.of_control, claim)}"
    return Verdict(scale, setting.verdict, measured, interval, setting.seeds, where, control)


def _row(claim: Claim, scale: str, setting: Judged) -> dict[str, object]:
    return {
        "claim": claim.says, "scale": scale, "dataset": setting.request.dataset,
        "imbalance_factor": setting.request.imbalance_factor, "method": setting.request.method,
        "against": setting.against, "by": claim.by if setting.against else "", "measure": setting.measure,
        "mean": setting.mean, "low": setting.low, "high": setting.high, "seeds": setting.seeds,
        "verdict": setting.verdict, "paper": setting.paper, "control": setting.control,
        "of_control": setting.of_control,
    }  # fmt: skip


def _peeking(scale: str, grids: Sequence[Grid], shelf: Shelf, folder: Path, drawing: Drawing) -> PeekingBlock | None:
    """Best and last epochs of the grids' runs by the methods that :data:`PEEKED` names; None where no run is made.

    Its picture is still being drawn: it is the future of one.
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
        (row.setting, method_style(row.method).label, number(row.last), number(row.best),
         with_sign(number(row.gain)) + ("" if np.isnan(row.low) else f" [{number(row.low)} to {number(row.high)}]"),
         row.seeds)
        for row in display.summary().itertuples()
    ]  # fmt: skip
    return PeekingBlock(scale, picture, rows)


def _plan(paper: Paper, grid: Grid, shelf: Shelf, runs: Path) -> PlanRow:
    configs = [want.config for want in wanted(paper, grid)]
    finished = sum(shelf.find(config) is not None for config in configs)
    lacks = finished < len(configs)
    command = run_command(grid, runs) if lacks else ""
    return PlanRow(grid.title, finished, len(configs), grid.note if lacks else "", command)


def _file_name(scale: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", scale.lower()))
