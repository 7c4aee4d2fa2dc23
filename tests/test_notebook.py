"""What the notebooks share: pictures with words, and controls that redraw them."""

from __future__ import annotations

import base64
import struct
from html.parser import HTMLParser

import nbformat
from executed import executed

from rdr_viz.displays.figure import new_figure, render
from rdr_viz.notebook import picture


class Images(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.found.append(dict(attrs))


def test_a_picture_is_the_figures_png_with_its_words_escaped():
    alt = 'Weights of "1/n" & <RDR>.'
    shown = picture(new_figure(3, 1), alt, "1 < 2 & 3.").data
    (image,) = Images(shown).found
    assert image["alt"] == alt
    png = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    assert png == render(new_figure(3, 1), "png", description=alt)
    assert "aspect-ratio: {} / {}".format(*struct.unpack(">II", png[16:24])) in image["style"]
    assert "<figcaption>1 &lt; 2 &amp; 3.</figcaption>" in shown


EXPLORE = """
import ipywidgets as widgets
from IPython.display import HTML
from rdr_viz.notebook import explore
drawn = []
def draw(x, word):
    drawn.append((x, word))
    return HTML(f"<b>{x} {word}</b>")
x = widgets.IntSlider(1, 0, 5, description="x")
word = widgets.Dropdown(options=["a", "b"], description="Word")
explore([x, word], draw)
"""


def test_each_choice_replaces_the_picture_and_is_drawn_once(tmp_path):
    moves = "x.value = 3; word.value = 'b'; x.value = 1; word.value = 'a'; x.value = 3"
    cells = [nbformat.v4.new_code_cell(source) for source in (EXPLORE, moves, "drawn")]
    notebook = executed(nbformat.v4.new_notebook(cells=cells), tmp_path)
    first, _, counted = (cell.outputs for cell in notebook.cells)
    kinds = ["application/vnd.jupyter.widget-view+json" in output.data for output in first]
    assert kinds == [True, True, False]  # the controls, then one picture
    assert first[-1].data["text/html"] == "<b>3 a</b>"
    # The start and three choices; going back to what had been shown drew nothing.
    assert counted[0].data["text/plain"] == "[(1, 'a'), (3, 'a'), (3, 'b'), (1, 'b')]"
