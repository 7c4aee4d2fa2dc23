"""How fluent the playground is: python benchmarks/playground.py, half a minute; wants chromium.

Trains two methods side by side at 2,000 points, as a reader does, and prints pictures a second beside what is aimed at
and the ratio to it, milliseconds of the page's own processor time a picture, which others on the machine play no part
in, and milliseconds a step of both networks. Nothing is drawn by a GPU here.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from headless import launched, new_page

from rdr_viz.explorer.playground import write_playground

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

#: Pictures a second that are aimed at.
TARGET = 30
#: Pictures that are timed, after some for the compiler.
PICTURES, WARM = 150, 60
#: 2,000 points: five classes of 400, and three of which the rarest has 33.
SETTINGS = {
    "the plane, RDR and CE, balanced": "classes=5&factor=1&points=400",
    "the plane, RDR and 1/n, long-tailed": "classes=5&factor=5&points=780&left=inverse",
    "feature space, RDR and CE": "classes=5&factor=1&points=400&look=features",
}
_TIME = """
async pictures => {
    const next = () => new Promise(requestAnimationFrame), {pair} = rdrPlayground.shown;
    const frames = [], from = pair.steps;
    let before = await next();
    for (let i = 0; i < pictures; i++) { const now = await next(); frames.push(now - before); before = now; }
    return {frames, steps: (pair.steps - from) / pictures, points: pair.data.y.length};
}
"""
_WARM = """
async pictures => {
    document.querySelector('.train').click();
    for (let i = 0; i < pictures; i++) await new Promise(requestAnimationFrame);
}
"""
_STEPS = """
() => {
    document.querySelector('.train').click();
    const begun = performance.now(), {pair} = rdrPlayground.shown;
    for (let i = 0; i < 200; i++) pair.step();
    return {step: (performance.now() - begun) / 200};
}
"""


def thread_time(tools: CDPSession) -> float:
    """Seconds that the page's main thread has worked."""
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "ThreadTime")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        address = write_playground(Path(folder) / "page.html").as_uri()
        for name, state in SETTINGS.items():
            page = new_page(browser, viewport={"width": 1280, "height": 720})
            page.goto(f"{address}#{state}")
            tools = page.context.new_cdp_session(page)
            tools.send("Performance.enable")
            page.evaluate(_WARM, WARM)
            before = thread_time(tools)
            found = page.evaluate(_TIME, PICTURES)
            busy = 1000 * (thread_time(tools) - before) / PICTURES
            found |= page.evaluate(_STEPS)
            page.close()
            rate = 1000 / statistics.mean(found["frames"])
            slow = statistics.quantiles(found["frames"], n=20)[-1]
            print(
                f"{name}, {found['points']} points: {rate:.0f} pictures a second (target {TARGET}, ratio "
                f"{rate / TARGET:.2f}), the slowest 5 % take {slow:.0f} ms or more; {busy:.1f} ms of work and "
                f"{found['steps']:.1f} steps a picture, {found['step']:.2f} ms a step of both networks",
                flush=True,
            )


if __name__ == "__main__":
    main()
