"""The page of a paper, as an argument: the verdict, every claim in one plot, the order of methods, figures, tables."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rdr_viz.pages.glossary import glossary
from rdr_viz.pages.template import write_template
from rdr_viz.papers.blocks import FigureBlock, OrderBlock, OtherPaper, PeekingBlock, PlanRow, TableBlock
from rdr_viz.papers.claim_rows import VERDICTS, ClaimRow, scale_name
from rdr_viz.papers.claims import FAILS, HOLDS, NOT_MEASURED, UNDECIDED
from rdr_viz.papers.forest import SORTS, axes
from rdr_viz.papers.questions import QUESTIONS
from rdr_viz.papers.verdict import answer

if TYPE_CHECKING:
    from rdr_viz.papers.paper import Paper

_Block = TypeVar("_Block")


@dataclass(frozen=True)
class Argument:
    """What the page of a paper consists of.

    Attributes:
        paper: Its title, citation, data sets' names, slips and choices.
        claims: And what came of them.
        tables, figures: In order. Blocks of one of them at several scales stand together if they follow each other.
        plan: What is missing, a grid a row.
        orders: The order of methods, the paper's and ours, a scale a block.
        peeking: What choosing the epoch by the test set would add, a scale a block.
        others: Smaller papers, shown at the end.
        command: What repeats the page, for a shell.
        home: Address of the site that the page is a part of, ``""`` for none.
    """

    paper: Paper
    claims: Sequence[ClaimRow] = ()
    tables: Sequence[TableBlock] = ()
    figures: Sequence[FigureBlock] = ()
    plan: Sequence[PlanRow] = ()
    orders: Sequence[OrderBlock] = ()
    peeking: Sequence[PeekingBlock] = ()
    others: Sequence[OtherPaper] = ()
    command: str = "rdr paper"
    home: str = ""


def write_paper_page(path: str | os.PathLike[str], page: Argument) -> Path:
    """Write one HTML file that needs no other file, no script and no network; see :func:`rdr_viz.pages.write_page`.

    Only links to pictures as PDF, SVG and PNG lead to files beside it. All words are escaped. Equal arguments give
    equal bytes.

    Args:
        path: Where to write; folders are made.
        page: What is on it.

    Returns:
        The path written.
    """
    return write_template(
        path,
        "papers/page.html.j2",
        title=f"{page.paper.title}: the paper beside our runs",
        paper=page.paper,
        home=page.home,
        answer=answer(page.paper, page.claims),
        claims=page.claims,
        axes=axes(page.claims),
        sorts=SORTS,
        questions=_asked(page.claims),
        verdicts=_found(page.claims),
        marks=VERDICTS,
        unmeasured=_unmeasured(page.claims),
        orders=page.orders,
        figures=_runs_of(page.figures, lambda block: block.number),
        tables=_runs_of(page.tables, lambda block: block.name),
        peeking=page.peeking,
        plan=page.plan,
        others=[(other, _runs_of(other.tables, lambda block: block.name)) for other in page.others],
        glossary=glossary(),
        command=page.command,
    )


def _asked(claims: Sequence[ClaimRow]) -> dict[str, str]:
    """The questions that measured claims ask, in order."""
    asked = {row.question for row in claims if row.measured}
    return {key: words for key, words in QUESTIONS.items() if key in asked}


def _found(claims: Sequence[ClaimRow]) -> dict[str, int]:
    """How many settings have each verdict."""
    counts = Counter(one.verdict for row in claims for one in row.measured)
    return {verdict: counts[verdict] for verdict in (HOLDS, FAILS, UNDECIDED) if verdict in counts}


def _unmeasured(claims: Sequence[ClaimRow]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Of each scale with settings that nobody has measured: its name, the command, its claims with their settings."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in claims:
        lacking = [one for one in row.verdicts if one.verdict == NOT_MEASURED]
        for (scale, command), some in groupby(lacking, key=lambda one: (one.scale, one.command)):
            words = [", ".join(filter(None, (one.data, one.which))) for one in some]
            found.setdefault((scale, command), []).append((row.claim.says, "; ".join(words)))
    return [(scale_name(scale), command, rows) for (scale, command), rows in found.items()]


def _runs_of(blocks: Sequence[_Block], key: Callable[[_Block], str]) -> list[list[_Block]]:
    """Blocks that follow each other and have the same key, together."""
    return [list(found) for _, found in groupby(blocks, key=key)]
