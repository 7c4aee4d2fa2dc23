"""Pictures by name, for the command line and for pages: one kind is one display, one display is one question."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rdr_core.errors import RdrError, unknown_name
from rdr_viz.displays.base import DISPLAYS, Display

if TYPE_CHECKING:
    from rdr_core.runs import Run


def kinds(*, in_galleries: bool | None = True) -> list[str]:
    """The kinds in the order of galleries.

    Args:
        in_galleries: those that galleries show (default), or those that must be asked for by name
            (:func:`rdr_viz.displays.base.display`); None: these last, after all the others.

    Example:
        >>> kinds()[:2], kinds(in_galleries=False)
        (['counts', 'accuracy'], ['rare', 'sweep', 'panels'])
    """
    known = DISPLAYS.all()
    order = sorted(known, key=lambda kind: (not known[kind].in_galleries, known[kind].place))
    return [kind for kind in order if in_galleries is None or known[kind].in_galleries == in_galleries]


def compares_runs(kind: str) -> bool:
    """Whether the kind draws several runs beside each other, rather than one."""
    return hasattr(DISPLAYS[kind], "from_runs")


def averages_seeds(kind: str) -> bool:
    """Whether the kind draws one method, of one run or as the mean over the runs of several seeds."""
    return hasattr(DISPLAYS[kind], "from_seeds")


def make_display(kind: str, runs: Sequence[Run], **options: Any) -> Display:
    """The display of that kind for the runs.

    Args:
        kind: one of :func:`kinds`.
        runs: What to draw.
        options: Keyword arguments of the display's ``from_runs``, ``from_seeds`` or ``from_run``.

    Raises:
        RdrError: an unknown kind or option, no run, or several runs where the kind draws one.
    """
    found = DISPLAYS[kind]
    if not runs:
        raise RdrError("no run to draw; name one or more runs' folders.")
    several = compares_runs(kind) or (averages_seeds(kind) and len(runs) > 1)
    if not several and len(runs) > 1:
        raise RdrError(f"kind {kind!r} draws one run, not {len(runs)}; name one of them.")
    make = getattr(found, ("from_runs" if compares_runs(kind) else "from_seeds") if several else "from_run")
    takes = list(inspect.signature(make).parameters.values())[1:]  # after the runs
    known = [one.name for one in takes if one.kind is not one.VAR_KEYWORD]
    for option in options:
        if option not in known:
            if not known:
                raise RdrError(f"kind {kind!r} has no options, so not {option!r}.")
            raise unknown_name(f"option of kind {kind!r}", option, known)
    return make(runs if several else runs[0], **options)
