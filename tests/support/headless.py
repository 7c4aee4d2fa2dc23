"""A browser without a window, for tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from waiting import LIMIT_MS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip


def new_page(browser: Browser, **options: Any) -> Page:
    """A page in a context of its own, which closes with it; whatever is waited for in it may take :data:`LIMIT_MS`."""
    page = browser.new_page(**options)
    page.context.set_default_timeout(LIMIT_MS)
    return page


def open_file(browser, path: Path, width: int, theme: str) -> tuple[Page, list[str], list[str]]:
    """A page's file opened, with what it says on the console or breaks with, and the addresses it asks for."""
    page = new_page(browser, viewport={"width": width, "height": 900}, color_scheme=theme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    return page, said, asked


@contextmanager
def launched() -> Iterator[Browser]:
    """The chromium that is installed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found_chromium(), args=list(FLAGS), timeout=LIMIT_MS)
        yield browser
        browser.close()


def found_chromium() -> str | None:
    """Where chromium is; None where it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser():
    if found_chromium() is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no chromium in CI; install Debian's package chromium")
        pytest.skip("no chromium here; Debian's package chromium brings it")
    with launched() as browser:
        yield browser
