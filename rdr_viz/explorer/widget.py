"""The explorer in a notebook: the page draws, the kernel hands it the runs, trains what is missing and analyses it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from traitlets import Unicode

from rdr_core.errors import RdrError
from rdr_core.jobs.notice import UnderWay, under_way
from rdr_core.plain import total
from rdr_core.runs import Run, RunConfig
from rdr_core.runs.archive import shipped
from rdr_viz.analysis.catalogue import ANALYSES
from rdr_viz.explorer.alike import Estimate
from rdr_viz.explorer.arrays import numbers_of
from rdr_viz.explorer.at_hand import Catalogue, Entry
from rdr_viz.explorer.drawn import drawn
from rdr_viz.explorer.head import first_of, head_of
from rdr_viz.explorer.jobs import Job, Jobs
from rdr_viz.explorer.publish import STATIC, publish
from rdr_viz.explorer.told import told

#: Seconds between two looks at the jobs, and between two handfuls of runs that nobody has asked for yet.
LOOK_EVERY, HAND_EVERY = 0.7, 0.05
#: Seconds between two looks while no job is running: a command may have begun to fill one of the folders.
WAIT_EVERY = 5.0
#: Runs in a handful: a kernel that is asked for something else has to wait for so many.
HANDFUL = 12
#: Jobs shown, the latest first.
SHOWN = 4


class Explorer(AnyWidget):
    """Explore stored runs: choose data, tail, methods, seeds, epoch and view. Shown as the last line of a cell.

    Args:
        runs: folder of runs, or several; runs trained or analysed from the page go to the first. None (default) is the
            folder "runs" and the runs shipped with the toolkit.
        state: what to show first, the parameters of a link ("?data=digits&method=rdr"); "" (default) is what the page's
            own link says, else accuracy by group.

    Example:
        >>> Explorer()  # doctest: +SKIP
        >>> Explorer("runs", state="?method=ce&method=rdr&view=classes")  # doctest: +SKIP
    """

    _esm = STATIC / "explorer.js"
    head = Unicode().tag(sync=True)
    query = Unicode().tag(sync=True)
    jobs = Unicode("[]").tag(sync=True)

    def __init__(self, runs: str | Path | Sequence[str | Path] | None = None, *, state: str = "") -> None:
        given = ("runs", shipped()) if runs is None else (runs,) if isinstance(runs, (str, Path)) else runs
        folders = [*map(Path, given)]
        self._catalogue = Catalogue(folders)
        self._jobs = Jobs(folders[0], folders[1:])
        self._ids: dict[Path, int] = {}
        self._entries: dict[int, Entry] = {}
        self._given: set[int] = set()
        self._running: set[str] = set()
        self._sweeps: dict[str, UnderWay] = {}
        self._dismissed = {job.id for job in self._jobs.all() if job.state in ("failed", "done")}  # of earlier visits
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._wanted: list[dict[str, Any]] = []
        self._drawing: asyncio.Task[None] | None = None
        query = state or os.environ.get("QUERY_STRING", "")  # Voila's page has it
        super().__init__(head=self._head(), query=query.lstrip("?"))
        self.on_msg(self._asked)
        self._look()

    def publish(self, path: str | Path, **options: Any) -> Path:
        """Write these runs' explorer as one file (:func:`rdr_viz.explorer.publish.publish`)."""
        return publish([entry.run for entry in self._catalogue.entries if entry.done], Path(path), **options)

    def close(self) -> None:
        """Take the explorer off its page, and look no more at the jobs."""
        for timer in self._timers.values():
            timer.cancel()
        super().close()

    def say(self, sentence: str) -> None:
        """Show a sentence above the picture, read out to those who don't see it."""
        self.send({"tell": "sentence", "sentence": sentence})

    def _head(self, changed: Iterable[int] = ()) -> str:
        """What the page is told of the runs; each keeps its id for as long as the explorer lives."""
        for entry in self._catalogue.entries:
            self._ids.setdefault(entry.run.path, len(self._ids))
        self._entries = {self._ids[entry.run.path]: entry for entry in self._catalogue.entries}
        try:
            there = shipped()
        except RdrError:
            there = None
        first = first_of(self._catalogue.data())
        head = head_of(self._entries, shipped=there, first=first)
        return json.dumps(head | {"kernel": True, "changed": sorted(changed)})

    def _asked(self, _: object, content: dict[str, Any], __: object) -> None:
        answers: dict[str, Callable[[dict[str, Any]], None]] = {
            "need": self._need, "draw": self._draw, "train": self._train, "analyse": self._analyse,
            "estimate": self._estimate, "stop": self._stop, "resume": self._resume, "hide": self._hide,
        }  # fmt: skip
        if content.get("ask") in answers:
            self._answer(answers[content["ask"]], content)

    @told
    def _answer(self, answer: Callable[[dict[str, Any]], None], content: dict[str, Any]) -> None:
        answer(content)

    def _need(self, content: dict[str, Any]) -> None:
        """Hand over the numbers of runs, then of all others, those of the same data first."""
        wanted = [id_ for id_ in content["runs"] if id_ in self._entries]
        self._hand(wanted)
        data = {self._entries[id_].data for id_ in wanted}
        self._later("rest", HAND_EVERY, lambda: self._rest(data))

    def _rest(self, data: set[str]) -> None:
        left = [id_ for id_, entry in self._entries.items() if entry.done and id_ not in self._given]
        left.sort(key=lambda id_: self._entries[id_].data not in data)
        if left:
            self._hand(left[:HANDFUL])
            self._later("rest", HAND_EVERY, lambda: self._rest(data))

    def _hand(self, ids: Sequence[int]) -> None:
        found = []
        for id_ in ids:
            self._given.add(id_)
            try:
                found.append((id_, numbers_of(self._entries[id_].run)))
            except RdrError as error:
                self.say(str(error))
        told_ = [{"id": id_, "layout": numbers.layout} for id_, numbers in found]
        self.send({"tell": "numbers", "runs": told_}, [numbers.buffer for _, numbers in found])

    def _draw(self, content: dict[str, Any]) -> None:
        """Draw the pictures that the page has no script for; what it asked for before, and is not begun, is left."""
        self._wanted = list(content["pictures"])
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.get_running_loop().create_task(self._draw_wanted())

    async def _draw_wanted(self) -> None:
        while self._wanted:
            asked = self._wanted.pop(0)
            runs = [self._entries[id_].run for id_ in asked["runs"] if id_ in self._entries]
            self.send({"tell": "picture", "key": asked["key"], **await drawn(asked["kind"], runs, asked["theme"])})

    def _configs(self, content: dict[str, Any]) -> list[RunConfig]:
        where = content["data"], content["factor"], content["profile"]
        configs = [self._catalogue.config(*where, one["method"], one["seed"]) for one in content["missing"]]
        busy = self._jobs.under_way() if configs else set()
        return [config for config in configs if (config.name, "") not in busy]

    def _runs(self, content: dict[str, Any]) -> list[Run]:
        runs = [self._entries[id_].run for id_ in content["runs"] if id_ in self._entries]
        busy = self._jobs.under_way() if runs else set()
        return [run for run in runs if (run.config.name, content["what"]) not in busy]

    def _train(self, content: dict[str, Any]) -> None:
        if configs := self._configs(content):  # of a double click the second finds nothing to do
            self._follow(self._jobs.train(configs))

    def _analyse(self, content: dict[str, Any]) -> None:
        for run in self._runs(content):
            self._follow(self._jobs.analyse(run, content["what"]))

    def _estimate(self, content: dict[str, Any]) -> None:
        """Tell how long an offer would take; where that has to be measured, again when it is."""
        configs, runs = self._configs(content), self._runs(content)
        answer: dict[str, Any] = dict.fromkeys(("train", "disk", "analyse")) | {
            "tell": "estimate",
            "key": content["key"],
        }
        measuring = False
        if configs:
            found = self._jobs.estimate(configs)
            answer["train"] = found.seconds or ("measuring the time" if found.measuring else None)
            answer["disk"] = found.bytes
            measuring |= found.measuring
        known = total(self._catalogue.seconds(run.config, ANALYSES[content["what"]].results) for run in runs)
        if runs and known is not None:
            # A run that was shipped without its weights is trained again first.
            again = [run.config for run in runs if not run.has_weights]
            first = self._jobs.estimate(again) if again else Estimate(0.0, False)
            if first.seconds is not None:
                answer["analyse"] = known + first.seconds
            elif first.measuring:
                answer["analyse"], measuring = "measuring the time", True
        self.send(answer)
        if measuring:
            self._later("estimate", LOOK_EVERY, lambda: self._answer(self._estimate, content))

    def _stop(self, content: dict[str, Any]) -> None:
        self._jobs.find(content["job"]).stop()
        self._look()

    def _resume(self, content: dict[str, Any]) -> None:
        job = self._jobs.find(content["job"])
        job.resume()
        self._follow(job)

    def _hide(self, content: dict[str, Any]) -> None:
        self._dismissed.add(content["job"])
        self._look()

    def _follow(self, job: Job) -> None:
        self._dismissed.discard(job.id)
        self._running.add(job.id)
        self._look()

    @told
    def _look(self) -> None:
        """See how the jobs are, and the commands that fill these folders; the runs are read anew when there are more.

        Again a moment later while a job is running, else in some seconds.
        """
        jobs = [job for job in self._jobs.all() if job.id not in self._dismissed]
        running = {job.id for job in jobs if job.state == "running"}
        ended = self._running - running
        self._running = running
        done = [job for job in jobs if job.state == "done"]
        self._dismissed |= {job.id for job in done}
        before = self._sweeps
        self._sweeps = {sweep.id: sweep for folder in self._catalogue.folders for sweep in under_way(folder)}
        left = [_told(job) for job in jobs if job not in done][:SHOWN]
        self.jobs = json.dumps([*map(_told_sweep, self._sweeps.values()), *left])
        self._later("look", LOOK_EVERY if running else WAIT_EVERY, self._look)
        if ended or _done(self._sweeps) != _done(before):
            self._read_again()
        for job in done:
            if job.id in ended:
                self.say(f"Done: {job.title}.")
        for id_ in before.keys() - self._sweeps.keys():
            self.say(f"{before[id_].title} has ended.")

    def _read_again(self) -> None:
        before = {entry.run.path: entry.results for entry in self._entries.values()}
        self._catalogue.read()
        changed = [self._ids[entry.run.path] for entry in self._catalogue.entries
                   if entry.run.path in before and entry.results != before[entry.run.path]]  # fmt: skip
        self._given -= set(changed)
        self.head = self._head(changed)

    def _later(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        """Have the kernel call it later in place of what was to be called under that name; never without a loop."""
        if name in self._timers:
            self._timers.pop(name).cancel()
        try:
            self._timers[name] = asyncio.get_running_loop().call_later(seconds, call)
        except RuntimeError:  # as in a script
            return


def _told(job: Job) -> dict[str, Any]:
    history = job.curves()
    curves = {name: history[name].dropna().tolist() for name in ("loss", "accuracy")} if len(history) else {}
    return {"id": job.id, "title": job.title, "state": job.state, "share": job.share, "left": job.seconds_left,
            "error": job.error, "elsewhere": False, **curves}  # fmt: skip


def _done(sweeps: dict[str, UnderWay]) -> dict[str, int]:
    return {id_: sweep.done for id_, sweep in sweeps.items()}


def _told_sweep(sweep: UnderWay) -> dict[str, Any]:
    title = f"{sweep.title}, {sweep.done} of {sweep.total} done"
    return {"id": f"sweep {sweep.id}", "title": title, "state": "running", "share": sweep.share,
            "left": sweep.seconds_left, "error": "", "elsewhere": True}  # fmt: skip
