"""From stored runs to a folder with a page, its pictures and their data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from rdr_core.errors import RdrError
from rdr_core.methods.names import method_label, method_order
from rdr_viz.analysis.words import class_name, factor, listed, plural, spelt
from rdr_viz.displays.base import DISPLAYS
from rdr_viz.displays.class_counts import ClassCounts
from rdr_viz.displays.kinds import compares_runs, make_display
from rdr_viz.pages import Section, write_page
from rdr_viz.pages.glossary import MEANINGS
from rdr_viz.pages.tables import accuracy_table

if TYPE_CHECKING:
    from rdr_core.runs import Run

#: What a newcomer is shown.
KINDS_OF_REPORT = ("counts", "accuracy", "weights", "b-prime")


def write_report(
    runs: Sequence[Run],
    out: str | os.PathLike[str],
    *,
    kinds: Sequence[str] = KINDS_OF_REPORT,
    command: str | None = None,
    note: str = "",
    progress: bool = False,
) -> Path:
    """Draw displays of ``runs`` into ``out/figures`` and write ``out/index.html``.

    A kind that compares draws all runs. One that draws a single run takes the first with a density ratio, else the
    first. A kind that these runs have no numbers for (weights of methods without any) is named at the page's end.

    Args:
        runs: Finished runs that differ in method and seed only.
        out: A folder; it is made.
        kinds: What to draw, in order (:func:`rdr_viz.displays.kinds.kinds`); default class counts, accuracy and the
            weights.
        command: What repeats the page; shown at its end.
        note: What else there is to say of the runs, below the page's title; default nothing.
        progress: Whether to show a bar over the kinds.

    Returns:
        The path of the page.

    Raises:
        RdrError: an unknown kind; no runs, or they differ in more than method and seed.
    """
    out = Path(out)
    runs = sorted(runs, key=lambda run: (method_order(run.config.method), run.config.seed))
    table = accuracy_table(runs)  # refuses runs that do not belong together
    compares = {kind: compares_runs(kind) for kind in kinds}  # and this, unknown kinds, before anything is computed
    one = next((run for run in runs if run.config.method.split(":")[0].split("+")[0] == "rdr"), runs[0])
    sections, missing = [], []
    for kind in tqdm(kinds, desc="pictures", disable=not progress):
        try:
            display = make_display(kind, runs if compares[kind] else [one])
        except RdrError as error:
            missing.append((DISPLAYS[kind].title, str(error)))
            continue
        svg = display.save(out / "figures" / kind)["svg"].read_bytes()
        sections.append(Section.from_display(kind, display, svg))
    methods = list(dict.fromkeys(run.config.method for run in runs))
    return write_page(
        out / "index.html",
        title=f"Learning from a long tail: {runs[0].config.dataset}, {factor(runs[0].config.imbalance_factor)}",
        lead=f"{lead(runs)} {note}".strip(),
        sections=sections,
        table=table,
        glossary=[(method_label(method), MEANINGS[method]) for method in methods if method in MEANINGS],
        missing=missing,
        command=command,
    )


def lead(runs: Sequence[Run]) -> str:
    """Three sentences that tell a newcomer what the page shows, with the numbers of ``runs``."""
    counts = ClassCounts.from_run(runs[0]).data
    first, last = counts.iloc[0], counts.iloc[-1]
    labels = list(dict.fromkeys(method_label(run.config.method) for run in runs))
    networks = "One network was" if len(runs) == 1 else f"{spelt(len(runs)).capitalize()} networks were"
    differ = f"; they differ only in the method ({listed(labels)})" if len(labels) > 1 else f" by {labels[0]}"
    seeds = " and the random seed" if len(labels) > 1 and len({run.config.seed for run in runs}) > 1 else ""
    return (
        f"The training set has {plural(int(first['count']), 'image')} of its largest class "
        f"({class_name(first['name'])}) but {plural(int(last['count']), 'image')} of its smallest "
        f"({class_name(last['name'])}): a long tail, as most collections of real images have. "
        f"{networks} trained on it for {plural(runs[0].config.epochs, 'epoch')}{differ}{seeds}. "
        "The page shows how well each serves large and small classes, and how the weights behind it moved in training."
    )
