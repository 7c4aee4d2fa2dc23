"""What is being trained and analysed, and the offer to train and analyse what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from rdr_viz.explorer.told import told

if TYPE_CHECKING:
    import pandas as pd

    from rdr_core.runs import Run, RunConfig
    from rdr_viz.explorer.jobs import Job, Jobs

#: Seconds between two looks at what is going on, and without another choice before times are asked for.
LOOK_EVERY, SETTLED = 0.7, 0.7
#: Jobs shown, the latest first.
SHOWN = 4


class JobsPanel:
    """Offers, and the jobs that were asked for and are not done.

    Args:
        jobs: of a folder of runs.
        seconds_of: from a run and an analysis to what that took of a run like it; None where nobody knows.
        say: shows a sentence.
        changed: called when a job was started or has ended, so that there is less to offer, or more to see.
    """

    def __init__(
        self, jobs: Jobs, seconds_of: Callable[[RunConfig, str], float | None], say: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._jobs, self._seconds_of, self.say, self._changed = jobs, seconds_of, say, changed
        self._untrained: Sequence[RunConfig] = ()
        self._unanalysed: Sequence[Run] = ()
        self._analysis = ""
        self._rows: dict[str, _Row] = {}
        self._running: set[str] = set()
        self._dismissed = {job.id for job in jobs.all() if job.state in ("failed", "done")}  # of earlier visits
        self._estimating: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None

        self.train = _button("Train", "rdr-train", "Train the missing runs, in a process of its own.")
        self.analyse = _button("Analyse", "rdr-analyse", "Compute what this view shows, in a process of its own.")
        self.train.on_click(self._on_train)
        self.analyse.on_click(self._on_analyse)
        self._offers = widgets.HBox([self.train, self.analyse])
        self._list = widgets.VBox()
        self.box = widgets.VBox([self._offers, self._list]).add_class("rdr-jobs")
        self.offer((), (), "")
        self.look()

    def offer(self, untrained: Sequence[RunConfig], unanalysed: Sequence[Run], analysis: str) -> None:
        """Offer to train runs, and to analyse others; nothing where there are none, or a process is at them."""
        busy = self._jobs.under_way() if untrained or unanalysed else set()
        untrained = [config for config in untrained if (config.name, "") not in busy]
        unanalysed = [run for run in unanalysed if (run.config.name, analysis) not in busy]
        self._untrained, self._unanalysed, self._analysis = untrained, unanalysed, analysis
        _show(self.train, bool(untrained))
        _show(self.analyse, bool(unanalysed))
        _show(self._offers, bool(untrained or unanalysed))
        self.train.description = "Train" if len(untrained) < 2 else f"Train {len(untrained)} runs"
        self.analyse.description = "Analyse" if len(unanalysed) < 2 else f"Analyse {len(unanalysed)} runs"
        if self._estimating is not None:
            self._estimating.cancel()
        self._estimating = _later(SETTLED, self.estimate) if self.offers else None

    @property
    def offers(self) -> bool:
        """Whether there is anything to start."""
        return bool(self._untrained or self._unanalysed)

    @told
    def estimate(self) -> None:
        """Say on the buttons how long it would take; where that has to be measured, again when it is."""
        of_analyses = [self._seconds_of(run.config, self._analysis) for run in self._unanalysed]
        # A run that was shipped without its weights is trained again first.
        first = [run.config for run in self._unanalysed if not run.has_weights]
        measuring = self._tell_time(self.train, self._untrained, 0.0) if self._untrained else False
        if of_analyses and None not in of_analyses:
            measuring |= self._tell_time(self.analyse, first, sum(of_analyses))
        if measuring:
            self._estimating = _later(LOOK_EVERY, self.estimate)

    def _tell_time(self, button: widgets.Button, untrained: Sequence[RunConfig], more: float) -> bool:
        """Say it on a button: of trainings, and of what follows; returns whether it is still being measured."""
        found = self._jobs.estimate(untrained)
        head = button.description.partition(" (")[0]
        if found.seconds is not None:
            button.description = f"{head} (about {time_words(found.seconds + more)})"
        elif found.measuring:
            button.description = f"{head} (measuring the time)"
        return found.measuring

    @told
    def look(self) -> None:
        """See how the jobs are, and again while one is running."""
        self._looking = None
        jobs = [job for job in self._jobs.all() if job.id not in self._dismissed]
        running = {job.id for job in jobs if job.state == "running"}
        ended = self._running - running
        self._running = running
        done = [job for job in jobs if job.state == "done"]
        self._dismissed |= {job.id for job in done}
        shown = [job for job in jobs if job not in done][:SHOWN]
        self._rows = {job.id: self._rows.get(job.id) or _Row(self) for job in shown}
        for job in shown:
            self._rows[job.id].show(job)
        self._list.children = [row.box for row in self._rows.values()]
        if running:
            self._looking = _later(LOOK_EVERY, self.look)
        if ended:
            self._changed()
            for job in done:
                self.say(f"Done: {job.title}.")

    @told
    def _on_train(self, _: object) -> None:
        asked, self._untrained = self._untrained, ()  # of a double click the second finds nothing to do
        if not asked:
            return
        try:
            self._follow(self._jobs.train(asked))
        finally:
            self._changed()  # there is nothing more to offer, or it is offered again

    @told
    def _on_analyse(self, _: object) -> None:
        asked, self._unanalysed = self._unanalysed, ()
        if not asked:
            return
        try:
            for run in asked:
                self._follow(self._jobs.analyse(run, self._analysis))
        finally:
            self._changed()

    def _follow(self, job: Job) -> None:
        self._dismissed.discard(job.id)
        self._running.add(job.id)
        self.look()


class _Row:
    """One job: its title, how far it is, its curves, and how to stop it or go on."""

    def __init__(self, panel: JobsPanel) -> None:
        self._panel, self._job = panel, None
        self.say = panel.say
        self._title = widgets.HTML(layout=widgets.Layout(width="390px"))
        self._bar = widgets.FloatProgress(min=0, max=1, layout=widgets.Layout(width="140px")).add_class("rdr-progress")
        self._left = widgets.HTML(layout=widgets.Layout(width="90px")).add_class("rdr-left")
        self._stop = _button("Stop", "rdr-stop", "Save and stop; it can go on later.")
        self._resume = _button("Resume", "rdr-resume", "Go on where it stopped.")
        self._hide = _button("Hide", "rdr-hide", "Show it no more in this visit; what it has saved stays.")
        self._curves = widgets.HTML(layout=widgets.Layout(height="42px"))
        self._stop.on_click(self._on_stop)
        self._resume.on_click(self._on_resume)
        self._hide.on_click(self._on_hide)
        parts = [self._title, self._bar, self._left, self._stop, self._resume, self._hide, self._curves]
        self.box = widgets.HBox(parts, layout=widgets.Layout(align_items="center", flex_flow="row wrap"))

    def show(self, job: Job) -> None:
        self._job, state = job, job.state
        why = f" {job.error}" if job.error else ""
        self._title.value = f"<b>{escape(job.title)}</b>: {state}.{escape(why)}"
        self._bar.value = job.share
        seconds = job.seconds_left if state == "running" else None
        self._left.value = "" if seconds is None else f"{time_words(seconds)} left"
        self._curves.value = curves_html(job.curves())
        _show(self._stop, state == "running")
        for button in (self._resume, self._hide):
            _show(button, state in ("stopped", "failed"))

    @told
    def _on_stop(self, _: object) -> None:
        self._job.stop()

    @told
    def _on_resume(self, _: object) -> None:
        self._job.resume()
        self._panel._follow(self._job)

    @told
    def _on_hide(self, _: object) -> None:
        self._panel._dismissed.add(self._job.id)
        self._panel.look()


def time_words(seconds: float) -> str:
    """A time as one says it.

    Example:
        >>> time_words(4.2), time_words(100), time_words(5000), time_words(100000)
        ('4 s', '2 min', '1.4 h', '28 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"


def curves_html(history: pd.DataFrame) -> str:
    """Loss and test accuracy by epoch as two small lines in the page's own colours; "" before the second epoch.

    Args:
        history: of a run (:attr:`rdr_core.runs.Run.history`).
    """
    if len(history) < 2:
        return ""
    curves = []
    for name, words in (("loss", "loss"), ("accuracy", "test accuracy (%)")):
        values = history[name].to_numpy()
        low, high = values.min(), values.max()
        height = (values - low) / (high - low) if high > low else values * 0 + 0.5
        points = " ".join(f"{120 * at / (len(values) - 1):.1f},{36 - 32 * y:.1f}" for at, y in enumerate(height))
        said = f"{words} from {values[0]:.3g} to {values[-1]:.3g}, epochs 1 to {len(values)}"
        curves.append(
            f'<svg width="122" height="40" role="img" aria-label="{said}"><title>{said}</title>'
            f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
            f"<small> {words.split(' (')[0]} {values[-1]:.3g} </small>"
        )
    return f'<span class="rdr-curves">{"".join(curves)}</span>'


def _button(words: str, css: str, tooltip: str) -> widgets.Button:
    layout = widgets.Layout(width="auto")
    return widgets.Button(description=words, tooltip=tooltip, layout=layout).add_class(css)


def _show(widget: widgets.DOMWidget, shown: bool) -> None:
    widget.layout.display = None if shown else "none"


def _later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle | None:
    """Have the kernel call it later; None without an event loop, as in a script."""
    try:
        return asyncio.get_running_loop().call_later(seconds, call)
    except RuntimeError:
        return None
