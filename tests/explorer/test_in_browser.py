"""The explorer as its readers meet it: in JupyterLab and as a page of its own, by keyboard, in a real browser."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe import serious
from held import held
from installed import contributed, lay_package
from lab import Shown, complaints, open_in_lab, served, shown
from playwright.sync_api import Browser
from published_page import digits
from waiting import wait_for

from rdr_core.jobs.notice import Notice
from rdr_core.runs import Run, list_runs
from rdr_core.runs.archive import shipped
from rdr_viz.explorer.jobs import Job, Jobs

pytestmark = pytest.mark.slow

#: The seeds that are shipped; a test trains another.
SEEDS = tuple(range(10))
#: What is shown at the start of every test.
START = "data=digits&if=50&profile=exponential&method=ce&method=inverse&method=rdr&view=accuracy" + "".join(
    f"&seed={seed}" for seed in SEEDS
)
#: What is in the page when a picture is.
DRAWN = ".rdr-explorer .panel:not([hidden]) .picture > svg text"


@dataclass
class Place:
    """Where the explorer is served.

    Attributes:
        kind: "lab" or "app".
        folder: that it works in.
        address: with its token.
    """

    kind: str
    folder: Path
    address: str


@dataclass
class Pages:
    """The one page of a place that is open, kept from test to test: opening one takes longer than most of them."""

    place: Place
    browser: Browser
    first: str = ""
    _opened: ExitStack = field(default_factory=ExitStack)
    _shown: Shown | None = None
    _kind: tuple[int, bool] | None = None

    def at(self, *, width: int = 1280, dark: bool = False) -> Shown:
        """Such a page with the first view in it, the open one where it is such a page."""
        if self._shown is None or self._kind != (width, dark):
            return self.anew(width=width, dark=dark)
        open_view(self._shown, START)
        return self._shown

    def anew(self, *, width: int = 1280, dark: bool = False, query: str = "", at: str = "lab/tree") -> Shown:
        """A page of its own, with the view of a link in it, else the first one, instead of the page that is open."""
        self.close()
        seen = self._opened.enter_context(shown(self.browser, width=width, dark=dark))
        if self.place.kind == "lab":
            open_in_lab(seen, self.place.address, "03_explorer.ipynb", at=at)
            seen.dark(dark)
        else:  # which is served dark
            seen.page.goto(f"{self.place.address}{query and '&' + query}{'' if dark else '&theme=light'}")
        seen.page.wait_for_selector(DRAWN)
        self.first = labels(seen)
        if not query:
            open_view(seen, START)
        self._shown, self._kind = seen, (width, dark)
        return seen

    def close(self) -> None:
        """Close it; of a page of its own nothing is left then, and a notebook's kernel stays."""
        self.look()
        self._shown = None
        self._opened.close()

    def look(self) -> None:
        """Nothing went wrong in it."""
        if self._shown is not None:
            assert self._shown.errors == [] or "/notebooks/" in self._shown.page.url  # Notebook 7 has some of its own
            assert "Traceback" not in self._shown.page.inner_text("body")


@pytest.fixture(scope="module")
def _last_loss(tmp_path_factory) -> Iterator[None]:
    """A package with a display of its own, where servers and their kernels find it."""
    folder = tmp_path_factory.mktemp("package")
    lay_package(folder, "rdr_last_loss", contributed("picture"), "rdr.displays")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module", params=["lab", "app"])
def place(request, tmp_path_factory, _last_loss) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp(request.param)
    arguments = ("lab", "work") if request.param == "lab" else ("app", "--dark")
    with served(*arguments, cwd=folder) as (_, address):
        yield Place(request.param, folder / "work" if request.param == "lab" else folder, address)
    said = complaints((folder / "settings" / "stderr.txt").read_text())
    assert "Traceback" not in said
    assert "without encryption" not in said


@pytest.fixture(scope="module")
def _pages(place, browser) -> Iterator[Pages]:
    pages = Pages(place, browser)
    with pages._opened:
        yield pages


