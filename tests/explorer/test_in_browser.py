"""The explorer as its readers meet it: in JupyterLab and as a page of its own, by keyboard, in a real browser.

A picture changes more than once after most actions: each assertion waits for the state that it is about.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from held import held
from lab import Shown, complaints, open_in_lab, served, shown
from PIL import Image
from playwright.sync_api import Browser
from waiting import wait_for

from rdr_core.papers.shipped import shipped
from rdr_core.runs import Run, list_runs
from rdr_viz.explorer.catalogue import Catalogue
from rdr_viz.explorer.jobs import Job, Jobs
from rdr_viz.explorer.state import State
from rdr_viz.explorer.views import VIEWS
from rdr_viz.explorer.widget import FIRST

pytestmark = pytest.mark.slow

CATALOGUE = Catalogue([shipped()])
#: What is shown first, and at the start of every test.
START = CATALOGUE.nearest(FIRST)


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
    _opened: ExitStack = field(default_factory=ExitStack)
    _shown: Shown | None = None
    _kind: tuple[int, bool] | None = None

    def at(self, *, width: int = 1280, dark: bool = False) -> Shown:
        """Such a page with the first view in it, the open one where it is such a page."""
        if self._shown is None or self._kind != (width, dark):
            return self.anew(width=width, dark=dark)
        open_view(self._shown, f"?{START.to_query()}")
        return self._shown

    def anew(self, *, width: int = 1280, dark: bool = False, query: str = "", at: str = "lab/tree") -> Shown:
        """A page of its own, with a picture in it, instead of the one that is open."""
        self.close()
        seen = self._opened.enter_context(shown(self.browser, width=width, dark=dark))
        if self.place.kind == "lab":
            open_in_lab(seen, self.place.address, "03_explorer.ipynb", at=at)
            seen.dark(dark)
        else:  # which is served dark
            seen.page.goto(f"{self.place.address}{query and '&' + query}{'' if dark else '&theme=light'}")
        seen.page.wait_for_selector(".rdr-picture img")
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


@pytest.fixture(scope="module", params=["lab", "app"])
def place(request, tmp_path_factory) -> Iterator[Place]:
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


def picture(seen: Shown) -> str:
    """What the picture shows, as those who don't see it are told."""
    return " ".join(of_pictures(seen, "alt"))


def of_pictures(seen: Shown, name: str) -> list[str]:
    """An attribute of the pictures, asked for at one moment, since they are replaced at any."""
    return seen.page.locator(".rdr-picture img").evaluate_all("(all, name) => all.map(e => e.getAttribute(name))", name)


def grounds(seen: Shown) -> list[int]:
    """How bright the pictures' corners are, 0 to 255."""
    sources = of_pictures(seen, "src")
    pictures = [Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) for source in sources]
    return [int(np.asarray(picture.convert("L"))[2, 2]) for picture in pictures]


def sentence(seen: Shown) -> str:
    return seen.page.locator(".rdr-status").inner_text()


def jobs_words(seen: Shown) -> str:
    return seen.page.locator(".rdr-jobs").inner_text()


def process_of(job: Job) -> dict[str, Any]:
    return json.loads((job.path / "process.json").read_text())


def press(seen: Shown, css: str) -> None:
    """A button, by keyboard."""
    seen.page.locator(f".{css}:visible").first.press("Enter")


def choose(seen: Shown, css: str, *labels: str) -> None:
    seen.page.locator(f".{css} select").select_option(label=list(labels))


def open_view(seen: Shown, text: str) -> None:
    """Paste a link where Share shows one, and wait for the answer: the field goes when the view is there."""
    field = seen.page.locator(".rdr-share-open input")
    if not field.count():
        seen.page.locator(".rdr-share").click()
        seen.until(field.count, "the field for a link")
    field.fill(text)
    field.press("Enter")
    seen.until(lambda: not field.count(), f"the view of {text}")


def on_few(factor: float, method: str, seeds: tuple[int, ...] = START.seeds) -> str:
    """Accuracy on the smallest classes, from the runs themselves."""
    runs = list_runs(
        shipped(), dataset="digits", imbalance_factor=factor, profile="exponential", method=method, seed=list(seeds),
        epochs=60, noise_rate=0, schedule="cosine",
    )  # fmt: skip
    return f"{np.mean([run.metrics['few'] for run in runs]):.1f}"


