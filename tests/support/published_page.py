"""A published page, opened, and what tests ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from headless import new_page
from playwright.sync_api import Page

from rdr_core.runs import Run, list_runs
from rdr_core.runs.archive import shipped

DIGITS = {"dataset": "digits", "noise_rate": 0, "schedule": "cosine", "profile": "exponential"}
CLOTHES = "fashion-mnist, recipe authors, subset and class order drawn by the seed, augmentation plain"


def digits(*methods: str, factor: float = 50, seeds: tuple[int, ...] = (0, 1, 2)) -> list[Run]:
    """Shipped runs in the order of methods and seeds, with what is stored of them."""
    found = list_runs(shipped(), **DIGITS, imbalance_factor=factor, method=methods, seed=seeds)
    return sorted((run.as_stored for run in found), key=lambda run: (methods.index(run.config.method), run.config.seed))


@dataclass
class Seen:
    """The page as it is open.

    Attributes:
        page: of the browser.
        errors: what it complained of.
        requests: what it asked for.
    """

    page: Page
    errors: list[str]
    requests: list[str]

    def show(self, **state: Any) -> None:
        """A view by its address; `method` may be several."""
        query = urlencode({"data": "digits", "if": 50, "profile": "exponential", **state}, doseq=True)
        self.page.evaluate("query => document.querySelector('.rdr-explorer').rdr._open(query)", query)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What is drawn."""
        return self.ask("panel.rows")

    def ask(self, what: str) -> Any:
        """Of the explorer, by JavaScript."""
        return self.page.evaluate(f"document.querySelector('.rdr-explorer').rdr.{what}")

    @property
    def notice(self) -> str:
        """What it says above the picture."""
        return self.page.locator(".notice").text_content() or ""

    @property
    def sentence(self) -> str:
        return self.page.locator(".panel:not([hidden]) .say").last.inner_text()


def opened(browser, path: Path, *, query: str = "", width: int = 1280, height: int = 720, dark: bool = False) -> Seen:
    """A page of its own from the disk."""
    page = new_page(browser, viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
    seen = Seen(page, [], [])
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(path.as_uri() + (f"#{query}" if query else ""))
    page.wait_for_selector(".rdr-explorer[data-drawn]")
    return seen
