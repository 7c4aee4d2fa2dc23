"""JupyterLab and the explorer's page, started by their commands and driven in a browser."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

#: Settings of a server that a test drives: its application is at hand in the page, and it asks for no news.
_CONFIG = {app: {"expose_app_in_browser": True} for app in ("LabApp", "JupyterNotebookApp")}
_NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}

#: In the page: start of a press, and the first time after it that a picture differs from what it was and is drawn.
_CLOCK = """
([pictures]) => {
    const look = () => JSON.stringify([...document.querySelectorAll(pictures)].map(
        node => node.tagName === 'IMG' ? node.src : node.innerHTML));
    const clock = window.rdrClock = {before: look(), pressed: null, changed: null};
    addEventListener('keydown', () => { clock.pressed = performance.now(); }, {capture: true, once: true});
    const observer = new MutationObserver(async () => {
        if (clock.pressed === null || clock.changed !== null || look() === clock.before) return;
        for (const image of document.querySelectorAll(pictures)) {
            if (image.tagName === 'IMG') await image.decode().catch(() => null);
        }
        if (clock.changed === null) clock.changed = performance.now();
        observer.disconnect();
    });
    observer.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
}
"""


@contextmanager
def served(*arguments: str, cwd: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """The process of ``rdr lab`` or ``rdr app``, and the address that it tells; it keeps its settings below ``cwd``."""
    settings = cwd / "settings"
    (settings / "config").mkdir(parents=True, exist_ok=True)
    if not (settings / "config" / "jupyter_lab_config.json").exists():
        (settings / "config" / "jupyter_lab_config.json").write_text(json.dumps(_CONFIG))
    notification = settings / "lab" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notification.parent.mkdir(parents=True, exist_ok=True)
    notification.write_text(json.dumps(_NO_NEWS))
    environment = os.environ | {
        "RDR_CHECK_SHAPES": "0",
        "JUPYTER_CONFIG_DIR": str(settings / "config"),
        "JUPYTER_RUNTIME_DIR": str(settings / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings / "lab"),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces"),
        "IPYTHONDIR": str(settings / "ipython"),
    }
    code = "import sys; from rdr_viz.cli import main; sys.argv[0] = 'rdr'; main()"
    with (settings / "stderr.txt").open("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments, "--no-browser"], cwd=cwd, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=said,
        )  # fmt: skip
        try:
            line = process.stdout.readline()
            assert "token=" in line, (settings / "stderr.txt").read_text()
            yield process, re.search(r"http://\S+", line)[0]
        finally:
            process.terminate()
            process.communicate(timeout=30)


@dataclass
class Shown:
    """A page in the browser.

    Attributes:
        page: playwright's.
        errors: that scripts in it raised.
    """

    page: Page
    errors: list[str] = field(default_factory=list)

    def dark(self, dark: bool = True) -> None:
        """JupyterLab's theme."""
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        self.page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=str(not dark).lower())
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def handle(self, slider: str):
        """A slider's handle, by its widget's class."""
        return self.page.locator(f".{slider} .noUi-handle").first

    def milliseconds(self, pictures: str, key: str, *, limit: float = 10_000) -> float:
        """From a key press, on what has the focus, to the changed picture.

        Args:
            pictures: CSS selector of what is to change.
            key: as playwright names it.
            limit: until when it has to, in milliseconds.
        """
        self.page.evaluate(_CLOCK, [pictures])
        self.page.keyboard.press(key)
        self.page.wait_for_function("window.rdrClock.changed !== null", timeout=limit)
        return self.page.evaluate("window.rdrClock.changed - window.rdrClock.pressed")


@contextmanager
def shown(browser: Browser, *, width: int = 1280, dark: bool = False) -> Iterator[Shown]:
    """An empty page of its own, with nothing kept from others."""
    height = {1280: 900, 1920: 1080}[width]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", accept_downloads=True
    )
    shown = Shown(context.new_page())
    shown.page.on("pageerror", lambda error: shown.errors.append(str(error)))
    try:
        yield shown
    finally:
        context.close()


def open_in_lab(shown: Shown, address: str, notebook: str, at: str = "lab/tree") -> None:
    """Open a notebook in JupyterLab, or in Notebook 7 at "notebooks", and run its cells, to the end."""
    parts = urlsplit(address)
    shown.page.goto(f"{parts.scheme}://{parts.netloc}/{at}/{notebook}?{parts.query}&reset")
    shown.page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.context !== undefined", timeout=60_000)
    shown.page.evaluate("window.jupyterapp.shell.currentWidget.context.ready")
    shown.page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.ready")
    done = shown.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    assert done, "a cell raised"


def spread(times: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return statistics.median(times), statistics.quantiles(times, n=20, method="inclusive")[-1]
