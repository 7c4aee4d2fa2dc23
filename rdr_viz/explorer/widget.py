"""The explorer: choices above, pictures of stored runs below."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from rdr_core.errors import RdrError
from rdr_core.papers.shipped import shipped
from rdr_core.runs import RunConfig
from rdr_viz.analyses import RESULTS
from rdr_viz.explorer.catalogue import Catalogue
from rdr_viz.explorer.code import code_of
from rdr_viz.explorer.controls import Controls
from rdr_viz.explorer.jobs import Jobs
from rdr_viz.explorer.jobs_panel import JobsPanel
from rdr_viz.explorer.pictures import Panel, Pictures
from rdr_viz.explorer.state import State
from rdr_viz.explorer.theme import PageTheme
from rdr_viz.explorer.told import told
from rdr_viz.explorer.views import VIEWS, Plan, Request, neighbours, plan, refuse_impossible
from rdr_viz.notebook import SCALE, picture_html

#: What is shown first, where there are such runs.
FIRST = State(methods=("ce", "inverse", "rdr"), seeds=tuple(range(10)), view="accuracy")
#: Pictures that are prepared from a state, at most.
PREPARED = 24
#: Pictures are so much larger than a notebook's others, where there is room: they are what the page is for.
LARGER = 1.2
#: Folder for saved pictures, in the one that the notebook works in.
SAVED = "rdr-pictures"

# Static pictures, which stand where widgets can't, go where this is shown.
_STYLE = """<style>
.rdr-static { display: none; }
.rdr-explorer .rdr-pictures { display: flex; flex-wrap: wrap; gap: 12px; }
.rdr-explorer .rdr-side { flex: 1 1 340px; min-width: 0; }
.rdr-explorer .rdr-panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(410px, 100%), 1fr));
  gap: 12px; }
