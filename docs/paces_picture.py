"""Draw data/results/paces.png: how well the model of costs foretells what was measured and left out of it.

.venv/bin/python docs/paces_picture.py    # of data/paces/*.json, in seconds

It writes the words beside it into docs/scaling.md too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "benchmarks"))

from paces import BOUND, foretold  # noqa: E402

from rdr_core.files.whole import write_whole  # noqa: E402
from rdr_core.jobs.machines import Point, machine_names, points_of, read_machine  # noqa: E402
from rdr_viz import rdr_style  # noqa: E402
from rdr_viz.displays.figure import new_figure, render  # noqa: E402

OUT = ROOT / "data" / "results" / "paces.png"
PAGE = ROOT / "docs" / "scaling.md"
#: What a point is of, with the marker and colour of its kind.
KINDS = {"plain steps": ("o", "#4D4D4D"), "RDR's weights": ("D", "#D55E00"), "other methods": ("s", "#56B4E9")}


def kind_of(point: Point) -> str:
    """Its kind, a key of :data:`KINDS`."""
    if point.method == "ce":
        return "plain steps"
    return "RDR's weights" if point.method == "rdr" else "other methods"


def measured_and_foretold(name: str) -> list[tuple[Point, Point]]:
    """Each point of a machine, and what the model fitted to those that are not left out makes of it."""
    content = json.loads((ROOT / "data" / "paces" / f"{name}.json").read_text(encoding="utf-8"))
    machine = read_machine(name)
    return [(point, foretold(point, machine)) for point in points_of(content)]


def words() -> str:
    """What the points that are left out say, machine by machine."""
    lines = ["| machine | points fitted | left out | a step's time is off by | its memory by |",
             "| --- | --- | --- | --- | --- |"]  # fmt: skip
    for name in machine_names():
        pairs = measured_and_foretold(name)
        out = [(point, told) for point, told in pairs if point.left_out]
        time = [abs(told.step / point.step - 1) for point, told in out]
        memory = [abs(told.memory / point.memory - 1) for point, told in out if point.method == "ce"]
        lines.append(
            f"| `{name}`: {read_machine(name).words} | {len(pairs) - len(out)} | {len(out)} | "
            f"{100 * np.median(time):.1f} % in the median, {100 * max(time):.1f} at worst | "
            f"{100 * np.median(memory):.1f} %, {100 * max(memory):.1f} at worst |"
        )
    lines.append("")
    lines.append(f"At most {100 * BOUND:.0f} % is allowed (`python benchmarks/paces.py NAME --again`).")
    return "\n".join(lines)


def drawn() -> Figure:
    """A panel a machine: the time of a step as foretold, by as measured; those left out are filled."""
    names = machine_names()
    with rdr_style():
        figure = new_figure(width=3.6 * len(names) + 1.2, height=3.0)
        for panel, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
            pairs = measured_and_foretold(name)
            ends = np.array([min(p.step for p, _ in pairs) / 1.5, max(p.step for p, _ in pairs) * 1.5]) * 1e3
            panel.axhspan(1 - BOUND, 1 + BOUND, color="#EEEEEE", linewidth=0)
            panel.axhline(1, color="#888888", linewidth=0.8)
            for kind, (marker, color) in KINDS.items():
                for out in (False, True):
                    chosen = [(p, t) for p, t in pairs if kind_of(p) == kind and p.left_out is out]
                    panel.plot(
                        [1e3 * p.step for p, _ in chosen], [t.step / p.step for p, t in chosen], marker, markersize=4.5,
                        color=color, markerfacecolor=color if out else "white", label=kind + ", left out" * out,
                    )  # fmt: skip
            panel.set(xscale="log", xlabel="a step as measured, ms", ylabel="as foretold, by as measured", title=name,
                      xlim=ends, ylim=(0.8, 1.2))  # fmt: skip
            panel.xaxis.set_major_formatter(ScalarFormatter())
            panel.legend(fontsize=6, loc="lower right", ncols=len(KINDS))
    return figure


def main() -> None:
    content = render(drawn(), "png", title="Costs foretold", description="Time of a step as foretold over as measured")
    write_whole(OUT, lambda beside: Path(beside).write_bytes(content))
    before, after = PAGE.read_text(encoding="utf-8").split("<!-- paces -->")
    page = f"{before}<!-- paces -->\n\n{words()}\n\n<!-- end -->{after.partition('<!-- end -->')[2]}"
    write_whole(PAGE, lambda beside: Path(beside).write_text(page, encoding="utf-8"))
    print(f"{OUT}: {OUT.stat().st_size / 1000:.0f} KB; {PAGE}")


if __name__ == "__main__":
    main()
