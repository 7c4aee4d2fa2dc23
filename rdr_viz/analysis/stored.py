"""Results of analyses beside the run that they are of: computed once, then read.

A result is a tidy DataFrame, stored as ``analysis/WHAT-HASH.csv`` in the run's folder with ``WHAT-HASH.json`` beside
it, which says how it was made. The hash is of the parameters, so other parameters make another result. What is computed
is of the run's own weights and data and of nothing else: other data are refused, and so is a result of other weights.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError
from rdr_core.files.inside import inside
from rdr_core.files.sealed import damaged
from rdr_core.files.tables import SEAL, names_of, read_exactly, read_table
from rdr_core.files.whole import read_json, write_json, write_sealed
from rdr_core.own_settings import own_settings
from rdr_core.plain import for_json
from rdr_viz.analysis.pieces import HowFar, Pieces

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run


#: Bytes that a table may have: hundreds of numbers for each image of a large test set.
LARGEST = 2**33


class NotStored(RdrError):
    """An analysis is asked of a run :attr:`~rdr_core.Run.as_stored`, and is not there."""


def stored(
    run: Run, what: str, parameters: Mapping[str, Any], compute: Callable[[], pd.DataFrame], *,
    data: LongTailedData | None = None, pieces: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """The run's result of that name and parameters: read if it is there, computed and stored if not.

    Args:
        run: a finished run; results of a run in training would not stay true.
        what: name of the analysis, as "curvature".
        parameters: all that decides the result, plain values.
        compute: makes the table, of the run's own weights and data.
        data: what the user gave as such; they are compared, so that no other data's numbers ever stand for the run's.
        pieces: how many it is computed in, where that takes long (:class:`rdr_viz.analysis.pieces.Pieces`).

    Returns:
        The table, as read back from its file, so the same whether it was computed or read.

    Raises:
        RdrError: the run is not finished, the data are not its own, or a stored result can't be read or is another
            network's.
        NotStored: it is not there, and the run is :attr:`~rdr_core.Run.as_stored`.
    """
    if not run.done:
        raise RdrError(f"{run.path} is not finished; continue it with `rdr resume {run.path}`, then analyse it.")
    if data is not None:
        run.data(data)
    path = result_path(run, what, parameters)
    if not path.exists():
        if not run.computes:
            raise NotStored(f"{run.path} has no {what} stored; `rdr analyse` computes it.")
        inside(run.path, path.relative_to(run.path).as_posix())
        inside(path.parent, Pieces(path).folder.name)
        started = time.perf_counter()
        with own_settings():
            table = compute()
        path.parent.mkdir(exist_ok=True)
        made = {
            "what": what,
            "parameters": dict(parameters),
            "seconds": round(time.perf_counter() - started, 3),
            # What CSV does not say: a class may be called "3", or "nan".
            "words": [str(name) for name in table.columns if not _is_number(table[name])],
            "weights": run.weights_hash,
            "packages": {name: version(name) for name in ("rdr-toolkit", "torch", "numpy", "scipy")},
        }
        write_json(path.with_suffix(".json"), made)
        # Last, since it is the table that says that the result is there. repr keeps every bit of a float.
        write_sealed(path, lambda beside: table.assign(**{SEAL: ""}).to_csv(beside, index=False))
        Pieces(path).drop()
    return _read(path, run.weights_hash)


def how_far(run: Run, what: str, parameters: Mapping[str, Any], pieces: int = 1) -> HowFar:
    """How much of a result is stored; it computes and reads nothing. The arguments are those of :func:`stored`."""
    path = result_path(run, what, parameters)
    kept = Pieces(path)
    done, seconds = kept.done(), kept.seconds_each()  # first: another process may finish, and drop them, meanwhile
    return HowFar(pieces if path.is_file() else done, pieces, seconds)


def result_path(run: Run, what: str, parameters: Mapping[str, Any]) -> Path:
    """Where :func:`stored` keeps the table."""
    text = json.dumps(dict(parameters), sort_keys=True, default=for_json)
    return run.path / "analysis" / f"{what}-{hashlib.sha256(text.encode()).hexdigest()[:10]}.csv"


def how_made(run: Run, what: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """How a stored result was made: parameters, seconds, versions."""
    return read_json(result_path(run, what, parameters).with_suffix(".json"))


def _read(path: Path, weights: str | None) -> pd.DataFrame:
    made = read_json(path.with_suffix(".json"), {"words": [str], "weights?": (str, None)})
    if weights and made.get("weights") not in (None, weights):
        raise RdrError(f"{path} was computed of another network than the run's; delete it to compute it anew.")
    words, text = made["words"], read_table(path, LARGEST)
    try:
        names = names_of(text)
        return read_exactly(
            io.StringIO(text), usecols=names, dtype=dict.fromkeys(words, "str"), keep_default_na=False,
            na_values={name: [""] for name in names if name not in words}
        )  # fmt: skip
    except ValueError as error:
        raise damaged(path, error) from None


def _is_number(column: pd.Series) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(column) or is_bool_dtype(column)
