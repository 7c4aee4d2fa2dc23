"""JupyterLab and the explorer's page, started by their commands and driven in a browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from headless import new_page
from playwright.sync_api import Browser, Page
from waiting import ended, wait_for, wait_on

#: Settings of a server that a test drives: its application is at hand in the page, and it asks for no news.
_CONFIG = {app: {"expose_app_in_browser": True} for app in ("LabApp", "JupyterNotebookApp")}
_NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}


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
    # As the command itself, which finds nothing to import in the working folder.
    code = "import sys; sys.path[:] = filter(None, sys.path); from rdr_viz.cli import main; sys.argv[0] = 'rdr'; main()"
    told, complained = settings / "stdout.txt", settings / "stderr.txt"
    with told.open("w") as out, complained.open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments, "--no-browser"], cwd=cwd, env=environment, stdout=out, stderr=err
        )
        try:
            wait_for(
                lambda: "token=" in told.read_text() or process.poll() is not None,
                f"`rdr {' '.join(arguments)}` to tell its address",
                seen=complained.read_text,
            )
            assert process.poll() is None, complained.read_text()
            yield process, re.search(r"http://\S+", told.read_text())[0]
        finally:
            process.terminate()
            ended(process, f"`rdr {' '.join(arguments)}` to end")


def complaints(said: str) -> str:
    """What the server said on stderr, less what a kernel says of itself when it is shut down amid a request.

    That is ipykernel's, of a coroutine that its closed event loop leaves behind.
    """
    return re.sub(
        r"Exception ignored in: <coroutine object Kernel\.dispatch_.*?RuntimeError: Event loop is closed\n", "", said,
        flags=re.DOTALL,
    )  # fmt: skip


@dataclass
class Shown:
    """A page in the browser.

    Attributes:
        page: playwright's.
        errors: that scripts in it raised.
    """

    page: Page
    errors: list[str] = field(default_factory=list)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something, in words, while the page goes on: it changes more than once after most actions."""
        wait_on(self.page, condition, what)

    def dark(self, dark: bool = True) -> None:
        """JupyterLab's theme."""
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        self.page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=str(not dark).lower())
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def handle(self, slider: str):
        """A slider's handle, by its widget's class."""
        return self.page.locator(f".{slider} .noUi-handle").first


@contextmanager
def shown(browser: Browser, *, width: int = 1280, dark: bool = False) -> Iterator[Shown]:
    """An empty page of its own, with nothing kept from others."""
    height = {1280: 900, 1920: 1080}[width]
    page = new_page(
        browser, viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
        accept_downloads=True,
    )  # fmt: skip
    shown = Shown(page)
    page.on("pageerror", lambda error: shown.errors.append(str(error)))
    try:
        yield shown
    finally:
        page.close()


def open_in_lab(shown: Shown, address: str, notebook: str, at: str = "lab/tree") -> None:
    """Open a notebook in JupyterLab, or in Notebook 7 at "notebooks", and run its cells, to the end."""
    parts = urlsplit(address)
    shown.page.goto(f"{parts.scheme}://{parts.netloc}/{at}/{notebook}?{parts.query}&reset")
    shown.page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.context !== undefined")
    shown.page.evaluate("window.jupyterapp.shell.currentWidget.context.ready")
    shown.page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.ready")
    done = shown.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    assert done, "a cell raised"