@pytest.fixture
def pages(_pages) -> Iterator[Pages]:
    yield _pages
    _pages.look()


def labels(seen: Shown) -> str:
    """The words in the picture."""
    return " ".join(seen.page.locator(".panel:not([hidden]) .picture > svg text").all_text_contents())


def of(seen: Shown, what: str) -> Any:
    """Of the explorer in the page, by JavaScript."""
    return seen.page.evaluate(f"document.querySelector('.rdr-explorer').rdr.{what}")


def jobs_words(seen: Shown) -> str:
    return seen.page.locator(".rdr-jobs").inner_text()


def process_of(job: Job) -> dict[str, Any]:
    return json.loads((job.path / "process.json").read_text())


def press(seen: Shown, css: str) -> None:
    """A button, by keyboard."""
    seen.page.locator(f".{css}:visible").first.press("Enter")


def methods(seen: Shown, *chosen: str) -> None:
    """Choose these and no others, by keyboard."""
    for method in set(of(seen, "state.methods")) ^ set(chosen):
        seen.page.locator(f'.rdr-methods .chip[data-key="{method}"]').press("Enter")


def open_view(seen: Shown, query: str) -> None:
    """Paste a link where Copy link shows one, and wait for the view."""
    if not seen.page.locator(".rdr-share-open").is_visible():
        press(seen, "rdr-link")
    field = seen.page.locator(".rdr-share-open")
    field.fill(f"?{query}")
    field.press("Enter")
    seen.until(lambda: not field.is_visible(), f"the view of {query}")


def by_the_kernel(seen: Shown) -> bool:
    """Whether a picture is there that the kernel has drawn, or why it has not."""
    there = seen.page.locator(".panel:not([hidden]) .picture > svg > image").count() > 0
    return there or "There is no picture" in seen.page.locator(".panel .empty").last.inner_text()


def few(method: str, factor: float = 50) -> str:
    """Accuracy on the smallest classes, from the runs themselves, as the picture says it."""
    return f"{np.mean([run.metrics['few'] for run in digits(method, factor=factor, seeds=SEEDS)]):.0f}"


def until_it_shows(seen: Shown, factor: float, *chosen: tuple[str, str]) -> None:
    """Wait for the picture of these methods, label and name, by their accuracy on the smallest classes."""
    there = [f"{label} {few(method, factor)}" for label, method in chosen]
    seen.until(lambda: all(words in labels(seen) for words in there), f"{there} at IF {factor:g}")


CE, RDR, ONE = ("CE", "ce"), ("RDR", "rdr"), ("1/n", "inverse")


def test_it_opens_on_ten_thousand_test_images(pages):
    pages.anew()
    runs = list_runs(shipped(), dataset="fashion-mnist", schedule="step")
    for label, method in (("CE", "ce"), ("1/n+DRW", "inverse+drw")):
        own = [run.metrics["few"] for run in runs if run.config.method == method]
        assert f"{label} {np.mean(own):.0f}" in pages.first


