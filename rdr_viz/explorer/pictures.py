"""From a request to a picture, soon: what was drawn is kept, and what may be asked for next is drawn elsewhere."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rdr_viz.explorer.ahead import Ahead
from rdr_viz.explorer.views import VIEWS, Request

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rdr_viz.displays.base import Display

#: Bytes of pictures that are kept, some 100 of them.
KEPT_BYTES = 12_000_000
#: Displays whose numbers are kept, and drawn figures in which a mark is moved from epoch to epoch.
KEPT_DISPLAYS, KEPT_FIGURES = 32, 6
#: Of a picture with a mark: zlib's higher levels take longer and save a tenth.
_COMPRESSION = 1

_K, _V = TypeVar("_K"), TypeVar("_V")


class Panel(NamedTuple):
    """A picture as a page shows it.

    Attributes:
        png: the picture.
        alt: what it shows, with its numbers.
        words: what it says, below it.
    """

    png: bytes
    alt: str
    words: str


class Pictures:
    """Draws pictures and keeps some; others are drawn ahead, in another process.

    Args:
        kept_bytes: of pictures, at most.

    Example:
        >>> Pictures().panel(request, "light").words  # doctest: +SKIP
        'Over all classes RDR was best with 93.8 % ...'
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._panels: OrderedDict[tuple[Request, str], Panel] = OrderedDict()
        self._displays: OrderedDict[Request, Display] = OrderedDict()
        self._figures: OrderedDict[tuple[Request, str], _Marked] = OrderedDict()
        self._kept_bytes = kept_bytes
        self._ahead = Ahead(self._keep_panel)

    def panel(self, request: Request, theme: str) -> Panel:
        """The picture, drawn if it is not kept.

        Raises:
            RdrError: as :meth:`Request.display`.
        """
        found = self._panels.get((request, theme))
        if found is None:
            return self._keep_panel((request, theme), self._draw(request, theme))
        self._panels.move_to_end((request, theme))
        return found

    def display(self, request: Request) -> Display:
        """The display of a request, without a mark."""
        base = request.base
        return self._displays.get(base) or _keep(self._displays, base, base.display(), KEPT_DISPLAYS)

    def prepare(self, wanted: Iterable[tuple[Request, str]]) -> None:
        """Have these drawn ahead, in a theme, the first ones first, instead of those wanted before."""
        self._ahead.ask(key for key in wanted if key not in self._panels)

    def forget(self) -> None:
        """Drop what was read and drawn: the runs' folders have changed."""
        self._ahead.end()
        for kept in (self._panels, self._displays, self._figures):
            kept.clear()

    def _draw(self, request: Request, theme: str) -> Panel:
        from rdr_viz.figure import render

        display = self.display(request)
        if request == request.base:
            png = render(display.in_theme(theme), "png", description=display.alt)
            return Panel(png, display.alt, display.finding)
        marked = self._figures.get((request.base, theme))
        if marked is None:
            marked = _keep(self._figures, (request.base, theme), _Marked(display.in_theme(theme)), KEPT_FIGURES)
        words = f"{VIEWS[request.view].at(display, request.epoch)} {display.finding}"
        return Panel(marked.png(request.epoch), display.alt, words)

    def _keep_panel(self, key: tuple[Request, str], panel: Panel) -> Panel:
        self._panels[key] = panel
        while sum(len(kept.png) for kept in self._panels.values()) > self._kept_bytes and len(self._panels) > 1:
            self._panels.popitem(last=False)
        return panel


class _Marked:
    """A figure drawn once, in which a mark is moved: only the mark is drawn anew."""

    def __init__(self, figure: Figure) -> None:
        import matplotlib as mpl

        from rdr_viz.displays.epochs import mark_epoch
        from rdr_viz.figure import rdr_style

        with rdr_style():
            figure.set_dpi(mpl.rcParams["savefig.dpi"])
            figure.canvas.draw()
            self._canvas = figure.canvas
            self._ground = figure.canvas.copy_from_bbox(figure.bbox)
            self._lines = mark_epoch(figure, 1)
            color = figure.axes[0].xaxis.label.get_color()  # as the theme has it
            for line in self._lines:
                line.set_color(color)

    def png(self, epoch: int) -> bytes:
        import numpy as np
        from PIL import Image

        self._canvas.restore_region(self._ground)
        for line in self._lines:
            line.set_xdata([epoch, epoch])
            line.axes.draw_artist(line)
        file = io.BytesIO()
        pixels = np.asarray(self._canvas.buffer_rgba())[..., :3]  # the ground is opaque
        Image.fromarray(pixels).save(file, "png", compress_level=_COMPRESSION)
        return file.getvalue()


def _keep(kept: OrderedDict[_K, _V], key: _K, value: _V, limit: int) -> _V:
    kept[key] = value
    while len(kept) > limit:
        kept.popitem(last=False)
    return value
