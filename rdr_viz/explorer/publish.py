"""The explorer as one file: its runs inside, no server, no network."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from rdr_core.errors import RdrError
from rdr_core.files.whole import write_whole
from rdr_core.runs import Run
from rdr_core.runs.archive import shipped
from rdr_core.visible import visible
from rdr_viz.explorer.arrays import ALIGNED, numbers_of
from rdr_viz.explorer.at_hand import Entry, entry_of
from rdr_viz.explorer.head import first_of, head_of, training_command

STATIC = Path(__file__).parent / "front" / "static"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>body {{ margin: 0; background: #fbfaf8; }} @media (prefers-color-scheme: dark) {{ body {{ background: #141416; }} }}</style>
</head>
<body>
<noscript>This page draws its pictures by JavaScript, all of which is in it: nothing is loaded.</noscript>
<script type="application/json" id="rdr-head">{head}</script>
<script type="application/octet-stream" id="rdr-numbers">{numbers}</script>
<script type="module">{script}</script>
</body>
</html>
"""  # noqa: E501 - as it stands in the page


def publish(
    runs: Sequence[Run],
    path: Path,
    *,
    title: str = "What a long tail does",
    made: str = "",
    first: Mapping[str, Any] | None = None,
) -> Path:
    """Write the explorer of these runs as one HTML file.

    Args:
        runs: finished ones.
        path: of the file; replaced if it is there.
        title: of the page.
        made: what it was made from, as the page tells it.
        first: what is shown first, parts of a state of ``src/explorer/state.js`` (default: accuracy by group of CE,
            1/n and RDR, or of what there is).

    Returns:
        The file.

    Raises:
        RdrError: no run, one that is not finished or can't be read, or a path that can't be written.
    """
    if not runs:
        raise RdrError("There is no run to publish; name one or more runs' folders.")
    entries = dict(enumerate(map(entry_of, runs)))
    for entry in entries.values():
        if not entry.done:
            raise RdrError(f"{entry.run.path} is not finished; continue it with `rdr resume {entry.run.path}`.")
    try:
        there = shipped()
    except RdrError:
        there = None
    head = head_of(
        entries,
        shipped=there,
        command=training_command,
        first=first or first_of({entry.data for entry in entries.values()}),
    ) | {
        "title": title,
        "made": made,
    }
    for one in head["sets"]:
        for tail in one["tails"]:
            for run in tail["runs"]:  # a reader elsewhere has no use for the places on this machine
                run["path"] = f"runs/{run['name']}"
    numbers, parts = _numbers(entries)
    page = _PAGE.format(
        title=escape(visible(title)), head=_in_script(json.dumps(head | {"numbers": numbers}, ensure_ascii=False)),
        numbers=base64.b64encode(parts).decode(), script=(STATIC / "explorer.js").read_text(encoding="utf-8"),
    )  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda beside: Path(beside).write_text(page, encoding="utf-8"))
    except OSError as error:
        raise RdrError(f"{path} can't be written ({error}); choose another place.") from None
    return path


def _numbers(entries: Mapping[int, Entry]) -> tuple[list[dict[str, Any]], bytes]:
    """Where each run's numbers lie, and all of them, packed."""
    told, parts, offset = [], [], 0
    for id_, entry in entries.items():
        found = numbers_of(entry.run)
        told.append({"id": id_, "layout": found.layout, "offset": offset, "size": len(found.buffer)})
        # Byte by byte of its floats: alike lies beside alike, which packs to two thirds.
        parts.append(np.frombuffer(found.buffer, np.uint8).reshape(-1, ALIGNED).T.tobytes())
        offset += len(found.buffer)
    return told, gzip.compress(b"".join(parts), 9, mtime=0)


def _in_script(text: str) -> str:
    """JSON that a script element may hold, whatever its strings are."""
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text.encode(errors="backslashreplace").decode()  # halves of pairs, that no file has: \\udXXX to JSON too
