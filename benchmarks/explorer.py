"""How soon the explorer's picture follows a key: python benchmarks/explorer.py, some two minutes; wants chromium.

Opens the explorer in JupyterLab and as a page of its own and presses keys on the imbalance and the methods, as a reader
does who looks at each picture for a moment. Prints median and 95th percentile, from the press to the changed and drawn
picture, beside what is aimed at, and the ratio to it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from headless import launched
from lab import Shown, open_in_lab, served, shown

#: Milliseconds that are aimed at: median and 95th percentile.
TARGETS = 100, 200
#: Milliseconds that a reader looks at the first picture, and at one before asking for the next.
FIRST_LOOK, PAUSE = 3000, 300
PICTURES = ".rdr-picture img"

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


def milliseconds(seen: Shown, keys: Iterable[str]) -> list[float]:
    """From each key press, on what has the focus, to the changed picture."""
    times = []
    for key in keys:
        seen.page.wait_for_timeout(PAUSE)
        seen.page.evaluate(_CLOCK, [PICTURES])
        seen.page.keyboard.press(key)
        seen.page.wait_for_function("window.rdrClock.changed !== null")
        times.append(seen.page.evaluate("window.rdrClock.changed - window.rdrClock.pressed"))
    return times


def line(place: str, what: str, times: list[float]) -> str:
    """What was measured beside what is aimed at."""
    found = statistics.median(times), statistics.quantiles(times, n=20, method="inclusive")[-1]
    words = [
        f"{name} {time:.0f} ms (target {target}, ratio {time / target:.2f})"
        for name, time, target in zip(("median", "95th percentile"), found, TARGETS, strict=True)
    ]
    return f"{place}, {what}: {', '.join(words)}"


def measure(place: str) -> None:
    """Open the explorer there, and time it."""
    arguments = ("lab", "work") if place == "lab" else ("app",)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(*arguments, cwd=Path(folder)) as (_, address),
        launched() as browser,
        shown(browser) as seen,
    ):
        if place == "lab":
            open_in_lab(seen, address, "03_explorer.ipynb")
        else:
            seen.page.goto(address)
        seen.page.wait_for_selector(PICTURES)
        seen.page.locator(".rdr-methods select").select_option(label=["CE", "RDR"])
        seen.handle("rdr-if").focus()
        seen.page.wait_for_timeout(FIRST_LOOK)
        times = milliseconds(seen, ["ArrowLeft", "ArrowRight", "ArrowRight", "ArrowLeft"] * 5)
        print(line(place, "imbalance", times), flush=True)
        seen.page.locator(".rdr-methods select").focus()
        keys = ["Home", *["ArrowDown"] * 5, *["ArrowUp"] * 5, *["ArrowDown"] * 5, *["ArrowUp"] * 4]
        print(line(place, "method", milliseconds(seen, keys)), flush=True)


if __name__ == "__main__":
    for kind in ("lab", "app"):
        measure(kind)
