"""What every display has: data, words made from the data, and drawing apart from both."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from rdr_core.errors import RdrError, unknown_name
from rdr_core.registry import Registry

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


#: The display of each kind: those of this folder, of installed packages, and one's own.
DISPLAYS: Registry[type[Display]] = Registry("kind of picture", "rdr.displays", "rdr_viz.displays")

D = TypeVar("D", bound="type[Display]")


def display(kind: str, *, place: int = 1000, in_galleries: bool = True) -> Callable[[D], D]:
    """Register a display with the command line, galleries, pages, papers and the explorer.

    In a notebook's cell that is all. For the commands, and for other people, put it into a package that names its
    module as an entry point of the group "rdr.displays"::

        [project.entry-points."rdr.displays"]
        tails = "my_package.tails"

    Args:
        kind: its name there, in lower case.
        place: in lists: those of larger ones come later (default: after the toolkit's own).
        in_galleries: False for what only some runs can show: runs that differ in more than method and seed, or in the
            values of one parameter, or that tell two classes apart. It is drawn where it is asked for by name.

    Raises:
        RdrError: another display has the name, or it has no title or look.

    Example:
        >>> from rdr_viz.displays.class_counts import ClassCounts
        >>> @display("tails")
        ... class Tails(ClassCounts):
        ...     title = "How short is the head?"
        >>> DISPLAYS["tails"].title
        'How short is the head?'
        >>> DISPLAYS.remove("tails")
    """

    def register(made: D) -> D:
        for words in ("title", "look"):  # every list of kinds shows them
            if not isinstance(getattr(made, words, None), str):
                raise RdrError(f"The display {made.__name__} has no {words}; give its class one, a short sentence.")
        made.kind, made.place, made.in_galleries = kind, place, in_galleries
        DISPLAYS.add(kind, made, made.__module__)
        return made

    return register


class Display(ABC):
    """The answer to one question about runs. Subclasses are frozen dataclasses that hold data, no artists.

    Attributes:
        data: The tidy table that is drawn, and written as CSV beside a saved picture.
        title: The question's short name, a heading.
        look: One sentence: what to look at, whatever the data.
        kind: The name used to ask for it and to save it; "" if it is not registered.
        place, in_galleries: see :func:`display`.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        from rdr_viz.displays.literal import literally
        from rdr_viz.displays.spoken import remembering, showing, telling

        own = dict(vars(cls))
        for name in {"plot", "figure"} & own.keys():
            setattr(cls, name, showing(literally(own[name])))
        for name in {"alt", "finding"} & own.keys():
            if isinstance(own[name], property) and own[name].fget:
                setattr(cls, name, telling(own[name].fget))
        for name in {"from_run", "from_runs", "from_seeds"} & own.keys():
            if isinstance(own[name], classmethod):
                setattr(cls, name, classmethod(remembering(own[name].__func__)))

    data: pd.DataFrame
    title: ClassVar[str]
    look: ClassVar[str]
    kind: ClassVar[str] = ""
    place: ClassVar[int] = 0
    in_galleries: ClassVar[bool] = True

    @property
    @abstractmethod
    def alt(self) -> str:
        """What the picture shows, for a reader who cannot see it, with the numbers."""

    @property
    @abstractmethod
    def finding(self) -> str:
        """What these data show, with the numbers; no more than they support."""

    @abstractmethod
    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw on ``ax`` (default: a new figure's axes) and return it."""

    def figure(self) -> Figure:
        """A new figure with everything the display shows; it is not registered with pyplot."""
        from matplotlib.figure import Figure

        figure = self.plot().figure
        if not isinstance(figure, Figure):
            raise TypeError(f"{type(self).__name__}.plot() drew on a part of a figure; it is to draw on all of one.")
        return figure

    def in_theme(self, theme: str) -> Figure:
        """:meth:`figure` for ``"light"`` (the default everywhere, and for print) or ``"dark"`` surroundings.

        Raises:
            RdrError: another theme.
        """
        from rdr_viz.displays.figure import rdr_style
        from rdr_viz.displays.theme import THEMES, to_dark

        if theme not in THEMES:
            raise unknown_name("theme", theme, THEMES)
        with rdr_style():  # ticks are made when they are first looked at
            return to_dark(self.figure()) if theme == "dark" else self.figure()

    def save(self, target: str | os.PathLike[str], *, theme: str = "light") -> dict[str, Path]:
        """Write PDF, SVG, PNG and CSV; the same data give the same bytes under any matplotlib settings.

        Args:
            target: Name without ending; with one, as ``"tail.png"``, that file alone; with a slash at its end, or if it
                is there, a folder for them all.
            theme: ``"light"`` or ``"dark"``.

        Returns:
            The path of each file written, by its ending.
        """
        from rdr_viz.displays.figure import save

        figure, name = self.in_theme(theme), self.kind or type(self).__name__
        return save(figure, target, self.data, name=name, title=self.title, description=self.alt)
