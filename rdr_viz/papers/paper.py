"""A paper as data: its tables, figures, claims, slips and open choices, read from a folder of TOML and CSV files.

data/paper/NAME/paper.toml    title, how its tables name methods, tables, slips, choices
                tables.csv    its printed numbers, a row a cell
                grids.toml    how its settings are run (:mod:`rdr_viz.papers.grids`)
                figures.toml  what its figures show, and which of our pictures draw them
                claims.toml   its claims, and how each is judged

Adding a paper is adding such a folder, here or in a package of one's own (:mod:`rdr_viz.papers.folders`); only
paper.toml, tables.csv and grids.toml have to be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError
from rdr_core.files.expected import of_shape
from rdr_core.methods.grammar import parse
from rdr_viz.papers.entries import all_of, made, named, read_printed, read_toml
from rdr_viz.papers.folders import folder_of
from rdr_viz.papers.grids import Grid, Request, requests

if TYPE_CHECKING:
    import pandas as pd

#: Columns of a file with a row for each cell, and of :attr:`Paper.cells`.
_PRINTED = {"table", "dataset", "imbalance_factor", "loss", "method", "group", "top1", "std", "note"}
CELLS = ("table", "dataset", "imbalance_factor", "method", "group", "paper", "paper_sd", "note")


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        name: as the paper numbers it.
        caption: one sentence.
        file: where its numbers are; of a file with a column for each quantity instead of a row for each cell,
            ``dataset`` and ``imbalance_factor`` say which setting they belong to.
        measures: its name of a quantity -> ours (`rdr measures` lists them), where they differ.
        analyses: of its runs, that its numbers need (:data:`rdr_viz.analysis.catalogue.ANALYSES`).
    """

    name: str
    caption: str
    file: str = "tables.csv"
    dataset: str = ""
    imbalance_factor: float = 0.0
    measures: Mapping[str, str] = field(default_factory=dict)
    analyses: tuple[str, ...] = ()

    @property
    def artifact(self) -> str:
        """The name by which its runs can be asked for: table1, or in lower case what is no number."""
        return f"table{self.name}" if self.name.isdigit() else self.name.lower()


@dataclass(frozen=True)
class Picture:
    """One of our pictures, and the runs it is drawn from.

    Attributes:
        kind: of picture (`rdr kinds`), or "diagram".
        datasets, factors, methods, noise_rate: the runs, by the paper's names; all combinations there are.
        seeds: "all", or "first": one run a method.
        options: of the picture, as keyword arguments.
        analyses: of its runs, that it needs.
        paper_scale_only: left out at small scales, where another picture has the same runs.
    """

    kind: str
    datasets: tuple[str, ...] = ()
    factors: tuple[float, ...] = ()
    methods: tuple[str, ...] = ()
    noise_rate: float = 0.0
    seeds: str = "all"
    options: Mapping[str, Any] = field(default_factory=dict)
    analyses: tuple[str, ...] = ()
    paper_scale_only: bool = False

    @property
    def requests(self) -> list[Request]:
        """The runs in the paper's terms."""
        return requests(self.datasets, self.factors, self.methods, self.noise_rate)


@dataclass(frozen=True)
class Figure:
    """A figure of the paper: what it shows, and the pictures of ours that draw it."""

    number: str
    caption: str
    shows: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Claim:
    """A claim, the number that tests it, and what decides it; see the head of a claims.toml.

    Attributes:
        says: the claim in a sentence.
        measure: names of what is measured (:data:`rdr_viz.analysis.measures.measure.MEASURES`).
        method, against: whose; without ``against`` the measure is taken as it is.
        datasets, factors, noise_rate: settings, by the paper's names.
        by: "difference" or "ratio" of method and against, or "order": of all methods by one measure and by another.
        above, below, between: where all of the interval lies if the claim holds; one of the three.
        printed: the paper's own number, where its tables do not have it.
        analyses: of the runs, that the measure needs.
        readings: whether the methods are readings of one sentence of the paper, any of which it may have meant.
    """

    says: str
    measure: tuple[str, ...]
    method: tuple[str, ...]
    datasets: tuple[str, ...]
    factors: tuple[float, ...]
    against: tuple[str, ...] = ()
    by: str = "difference"
    above: float | None = None
    below: float | None = None
    between: tuple[float, ...] = ()
    noise_rate: float = 0.0
    printed: float | None = None
    analyses: tuple[str, ...] = ()
    readings: bool = False

    @property
    def requests(self) -> list[Request]:
        """The runs in the paper's terms."""
        return requests(self.datasets, self.factors, (*self.method, *self.against), self.noise_rate)

    @property
    def holds_between(self) -> tuple[float, float]:
        """Ends of where the claim holds, open; infinite where there is none."""
        if self.between:
            return self.between[0], self.between[1]
        return float("-inf") if self.above is None else self.above, float("inf") if self.below is None else self.below


@dataclass(frozen=True)
class Slip:
    """A mistake in the paper that a reader should know of."""

    where: str
    text: str


