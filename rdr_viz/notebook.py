"""What the notebooks share: a picture that everyone can read, a control that redraws it, and the playground."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from rdr_core.visible import visible
from rdr_viz.displays.figure import TEXT_WIDTH, render

if TYPE_CHECKING:
    from IPython.display import HTML
    from ipywidgets import ValueWidget
    from matplotlib.figure import Figure

#: Pictures kept by one control, of about 50 KB each.
KEPT = 200
#: Pixels on the page for each of a PNG's, 200 an inch: letters of one size, and 700 for a figure as wide as text.
SCALE = 700 / (200 * TEXT_WIDTH)


def picture(figure: Figure, alt: str, words: str = "") -> HTML:
    """A figure with a description for those who can't see it, and a sentence below.

    Args:
        figure: of :func:`rdr_viz.displays.figure.new_figure`, or a display's.
        alt: what the figure shows, with its numbers.
        words: what it says, below it.

    Example:
        >>> from rdr_viz.displays.figure import new_figure
        >>> shown = picture(new_figure(2, 1), "An empty square.", "Nothing yet.")
        >>> 'alt="An empty square."' in shown.data, "Nothing yet.</figcaption>" in shown.data
        (True, True)
    """
    from IPython.display import HTML

    return HTML(picture_html(render(figure, "png", description=alt), alt, words))


def picture_html(png: bytes, alt: str, words: str = "", scale: float = SCALE) -> str:
    """The same of a picture drawn before: its PNG, what it shows, what it says, and how large it is at most."""
    width, height = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    return (
        f'<figure style="max-width: {round(width * scale)}px; margin: 0">'
        f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{escape(visible(alt))}"'
        # The page keeps the place while the next picture loads.
        f' style="width: 100%; aspect-ratio: {width} / {height}">'
        f"<figcaption>{escape(visible(words))}</figcaption></figure>"
    )


def explore(control: ValueWidget | Sequence[ValueWidget], draw: Callable[..., object]) -> None:
    """Show a control and, below it, a picture that each choice replaces.

    Args:
        control: an ipywidgets control, or several, one below the other.
        draw: from the control's value (the values of all) to what to show, as :func:`picture` gives it. It is called
            once for a choice: what was drawn is kept, so going back to it costs nothing.
    """
    from IPython.display import display
    from ipywidgets import ValueWidget

    controls = [control] if isinstance(control, ValueWidget) else list(control)
    kept = lru_cache(maxsize=KEPT)(draw)

    def chosen() -> object:
        return kept(*(each.value for each in controls))

    display(*controls)
    shown = display(chosen(), display_id=True)
    for each in controls:
        each.observe(lambda _: shown.update(chosen()), names="value")


def playground(height: int = 760) -> HTML:
    """The playground in a cell: networks that learn points in the plane, two methods side by side.

    It runs in the page, so it needs no kernel.

    Args:
        height: of its frame, in pixels.

    Example:
        >>> playground().data.startswith("<div><iframe srcdoc=")
        True
    """
    from IPython.display import HTML

    from rdr_viz.explorer.playground import playground_page

    look = f"width: 100%; height: {height}px; border: 1px solid #8884; border-radius: 8px"
    title = "Playground: two networks learn points in the plane with a long tail"
    # A frame of its own, whose looks and addresses are not the notebook's.
    return HTML(f'<div><iframe srcdoc="{escape(playground_page())}" title="{title}" style="{look}"></iframe></div>')
