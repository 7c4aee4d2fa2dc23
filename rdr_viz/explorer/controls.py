"""The choices, as controls: from a state to what they show, and from what was chosen to a state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ipywidgets as widgets

from rdr_viz.explorer.catalogue import Catalogue
from rdr_viz.explorer.state import State
from rdr_viz.explorer.views import VIEWS
from rdr_viz.palette import method_style

_LABELS = {"description_width": "76px"}


class Controls:
    """Data, tail, methods, seeds, epoch, view and its option.

    Args:
        catalogue: what there is to choose from.
        changed: called when the reader has chosen.
    """

    def __init__(self, catalogue: Catalogue, changed: Callable[[], None]) -> None:
        self._catalogue, self._changed, self._showing = catalogue, changed, False
        self.data = _named(widgets.Dropdown(description="Data", style=_LABELS), "rdr-data", "248px")
        self.profile = _named(widgets.Dropdown(description="Tail", style=_LABELS), "rdr-profile", "248px")
        self.imbalance = _named(
            widgets.SelectionSlider(
                options=[("", 0.0)], description="Imbalance", continuous_update=False, style=_LABELS
            ),
            "rdr-if",
            "248px",
        )
        self.methods = _named(
            widgets.SelectMultiple(description="Methods", rows=8, style={"description_width": "62px"}),
            "rdr-methods", "210px",
        )  # fmt: skip
        self.seeds = _named(
            widgets.SelectMultiple(description="Seeds", rows=8, style={"description_width": "46px"}),
            "rdr-seeds", "100px",
        )  # fmt: skip
        self.epoch = _named(
            widgets.IntSlider(min=1, max=1, description="Epoch", continuous_update=False, style=_LABELS),
            "rdr-epoch", "226px",
        )  # fmt: skip
        self.play = _named(widgets.Play(min=1, max=1, interval=500, tooltip="Let the epochs go by"), "rdr-play", "auto")
        self.play_words = _named(widgets.HTML(), "rdr-epoch-words", "226px")
        self.option = _named(widgets.Dropdown(style=_LABELS), "rdr-option", "226px")
        self.view = _named(
            widgets.ToggleButtons(
                options=[(view.label, name) for name, view in VIEWS.items()],
                tooltips=[view.question for view in VIEWS.values()],
                style={"button_width": "auto"},
            ),
            "rdr-view",
            "auto",
        )
        widgets.jslink((self.play, "value"), (self.epoch, "value"))
        for control in self._chosen:
            control.observe(self._on_change, names="value")

        columns = [
            widgets.VBox([self.data, self.profile, self.imbalance]), self.methods, self.seeds,
            widgets.VBox([self.epoch, self.play, self.play_words, self.option]),
        ]  # fmt: skip
        row = widgets.HBox(columns, layout=widgets.Layout(flex_flow="row wrap", grid_gap="4px 8px"))
        self.box = widgets.VBox([row, self.view]).add_class("rdr-controls")

    @property
    def state(self) -> State:
        """What is chosen."""
        last = self.epoch.disabled or self.epoch.value == self.epoch.max
        return State(
            data=self.data.value,
            imbalance_factor=self.imbalance.value or None,  # to a control None is no choice at all
            profile=self.profile.value or None,
            methods=tuple(self.methods.value),
            seeds=tuple(self.seeds.value),
            epoch=None if last else self.epoch.value,
            view=self.view.value,
            option=self.option.value if self.option.index else "",  # its first is what a view does by itself
        )

    def show(self, state: State, epochs: int) -> None:
        """Show a state, and what else could be chosen there.

        Args:
            state: one that fits the catalogue.
            epochs: of the runs shown; 0 without any.
        """
        view, catalogue = VIEWS[state.view], self._catalogue
        profiles = catalogue.profiles(state.data)
        tails = catalogue.imbalances(state.data, state.profile)
        with self._quietly():
            _offer(self.data, _with(catalogue.data(), state.data), state.data)
            self.data.tooltip = state.data  # its words may be longer than the menu is wide
            _offer(
                self.profile, [(p or "as it is", p or "") for p in _with(profiles, state.profile)], state.profile or "",
            )  # fmt: skip
            factors = sorted({factor or 0.0 for factor in (*tails, state.imbalance_factor)})
            _offer(self.imbalance, [(f"{f:g}" if f else "as it is", f) for f in factors], state.imbalance_factor or 0.0)
            methods = _with(catalogue.methods(state.data), *state.methods)
            _offer(self.methods, [(method_style(method).label, method) for method in methods], state.methods)
            _offer(self.seeds, sorted({*catalogue.seeds(state.data), *state.seeds}), state.seeds)
            self.view.value = state.view
            options = list(view.options)
            _offer(self.option, options, state.option or (options[0] if options else None))
            self.option.description = view.asks
            self.option.layout.display = None if options else "none"
            self._show_epoch(state.epoch, epochs if view.epochs else 0)
        self.profile.disabled = len(self.profile.options) < 2
        self.imbalance.disabled = len(self.imbalance.options) < 2

    def _show_epoch(self, epoch: int | None, epochs: int) -> None:
        there = epochs > 1
        for control in (self.epoch, self.play):
            control.disabled = not there
        if there:
            self.epoch.max = self.play.max = epochs
            # Of linked values the page takes the player's, which may be the older.
            self.epoch.value = self.play.value = min(epoch or epochs, epochs)
        else:
            self.play.playing = False
        self.play_words.value = "" if there else "This view does not change from epoch to epoch."
        self.play_words.layout.display = "none" if there else None

    @property
    def _chosen(self) -> list[widgets.ValueWidget]:
        return [self.data, self.profile, self.imbalance, self.methods, self.seeds, self.epoch, self.option, self.view]

    def _on_change(self, _: object) -> None:
        if not self._showing:
            self._changed()

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        self._showing = True
        try:
            yield
        finally:
            self._showing = False


def _named(widget: widgets.DOMWidget, css: str, width: str) -> widgets.DOMWidget:
    widget.layout.width = width
    return widget.add_class(css)


def _offer(control: widgets.ValueWidget, options: list, value: object) -> None:
    """Set options only where they are others: that resets the control in the page, and its focus."""
    if tuple(options) != tuple(control.options):
        control.options = options
    if control.value != value:
        control.value = value


def _with(known: list, *chosen: object) -> list:
    return [*known, *(value for value in chosen if value not in known)]
