"""Take the README's picture of the explorer, data/results/explorer.png, from the published page in a browser.

.venv/bin/python docs/explorer_picture.py    # after a change of the explorer; wants chromium
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from rdr_core.runs import list_runs
from rdr_core.runs.archive import shipped
from rdr_viz.explorer.publish import publish

OUT = Path(__file__).resolve().parents[1] / "data" / "results" / "explorer.png"
#: A picture with a palette takes a third.
COLORS = 256


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = publish(list_runs(shipped()), Path(folder) / "page.html")
        shot = taken(page.as_uri())
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(OUT, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size / 1000:.0f} KB")


def taken(address: str) -> bytes:
    """Its first view, as it stands on a small screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720}, device_scale_factor=1.5)
        page.set_default_timeout(0)  # a busy machine takes its time; whoever waits may press Ctrl-C
        page.goto(address)
        page.wait_for_selector(".rdr-explorer[data-drawn]")
        return page.screenshot()


if __name__ == "__main__":
    main()
