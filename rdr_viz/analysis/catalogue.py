"""Analyses of a run by name, as `rdr analyse`, papers and the explorer ask for them, stored beside the run.

Each is registered in the file that computes it. Another is a function from a run to a table, in a notebook's cell or a
file anywhere; what takes its time is kept beside the run (:func:`rdr_viz.analysis.stored.stored`):

    >>> import pandas as pd
    >>> from rdr_viz.analysis.stored import stored
    >>> @analysis("sizes", "training images of each class")
    ... def sizes(run, *, data=None):
    ...     return stored(run, "sizes", {}, lambda: pd.DataFrame({"count": run.class_counts}), data=data)
    >>> ANALYSES["sizes"].results
    ('sizes',)
    >>> ANALYSES.remove("sizes")

For the commands, and for other people, put the file into a package that names it as an entry point of the group
"rdr.analyses"; where the package is installed, `rdr analyse --what sizes` computes it::

    [project.entry-points."rdr.analyses"]
    sizes = "my_package.sizes"
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

from rdr_core.registry import Registry
from rdr_viz.analysis.pieces import HowFar
from rdr_viz.analysis.stored import NotStored

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.data import LongTailedData
    from rdr_core.runs import Run

F = TypeVar("F", bound="Callable[..., pd.DataFrame]")


@dataclass(frozen=True)
class Analysis:
    """A registered analysis.

    Attributes:
        make: the function: from a run, and what it was trained on as ``data``, to its main table.
        summary: what it does, for readers.
        results: the stored results that take its time.
        how_far: how much of it is stored, without computing any; None for what is one piece.
        place: in lists: those of larger ones come later.
        of_papers: whether papers alone ask for it.
    """

    make: Callable[..., pd.DataFrame]
    summary: str
    results: tuple[str, ...]
    how_far: Callable[[Run], HowFar] | None
    place: int
    of_papers: bool


#: Every analysis by name: those of this folder, of installed packages, and one's own.
ANALYSES: Registry[Analysis] = Registry(
    "analysis", "rdr.analyses", "rdr_viz.analysis", "rdr_viz.analysis.curvature", mark="@analysis("
)


def analysis(
    name: str,
    summary: str,
    *,
    results: tuple[str, ...] = (),
    how_far: Callable[[Run], HowFar] | None = None,
    place: int = 1000,
    of_papers: bool = False,
) -> Callable[[F], F]:
    """Register a function as an analysis; it stays what it was.

    It is called with a run and, by keyword, ``data`` (what the run was trained on, or None), and, where it has such
    parameters, ``progress`` (whether to show a bar) and ``device`` (where to compute; None is the CPU).

    Args:
        name: unused so far; a word in lower case.
        summary: what it does, for readers.
        results: names of the stored results that take its time, as "density" (default: its own name).
        how_far: from a run to how much is stored, for what takes minutes (default: it is one piece).
        place: in lists: those of larger ones come later (default: after the toolkit's own).
        of_papers: whether it is of few classes, for a number that papers print, and `rdr analyse` does not offer.

    Raises:
        RdrError: another analysis has the name.

    Example:
        >>> @analysis("last rows", "the last row of a run's history")
        ... def last_rows(run, data=None):
        ...     return run.history.tail(1)
        >>> "last rows" in analyses()
        True
        >>> ANALYSES.remove("last rows")
    """

    def register(make: F) -> F:
        ANALYSES.add(name, Analysis(make, summary, results or (name,), how_far, place, of_papers), make.__module__)
        return make

    return register


def analyses() -> list[str]:
    """The names that `rdr analyse` takes, in order.

    Example:
        >>> analyses()
        ['curvature', 'groups', 'shares', 'ratios', 'geometry', 'surface']
    """
    known = {name: one for name, one in ANALYSES.all().items() if not one.of_papers}
    return sorted(known, key=lambda name: known[name].place)


def analyse(
    run: Run, what: str, data: LongTailedData | None = None, *, device: str | None = None, progress: bool = True
) -> pd.DataFrame:
    """Compute and store an analysis of a run, or read it if it is stored.

    Args:
        run: a finished run.
        what: one of :func:`analyses`, or of those that papers ask for.
        data: what it was trained on, where it is at hand (:meth:`Run.data`).
        device: where the analyses for papers are computed (default: the CPU); the result is the same up to rounding.
        progress: show a bar in what takes long.

    Returns:
        Its main table.

    Raises:
        RdrError: an unknown name, or a run that is not finished; of a run :attr:`~rdr_core.Run.as_stored`, an analysis
            that is not there.
    """
    make = ANALYSES[what].make
    takes = signature(make).parameters
    how: dict[str, Any] = {"device": device, "progress": progress}
    with _threads(run):
        return make(run, data=data, **{name: value for name, value in how.items() if name in takes})


def progress_of(run: Run, what: str) -> HowFar:
    """How far an analysis of a run is, without computing any of it; what takes seconds is one piece.

    Args:
        run: a finished run.
        what: as for :func:`analyse`.

    Raises:
        RdrError: an unknown name.
    """
    how_far = ANALYSES[what].how_far
    return how_far(run) if how_far else HowFar(0, 1)


def has_analysis(run: Run, what: str) -> bool:
    """Whether the run has it stored.

    Args:
        run: a finished run.
        what: as for :func:`analyse`.

    Raises:
        RdrError: an unknown name.
    """
    try:
        analyse(run.as_stored, what, progress=False)
    except NotStored:
        return False
    return True


def _threads(run: Run) -> Any:
    """As many as the run's data set is computed with; what is only read needs no PyTorch."""
    if not run.computes:
        return nullcontext()
    from rdr_core.data.settings import settings_of
    from rdr_core.training.threads import using_threads

    return using_threads(settings_of(run.config.dataset).threads)
