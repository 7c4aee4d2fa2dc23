"""What a measure is: one number of a run, with the words and the unit that a reader has for it.

Each is registered in the file that reads it. Another is a function from a run to a number, in a notebook's cell or a
file anywhere:

    >>> @measure("best_class", words="accuracy on the best class", unit="points")
    ... def best_class(run):
    ...     return max(run.metrics["per_class"])
    >>> MEASURES["best_class"].words
    'accuracy on the best class'
    >>> MEASURES.remove("best_class")

For the commands, for papers, and for other people, put the file into a package that names it as an entry point of the
group "rdr.measures"; where the package is installed, `rdr measures` lists it and a paper's tables and claims have it::

    [project.entry-points."rdr.measures"]
    best_class = "my_package.best_class"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rdr_core.registry import Registry

if TYPE_CHECKING:
    from rdr_core.runs import Run

F = TypeVar("F", bound="Callable[[Run], float]")


class Measure(NamedTuple):
    """A registered measure.

    Attributes:
        words: what a reader calls it.
        unit: after a number, or "".
        of: the number; NaN where the run has none.
        analyses: stored analyses that it is read from.
    """

    words: str
    unit: str
    of: Callable[[Run], float]
    analyses: tuple[str, ...] = ()


#: Every measure by name: those of this folder, of installed packages, and one's own.
MEASURES: Registry[Measure] = Registry("measure", "rdr.measures", "rdr_viz.analysis.measures")


def measure(name: str, *, words: str, unit: str = "", analyses: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Register a function from a run to a number, NaN where the run has none, as a measure; it stays what it was.

    Args:
        name: by which papers ask for it, unused so far.
        words: what a reader calls it, to stand in a sentence: "accuracy on Few".
        unit: after a number, as "s"; "points" for percentages whose differences are told (default: none).
        analyses: names of the stored analyses (:data:`rdr_viz.analysis.catalogue.ANALYSES`) that it is read from; where
            one is not stored, the function may raise :class:`rdr_viz.analysis.stored.NotStored`.

    Raises:
        RdrError: another measure has the name.

    Example:
        >>> @measure("steps", words="steps of training")
        ... def steps(run):
        ...     return float(run.epochs)
        >>> MEASURES["steps"].words
        'steps of training'
        >>> MEASURES.remove("steps")
    """

    def register(of: F) -> F:
        MEASURES.add(name, Measure(words, unit, of, analyses), of.__module__)
        return of

    return register