def until_it_shows(seen: Shown, factor: float, *methods: str, without: str = "", seeds=START.seeds) -> None:
    """Wait for the picture of these, by their accuracy on the smallest classes, and not of another."""
    there = [on_few(factor, method, seeds) for method in methods]
    gone = [on_few(factor, without, seeds)] if without else []

    def shows() -> bool:
        words = picture(seen)
        return all(number in words for number in there) and not any(number in words for number in gone)

    seen.until(shows, f"{', '.join(methods)} at IF {factor:g} ({', '.join(there)}), not {without or 'others'} ({gone})")


def test_a_training_is_started_stopped_and_found_by_a_page_opened_later(pages, place):
    jobs = Jobs(place.folder / "runs")
    seen = pages.at()
    choose(seen, "rdr-methods", "CE")
    until_it_shows(seen, 50, "ce", without="rdr")
    seen.page.locator(".rdr-seeds select").press("End")  # the first that nobody has trained
    seen.until(lambda: seen.page.locator(".rdr-train").is_visible(), "the offer to train")
    seen.until(lambda: "There is no finished run of CE" in sentence(seen), "why it is offered")
    seen.until(
        lambda: re.search(r"about \d+ (s|min)", seen.page.locator(".rdr-train").inner_text()), "how long it would take"
    )
    press(seen, "rdr-train")
    seen.until(jobs.running, "the job to begin")
    (job,) = jobs.running()
    seen.until(lambda: len(job.curves()) >= 2, "two epochs of it")
    with held(process_of(job)["pid"]):  # it may be at its end before a busy machine's page shows it
        seen.until(lambda: "running" in jobs_words(seen), "the page to say that it runs")
        left = seen.page.locator(".rdr-left").first
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
    choose(seen, "rdr-methods", "CE")
    (config,) = job.configs
    choose(seen, "rdr-seeds", str(config.seed))
    few = f"{Run.open(jobs.folder / config.name).metrics['few']:.1f}"
    seen.until(lambda: few in picture(seen), f"the new run's {few}")
    assert not seen.page.locator(".rdr-train").is_visible()


def test_keys_change_the_picture_as_the_data_say(pages):
    seen = pages.at()
    until_it_shows(seen, 50, *START.methods)
    choose(seen, "rdr-methods", "CE", "RDR")
    until_it_shows(seen, 50, "ce", "rdr", without="inverse")
    seen.handle("rdr-if").focus()
    readout = seen.page.locator(".rdr-if .widget-readout")
    for key, factor in (("ArrowLeft", 10), ("ArrowRight", 50), ("ArrowRight", 100), ("ArrowLeft", 50)):
        seen.page.keyboard.press(key)
        until_it_shows(seen, factor, "ce", "rdr")
        assert float(readout.inner_text()) == factor

    first, second = CATALOGUE.methods("digits")[:2]
    seen.page.locator(".rdr-methods select").focus()
    for key, method, other in (("Home", first, "rdr"), ("ArrowDown", second, first), ("ArrowUp", first, second)):
        seen.page.keyboard.press(key)
        until_it_shows(seen, 50, method, without=other)
    choose(seen, "rdr-methods", "LA")
    until_it_shows(seen, 50, "la", without="ce")


def test_saved_files_open(pages, place):
    seen = pages.at()
    press(seen, "rdr-save")
    seen.page.wait_for_selector(".rdr-details a[download]")
    links = {
        link.get_attribute("download").rpartition(".")[2]: unquote(link.get_attribute("href"))
        for link in seen.page.locator(".rdr-details a[download]").all()
    }
    assert on_few(50, "rdr") in picture(seen)
    assert set(links) == {"pdf", "svg", "png", "csv"}
    content = {suffix: base64.b64decode(href.partition(",")[2]) for suffix, href in links.items()}
    saved = {path.suffix[1:]: path.read_bytes() for path in (place.folder / "rdr-pictures").iterdir()}
    assert saved == content
    assert content["pdf"].startswith(b"%PDF-")
    assert content["pdf"].rstrip().endswith(b"%%EOF")
    assert ElementTree.fromstring(content["svg"]).tag.endswith("svg")
    assert min(Image.open(io.BytesIO(content["png"])).size) > 400
    numbers = pd.read_csv(io.BytesIO(content["csv"]))
    assert len(numbers)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1920, True)], ids=["1280-light", "1920-dark"])