def test_a_training_is_started_stopped_and_found_by_a_page_opened_later(pages, place):
    jobs = Jobs(place.folder / "runs")
    seen = pages.at()
    methods(seen, "ce")
    until_it_shows(seen, 50, CE)
    seen.page.locator('.rdr-seeds .chip[data-key="all"]').press("Enter")
    seen.page.locator(".rdr-seeds .chip").last.press("Enter")  # the first that nobody has trained
    seen.until(lambda: seen.page.locator(".rdr-train").is_visible(), "the offer to train")
    seen.until(
        lambda: "There is no finished run of CE" in seen.page.locator(".say").last.inner_text(), "why it is offered"
    )
    seen.until(
        lambda: re.search(r"about \d+ (s|min)", seen.page.locator(".rdr-train").inner_text()), "how long it would take"
    )
    press(seen, "rdr-train")
    seen.until(jobs.running, "the job to begin")
    (job,) = jobs.running()
    seen.until(lambda: len(job.curves()) >= 2, "two epochs of it")
    with held(process_of(job)["pid"]):  # it may be at its end before a busy machine's page shows it
        seen.until(lambda: "running" in jobs_words(seen), "the page to say that it runs")
        left = seen.page.locator(".job .left").first
        seen.until(lambda: re.search(r"\d+ (s|min) left", left.inner_text()), "the time left")
        seen.until(lambda: seen.page.locator(".rdr-curves polyline").count() == 2, "its curves")
        press(seen, "rdr-stop")
        seen.until(lambda: process_of(job)["asked_to_stop"], "the job to be asked to stop")
    seen.until(lambda: "stopped" in jobs_words(seen), "the job to stop")
    assert 0 < job.share < 1

    seen = pages.anew()  # of the first one nothing is left
    seen.until(lambda: "stopped" in jobs_words(seen), "the stopped job")
    press(seen, "rdr-resume")
    seen.until(lambda: "running" in jobs_words(seen), "the job to run again")
    done = job.share
    if place.kind == "app":  # it goes on without its page; to the end it is waited for in the other place
        pages.close()
        wait_for(lambda: job.share > done, "the job to go on", seen=lambda: (job.state, job.error))
        job.stop()
        wait_for(lambda: job.state != "running", "the job to stop", seen=(job.path / "log.txt").read_text)
        return
    seen.page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")  # and its kernel
    seen = pages.anew()
    seen.until(lambda: job.state == "done", "the job to end")
    seen.until(lambda: "running" not in jobs_words(seen), "the page to say so")
    methods(seen, "ce")
    (config,) = job.configs
    seen.page.locator('.rdr-seeds .chip[data-key="all"]').press("Enter")
    seen.page.locator(f'.rdr-seeds .chip[data-key="{config.seed}"]').press("Enter")
    shown_few = f"CE {Run.open(jobs.folder / config.name).metrics['few']:.0f}"
    seen.until(lambda: shown_few in labels(seen), f"the new run's {shown_few}")
    assert not seen.page.locator(".rdr-train").is_visible()


def test_a_command_that_fills_the_folder_is_shown_while_it_does(pages, place):
    sweep = Notice(place.folder / "runs", "Sweep of grid.toml", ("a", "b"))
    seen = pages.at()

    def shown() -> bool:
        sweep.put([1.0, 0.5], 90.0)  # again and again, as the command does
        return "Sweep of grid.toml, 1 of 2 done: running." in jobs_words(seen)

    seen.until(shown, "the sweep")
    assert "2 min left" in jobs_words(seen)
    row = seen.page.locator(".job", has_text="grid.toml")
    assert row.is_visible()
    assert not row.locator(".rdr-stop").is_visible()  # which is the command's own
    sweep.take_down()
    seen.until(lambda: "Sweep of grid.toml has ended." in seen.page.locator(".notice").inner_text(), "its end")
    seen.until(lambda: "grid.toml" not in jobs_words(seen), "nothing of it")


