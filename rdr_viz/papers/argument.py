"""The page of a paper, as an argument: the verdict, every claim in one plot, the order of methods, figures, tables."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
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


def write_paper_page(
    path: str | os.PathLike[str],
    *,
    paper: Paper,
    claims: Sequence[ClaimRow],
    tables: Sequence[TableBlock],
    figures: Sequence[FigureBlock],
    plan: Sequence[PlanRow],
    orders: Sequence[OrderBlock] = (),
    peeking: Sequence[PeekingBlock] = (),
    others: Sequence[OtherPaper] = (),
    command: str = "rdr paper",
    home: str = "",
) -> Path:
    """Write one HTML file that needs no other file, no script and no network; see :func:`rdr_viz.pages.write_page`.

    Only links to pictures as PDF, SVG and PNG lead to files beside it. Blocks of one table or figure at several scales
    stand together if they follow each other. All words are escaped. Equal arguments give equal bytes.

    Args:
        path: Where to write; folders are made.
        paper: Its title, citation, data sets' names, slips and choices.
        claims: And what came of them.
        tables: In order.
        figures: In order.
        plan: What is missing, a grid a row.
        orders: The order of methods, the paper's and ours, a scale a block.
        peeking: What choosing the epoch by the test set would add, a scale a block.
        others: Smaller papers, shown at the end.
        command: What repeats the page, for a shell.
        home: Address of the site that the page is a part of, ``""`` for none.

    Returns:
        The path written.
    """
    return write_template(
        path,
        "papers/page.html.j2",
        title=f"{paper.title}: the paper beside our runs",
        paper=paper,
        home=home,
        answer=answer(paper, claims),
        claims=claims,
        axes=axes(claims),
        sorts=SORTS,
        questions=_asked(claims),
        verdicts=_found(claims),
        marks=VERDICTS,
        unmeasured=_unmeasured(claims),
        orders=orders,
        figures=_runs_of(figures, lambda block: block.number),
        tables=_runs_of(tables, lambda block: block.name),
        peeking=peeking,
        plan=plan,
        others=[(other, _runs_of(other.tables, lambda block: block.name)) for other in others],
        glossary=glossary(),
        command=command,
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
