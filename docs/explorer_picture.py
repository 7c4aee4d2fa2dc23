"""Take the README's picture of the explorer, data/results/explorer.png, from the page of `rdr app` in a browser.

.venv/bin/python docs/explorer_picture.py    # after a change of the explorer; wants chromium
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from rdr_viz.explorer.state import State

OUT = Path(__file__).resolve().parents[1] / "data" / "results" / "explorer.png"
STATE = State(imbalance_factor=50.0, methods=("ce", "inverse", "la", "rdr"), seeds=tuple(range(6)), view="classes")
WIDTH = 1060
#: A picture with a palette takes a third.
COLORS = 256


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "import sys; from rdr_viz.cli import main; sys.argv[0] = 'rdr'; main()", "app",
                   "--no-browser"]  # fmt: skip
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as app:
            try:
                address = re.search(r"http://\S+", app.stdout.readline())[0]
                shot = taken(f"{address}&{STATE.to_query()}")
            finally:
                app.terminate()
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(OUT, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size / 1000:.0f} KB")


def taken(address: str) -> bytes:
    """The explorer, from its first control to what its picture says."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 1000}, device_scale_factor=1.5)
        page.set_default_timeout(0)  # a busy machine takes its time; whoever waits may press Ctrl-C
        page.goto(address)
        page.wait_for_selector(".rdr-picture img")
        page.wait_for_load_state("networkidle")
        return page.locator(".rdr-explorer").screenshot()


if __name__ == "__main__":
    main()
