"""Words in pictures: what are no images, as rows of a table, are called what they are.

Displays speak of images, which samples nearly always are; their words are put right where they leave the display.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from matplotlib.figure import Figure
from matplotlib.text import Text

from rdr_core.data.kinds import IMAGES, KINDS, Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

T = TypeVar("T", bound="Axes | Figure")

_IMAGES = re.compile(r"\b(?:(an) )?(image)(s?)\b", re.IGNORECASE)
#: Columns of a display's data that hold names of classes, which stay as they are.
_NAMES = ("name", "true", "predicted", "taken_for")


def called(words: str, kind: Kind) -> str:
    """A sentence about images, of samples of that kind.

    Example:
        >>> from rdr_core.data.kinds import ROWS
        >>> called("An image of Few weighs as much as 3 images of Many; Images: 5", ROWS)
        'A row of Few weighs as much as 3 rows of Many; Rows: 5'
    """

    def put(found: re.Match[str]) -> str:
        article, noun, several = found.groups()
        name = kind.name if several else kind.one
        name = name.capitalize() if noun[0].isupper() else name
        return f"{'A' if article[0].isupper() else 'a'} {name}" if article else name

    return words if kind is IMAGES else _IMAGES.sub(put, words)


def remembering(make: Callable[..., Any]) -> Callable[..., Any]:
    """A display's ``from_run`` or ``from_runs``, that notes in its data what the runs' samples are."""

    @wraps(make)
    def made(cls: Any, *arguments: Any, **options: Any) -> Any:
        display = make(cls, *arguments, **options)
        given = arguments[0] if arguments else options.get("runs", options.get("run"))
        kinds = {getattr(run, "kind", IMAGES) for run in (given if isinstance(given, Iterable) else [given])}
        if len(kinds) == 1 and IMAGES not in kinds:
            display.data.attrs["samples"] = kinds.pop().name
            for words in ("title", "look"):
                object.__setattr__(display, words, called(getattr(cls, words), kind_of_samples(display)))
        return display

    return made


def telling(words: Callable[[Any], str]) -> property:
    """A display's ``alt`` or ``finding``, of what its samples are."""

    @wraps(words)
    def told(self: Any) -> str:
        return called(words(self), kind_of_samples(self))

    return property(told)


def showing(draw: Callable[..., T]) -> Callable[..., T]:
    """A display's ``plot`` or ``figure``, with words of what its samples are."""

    @wraps(draw)
    def drawn(self: Any, *arguments: Any, **named: Any) -> T:
        found = draw(self, *arguments, **named)
        kind = kind_of_samples(self)
        if kind is not IMAGES:
            figure = found if isinstance(found, Figure) else found.figure
            for text in figure.findobj(Text):
                text.set_text(called(text.get_text(), kind))
            for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
                ticks = [label.get_text() for label in axis.get_ticklabels()]
                if any(_IMAGES.search(words) for words in ticks):  # which are set anew whenever they are drawn
                    axis.set_ticks(axis.get_ticklocs(), [called(words, kind) for words in ticks])
        return found

    return drawn


def kind_of_samples(display: Any) -> Kind:
    """As :func:`spoken_kind`, of a display."""
    kind = KINDS[display.data.attrs.get("samples", IMAGES.name)]
    if kind is IMAGES:  # nearly always
        return kind
    names = {str(name) for column in _NAMES if column in display.data for name in display.data[column].unique()}
    return spoken_kind(kind, names)


def spoken_kind(kind: Kind, names: Iterable[str]) -> Kind:
    """What samples of a kind are called; images where a class has that word in its name, which would be changed."""
    return IMAGES if any(_IMAGES.search(name) for name in names) else kind
