"""Draw data/results/two-classes.png: how CDB's weights move over the epochs, and where that leads.

.venv/bin/python docs/difficulty_picture.py    # of data/measurements/two-classes*.csv, in seconds

It writes the table into docs/methods/what-difficulty-adds.md too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "benchmarks"))

from two_classes import SHARES, WATCHED, markdown, read, whole_draws  # noqa: E402

from rdr_core.files.whole import write_whole  # noqa: E402
from rdr_viz import method_style, rdr_style  # noqa: E402
from rdr_viz.analysis.groups import t_interval  # noqa: E402
from rdr_viz.displays.figure import new_figure, render  # noqa: E402

OUT = ROOT / "data" / "results" / "two-classes.png"
PAGE = ROOT / "docs" / "methods" / "what-difficulty-adds.md"
#: Whose weights are drawn, and whose errors.
WEIGHTS, ERRORS = ("inverse", "rdr", "cdb:tau=1"), ("ce", "focal", "inverse", "rdr", "cdb:tau=1")


def drawn(errors: pd.DataFrame, weights: pd.DataFrame) -> Figure:
    """A row of panels: the weight of a rare image by epoch in the first draw, then errors by share."""
    draws = errors["draw"].unique()
    weights = weights[weights["draw"] == draws.min()]  # others swing as much, at other epochs
    with rdr_style():
        figure = new_figure(width=7.2, height=2.6)
        *panels, last = figure.subplots(1, len(WEIGHTS) + 1, width_ratios=[1] * len(WEIGHTS) + [1.8])
        for panel, method in zip(panels, WEIGHTS, strict=True):
            style = method_style(method)
            of = weights[weights["method"] == method].sort_values("epoch")
            panel.plot(of["epoch"], of["weight"], color=style.edge, linewidth=0.8)
            panel.set(title=style.label, ylim=(-4, 105), xlabel="epoch")
        panels[0].set_ylabel("weight of a rare image")
        for panel in panels[1:]:
            panel.tick_params(labelleft=False)
        error = errors.assign(error=(errors["nines"] + errors["fours"]) / 2)
        shares = 100 - 100 * np.array(SHARES)
        for place, method in enumerate(ERRORS):
            style = method_style(method)
            own = error[error["method"] == method].pivot_table(index="draw", columns="share", values="error")[
                list(SHARES)
            ]
            low, high = (
                np.array([t_interval(own[share]) for share in SHARES]).T if len(own) > 1 else (own.mean(), own.mean())
            )
            beside = shares * 1.05 ** (place - len(ERRORS) // 2)
            last.plot(beside, own.mean(), color=style.color, marker=style.marker, markeredgecolor=style.edge,
                      linestyle=style.linestyle, label=style.label, markersize=4)  # fmt: skip
            last.vlines(beside, np.clip(low, 0.1, None), high, color=style.color, linewidth=1.2)
        last.set(xscale="log", yscale="log", xlabel="share of fours among the images, %", ylabel="balanced error, %",
                 title=f"mean of {len(draws)} draws, 95 %")  # fmt: skip
        last.set_xticks(shares, [f"{share:g}" for share in shares])
        last.minorticks_off()
        last.yaxis.set_major_formatter(ScalarFormatter())
        last.invert_xaxis()
        last.legend(fontsize=6, loc="upper left")
        figure.suptitle(f"{100 - 100 * WATCHED:g} % fours: CDB's weights swing, those by count stay", x=0.01, ha="left")
    return figure


def main() -> None:
    errors, weights = read()
    figure = drawn(whole_draws(errors), weights)
    content = render(figure, "png", title="A 9 or a 4", description="Weights over epochs and errors by share of fours")
    write_whole(OUT, lambda beside: Path(beside).write_bytes(content))
    before, after = PAGE.read_text(encoding="utf-8").split("<!-- two-classes -->")
    page = f"{before}<!-- two-classes -->\n\n{markdown(errors)}\n\n<!-- end -->{after.partition('<!-- end -->')[2]}"
    write_whole(PAGE, lambda beside: Path(beside).write_text(page, encoding="utf-8"))
    print(f"{OUT}: {OUT.stat().st_size / 1000:.0f} KB; {PAGE}")


if __name__ == "__main__":
    main()
