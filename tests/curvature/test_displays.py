"""The pictures of curvature: artists, words and cells from made-up tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rdr_viz.displays.eigenvalues_over_epochs import EigenvaluesOverEpochs
from rdr_viz.displays.spectral_density import SpectralDensityPlot
from rdr_viz.displays.trace_table import TraceTable


def densities(tops=(80.0, 40.0)) -> pd.DataFrame:
    parts = []
    for method, top in zip(("ce", "rdr"), tops, strict=True):
        grid = np.linspace(-2, top, 50)
        parts.append(
            pd.DataFrame({"method": method, "seed": 0, "epoch": 60, "class": 9, "name": "9", "images": 2, "grid": grid,
                          "density": np.exp(-grid.clip(0)), "lambda_min": -2.0, "lambda_max": top, "mode": "eval",
                          "parameters": 24058})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_densities_have_a_panel_each_with_both_extremes():
    display = SpectralDensityPlot(densities())
    panels = display.figure().axes
    assert [ax.get_title(loc="left") or ax.get_title() for ax in panels] == ["CE: class 9", "RDR: class 9"]
    assert panels[0].texts[0].get_text() == "λ min −2.00\nλ max 80.0"
    assert panels[0].get_yscale() == "log"
    assert panels[0].get_xlim() == panels[1].get_xlim()
    assert "CE, class 9 from −2.00 to 80.0" in display.alt
    assert "BatchNorm in eval mode" in display.finding


def test_a_narrow_spectrum_is_seen_to_be_narrow():
    wide, narrow = SpectralDensityPlot(densities((800.0, 1.0))).figure().axes
    assert wide.get_xlim() == narrow.get_xlim()
    assert wide.get_xlim()[1] > 800
    assert narrow.texts[0].get_text() == "λ min −2.00\nλ max 1.00"


def test_eigenvalues_have_a_line_each_above_and_below():
    rows = [
        {"epoch": epoch, "group": group, "name": group, "lambda_max": top / epoch, "lambda_min": -top / 50,
         "mode": "eval", "rank": 1}
        for epoch in (15, 60) for group, top in (("Many", 20.0), ("Few", 900.0))
    ]  # fmt: skip
    display = EigenvaluesOverEpochs(pd.DataFrame(rows), "ce")
    upper, lower = display.figure().axes
    assert [line.get_ydata().tolist() for line in upper.lines] == [[20 / 15, 20 / 60], [60.0, 15.0]]
    assert (upper.get_yscale(), lower.get_yscale()) == ("log", "symlog")
    assert {text.get_text() for text in upper.texts} == {"Many: 0.333", "Few: 15.0"}
    assert "highest on Few, 15.0" in display.finding


def test_the_table_has_digits_to_the_errors_second():
    row = {"seed": 0, "class": 9, "name": "9", "images": 2, "lambda_min": -2.8153, "lambda_max": 81.84,
           "mode": "eval"}  # fmt: skip
    data = pd.DataFrame(
        [
            {"method": "ce", "label": "CE", "trace": 152.78, "trace_standard_error": 4.21, **row},
            {"method": "rdr", "label": "RDR", "trace": 3.2213, "trace_standard_error": 0.0766, **row},
        ]
    )
    display = TraceTable(data)
    assert display.cells()[0] == ["CE", "9", "2", "−2.82", "81.8", "152.8 ± 4.2"]
    assert display.cells()[1][-1] == "3.221 ± 0.077"
    shown = {text.get_text() for text in display.plot().texts}
    assert {"λ min", "152.8 ± 4.2", "RDR"} <= shown
    assert "CE 153 and RDR 3.22" in display.finding