def test_keys_change_the_picture_as_the_data_say(pages):
    seen = pages.at()
    until_it_shows(seen, 50, CE, ONE, RDR)
    methods(seen, "ce", "rdr")
    until_it_shows(seen, 50, CE, RDR)
    assert "1/n" not in labels(seen)
    seen.page.locator(".rdr-if").focus()
    for key, factor in (("ArrowLeft", 20), ("ArrowRight", 50), ("ArrowRight", 100), ("ArrowLeft", 50)):
        seen.page.keyboard.press(key)
        until_it_shows(seen, factor, CE, RDR)
        assert f"IF {factor}" in seen.page.locator(".rail output").inner_text()
    seen.page.locator(".rdr-undo").press("Enter")
    until_it_shows(seen, 50, CE, RDR)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_view_is_drawn_in_the_pages_theme(pages, dark, tmp_path_factory):
    seen = pages.at(width=1920 if dark else 1280, dark=dark)
    methods(seen, "ce", "rdr")
    for name, question in of(seen, "views.map(view => [view.name, view.question])"):
        seen.page.locator(f'.rdr-view[data-view="{name}"]').press("Enter")
        seen.until(lambda question=question: seen.page.locator(".panel h2").last.inner_text() == question, name)
        seen.until(lambda: of(seen, "panel.targets.length") > 0 or by_the_kernel(seen), f"{name} drawn")
        cut_off = seen.page.evaluate(
            "() => { const box = document.querySelector('.rdr-explorer'); const right = "
            "box.getBoundingClientRect().right; return [...box.querySelectorAll('svg, button, select, input')]"
            ".filter(e => e.offsetParent !== null && e.getBoundingClientRect().right > right + 1)"
            ".map(e => e.outerHTML.slice(0, 80)); }"
        )
        assert cut_off == [], name
        assert serious(seen.page, ".rdr-explorer", tmp_path_factory) == [], name
    ground = seen.page.evaluate("getComputedStyle(document.querySelector('.rdr-explorer')).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 300) == dark


def test_a_display_of_ones_own_is_a_view(pages):
    seen = pages.at()
    methods(seen, "ce", "rdr")
    assert seen.page.locator(".rdr-view").last.inner_text() == "Last loss"
    seen.page.locator(".rdr-view").last.press("Enter")
    seen.until(lambda: by_the_kernel(seen), "its picture")
    runs = digits("ce", "rdr", seeds=SEEDS)
    losses = {(run.config.method, run.config.seed): run.history["loss"].iloc[-1] for run in runs}
    finding = f"The smallest training loss is {min(losses.values()):.3g}."
    assert seen.page.locator(".say").last.inner_text() == finding
    alt = seen.page.locator(".panel .picture > svg").last.get_attribute("aria-label")
    assert alt == f"Marks, training loss of {len(runs)} runs. {finding}"
    found = {(row["method"], row["seed"]): row["loss"] for row in of(seen, "panel.rows")}
    assert found == pytest.approx(losses)
    press(seen, "rdr-numbers")
    assert seen.page.locator(".panel .table th").all_inner_texts() == ["method", "seed", "loss"]
    press(seen, "rdr-numbers")
    press(seen, "rdr-code")
    assert 'make_display("last-loss", runs)' in seen.page.locator(".rdr-lines").inner_text()
    press(seen, "rdr-save")
    with seen.page.expect_download() as saved:
        seen.page.locator('[data-kind="svg"]').press("Enter")
    assert saved.value.path().read_text().startswith("<?xml")
    seen.page.locator('.rdr-view[data-view="collapse"]').press("Enter")
    seen.until(lambda: "`rdr analyse` computes it" in seen.page.locator(".say").last.inner_text(), "what it needs")


def test_a_shared_view_comes_back_elsewhere(pages, place):
    seen = pages.at()
    methods(seen, "inverse", "rdr")
    seen.page.locator('.rdr-view[data-view="b-prime"]').press("Enter")
    seen.until(lambda: "ρ" in labels(seen), "weights and B′")
    press(seen, "rdr-link")
    link = seen.page.locator(".rdr-share-link").input_value()
    shared = labels(seen)
    seen = pages.anew(query=link.removeprefix("?"))
    if place.kind == "lab":  # a notebook has no parameters in its address
        open_view(seen, link.removeprefix("?"))
    seen.until(lambda: labels(seen) == shared, f"the shared picture: {shared}")
    open_view(seen, "data=digits&if=50&profile=pie&view=counts")
    seen.until(lambda: "of profile 'pie'" in seen.page.locator(".notice").inner_text(), "why it can't be")


@pytest.mark.parametrize("place", ["lab"], indirect=True)
def test_it_is_the_same_in_notebook_7(pages):
    seen = pages.anew(at="notebooks")
    methods(seen, "ce", "rdr")
    until_it_shows(seen, 50, CE, RDR)
    seen.page.locator(".rdr-if").focus()
    seen.page.keyboard.press("ArrowLeft")
    until_it_shows(seen, 20, CE, RDR)
    seen.dark()
    seen.until(lambda: seen.page.locator('.rdr-explorer[data-theme="dark"]').count() == 1, "a dark picture")
