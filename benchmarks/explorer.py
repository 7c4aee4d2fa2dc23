"""How soon the explorer's picture follows an action: python benchmarks/explorer.py, a minute or two; wants chromium.

Opens the published page, the explorer in JupyterLab and as a page with a kernel, and does in each forty things of every
kind (imbalance, methods, seeds, epoch, view), each asking for a picture that was not shown before. Prints the median
and the 95th percentile of the milliseconds from the action to the frame with the new picture, beside what is aimed at,
of the published page its size and the time to its first picture, and of the others the seconds until one can use them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from headless import launched, new_page
from lab import open_in_lab, served, shown
from playwright.sync_api import Page

from rdr_core.runs import list_runs
from rdr_core.runs.archive import shipped
from rdr_viz.explorer.publish import publish

#: Milliseconds that are aimed at: median and 95th percentile of an action, and the page's first picture.
TARGETS, FIRST = (50, 100), 1000
#: Seconds from opening a page with a kernel, which is ready in JupyterLab and starts in an app.
USABLE = {"JupyterLab": 5, "page with a kernel": 10}
START = "data=digits&if=50&profile=exponential&method=ce&method=rdr&view=accuracy"

#: Do one thing and tell the milliseconds until the frame that shows its picture.
_TIMED = """
async ([css, value]) => {
    const root = document.querySelector('.rdr-explorer');
    const target = root.querySelector(css);
    const before = root.dataset.drawn;
    const start = performance.now();
    if (value != null) {
        target.value = value;
        target.dispatchEvent(new Event('input', {bubbles: true}));
    } else target.click();
    while (root.dataset.drawn === before) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - start;
}
"""


def actions() -> list[tuple[str, str | None]]:
    """Where, and the value of a slider (None is a click); each gives a picture that was not there before."""
    found: list[tuple[str, str | None]] = []
    for view in ("classes", "weights", "learning", "bound"):
        found.append((f'.rdr-view[data-view="{view}"]', None))
        found += [(".rdr-epoch", str(epoch)) for epoch in (7, 23)]
        found += [(f'.rdr-methods .chip[data-key="{method}"]', None) for method in ("inverse", "la")]
        found += [(".rdr-if", "0"), (".rdr-if", "2"), (".rdr-if", "1")]
        found += [(f'.rdr-seeds .chip[data-key="{seed}"]', None) for seed in ("1", "2")]
    return found


def milliseconds(page: Page) -> list[float]:
    times = []
    for css, value in actions():
        times.append(page.evaluate(_TIMED, [css, value]))
        page.wait_for_timeout(150)  # a reader looks at each
    return times


def line(place: str, times: list[float]) -> str:
    """What was measured beside what is aimed at."""
    median, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    aims = f"at most {TARGETS[0]} and {TARGETS[1]}"
    return f"{place}: {len(times)} actions, median {median:.0f} ms, 95th percentile {late:.0f} ms ({aims})"


def of_the_published_page(browser, folder: Path) -> None:
    path = publish([run for run in list_runs(shipped()) if run.done], folder / "page.html")
    page = new_page(browser, viewport={"width": 1280, "height": 720})
    page.goto(f"{path.as_uri()}#{START}")
    page.wait_for_selector(".rdr-explorer[data-drawn]")
    first = page.evaluate("performance.now()")
    size = path.stat().st_size / 1e6
    print(f"published page: {size:.1f} MB of all shipped runs, first picture within {first:.0f} ms (at most {FIRST})")
    print(line("published page", milliseconds(page)))
    page.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as name, launched() as browser:
        folder = Path(name)
        of_the_published_page(browser, folder)
        for place, arguments in (("JupyterLab", ("lab", "work")), ("page with a kernel", ("app",))):
            with served(*arguments, cwd=folder) as (_, address), shown(browser) as seen:
                start = time.perf_counter()
                if place == "JupyterLab":
                    open_in_lab(seen, address, "03_explorer.ipynb")
                else:
                    seen.page.goto(f"{address}&{START}")
                seen.page.wait_for_selector(".rdr-explorer[data-drawn]")
                took = time.perf_counter() - start
                print(f"{place}: opened and in use within {took:.1f} s (at most {USABLE[place]})")
                seen.page.evaluate("query => document.querySelector('.rdr-explorer').rdr._open(query)", START)
                seen.page.wait_for_function(
                    "() => { const rdr = document.querySelector('.rdr-explorer').rdr, set = rdr.source.set('digits');"
                    " return set.tails.every(tail => tail.runs.every(run => rdr.source.of(run))); }"
                )
                print(line(place, milliseconds(seen.page)))


if __name__ == "__main__":
    main()
