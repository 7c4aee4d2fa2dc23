"""The data that a run was trained on, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdr_core.data import LongTailedData
    from rdr_core.training.config import RunConfig


def data_of(
    path: Path, config: RunConfig, noted: dict[str, Any], given: LongTailedData | None, root: str | Path | None,
    content_hash: Callable[[str | Path | None], str],
) -> LongTailedData:  # fmt: skip
    """Those given, or loaded again, where they are the run's.

    Args:
        path, config: of the run.
        noted: of its data.json.
        given, root: as for :meth:`rdr_core.runs.run.Run.data`.
        content_hash: of the data that it was trained on, from the data root.

    Raises:
        RdrError: as :meth:`rdr_core.runs.run.Run.data`.
    """
    if given is not None:
        if given.content_hash != content_hash(root):
            raise RdrError(
                f"{path} was trained on other data than those given ({given}); give the ones it was trained on."
            )
        return given
    from rdr_core.data import load_data

    if config.data_hash:
        raise RdrError(f"{path} was trained on data of your own, which only you have; give them with data=...")
    data = load_data(config.dataset, **config.data_request, held_out=noted.get("held_out", 0), root=root)
    changed = "content_hash" in noted and data.content_hash != noted["content_hash"]
    if changed or data.indices_hash != noted["indices_hash"]:
        raise RdrError(
            f"{path} was trained on other {data.kind} than {config.dataset} gives now; train it again, in another "
            "folder of runs (--runs) if this one is to be kept."
        )
    return data
