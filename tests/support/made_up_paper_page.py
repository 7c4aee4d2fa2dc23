"""A whole page of the paper with made-up results."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from made_up_cells import made_up_cells

from rdr_core.papers.paper import load_paper
from rdr_viz.page import Section
from rdr_viz.papers.comparison import ComparisonTable
from rdr_viz.papers.page import (
    ClaimRow,
    FigureBlock,
    OtherPaper,
    PlanRow,
    TableBlock,
    Verdict,
    write_paper_page,
)

PAPER, OTHER = load_paper("rdr"), load_paper("cdb")


def claim(sentence: str, *verdicts: Verdict) -> ClaimRow:
    """A claim with these verdicts."""
    return ClaimRow(sentence, verdicts, "Holds where the interval is above 0.", "81.9 against 75.6")


def made_up_page(out: Path) -> Path:
    """Write it into a folder."""
    number = ("+2.0\N{NO-BREAK SPACE}points", "+1.0 to +3.0", 3)
    claims = [
        claim(
            "One beats two.",
            Verdict("digits", "holds", *number, "IF 10"),
            Verdict("paper", "holds", *number, "IF 10"),
            Verdict("paper", "fails", *number, "IF 100"),
            Verdict("paper", "not measured", "", "", 0, "IF 200"),
            Verdict("paper", "not measured", "", "", 0, "IF 500"),
        ),
        claim("Two beats three.", Verdict("digits", "holds", *number), Verdict("paper", "undecided", "+0.1", "", 1)),
        claim("Three beats four.", Verdict("paper", "not measured", "", "", 0)),
    ]
    tables = [
        TableBlock(name, PAPER.tables[0].caption, scale, made_up_cells(PAPER, name, scale=scale), 7, note)
        for name, scale, note in (("1", "paper", ""), ("2", "paper", ""), ("2", "digits", "IF 50 stands for 100."))
    ]
    figures = [
        FigureBlock("1", "Two pictures.", "Two curves.", [("IF 10", _picture()), ("", _picture())], "digits", ""),
        FigureBlock("1", "Two pictures.", "Two curves.", [], "paper", "rdr paper run --grid cifar,figure1"),
    ]
    plan = [
        PlanRow("CIFAR", 20, 60, "Wants a GPU.", "rdr paper run --grid cifar"),
        PlanRow("Digits", 60, 60, "", ""),
    ]
    others = [OtherPaper(OTHER, [TableBlock("CDB", "Difficulty.", "paper", made_up_cells(OTHER, "CDB"), 2)])]
    return write_paper_page(
        out / "index.html", paper=PAPER, claims=claims, tables=tables, figures=figures, plan=plan, others=others
    )


@cache
def _picture() -> Section:
    return Section.from_display("picture", ComparisonTable(made_up_cells(OTHER, "CDB"), OTHER.datasets))
