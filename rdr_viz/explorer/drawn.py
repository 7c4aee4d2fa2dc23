"""Views that the page has no script for: of any display that is registered, the kernel draws the picture."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError
from rdr_viz.displays.figure import render
from rdr_viz.displays.kinds import make_display

if TYPE_CHECKING:
    from rdr_core.runs import Run
    from rdr_viz.displays.base import Display


async def drawn(kind: str, runs: Sequence[Run], theme: str) -> dict[str, Any]:
    """What the page shows of a display of runs, whose analyses are read and never computed.

    The display is made beside the event loop, since it reads files and may compute for seconds. It is drawn on the
    loop, in a fraction of one: matplotlib's style is the whole process's, so also that of a cell that runs meanwhile.

    Args:
        kind: one of :func:`rdr_viz.displays.kinds.kinds`.
        runs: as many as it takes.
        theme: "light" or "dark".

    Returns:
        As :func:`picture_of`, or ``sentence``: why there is no picture.
    """
    try:
        display = await asyncio.to_thread(make_display, kind, [run.as_stored for run in runs])
        return picture_of(display, theme)
    except RdrError as error:
        return {"sentence": str(error)}
    except Exception as error:  # another's code: anything can go wrong in it
        return {"sentence": f"The display {kind!r} failed ({type(error).__name__}: {error}); fix it."}


def picture_of(display: Display, theme: str) -> dict[str, Any]:
    """``svg`` (a file's text), ``alt``, ``finding`` and ``rows``: the data, a number that is none as None."""
    svg = render(display.in_theme(theme), "svg", title=display.title, description=display.alt)
    rows = json.loads(display.data.to_json(orient="records", double_precision=15))
    return {"svg": svg.decode(), "alt": display.alt, "finding": display.finding, "rows": rows}