.rdr-explorer figcaption, .rdr-explorer .rdr-nothing { line-height: 1.4; margin-top: 6px; }
.rdr-explorer .rdr-status { min-height: 24px; line-height: 1.4; }
.rdr-explorer pre { white-space: pre-wrap; font-family: monospace; line-height: 1.4; }
.rdr-explorer .rdr-curves small { margin-right: 16px; }
.rdr-explorer .rdr-if .widget-readout { min-width: 52px; width: 52px; }
.rdr-explorer .rdr-epoch-words .widget-html-content { line-height: 1.3; padding: 4px 8px; }
.rdr-explorer .rdr-actions button { width: auto; padding: 0 12px; }
.theme-dark .rdr-explorer { color-scheme: dark; }
.rdr-explorer .rdr-view .widget-toggle-button { padding: 0 10px; }
.rdr-explorer :focus-visible { outline: 2px solid #0072B2; outline-offset: 1px; }
</style>"""


class Explorer:
    """Stored runs to look at: choose data, tail, methods, seeds, epoch and view; shown by being a cell's last line.

    Args:
        runs: folder of runs, or several; what is trained and analysed from the page goes to the first. None (default)
            is the folder "runs" and the runs shipped with the toolkit.
        state: what to show first: a :class:`~rdr_viz.explorer.state.State`, the text or the path of a file that Share
            made, or the parameters of a link. None (default) is what the page's own link says, else accuracy by group.

    Raises:
        RdrError: a state that is none.

    Example:
        >>> Explorer()  # doctest: +SKIP
        >>> Explorer("runs", state="rdr-view.json")  # doctest: +SKIP
    """

    def __init__(
        self, runs: str | Path | Sequence[str | Path] | None = None, *, state: State | str | None = None
    ) -> None:
        folders = ["runs", shipped()] if runs is None else [runs] if isinstance(runs, (str, Path)) else list(runs)
        self.catalogue = Catalogue(folders)
        self.pictures = Pictures()
        self._requests: tuple[Request, ...] = ()
        self._state = self.catalogue.nearest(FIRST)
        self._pinned: State | None = None
        self._details = ""

        self.theme = PageTheme()
        self.theme.observe(lambda _: self._draw(), names="dark")
        self.controls = Controls(self.catalogue, self._choose)
        self.status = widgets.HTML().add_class("rdr-status")
        self.jobs = JobsPanel(Jobs(folders[0]), self._seconds_of, self.say, self._look_again)
        # High enough for most pictures, so that what follows in a notebook stays where it is.
        self.picture = widgets.HTML(layout=widgets.Layout(min_height="460px")).add_class("rdr-picture")
        self.details = widgets.VBox().add_class("rdr-details")
        self.buttons = {
            name: self._button(words, f"rdr-{name}", icon, tooltip, call)
            for name, words, icon, tooltip, call in (
                ("compare", "Compare", "columns", "Keep this view beside the next ones; again to take it away.",
                 self._compare),
                ("code", "Show code", "code", "The lines of Python that make this picture.", self._show_code),
                ("save", "Save", "download", f"PDF, SVG, PNG and CSV, into the folder {SAVED}.", self._save),
                ("share", "Share", "share-alt", "A link and a small file that bring this view back elsewhere.",
                 self._share),
            )
        }  # fmt: skip
        actions = widgets.HBox(list(self.buttons.values())).add_class("rdr-actions")
        # What is pressed often, and what it answers, stays above pictures that are longer than the page.
        parts = [widgets.HTML(_STYLE), self.theme, self.controls.box, actions, self.details, self.status,
                 self.jobs.box, self.picture]  # fmt: skip
        self.box = widgets.VBox(parts).add_class("rdr-explorer")
        self.show(self._first(state))

    @property
    def state(self) -> State:
        """What is shown, with what is pinned beside it."""
        return replace(self._state, pinned=self._pinned)

    def show(self, state: State) -> None:
        """Show a state; where there are no runs of its data, the nearest one, with a sentence.

        One that can't be is refused with a sentence; what is shown stays.
        """
        try:
            refuse_impossible(state, self.catalogue)
        except RdrError as error:
            self._draw()
            self.say(str(error))
            return
        self._pinned = state.pinned
        known = state.alone()
        if state.data not in self.catalogue.data():
            known = self.catalogue.nearest(known)
        self._state = known
        self._draw()
        if state.data != known.data:
            self.say(f"There are no runs of {state.data!r} here; this shows {known.data}.")

    def say(self, sentence: str) -> None:
        """Show a sentence above the pictures, read out to those who don't see it."""
        self.status.value = f'<div role="status" aria-live="polite">{escape(sentence)}</div>'

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        display(self.box)
        # Where no widgets run, as in an exported page, this is what there is; the explorer's own style hides it.
        note = "A still picture: open the notebook in JupyterLab to choose others."
        display(HTML(f'<div class="rdr-static">{self.picture.value}<p>{note}</p></div>'))

    def _first(self, state: State | str | None) -> State:
        if isinstance(state, State):
            return state
        if state is None:
            query = os.environ.get("QUERY_STRING", "")  # Voila's page has it
            return State.from_query(query) if State.is_in(query) else self._state
        if not state.lstrip().startswith("{") and "=" not in state:
            try:
                state = Path(state).read_text(encoding="utf-8")
            except OSError as error:
                raise RdrError(f"{state} can't be read ({error}); give a file that Share made.") from None
        return State.from_json(state) if state.lstrip().startswith("{") else State.from_query(state)

    @told
    def _choose(self) -> None:
        chosen = self.controls.state
        if self.controls.epoch.disabled:  # a view without epochs: for the next one with some
            chosen = replace(chosen, epoch=self._state.epoch)
        if (chosen.data, chosen.profile) != (self._state.data, self._state.profile):
            chosen = self.catalogue.nearest(chosen)
        if chosen.view != self._state.view:
            chosen = replace(chosen, option="")
        self._state = chosen
        self._draw()

    @told
    def _look_again(self) -> None:
        self.catalogue.read()
        self.pictures.forget()
        self._draw()

    @told
    def _draw(self) -> None:
        """Show the state: controls, sentences, offers and pictures; then prepare what may come next."""
        found = plan(self._state, self.catalogue)
        self.controls.show(self._state, found.epochs)
        view = VIEWS[self._state.view]
        self.say(" ".join(found.notes))
        panels, unanalysed = self._panels(found)
        self._requests = found.requests if panels else ()
        self.jobs.offer(found.untrained, unanalysed, view.analysis or "groups")
        now = _side_html(panels, self._nothing_words(found))
        if self._pinned is not None:
            before, _ = self._panels(plan(self._pinned, self.catalogue))
            pinned = _side_html(before, "Nothing to show.", f"Pinned: {_title(self._pinned)}")
            now = pinned + _side_html(panels, self._nothing_words(found), _title(self._state))
        self.picture.value = f'<div class="rdr-pictures">{now}</div>'
        self._set_details("")
        for button in ("code", "save"):
            self.buttons[button].disabled = not self._requests
        self.buttons["compare"].description = "Compare" if self._pinned is None else "Stop comparing"
        self.pictures.prepare(islice(self._next_ones(), PREPARED))

    def _panels(self, found: Plan) -> tuple[list[Panel], tuple]:
        """The pictures, and the runs whose analysis they lack; what they can't show is said."""
        from rdr_viz.analysis import NotStored

        try:
            return [self.pictures.panel(request, self._theme) for request in found.requests], found.unanalysed
        except NotStored:
            self.say(
                " ".join([*found.notes, "Others were analysed for fewer classes or moments than this view shows."])
            )
            return [], tuple(run for request in found.requests for run in request.runs)
        except RdrError as error:
            self.say(" ".join([*found.notes, str(error)]))
            return [], found.unanalysed

    def _nothing_words(self, found: Plan) -> str:
        if (found.untrained or found.unanalysed) and not self.jobs.offers:
            return "It is being made: how far it is, stands above."
        if found.untrained:
            return "There is no such run yet. Train it above, or choose others."
        if found.unanalysed:
            return "There is no such analysis yet. Start it above, or choose others."
        return "Nothing to show; choose others."

    def _seconds_of(self, config: RunConfig, analysis: str) -> float | None:
        return self.catalogue.seconds(config, RESULTS[analysis])

    def _next_ones(self) -> Iterator[tuple[Request, str]]:
        """What may be asked for next; planned only when the kernel comes to it."""
        for state in neighbours(self._state, self.catalogue):
            for request in plan(state, self.catalogue).requests:
                yield request, self._theme

    @property
    def _theme(self) -> str:
        return "dark" if self.theme.dark else "light"

    @told
    def _compare(self, _: object) -> None:
        self._pinned = self._state if self._pinned is None else None
        self._draw()

    @told
    def _show_code(self, _: object) -> None:
        code = f'<pre class="rdr-code" tabindex="0">{escape(code_of(self._requests))}</pre>'
        self._set_details("" if self._details == "code" else "code", widgets.HTML(code))

    @told
    def _save(self, _: object) -> None:
        lines = []
        for request in self._requests:
            stem = Path(SAVED) / _file_name(self._state, request)
            links = []
            for kind, path in save(self.pictures, request, stem, self._theme).items():
                # The file itself: where it lies below the page's own address, nobody here knows.
                content = base64.b64encode(path.read_bytes()).decode()
                links.append(f'<a download="{path.name}" href="data:;base64,{content}">{kind.upper()}</a>')
            lines.append(f"<li>{escape(str(stem))}: {', '.join(links)}</li>")
        words = "Saved; press a kind to download it:"
        self._set_details("save", widgets.HTML(f'{words}<ul class="rdr-saved">{"".join(lines)}</ul>'))

    @told
    def _share(self, _: object) -> None:
        if self._details == "share":
            self._set_details("")
            return
        text = self.state.to_json()
        content = base64.b64encode(text.encode()).decode()
        link = widgets.Text(value=f"?{self.state.to_query()}", description="Link", disabled=False)
        file = widgets.HTML(
            f'<a class="rdr-share-file" download="rdr-view.json" href="data:application/json;base64,{content}">'
            'rdr-view.json</a>: a small file; <code>Explorer(state="rdr-view.json")</code> shows it again.'
        )
        other = widgets.Text(description="Open", placeholder="paste a link, or such a file's text, and press Enter")
        for field, css in ((link, "rdr-share-link"), (other, "rdr-share-open")):
            field.layout.width = "100%"
            field.continuous_update = False
            field.add_class(css)
        other.observe(lambda change: self._open(change["new"]), names="value")
        self._set_details("share", link, file, other)

    @told
    def _open(self, text: str) -> None:
        self.show(State.from_json(text) if text.lstrip().startswith("{") else State.from_query(text.partition("?")[2]))

    def _set_details(self, name: str, *children: widgets.Widget) -> None:
        """Show these below the buttons; "" is none."""
        self._details = name
        for child in self.details.children:
            child.close()
        self.details.children = children if name else ()

    def _button(self, words: str, css: str, icon: str, tooltip: str, call: Any) -> widgets.Button:
        button = widgets.Button(description=words, icon=icon, tooltip=tooltip).add_class(css)
        button.on_click(call)
        return button


def save(pictures: Pictures, request: Request, stem: Path, theme: str) -> dict[str, Path]:
    """Write a picture as PDF, SVG, PNG, and its numbers as CSV; what is marked in the page is marked there.

    Raises:
        RdrError: the folder can't be written.
    """
    from rdr_viz.displays.epochs import mark_epoch
    from rdr_viz.figure import save as save_figure

    display = pictures.display(request)
    figure = display.in_theme(theme)
    if request != request.base:
        mark_epoch(figure, request.epoch)
    try:
        return save_figure(figure, stem, display.data, title=display.title, description=display.alt)
    except OSError as error:
        raise RdrError(f"{stem.parent} can't be written ({error}); start the notebook in another folder.") from None


def _side_html(panels: Sequence[Panel], nothing: str, heading: str = "") -> str:
    shown = "".join(f"<div>{picture_html(*panel, scale=LARGER * SCALE)}</div>" for panel in panels)
    inner = f'<div class="rdr-panels">{shown}</div>' if panels else f'<p class="rdr-nothing">{escape(nothing)}</p>'
    return f'<div class="rdr-side">{f"<b>{escape(heading)}</b>" if heading else ""}{inner}</div>'


def _title(state: State) -> str:
    tail = "" if state.imbalance_factor is None else f", IF {state.imbalance_factor:g}"
    return f"{VIEWS[state.view].label}, {state.data}{tail}"


def _file_name(state: State, request: Request) -> str:
    """Readable, and another for each picture of a state."""
    parts = [state.view, state.data]
    if state.imbalance_factor is not None:
        parts.append(f"if{state.imbalance_factor:g}")
    if VIEWS[state.view].of == "each method":
        parts.append(request.runs[0].config.method)
    if request.epoch is not None:
        parts.append(f"epoch{request.epoch}")
    return re.sub(r"[^A-Za-z0-9.+]+", "-", "-".join(parts))
