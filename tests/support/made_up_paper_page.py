"""A whole page of the paper with made-up results."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from made_up_cells import made_up_cells

from rdr_viz.pages import Section
from rdr_viz.papers.argument import Argument, write_paper_page
from rdr_viz.papers.blocks import FigureBlock, OrderBlock, OtherPaper, PlanRow, TableBlock
from rdr_viz.papers.claim_rows import ClaimRow, Verdict
from rdr_viz.papers.comparison import ComparisonTable
from rdr_viz.papers.paper import Claim, load_paper

PAPER, OTHER = load_paper("rdr"), load_paper("cdb")
COMMAND = "rdr paper run --grid cifar,claims"


def claim_of(measure: str, **changes: object) -> Claim:
    """The first of the paper's claims on that measure, changed."""
    return replace(next(claim for claim in PAPER.claims if claim.measure[0] == measure), **changes)


def claim(sentence: str, *verdicts: Verdict, measure: str = "all", **changes: object) -> ClaimRow:
    """A claim with these verdicts."""
    return ClaimRow(claim_of(measure, says=sentence, **changes), verdicts)


def measured(scale: str, verdict: str, factor: int = 10, **values: object) -> Verdict:
    """A setting with an interval."""
    dataset = "CIFAR-10-LT" if scale == "paper" else "Digits"
    given = {"data": f"{dataset}, IF {factor}", "mean": 2.0, "low": 1.0, "high": 3.0, "seeds": 3, "against": "ce"}
    given |= values
    return Verdict(scale, verdict=verdict, wide_low=given["low"], wide_high=given["high"], **given)


def unmeasured(factor: int) -> Verdict:
    """A setting of the paper's that nobody has run."""
    return Verdict("paper", f"CIFAR-10-LT, IF {factor}", "not measured", command=COMMAND)


def made_up_claims() -> list[ClaimRow]:
    """Three that are measured, on three axes, and one that is not."""
    return [
        claim(
            "One beats two.",
            measured("digits", "holds", paper=6.3, control="1/n", of_control=1.5),
            measured("paper", "holds"),
            measured("paper", "fails", 100, mean=-2.0, low=-3.0, high=-1.0),
            unmeasured(200),
            unmeasured(500),
        ),
        claim(
            "Two flattens three.",
            measured("digits", "holds", mean=0.04, low=0.02, high=0.09, paper=0.41),
            measured("paper", "undecided", mean=1.1, low=float("nan"), high=float("nan"), seeds=1),
            measure="lambda_max",
        ),
        claim("Weights fall.", measured("digits", "holds", mean=-10.0, low=-12.0, high=-9.0, against=""),
              measure="change of the weight of many"),
        claim("Three beats four.", unmeasured(10)),
    ]  # fmt: skip


def made_up_page(out: Path, **changes: object) -> Path:
    """Write it into a folder."""
    tables = [
        TableBlock(
            name, PAPER.tables[0].caption, scale, made_up_cells(PAPER, name, scale=scale, share=share), 7, note,
            f"table{name}-{scale}",
        )
        for name, scale, share, note in (
            ("1", "paper", 0.4, ""), ("2", "paper", 0.4, ""), ("2", "digits", 1.0, "IF 50 stands for 100.")
        )
    ]  # fmt: skip
    figures = [
        FigureBlock("1", "Two pictures.", "Two curves.", [("IF 10", _picture()), ("", _picture())], "digits", ""),
        FigureBlock("1", "Two pictures.", "Two curves.", [], "paper", "rdr paper run --grid cifar,figure1"),
    ]
    plan = [
        PlanRow("CIFAR", 20, 60, "Wants a GPU.", "rdr paper run --grid cifar"),
        PlanRow("Digits", 60, 60, "", ""),
    ]
    others = [OtherPaper(OTHER, [TableBlock("CDB", "Difficulty.", "paper", made_up_cells(OTHER, "CDB"), 2, "", "cdb")])]
    given = {"paper": PAPER, "claims": made_up_claims(), "tables": tables, "figures": figures, "plan": plan,
             "orders": [OrderBlock("digits", [("IF 50", _picture())])], "others": others}  # fmt: skip
    return write_paper_page(out / "index.html", Argument(**given | changes))


@cache
def _picture() -> Section:
    return Section.from_display("picture", ComparisonTable(made_up_cells(OTHER, "CDB"), OTHER.datasets))