@dataclass(frozen=True)
class Choice:
    """Where the paper leaves a choice: what is open, what is ours, and why."""

    what: str
    ours: str
    why: str


@dataclass(frozen=True)
class Paper:
    """A paper, read by :func:`load_paper`.

    Attributes:
        name: of its folder.
        title, cite, about: for the reader.
        bibtex: its entry, ``""`` for none.
        datasets: names of its data sets as a reader knows them.
        tables, figures, claims, slips, choices: its parts.
        grids: how its settings are run, by name.
        cells: its printed numbers, a row a cell: :data:`CELLS`; ``method`` is our canonical name, ``group`` all, many,
            medium, few or another measure, ``paper_sd`` NaN where none is printed.
    """

    name: str
    title: str
    cite: str
    about: str
    bibtex: str
    datasets: Mapping[str, str]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    claims: tuple[Claim, ...]
    slips: tuple[Slip, ...]
    choices: tuple[Choice, ...]
    grids: Mapping[str, Grid]
    cells: pd.DataFrame = field(compare=False)

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Names by which parts of it, and what its grids want besides, can be asked for: table1, figure9, claims."""
        names = [table.artifact for table in self.tables] + [f"figure{figure.number}" for figure in self.figures]
        names += ["claims"] if self.claims else []
        return tuple(dict.fromkeys([*names, *(more["artifact"] for grid in self.grids.values() for more in grid.more)]))


def load_paper(name: str = "rdr", folder: Path | None = None) -> Paper:
    """Read a paper: its tables, figures, claims and grids, from the files of its folder.

    Args:
        name: one of :func:`rdr_viz.papers.folders.paper_names`.
        folder: that holds the papers' folders (default: the toolkit's own, and those that packages offer).

    Raises:
        RdrError: an unknown name, or a file that does not fit, told with its place.

    Example:
        >>> paper = load_paper("rdr")
        >>> len(paper.cells), paper.cells.method[0], [name for name in paper.grids if "digits" in name]
        (368, 'ce', ['digits', 'digits-authors'])
    """
    home = folder_of(name, folder)
    path = home / "paper.toml"
    head = read_toml(path)
    parts = head.pop("parts", {})
    if wrong := of_shape(parts, {str: str}, "parts"):
        raise RdrError(f"{path}: {wrong}.")
    head |= {
        part: all_of(kind, head.get(part, []), path)
        for part, kind in (("tables", Table), ("slips", Slip), ("choices", Choice))
    }
    figures = []
    for values in _listed(home / "figures.toml", "figures"):
        pictures = all_of(Picture, values.get("pictures", []), home / "figures.toml")
        figures.append(made(Figure, values | {"pictures": pictures}, home / "figures.toml"))
    grids = all_of(Grid, read_toml(home / "grids.toml").get("grids", []), home / "grids.toml")
    head |= {
        "name": name,
        "datasets": head.get("datasets", {}),
        "bibtex": head.get("bibtex", ""),
        "figures": figures,
        "claims": all_of(Claim, _listed(home / "claims.toml", "claims"), home / "claims.toml"),
        "grids": {grid.name: grid for grid in grids},
        "cells": _cells(home, head["tables"], parts),
    }
    paper = made(Paper, head, path)
    for part in paper.artifacts:
        named(part, home)
    return paper


def _listed(path: Path, name: str) -> list[dict[str, Any]]:
    """A list of mappings that a file may have, if there is such a file."""
    found = read_toml(path, optional=True)
    if wrong := of_shape(found, {f"{name}?": [{}]}):
        raise RdrError(f"{path}: {wrong}.")
    return found.get(name, [])


def _cells(home: Path, tables: tuple[Table, ...], parts: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd

    found = []
    for table in tables:
        printed = read_printed(home, table.file, {"method"} if table.dataset else _PRINTED)
        if table.dataset:  # a column for each quantity
            printed = printed.melt("method", var_name="group", value_name="top1").assign(
                table=table.name, dataset=table.dataset, imbalance_factor=table.imbalance_factor, loss="",
                std=float("nan"), note="",
            )  # fmt: skip
        printed["group"] = printed["group"].replace(dict(table.measures))
        found.append(printed[printed["table"] == table.name])
    if not found:
        raise RdrError(f"{home / 'paper.toml'} has no tables; a paper has one at least.")
    cells = pd.concat(found, ignore_index=True).rename(columns={"top1": "paper", "std": "paper_sd"})
    names = [
        "+".join(filter(None, (parts.get(word, word) for word in f"{row.loss}+{row.method}".split("+"))))
        for row in cells.itertuples()
    ]
    cells["method"] = [parse(name or "ce").name for name in names]
    try:
        return cells[list(CELLS)].astype({"imbalance_factor": float, "paper": float, "paper_sd": float})
    except (ValueError, OverflowError) as error:
        raise RdrError(f"A table of {home} has a number that is none ({error}); fix it.") from None
