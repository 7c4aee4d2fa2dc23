"""Pictures of analyses: their artists and data, the numbers in their words, files that repeat."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import rdr_core
from rdr_core.errors import RdrError
from rdr_core.files.whole import write_json
from rdr_viz.analysis.bound import bound_sums
from rdr_viz.analysis.words import number, percent, short
from rdr_viz.displays.accuracy_by_class import AccuracyByClass
from rdr_viz.displays.bound_terms import BoundTerms
from rdr_viz.displays.calibration import Calibration
from rdr_viz.displays.confusion import Confusion
from rdr_viz.displays.correlations import Correlations
from rdr_viz.displays.kinds import compares_runs, kinds, make_display
from rdr_viz.displays.loss_shares import LossShares
from rdr_viz.displays.loss_surface import LossSurface
from rdr_viz.displays.neural_collapse import NeuralCollapse
from rdr_viz.displays.norms import Norms
from rdr_viz.displays.palette import method_style
from rdr_viz.displays.ratio_reliability import RatioReliability
from rdr_viz.displays.ratios_below_zero import RatiosBelowZero
from rdr_viz.displays.time_bars import TimeBars

ALL = [
    AccuracyByClass, BoundTerms, Calibration, Confusion, Correlations, LossShares, LossSurface, NeuralCollapse, Norms,
    RatioReliability, RatiosBelowZero, TimeBars,
]  # fmt: skip


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("display", ALL, ids=lambda display: display.__name__)
def test_each_can_be_made_of_one_run_and_of_many(display, trained, tmp_path):
    for made in (display.from_run(trained[2]), display.from_runs(trained)):
        assert made.alt.endswith(".")
        assert made.finding.strip().endswith((".", "(0: collapsed)."))
        assert "nan" not in (made.alt + made.finding)
        assert len(made.look) > 60
        assert made.title.endswith("?")
        figure = made.figure()
        figure.draw_without_rendering()
        assert made.plot().figure is not figure
    files = made.save(tmp_path / "one")
    again = made.save(tmp_path / "two")
    assert all(files[kind].read_bytes() == again[kind].read_bytes() for kind in ("pdf", "svg", "csv"))


@pytest.mark.parametrize("display", ALL, ids=lambda display: display.__name__)
def test_none_changes_its_data_or_knows_pyplot(display, one_seed):
    made = display.from_runs(one_seed)
    before = made.data.copy()
    made.figure()
    assert made.data.equals(before)
    with pytest.raises(AttributeError):
        made.data = before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.parametrize("display", ALL, ids=lambda display: display.__name__)
def test_two_classes_one_epoch_and_arrays_of_ones_own(display, two_classes):
    runs, data = two_classes
    needs = {} if display in (BoundTerms, Correlations, RatiosBelowZero, TimeBars) else {"data": data}
    made = display.from_runs(runs, **needs)
    made.figure().draw_without_rendering()
    assert made.alt
    assert made.finding


def test_the_runs_own_data_must_be_given(two_classes, rdr_run):
    runs, data = two_classes
    with pytest.raises(RdrError, match="data of your own"):
        LossSurface.from_runs(runs, points=3, seed=9)
    with pytest.raises(RdrError, match="other data than those given"):
        LossSurface.from_run(rdr_run, points=3, seed=9, data=data)
    with pytest.raises(RdrError, match="other data than those given"):
        LossSurface.from_run(runs[0], points=3, seed=9, data=rdr_run.data())


def test_many_classes_are_lines_without_intervals(one_seed):
    made = AccuracyByClass.from_runs(one_seed)
    few = made.plot()
    many = made.data.loc[made.data.index.repeat(3)].assign(rank=list(range(1, 31)) * 3).reset_index(drop=True)
    classes = made.classes.loc[made.classes.index.repeat(3)].assign(rank=range(1, 31))
    lines = AccuracyByClass(many, classes, "digits", 50.0)
    assert len(few.collections) == 3
    assert not lines.plot().collections
    assert "intervals" not in lines.alt.lower() + lines.finding.lower()
    assert lines.alt.startswith("Line chart")


def test_correlations_draw_a_dot_and_an_interval_per_run_and_group(trained):
    made = Correlations.from_runs(trained, reading="b_prime_batch")
    known = made.data.dropna(subset="value")
    ax = made.plot()
    dots = [line for line in ax.lines if line.get_marker() not in ("None", "", None)]
    assert sorted(dot.get_xdata()[0] for dot in dots) == pytest.approx(sorted(known["value"]))
    bars = [tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2 and line not in dots]
    for row in known.itertuples():
        assert any(bar == pytest.approx((row.low, row.high)) for bar in bars)
    row = known[(known["method"] == "rdr") & (known["group"] == "Few") & (known["seed"] == 1)].iloc[0]
    assert f"RDR seed 1 {number(row['value'], 2)} ({number(row['low'], 2)} to {number(row['high'], 2)})" in made.alt
    assert "CE: no correlation" in made.alt
    below = (known.loc[known["method"] == "rdr", "high"] < 0).sum()
    assert f"of 6 intervals {below or 'none'} lie" in made.finding.split("RDR:")[1]
    with pytest.raises(RdrError, match="correlation"):
        Correlations.from_run(trained[0], coefficient="kendall")


def test_correlations_without_any(trained):
    made = Correlations.from_run(trained[0])
    assert texts(made.plot())[:3] == ["no correlation: a series does not change"] * 3
    assert made.finding.startswith("There is no correlation")


def test_bound_terms_are_means_over_seeds(trained):
    made = BoundTerms.from_runs(trained)
    ax = made.plot(group="Few")
    assert [line.get_label() for line in ax.lines] == ["CE", "1/n", "RDR"]
    sums = [bound_sums(run, readings=["b_prime"]).query("group == 'Few'")["terms"] for run in trained[2:]]
    np.testing.assert_allclose(ax.lines[2].get_ydata(), np.mean(sums, axis=0))
    assert len(ax.collections) == 1  # a band for the method with two seeds
    whole = [bound_sums(run, readings=["b_prime"]).query("group == 'All'")["terms"] for run in trained[2:]]
    first, last = np.mean(whole, axis=0)[[0, -1]]
    assert f"RDR {short(first)} to {short(last)}" in made.alt
    assert len(made.figure().axes) == 4
    with pytest.raises(RdrError, match="group"):
        made.plot(group="few")


def test_confusion_rows_and_cells(trained):
    made = Confusion.from_runs(trained)
    names, cells = made.matrix("rdr", "group")
    assert names == ["Many", "Medium", "Few"]
    np.testing.assert_allclose(cells.sum(1), 100)
    _, by_class = made.matrix("rdr", "class")
    accuracy = np.mean([run.metrics["per_class"] for run in trained[2:]], axis=0)
    np.testing.assert_allclose(np.diag(by_class), accuracy)
    ax = made.plot(method="rdr")
    np.testing.assert_allclose(ax.images[0].get_array(), np.sqrt(cells / 100))
    assert texts(ax) == [number(v, 0 if v == 100 else 1) for v in cells.ravel()]
    assert f"Few to Many {percent(cells[2, 0])}" in made.alt
    assert f"{percent(cells[2, 0])} of the Few images were taken for Many" in made.finding
    with pytest.raises(RdrError, match="no confusion"):
        made.plot(method="focal")
    assert len(Confusion.from_run(trained[0]).figure().axes) == 2


def test_calibration_prints_the_error_it_draws(one_seed):
    made = Calibration.from_runs(one_seed)
    ece = made.errors().set_index(["method", "group"])["ece"]
    ax = made.plot(group="Few")
    assert texts(ax)[:3] == [number(ece[(method, "Few")]) for method in ("ce", "inverse", "rdr")]
    assert 0 < ece[("ce", "Few")] < 100
    rows = made.data[(made.data["method"] == "rdr") & (made.data["group"] == "Few") & (made.data["images"] >= 5)]
    np.testing.assert_allclose(ax.lines[3].get_xdata(), rows["confidence"])
    np.testing.assert_allclose(ax.lines[3].get_ydata(), rows["accuracy"])
    assert f"Few {number(ece[('ce', 'Few')])}" in made.alt


def test_bars_of_shares_fill_the_row(one_seed):
    made = LossShares.from_runs(one_seed)
    assert set(made.data["epoch"]) == {5}
    ax = made.plot(quantity="gradient")
    widths = np.array([patch.get_width() for patch in ax.patches]).reshape(-1, 3)
    np.testing.assert_allclose(widths.sum(1), 100)
    few = made.data[(made.data["method"] == "rdr") & (made.data["group"] == "Few")].iloc[0]
    assert widths[3, 2] == pytest.approx(few["gradient"])
    assert widths[0, 2] == pytest.approx(few["images"])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Images", "CE", "1/n", "RDR"]
    many = made.data[(made.data["method"] == "rdr") & (made.data["group"] == "Many")].iloc[0]
    assert f"gradient norm Many {percent(many['gradient'])}" in made.alt
    assert f"{percent(few['weight'])} of the weight, {percent(few['loss'])} of the loss" in made.finding
    with pytest.raises(RdrError, match="share"):
        made.plot(quantity="bias")


def test_ratios_below_zero_leave_out_methods_without(trained):
    made = RatiosBelowZero.from_runs(trained)
    ax = made.plot()
    assert [line.get_label() for line in ax.lines] == ["RDR"]
    mean = 100 * np.mean([run.history["negative_ratios"] for run in trained[2:]], axis=0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), mean)
    assert f"RDR from {percent(mean[0])} to {percent(mean[-1])}" in made.alt
    alone = RatiosBelowZero.from_run(trained[0])
    assert alone.finding == "There are no ratios: CE has no density ratios."
    assert texts(alone.plot()) == ["CE has no density ratios"]


def test_reliability_of_ratios_by_class_and_group(trained):
    made = RatioReliability.from_runs(trained)
    own = made.data[made.data["method"] == "rdr"]
    assert set(own["interval"]) == {"t over seeds"}
    rows = own[own["level"] == "class"].sort_values("rank")
    ax = made.plot()
    (dots,) = [line for line in ax.lines if len(line.get_xdata()) == 10]
    np.testing.assert_allclose(dots.get_ydata(), rows["reliability"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["RDR"]
    assert f"class 0 {number(rows['reliability'].iloc[0], 2)}" in made.alt
    few = own[(own["level"] == "group") & (own["group"] == "Few")].iloc[0]
    said = f"{number(few['reliability'], 2)} ({number(few['low'], 2)} to {number(few['high'], 2)}) on Few with RDR"
    assert said in made.finding
    below = int((rows["reliability"] < 0).sum())
    assert ("below 0" in made.finding) == (below > 0)
    means = made.plot(quantity="ratio")
    (dots,) = [line for line in means.lines if len(line.get_xdata()) == 10]
    np.testing.assert_allclose(dots.get_ydata(), rows["ratio"])
    alone = RatioReliability.from_run(trained[0])
    assert alone.finding == "There are no ratios: CE has no density ratios."
    assert "CE has no density ratios" in texts(alone.plot())
    with pytest.raises(RdrError, match="quantity"):
        made.plot(quantity="weight")


def test_reliability_of_many_classes_is_lines_without_intervals(rdr_run):
    made = RatioReliability.from_run(rdr_run)
    by_class = made.data["level"] == "class"
    rows = made.data[by_class]
    rows = rows.loc[rows.index.repeat(3)].assign(rank=range(1, 31))
    classes = made.classes.loc[made.classes.index.repeat(3)].assign(rank=range(1, 31))
    lines = RatioReliability(pd.concat([made.data[~by_class], rows], ignore_index=True), classes, "digits")
    assert len(lines.plot().collections) == 3 < len(made.plot().collections)  # the groups' lines alone
    assert lines.alt.startswith("Line chart")
    assert "interval" not in lines.alt


def test_neural_collapse_has_a_panel_per_measure(trained):
    made = NeuralCollapse.from_runs(trained)
    figure = made.figure()
    assert len(figure.axes) == 6
    means = made.data[made.data["method"] == "rdr"].groupby("epoch")["nc1"].mean()
    np.testing.assert_allclose(figure.axes[0].lines[2].get_ydata(), means)
    assert f"nc1 {short(means.iloc[-1])}" in made.alt.split("RDR:")[1]
    with pytest.raises(RdrError, match="measure"):
        made.plot(measure="nc5")


def test_norms_run_from_the_largest_class(one_seed):
    made = Norms.from_runs(one_seed)
    ax = made.plot()
    rows = made.data[made.data["method"] == "ce"].sort_values("rank")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), rows["classifier_norm"])
    assert to_hex(ax.lines[0].get_color()).upper() == method_style("ce").color
    ends = [short(rows["classifier_norm"].iloc[at]) for at in (0, -1)]
    assert f"CE: norm of classifier row {ends[0]} to {ends[1]}" in made.alt
    ratio = rows["classifier_norm"].iloc[:3].mean() / rows["classifier_norm"].iloc[-3:].mean()
    assert f"{number(ratio, 2)} with CE" in made.finding


def test_surface_lines_and_contours(trained):
    made = LossSurface.from_runs(trained, points=5)
    assert made.data.groupby("method")["seed"].nunique().max() == 1
    ax = made.plot(method="ce")
    few = made.data[(made.data["method"] == "ce") & (made.data["group"] == "Few")]
    np.testing.assert_allclose(ax.lines[2].get_ydata(), few["loss"])
    assert ax.get_yscale() == "log"
    centre = few.loc[few["a"] == 0, "loss"].item()
    assert f"CE, Few: {short(centre)} at the network" in made.alt
    width = made.widths().set_index(["method", "group"])["width"][("ce", "Few")]
    assert width == pytest.approx((few["loss"] < centre + 1).mean())
    square = LossSurface.from_run(trained[2], dimensions=2, points=5)
    assert len(square.figure().axes) == 4  # three groups and the colour bar
    assert square.plot(group="Few").get_xlabel() == "First direction"
    with pytest.raises(RdrError, match="no surface"):
        made.plot(method="focal")


def test_time_bars(trained):
    made = TimeBars.from_runs(trained)
    seconds = [run.history["seconds"].sum() for run in trained]
    bars = [patch.get_height() for patch in made.plot().patches]
    assert bars == pytest.approx([seconds[0], seconds[1], np.mean(seconds[2:])])
    assert f"×{np.mean(seconds[2:]) / seconds[0]:.2f}" in texts(made.plot())[2]
    assert f"RDR {short(np.mean(seconds[2:]))} s" in made.alt


def test_seconds_of_another_device_are_left_out_and_said_to_be(trained, tmp_path):
    elsewhere = []
    for run, made in ((trained[2], {"device": "A large GPU"}), (trained[3], {"threads": 64})):
        path = tmp_path / run.name
        shutil.copytree(run.path, path)
        write_json(path / "env.json", run.environment | made)
        elsewhere.append(rdr_core.Run.open(path))
    made = TimeBars.from_runs([*trained[:2], *elsewhere])
    assert list(made.data["method"]) == ["ce", "inverse"]
    assert made.finding.endswith("Left out: 2 runs made on another device.")
    alone = TimeBars.from_runs(elsewhere[:1])
    assert list(alone.data["method"]) == ["rdr"]
    assert "Left out" not in alone.finding


def test_accuracy_by_class_draws_intervals(one_seed):
    made = AccuracyByClass.from_runs(one_seed)
    ax = made.plot()
    rows = made.data[made.data["method"] == "ce"].sort_values("rank")
    segments = np.array(ax.collections[0].get_segments())
    np.testing.assert_allclose(segments[:, :, 1], rows[["low", "high"]])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), one_seed[0].metrics["per_class"])
    assert f"class 9 {number(rows['accuracy'].iloc[-1])}" in made.alt
    assert "Wilson" in ax.get_title(loc="left")


@pytest.fixture(scope="module")
def unlike(tmp_path_factory):
    """Methods of every shape: a second stage with epochs of its own, a cosine classifier, held-out images."""
    ask = {"imbalance_factor": 50, "epochs": 4, "runs": tmp_path_factory.mktemp("unlike"), "progress": False}
    methods = ("ce", "ce+crt:epochs=2", "ce+taunorm", "cb+ldam+drw", "cdb:images=3+sam")
    return [rdr_core.train("digits", method=method, **ask) for method in methods]


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(kinds()) - {"density", "eigenvalues", "flatness", "traces"}))
def test_every_kind_draws_methods_of_every_shape(kind, unlike):
    for runs in [unlike] if compares_runs(kind) else [[run] for run in unlike]:
        made = make_display(kind, runs)
        made.figure()
        assert made.finding.endswith(".")
        assert made.alt.endswith(".")


def test_numbers_import_neither_matplotlib_nor_torch():
    modules = [
        "bootstrap", "bound", "consistency", "geometry", "groups", "predictions", "priors", "surface", "times",
        "weights",
    ]  # fmt: skip
    script = (
        f"import sys\n{''.join(f'import rdr_viz.analysis.{name};' for name in modules)}\n"
        "print([m for m in ('matplotlib', 'seaborn', 'torch') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
