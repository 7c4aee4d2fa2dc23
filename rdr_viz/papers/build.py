"""From stored runs to a folder with everything of a paper: tables, figures, claims, and the page that shows them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from rdr_core.papers.grids import Grid, wanted
from rdr_core.papers.paper import Claim, Figure, Paper
from rdr_core.runs.files import write_whole
from rdr_viz.figure import csv_text
from rdr_viz.page import Section
from rdr_viz.papers.cells import compared_cells, run_command
from rdr_viz.papers.claim_words import setting_words, signed, unit
from rdr_viz.papers.claims import NOT_MEASURED, Judged, criterion, judge
from rdr_viz.papers.comparison import ComparisonTable
from rdr_viz.papers.figures import draw_figure
from rdr_viz.papers.page import (
    ClaimRow,
    FigureBlock,
    OtherPaper,
    PlanRow,
    TableBlock,
    Verdict,
    write_paper_page,
)
from rdr_viz.papers.shelf import Shelf


def build_papers(
    papers: Sequence[Paper],
    out: str | os.PathLike[str],
    shelf: Shelf,
    *,
    runs: Path = Path("runs"),
    command: str = "rdr paper",
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
        progress: show a bar.

    Returns:
        The path of the page.
    """
    out = Path(out)
    paper, *others = papers
    steps = len(paper.figures) + sum(len(each.tables) for each in papers)
    with tqdm(total=steps, desc="tables and figures", disable=not progress) as bar:
        judged = {claim: _judged(claim, paper, shelf) for claim in paper.claims}
        tables = _tables(paper, shelf, runs, out / "tables", bar)
        figures = [
            block for figure in paper.figures for block in _figure(figure, paper, shelf, runs, out / "figures", bar)
        ]
        rest = [OtherPaper(other, _tables(other, shelf, runs, out / "tables", bar)) for other in others]
    rows = csv_text(pd.DataFrame([_row(claim, *one) for claim, found in judged.items() for one in found]))
    write_whole(out / "claims.csv", lambda beside: Path(beside).write_text(rows, encoding="utf-8"))
    claims = [_claim(claim, paper, found) for claim, found in judged.items()]
    plan = [_plan(each, grid, shelf, runs) for each in papers for grid in each.grids.values()]
    return write_paper_page(
        out / "index.html", paper=paper, claims=claims, tables=tables, figures=figures, plan=plan, others=rest,
        command=command,
    )  # fmt: skip


def scales(paper: Paper) -> dict[str, list[Grid]]:
    """The grids of each scale, the paper's own first."""
    names = sorted(dict.fromkeys(grid.scale for grid in paper.grids.values()), key=lambda scale: scale != "paper")
    return {name: [grid for grid in paper.grids.values() if grid.scale == name] for name in names}


def _tables(paper: Paper, shelf: Shelf, runs: Path, folder: Path, bar: tqdm) -> list[TableBlock]:
    blocks = []
    for table in paper.tables:
        for scale, grids in scales(paper).items():
            parts = [compared_cells(paper, table.name, grid, shelf, runs) for grid in grids]
            parts = [part for part in parts if len(part)]
            if not parts:
                continue
            cells = pd.concat(parts, ignore_index=True)
            stem = f"{table.artifact}-{_file_name(scale)}"
            ComparisonTable(cells, paper.datasets).save(folder / stem)
            lacking = cells.loc[cells["command"] != "", "command"].nunique()
            note = "" if scale == "paper" else " ".join(grid.note for grid in grids)
            blocks.append(TableBlock(table.name, table.caption, scale, cells, lacking, note))
        bar.update()
    return blocks


def _figure(figure: Figure, paper: Paper, shelf: Shelf, runs: Path, folder: Path, bar: tqdm) -> list[FigureBlock]:
    """The figure at every scale that has its runs; where the paper's lacks them, with the command that makes them."""
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
                    svg = one.display.save(folder / stem)["svg"].read_bytes()
                    pictures.append((one.setting, Section.from_display(stem, one.display, svg)))
        if not needed:  # a diagram: the same at every scale
            blocks.append(FigureBlock(figure.number, figure.caption, figure.shows, pictures[:1], "", ""))
            break
        lacking = [grid for grid, each in drawn if None in each]
        if pictures or (lacking and scale == "paper"):
            command = run_command(lacking[0], runs, f"figure{figure.number}") if lacking else ""
            blocks.append(FigureBlock(figure.number, figure.caption, figure.shows, pictures, scale, command))
    bar.update()
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
    where = setting_words(claim, paper if scale == "paper" else None, setting, setting.factor)
    return Verdict(scale, setting.verdict, measured, interval, setting.seeds, where)


def _row(claim: Claim, scale: str, setting: Judged) -> dict[str, object]:
    return {
        "claim": claim.says, "scale": scale, "dataset": setting.request.dataset,
        "imbalance_factor": setting.request.imbalance_factor, "method": setting.request.method,
        "against": setting.against, "by": claim.by if setting.against else "", "measure": setting.measure,
        "mean": setting.mean, "low": setting.low, "high": setting.high, "seeds": setting.seeds,
        "verdict": setting.verdict, "paper": setting.paper,
    }  # fmt: skip


def _plan(paper: Paper, grid: Grid, shelf: Shelf, runs: Path) -> PlanRow:
    configs = [want.config for want in wanted(paper, grid)]
    finished = sum(shelf.find(config) is not None for config in configs)
    lacks = finished < len(configs)
    command = run_command(grid, runs) if lacks else ""
    return PlanRow(grid.title, finished, len(configs), grid.note if lacks else "", command)


def _file_name(scale: str) -> str:
    return scale.replace(" ", "-").lower()
