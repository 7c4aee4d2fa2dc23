"""What every display has: data, words made from the data, and drawing apart from both."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rdr_core.errors import unknown_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Display(ABC):
    """The answer to one question about runs. Subclasses are frozen dataclasses that hold data, no artists.

    Attributes:
        data: The tidy table that is drawn, and written as CSV beside a saved picture.
        title: The question's short name, a heading.
        look: One sentence: what to look at, whatever the data.
    """

    data: pd.DataFrame
    title: ClassVar[str]
    look: ClassVar[str]

    @property
    @abstractmethod
    def alt(self) -> str:
        """What the picture shows, for a reader who cannot see it, with the numbers."""

    @property
    @abstractmethod
    def finding(self) -> str:
        """What these data say, with the numbers; no more than they bear out."""

    @abstractmethod
    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw on ``ax`` (default: a new figure's axes) and return it."""

    def figure(self) -> Figure:
        """A new figure with everything the display shows; pyplot does not know of it."""
        return self.plot().figure

    def in_theme(self, theme: str) -> Figure:
        """:meth:`figure` for ``"light"`` (the default everywhere, and for print) or ``"dark"`` surroundings.

        Raises:
            RdrError: another theme.
        """
        from rdr_viz.figure import rdr_style
        from rdr_viz.theme import THEMES, to_dark

        if theme not in THEMES:
            raise unknown_name("theme", theme, THEMES)
        with rdr_style():  # ticks are made when they are first looked at
            return to_dark(self.figure()) if theme == "dark" else self.figure()

    def save(self, target: str | os.PathLike[str], *, theme: str = "light") -> dict[str, Path]:
        """Write PDF, SVG, PNG and CSV; the same data give the same bytes, whatever the user's matplotlib is set to.

        Args:
            target: Name without ending; with one, as ``"tail.png"``, that file alone; with a slash at its end, or if it
                is there, a folder for them all.
            theme: ``"light"`` or ``"dark"``.

        Returns:
            The path of each file written, by its ending.
        """
        from rdr_viz.figure import save
        from rdr_viz.kinds import kind_of

        figure = self.in_theme(theme)
        return save(figure, target, self.data, name=kind_of(self), title=self.title, description=self.alt)
