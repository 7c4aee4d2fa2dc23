"""The data that a run was trained on, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError

if TYPE_CHECKING:
    from rdr_core.data import LongTailedData
    from rdr_core.runs.run import Run


def data_of(run: Run, given: LongTailedData | None, root: str | Path | None, noted: dict[str, Any]) -> LongTailedData:
    """Those given, or loaded again, where they are the run's.

    Args:
        run: whose.
        given, root: as for :meth:`rdr_core.runs.run.Run.data`.
        noted: of its data.json.

    Raises:
        RdrError: as :meth:`rdr_core.runs.run.Run.data`.
    """
    if given is not None:
        if given.content_hash != run.content_hash(root):
            raise RdrError(
                f"{run.path} was trained on other data than those given ({given}); give the ones it was trained on."
            )
        return given
    from rdr_core.data import load_data

    config = run.config
    if config.data_hash:
        raise RdrError(f"{run.path} was trained on data of your own, which only you have; give them with data=...")
    data = load_data(config.dataset, **config.data_request, held_out=noted.get("held_out", 0), root=root)
    changed = "content_hash" in noted and data.content_hash != noted["content_hash"]
    if changed or data.indices_hash != noted["indices_hash"]:
        raise RdrError(
            f"{run.path} was trained on other {data.kind} than {config.dataset} gives now; train it again, in another "
            "folder of runs (--runs) if this one is to be kept."
        )
    return data