def test_every_view_fits_and_follows_the_theme(pages, width, dark):
    seen = pages.at(width=width, dark=dark)
    choose(seen, "rdr-seeds", "0")
    choose(seen, "rdr-methods", "CE", "RDR")
    until_it_shows(seen, 50, "ce", "rdr", without="inverse", seeds=(0,))
    before = picture(seen)
    for view in VIEWS.values():
        seen.page.locator(".rdr-view").get_by_role("button", name=view.label, exact=True).press("Enter")
        seen.until(lambda before=before: picture(seen) not in ("", before), view.label)
        before = picture(seen)
        seen.until(lambda: all((ground < 64) == dark for ground in grounds(seen)), f"{view.label} in the page's theme")
        drawn = "all => all.length > 0 && all.every(e => e.complete && e.naturalWidth > 0)"
        seen.until(lambda drawn=drawn: seen.page.locator(".rdr-picture img").evaluate_all(drawn), "the pictures drawn")
        cut_off = seen.page.evaluate(
            "() => { const box = document.querySelector('.rdr-explorer'); const right = "
            "box.getBoundingClientRect().right; return [...box.querySelectorAll('img, button, select, input')]"
            ".filter(e => e.getBoundingClientRect().right > right + 1).map(e => e.outerHTML.slice(0, 80)); }"
        )
        assert cut_off == [], view.label
        widths = "all => all.map(e => e.getBoundingClientRect().width)"
        assert min(seen.page.locator(".rdr-picture img").evaluate_all(widths)) >= 300


@pytest.mark.parametrize("place", ["app"], indirect=True)
def test_the_page_can_be_dark_from_the_start(pages):
    seen = pages.at(width=1920, dark=True)  # for which nothing but the command's --dark asks
    seen.until(lambda: max(grounds(seen)) < 64, "a dark picture")
    red, green, blue = re.findall(r"\d+", seen.page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    assert max(int(red), int(green), int(blue)) < 64


def test_a_shared_view_comes_back_elsewhere(pages, place):
    seen = pages.at()
    choose(seen, "rdr-methods", "1/n", "RDR")
    until_it_shows(seen, 50, "inverse", "rdr", without="ce")
    seen.page.get_by_role("button", name="Weights and B′").press("Enter")
    seen.until(lambda: seen.page.locator(".rdr-picture img").count() == 2, "a picture for each of two methods")
    shared = picture(seen)
    press(seen, "rdr-share")
    link = seen.page.locator(".rdr-share-link input").input_value()
    file = seen.page.locator(".rdr-share-file").get_attribute("href")
    state = State.from_query(link)
    assert State.from_json(base64.b64decode(file.partition(",")[2]).decode()) == state
    assert (state.view, state.methods) == ("b-prime", ("inverse", "rdr"))
    seen = pages.anew(query=link.removeprefix("?"))
    if place.kind == "lab":  # a notebook has no parameters in its address
        open_view(seen, link)
    seen.until(lambda: picture(seen) == shared, f"the shared picture: {shared}")
    for text, said in (
        ("nothing of the kind", "press Share to make one"),
        ("?data=digits&profile=pie&view=counts", "There is no profile named 'pie'"),
    ):
        if not seen.page.locator(".rdr-share-open input").count():
            press(seen, "rdr-share")
        seen.page.locator(".rdr-share-open input").fill(text)
        seen.page.locator(".rdr-share-open input").press("Enter")
        seen.until(lambda said=said: said in sentence(seen), f"the sentence {said!r}")
        assert picture(seen) == shared


@pytest.mark.parametrize("place", ["lab"], indirect=True)
def test_it_is_the_same_in_notebook_7(pages):
    seen = pages.anew(at="notebooks")
    choose(seen, "rdr-methods", "CE", "RDR")
    until_it_shows(seen, 50, "ce", "rdr", without="inverse")
    seen.handle("rdr-if").focus()
    seen.page.keyboard.press("ArrowLeft")
    until_it_shows(seen, 10, "ce", "rdr")
    seen.dark()
    seen.until(lambda: max(grounds(seen)) < 64, "a dark picture")
