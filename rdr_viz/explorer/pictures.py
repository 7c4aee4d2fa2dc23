"""From a request to a picture, soon: what was drawn is kept, and what may be asked for next is drawn meanwhile."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from rdr_viz.explorer.views import VIEWS, Request

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rdr_viz.displays.base import Display

#: Bytes of pictures that are kept, some 100 of them.
KEPT_BYTES = 12_000_000
#: Displays whose numbers are kept, and drawn figures in which a mark is moved from epoch to epoch.
KEPT_DISPLAYS, KEPT_FIGURES = 32, 6
#: Seconds without a request before others are prepared, and between two steps of that, in which requests come first.
QUIET, PAUSE = 0.25, 0.005
#: Of a picture with a mark: zlib's higher levels take longer and save a tenth.
_COMPRESSION = 1


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
    """Draws pictures, keeps some, and prepares others in the kernel's spare time.

    Example:
        >>> pictures = Pictures()
        >>> pictures.panel(request, "light").words  # doctest: +SKIP
        'Over all classes RDR was best with 93.8 % ...'
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._panels: OrderedDict[tuple[Request, str], Panel] = OrderedDict()
        self._displays: OrderedDict[Request, Display] = OrderedDict()
        self._figures: OrderedDict[tuple[Request, str], _Marked] = OrderedDict()
        self._kept_bytes = kept_bytes
        self._waiting: Iterator[tuple[Request, str]] = iter(())
        self._work: Generator[None, None, Panel] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def panel(self, request: Request, theme: str) -> Panel:
        """The picture, drawn if it is not kept; what was being prepared is given up.

        Raises:
            RdrError: as :meth:`Request.display`.
        """
        self.give_up()
        found = self._panels.get((request, theme))
        if found is not None:
            self._panels.move_to_end((request, theme))
            return found
        return _to_its_end(self._draw(request, theme))

    def display(self, request: Request) -> Display:
        """The display of a request, without a mark."""
        base = request.base
        return self._displays.get(base) or _keep(self._displays, base, base.display(), KEPT_DISPLAYS)

    def forget(self) -> None:
        """Drop what was read and drawn: the runs' folders have changed."""
        self.give_up()
        for kept in (self._panels, self._displays, self._figures):
            kept.clear()

    def prepare(self, requests: Iterable[tuple[Request, str]]) -> None:
        """Draw these, the first ones first, step by step whenever the kernel has nothing else to do.

        Without an event loop, as in a script, nothing is done until :meth:`step` is called.
        """
        self.give_up()
        self._waiting = iter(requests)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(QUIET, self._step_and_go_on, loop)

    def give_up(self) -> None:
        """Prepare nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting, self._work, self._timer = iter(()), None, None

    def step(self) -> bool:
        """One step of preparing; whether there may be another."""
        if self._work is None:
            request = next((key for key in self._waiting if key not in self._panels), None)
            if request is None:
                return False
            self._work = self._draw(*request)
        try:
            next(self._work)
        except StopIteration:
            self._work = None
        except Exception:  # it will be told when it is asked for
            self._work = None
        return True

    def _step_and_go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(PAUSE, self._step_and_go_on, loop) if self.step() else None

    def _draw(self, request: Request, theme: str) -> Generator[None, None, Panel]:
        """Draw and keep a picture, in steps of some ten milliseconds."""
        from rdr_viz.figure import render

        display = self.display(request)
        words = display.finding
        yield
        if request.base == request:
            figure = display.in_theme(theme)
            yield
            _lay_out(figure)
            yield
            png = render(figure, "png", description=display.alt)
        else:
            marked = self._figures.get((request.base, theme))
            if marked is None:
                figure = display.in_theme(theme)
                yield
                _lay_out(figure)
                yield
                marked = _keep(self._figures, (request.base, theme), _Marked(figure), KEPT_FIGURES)
            png = marked.png(request.epoch)
            words = f"{VIEWS[request.view].at(display, request.epoch)} {words}"
        panel = Panel(png, display.alt, words)
        self._panels[request, theme] = panel
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


def _lay_out(figure: Figure) -> None:
    """Settle where everything is, as :func:`rdr_viz.figure.render` would, in a step of its own."""
    from rdr_viz.figure import rdr_style

    with rdr_style():
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def _to_its_end(work: Generator[None, None, Panel]) -> Panel:
    while True:
        try:
            next(work)
        except StopIteration as ended:
            return ended.value


def _keep(kept: OrderedDict, key: object, value, limit: int):
    kept[key] = value
    while len(kept) > limit:
        kept.popitem(last=False)
    return value
