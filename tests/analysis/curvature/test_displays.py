"""The pictures of curvature: artists, words and cells from made-up tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rdr_core.errors import RdrError
from rdr_viz.analysis.curvature import scale_free
from rdr_viz.displays.eigenvalues_over_epochs import EigenvaluesOverEpochs
from rdr_viz.displays.flatness import Flatness
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


def eigenvalues(losses=(0.5, 2.0), *, relative: bool = False) -> EigenvaluesOverEpochs:
    rows = [
        {"epoch": epoch, "group": group, "name": group, "lambda_max": top / epoch, "lambda_min": -top / 50,
         "trace": 3 * top, "mean_loss": loss, "mode": "eval", "rank": 1}
        for epoch in (15, 60) for (group, top), loss in zip((("Many", 20.0), ("Few", 900.0)), losses, strict=True)
    ]  # fmt: skip
    return EigenvaluesOverEpochs(scale_free(pd.DataFrame(rows)), "ce", relative)


def test_eigenvalues_have_a_line_each_above_and_below():
    display = eigenvalues()
    upper, lower = display.figure().axes
    assert [line.get_ydata().tolist() for line in upper.lines] == [[20 / 15, 20 / 60], [60.0, 15.0]]
    assert (upper.get_yscale(), lower.get_yscale()) == ("log", "symlog")
    assert {text.get_text() for text in upper.texts} == {"Many: 0.333", "Few: 15.0"}
    assert "highest on Few, 15.0" in display.finding


def test_relative_eigenvalues_are_over_the_loss_and_over_each_other():
    display = eigenvalues(relative=True)
    upper, lower = display.figure().axes
    assert [line.get_ydata().tolist() for line in upper.lines] == [[40 / 15, 40 / 60], [30.0, 7.5]]
    assert [line.get_ydata().tolist() for line in lower.lines] == [pytest.approx([-0.3, -1.2])] * 2
    assert {text.get_text() for text in upper.texts} == {"Many: 0.667", "Few: 7.50"}
    assert (upper.get_ylabel(), lower.get_ylabel()) == (
        "Largest eigenvalue\nover training loss", "Smallest\nover largest eigenvalue"
    )  # fmt: skip
    assert "largest eigenvalue over training loss is highest on Few, 7.50" in display.finding
    assert "Many from 2.67 to 0.667" in display.alt


def test_where_no_loss_is_known_the_picture_and_the_words_say_so():
    display = eigenvalues((np.nan, np.nan), relative=True)
    upper, lower = display.figure().axes
    assert [text.get_text() for text in upper.texts] == ["The training loss at these weights is not stored"]
    assert len(lower.lines) == 2
    assert "`rdr analyse RUN --what curvature` adds it" in display.finding
    assert "adds it" in display.alt


def table(losses=(0.5, 0.01)) -> TraceTable:
    row = {"seed": 0, "class": 9, "name": "9", "images": 2, "lambda_min": -2.8153, "lambda_max": 81.84,
           "mode": "eval"}  # fmt: skip
    data = pd.DataFrame(
        [
            {"method": "ce", "label": "CE", "trace": 152.78, "trace_standard_error": 4.21, **row},
            {"method": "rdr", "label": "RDR", "trace": 3.2213, "trace_standard_error": 0.0766, **row},
        ]
    )
    return TraceTable(scale_free(data.assign(mean_loss=losses)))


def test_the_table_has_digits_to_the_errors_second():
    display = table()
    assert display.cells()[0] == ["CE", "9", "2", "−2.82", "81.8", "152.8 ± 4.2", "−0.0344", "306"]
    assert display.cells()[1][5:] == ["3.221 ± 0.077", "−0.0344", "322"]
    shown = {text.get_text() for text in display.plot().texts}
    assert {"λ min", "152.8 ± 4.2", "RDR", "Trace / loss", "306"} <= shown
    assert "CE 153 and RDR 3.22; over the training loss CE 306 and RDR 322" in display.finding


def test_a_table_without_losses_says_what_adds_them():
    display = table((np.nan, np.nan))
    assert [row[-1] for row in display.cells()] == ["n/a", "n/a"]
    assert "`rdr analyse RUN --what curvature` adds it" in display.finding


def points(**factors: float) -> pd.DataFrame:
    """Traces of 100 times the loss, times a factor of the method."""
    rows = [
        {"method": method, "label": method, "seed": 0, "class": klass, "name": str(klass), "group": group,
         "images": 9 - klass, "mean_loss": loss, "trace": 100 * factor * loss, "trace_per_loss": 100 * factor,
         "mode": "eval"}
        for method, factor in factors.items()
        for klass, (group, loss) in enumerate([("Many", 0.01), ("Few", 0.1), ("Few", 1.0)])
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_flatness_tells_scale_from_what_is_left():
    display = Flatness(points(ce=1.0, rdr=0.5))
    assert display.means().to_dict("index") == {
        "ce": pytest.approx({"mean_loss": 0.1**0.5, "trace": 100 * 0.1**0.5, "trace_per_loss": 100}),
        "rdr": pytest.approx({"mean_loss": 0.1**0.5, "trace": 50 * 0.1**0.5, "trace_per_loss": 50}),
    }
    assert display.correlation == pytest.approx(display.data[["mean_loss", "trace"]].corr("spearman").iloc[0, 1])
    assert "On Few, relative to CE: trace ×0.500 with RDR; trace over loss ×0.500 with RDR" in display.finding
    ax = display.figure().axes[0]
    drawn = np.concatenate([line.get_xydata() for line in ax.lines if line.get_linestyle() == "None"])
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(display.data[["mean_loss", "trace"]], axis=0))
    for guide in (line for line in ax.lines if line.get_linestyle() == "-"):
        x, y = guide.get_data()
        assert np.ptp(np.log10(y / x)) < 1e-9  # along it trace and loss go together
    alone = Flatness(points(ce=1.0))
    assert alone.correlation == 1
    assert "relative to CE" not in alone.finding


def test_flatness_of_runs_whose_loss_nobody_knows_is_refused(monkeypatch, finished_run):
    def unknown(run, **_) -> pd.DataFrame:
        row = {"rank": 1, "epoch": run.config.epochs, "class": 9, "group": "Few", "images": 2, "lambda_min": -1.0,
               "lambda_max": 9.0, "trace": 20.0, "mean_loss": np.nan, "mode": "eval"}  # fmt: skip
        return pd.DataFrame([row])

    monkeypatch.setattr("rdr_viz.analysis.curvature.class_curvature", unknown)
    with pytest.raises(RdrError, match="the training loss at these weights is not stored"):
        Flatness.from_runs([finished_run])
    with pytest.raises(RdrError, match="no run to draw"):
        Flatness.from_runs([])
