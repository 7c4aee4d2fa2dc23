"""Displays that a paper's figures need: over settings, over one parameter, by group, and the method's diagram."""

from __future__ import annotations

import inspect
import re
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_runs import make_run
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

import rdr_core
from rdr_core import RdrError
from rdr_core.data.kinds import IMAGES
from rdr_core.runs import RunConfig
from rdr_viz import AccuracyPanels, MethodDiagram, ParameterSweep, WeightAndBPrime, WeightsByClass
from rdr_viz.analysis.over_epochs import weights_by_class
from rdr_viz.analysis.settings import split_optimizer
from rdr_viz.analysis.sweep import find_sweep, pooled_sd
from rdr_viz.cli import main
from rdr_viz.displays.base import DISPLAYS
from rdr_viz.displays.kinds import compares_runs, kinds, make_display
from rdr_viz.papers.measures import measure
from rdr_viz.papers.paper import load_paper


def finished(method: str, all_classes: float, *, seed: int = 0, few: float | None = None, **setting) -> SimpleNamespace:
    """What a comparison reads of a finished run."""
    asked = {"dataset": "digits", "imbalance_factor": 10, "epochs": 2, "model": "small", "batch_size": 64} | setting
    config = RunConfig(method=method, seed=seed, learning_rate=0.1, **asked)
    metrics = {"top1": all_classes, "many": 99.0, "medium": 90.0, "few": all_classes - 20 if few is None else few}
    return SimpleNamespace(config=config, metrics=metrics, kind=IMAGES)


def words_of(figure) -> list[str]:
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


# One parameter


def test_a_sweep_is_the_parameter_that_differs_and_a_default_counts_as_its_value():
    sweep = find_sweep(["rdr:momentum=0.9+la", "ce", "rdr+la", "rdr:momentum=0.3+la", "inverse"])
    assert (sweep.part, sweep.parameter, sweep.base) == ("rdr", "momentum", "rdr+la")
    assert list(sweep.values.items()) == [("rdr:momentum=0.3+la", 0.3), ("rdr+la", 0.5), ("rdr:momentum=0.9+la", 0.9)]
    assert sweep.references == ("ce", "inverse")
    kept = find_sweep(["rdr:gamma=0.5", "rdr:gamma=0.5,momentum=0.9"])
    assert (kept.parameter, kept.base, list(kept.values.values())) == ("momentum", "rdr:gamma=0.5", [0.5, 0.9])


@given(st.permutations(["rdr:momentum=0.3", "rdr", "rdr:momentum=0.7", "rdr:momentum=0.9", "ce", "la"]))
def test_a_sweep_does_not_depend_on_the_order_of_the_runs(methods):
    assert find_sweep(methods) == find_sweep(sorted(methods))
    assert list(find_sweep(methods).values.values()) == [0.3, 0.5, 0.7, 0.9]


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        (
            ["rdr", "rdr:gamma=0.5", "rdr:momentum=0.9"],
            "differ in rdr:gamma and rdr:momentum; .* choose runs that differ",
        ),
        (["ce", "rdr"], "no method with two values among: ce and rdr; give runs such as rdr:momentum=0.3"),
        (["rdr", "rdr:gamma=0.5", "ce+sam", "ce+sam:rho=0.2"], "several methods with several values"),
        (["rdr", "rdr:ratio=class"], "rdr:ratio takes words here .class and sample.*kind 'accuracy'"),
    ],
    ids=["two parameters", "none", "two methods", "words"],
)
def test_runs_that_are_no_sweep_are_refused(methods, words):
    with pytest.raises(RdrError, match=words):
        ParameterSweep.from_runs([finished(method, 90) for method in methods])


@pytest.fixture
def momenta() -> ParameterSweep:
    """Three seeds at each of three values, one apart; cross-entropy to compare with."""
    means = {"rdr:momentum=0.3": 80.0, "rdr": 84.0, "rdr:momentum=0.9": 82.0, "ce": 70.0}
    return ParameterSweep.from_runs(
        [finished(method, mean + seed - 1, seed=seed) for seed in (2, 0, 1) for method, mean in means.items()]
    )


def test_a_sweeps_means_and_spreads(momenta):
    pd.testing.assert_frame_equal(
        momenta.summary(),
        pd.DataFrame({"value": [0.3, 0.5, 0.9], "mean": [80.0, 84.0, 82.0], "sd": [1.0] * 3, "seeds": [3] * 3}),
    )
    assert momenta.finding.startswith(
        "Over all classes the means lie within 4.0 points: from 80.0\N{NO-BREAK SPACE}% at momentum 0.3 to "
        "84.0\N{NO-BREAK SPACE}% at 0.5. That is more than the standard deviation over seeds at one value, 1.0 points."
    )
    assert "within 0.0 on Many, 0.0 on Medium and 4.0 on Few" in momenta.finding
    assert momenta.finding.endswith("over all classes CE had 70.0\N{NO-BREAK SPACE}%.")
    assert "All: 80.0 at 0.3, 84.0 at 0.5, 82.0 at 0.9; Many: 99.0 at 0.3" in momenta.alt


def test_a_sweep_is_drawn_with_every_seed_and_the_reference(momenta):
    figure = momenta.figure()
    overall, by_group = figure.axes
    reference, dots, means = (overall.lines[i] for i in (0, 1, 2))
    assert list(reference.get_ydata()) == [70, 70]
    np.testing.assert_array_equal(sorted(dots.get_ydata()), [79, 80, 81, 81, 82, 83, 83, 84, 85])
    np.testing.assert_array_equal(np.transpose(means.get_data()), [(0.3, 80), (0.5, 84), (0.9, 82)])
    np.testing.assert_array_equal(by_group.lines[-1].get_ydata(), [60, 64, 62])
    assert [label.get_text() for label in overall.get_xticklabels()] == ["0.3", "0.5", "0.9"]
    assert {"CE", "Many", "Medium", "Few", "Momentum of RDR"} <= set(words_of(figure))


def test_a_difference_within_the_seeds_is_said_to_be_and_one_seed_has_no_spread():
    runs = [finished("rdr", 80 + 2 * seed, seed=seed) for seed in (0, 1)]
    within = ParameterSweep.from_runs([*runs, finished("rdr:momentum=0.9", 81.5)])
    assert "That is less than the standard deviation over seeds at one value, 1.4 points." in within.finding
    one = ParameterSweep.from_runs([runs[0], finished("rdr:momentum=0.9", 81.5)])
    assert "This is one seed" in one.finding
    assert one.summary()["sd"].isna().all()
    one.figure()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1000)), min_size=2, max_size=12))
def test_the_pooled_spread_is_that_of_residuals_of_a_one_way_layout(pairs):
    """Against least squares on indicators of the groups, in float64."""
    by, accuracy = pd.Series([name for name, _ in pairs]), pd.Series([value / 10 for _, value in pairs])
    indicators = (np.array(by)[:, None] == np.unique(by)).astype(float)
    freedom = len(by) - indicators.shape[1]
    found = pooled_sd(accuracy, by)
    if not freedom:
        assert np.isnan(found)
        return
    fit = indicators @ np.linalg.lstsq(indicators, accuracy.to_numpy(), rcond=None)[0]
    assert found == pytest.approx(np.sqrt(((accuracy - fit) ** 2).sum() / freedom), abs=1e-9)


def test_values_over_two_decades_get_a_log_axis():
    methods = ("rdr:ridge=1e-5", "rdr", "rdr:ridge=0.1")
    wide = ParameterSweep.from_runs([finished(method, 90 + i) for i, method in enumerate(methods)])
    assert wide.plot().get_xscale() == "log"
    assert ParameterSweep.from_runs([finished(m, 90) for m in ("rdr", "rdr:ridge=0")]).plot().get_xscale() == "linear"


# Settings


def settings_and_optimizers() -> list[SimpleNamespace]:
    means = {"ce": 60, "inverse": 65, "rdr": 70, "ce+sam": 62, "inverse+sam": 66, "rdr+sam": 64}
    return [
        finished(method, mean - (factor == 100) * 10 + seed, seed=seed, imbalance_factor=factor)
        for factor in (100, 10)
        for method, mean in means.items()
        for seed in (0, 2)
    ]


def means(ax) -> list:
    """The dots of means, as drawn."""
    return [line for line in ax.lines if line.get_gid() == "mean"]


def heights(ax) -> list[float]:
    return [float(line.get_ydata()[0]) for line in means(ax)]


def test_figure_eight_has_a_panel_for_each_factor_and_optimizer():
    display = AccuracyPanels.from_runs(settings_and_optimizers(), by_optimizer=True)
    assert display.panels == ("IF 10, SGD", "IF 100, SGD", "IF 10, SAM", "IF 100, SAM")
    figure = display.figure()
    assert heights(figure.axes[0])[:3] == [61, 66, 71]
    assert heights(figure.axes[3])[:3] == [53, 57, 55]
    assert len(heights(figure.axes[0])) == 3 * 4
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["CE", "1/n", "RDR"]
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    assert (
        "IF 100, SAM: 1/n led over all classes with 57.0\N{NO-BREAK SPACE}%, 2.0 points ahead of RDR."
        in display.finding
    )
    assert "IF 10, SGD: All: CE 61.0 ± 1.4, 1/n 66.0 ± 1.4, RDR 71.0 ± 1.4; Many: CE 99.0 ± 0.0" in display.alt
    assert "digits (mean of 2 seeds)" in words_of(figure)


def test_figure_five_has_all_methods_in_one_panel_of_all_classes():
    display = AccuracyPanels.from_runs(settings_and_optimizers(), groups=["All"])
    assert display.panels == ("IF 10", "IF 100")
    assert heights(display.figure().axes[1]) == [51, 53, 56, 57, 61, 55]  # CE, SAM, 1/n, 1/n+SAM, RDR, RDR+SAM
    assert set(display.data["group"]) == {"All"}


def test_settings_are_named_by_what_they_differ_in():
    noisy = AccuracyPanels.from_runs([finished("ce", 80), finished("ce", 70, noise_rate=0.05)], groups=["All"])
    assert noisy.panels == ("no label noise", "5\N{NO-BREAK SPACE}% label noise")
    assert noisy.alt.startswith("Dot charts of test accuracy in percent, digits, IF 10 (one seed).")
    listed = [finished("ce", 40, dataset=name, imbalance_factor=None) for name in ("places-lt", "imagenet-lt")]
    assert AccuracyPanels.from_runs(listed).panels == ("ImageNet-LT", "Places-LT")
    assert AccuracyPanels.from_runs([finished("ce", 40)]).panels == ("",)


def test_runs_of_one_setting_must_compare():
    with pytest.raises(RdrError, match="differ in their number of epochs"):
        AccuracyPanels.from_runs(
            [finished("ce", 1), finished("rdr", 1, epochs=3), finished("ce", 1, imbalance_factor=5)]
        )
    with pytest.raises(RdrError, match="'ce' with seed 0 is there twice"):
        AccuracyPanels.from_runs([finished("ce", 1), finished("ce", 2)])
    with pytest.raises(RdrError, match="group named 'few'; did you mean 'Few'"):
        AccuracyPanels.from_runs([finished("ce", 1)], groups=["few"])
    without = finished("ce", 1)
    without.metrics["few"] = None
    with pytest.raises(RdrError, match="None of these runs has a class in Few; choose another group"):
        AccuracyPanels.from_runs([without], groups=["Few"])
    with pytest.raises(RdrError, match="no group to show"):
        AccuracyPanels.from_runs([finished("ce", 1)], groups=[])
    with pytest.raises(RdrError, match="no run to compare"):
        AccuracyPanels.from_runs([])
    with pytest.raises(RdrError, match="no panel named 'IF 1'"):
        AccuracyPanels.from_runs([finished("ce", 1)]).plot(panel="IF 1")


def test_a_method_or_a_group_that_a_setting_lacks_leaves_its_place_empty():
    runs = [finished("ce", 50), finished("rdr", 60), finished("rdr", 55, imbalance_factor=100)]
    runs[2].metrics["few"] = None
    display = AccuracyPanels.from_runs(runs)
    figure = display.figure()
    first, second = ([line.get_xdata()[0] for line in means(ax)] for ax in figure.axes[:2])
    np.testing.assert_allclose(second, first[1:6:2])  # RDR's dots stand where they stand beside CE's
    assert "no class" in words_of(figure)
    assert "IF 100: RDR had 55.0\N{NO-BREAK SPACE}% over all classes." in display.finding
    assert "Few: no class in this group" in display.alt


def test_level_methods_are_both_named():
    display = AccuracyPanels.from_runs([finished("ce", 50), finished("rdr", 60), finished("la", 60.01)])
    assert "LA and RDR led over all classes with 60.0\N{NO-BREAK SPACE}%, 10.0 points ahead of CE." in display.finding


@pytest.mark.parametrize(
    ("method", "rest", "optimizer"),
    [
        ("rdr+la+sam", "rdr+la", "SAM"),
        ("ce+imbsam", "ce", "ImbSAM"),
        ("inverse+drw+sam:rho=0.2", "inverse+drw", "SAM (ρ=0.2)"),
    ],
)
def test_the_optimizer_is_told_from_the_method(method, rest, optimizer):
    assert split_optimizer(method) == (rest, optimizer)


# Figures 1 and 7


def test_a_panel_of_weights_for_each_group_shows_its_classes_alone():
    display = WeightsByClass.from_run(make_run(warm_up=4), groups=("Few", "Many"))
    assert display.groups == ("Many", "Few")
    figure = display.figure()
    many, few = figure.axes[:2]
    assert len(many.lines) == len(few.lines) == 3
    drawn = display.data[display.data["class"] == 9]["weight"].to_numpy()
    np.testing.assert_array_equal(few.lines[2].get_ydata()[4:], drawn[4:])
    assert np.isnan(few.lines[2].get_ydata()[:4]).all()
    assert set(display.data["group"]) == {"Many", "Few"}
    assert {"0", "1", "2", "7", "8", "9"} <= set(words_of(figure))
    # The scale is that of all classes, not of those shown.
    whole = WeightsByClass.from_run(make_run(warm_up=4)).data
    np.testing.assert_array_equal(drawn, whole[whole["class"] == 9]["weight"])


def test_every_classes_change_is_from_the_first_fifth_to_the_last():
    run = make_run(epochs=10)
    slopes = np.linspace(-0.3, 0.3, 10)
    weights = np.exp(np.outer(np.arange(1, 11) / 10, slopes))
    weights /= weights.mean(1, keepdims=True)
    run.classes["weight"] = weights.ravel()
    changes = WeightsByClass.from_run(run).changes()
    np.testing.assert_allclose(changes["change"], 100 * (weights[-2:].mean(0) / weights[:2].mean(0) - 1))
    finding = WeightsByClass.from_run(run, groups=["Few"]).finding
    three = [f"+{value:.1f}\N{NO-BREAK SPACE}%" for value in changes["change"][7:]]
    assert finding.endswith(f"Class by class: Few 7, 8, 9: {three[0]}, {three[1]} and {three[2]}.")


@pytest.mark.parametrize("column", ["weight", "ratio"])
def test_a_groups_change_is_the_mean_of_its_classes(column):
    run = make_run(warm_up=5)
    data = weights_by_class(run)
    by_epoch = data.pivot(index="epoch", columns="class", values=column).to_numpy()[5:]
    by_class = 100 * (by_epoch[-3:].mean(0) / by_epoch[:3].mean(0) - 1)
    for group, own in (("many", by_class[:3]), ("medium", by_class[3:7]), ("few", by_class[7:])):
        assert measure(run, f"change of the {column} of {group}") == pytest.approx(own.mean())
    assert np.isnan(measure(make_run("inverse"), "change of the ratio of few"))
    assert np.isnan(measure(make_run(few=False), f"change of the {column} of few"))


def test_a_group_without_classes():
    run = make_run(few=False)
    with pytest.raises(RdrError, match="no class in Few; choose another group"):
        WeightsByClass.from_run(run, groups=["Few"])
    with pytest.raises(RdrError, match="no class in Few; choose another group"):
        WeightAndBPrime.from_run(run, groups=["Few"])
    figure = WeightsByClass.from_run(run, groups=["Many", "Few"]).figure()
    assert "no weight in\nthis group" in words_of(figure)


def test_figure_one_has_two_groups():
    display = WeightAndBPrime.from_run(make_run(), groups=("Many", "Few"))
    assert set(display.data["group"]) == set(display.correlations) == {"Many", "Few"}
    figure = display.figure()
    assert len(figure.axes) == 4
    few = display.data[display.data["group"] == "Few"]
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_ydata(), few["weight"])
    assert "Medium" not in display.alt + display.finding
    with pytest.raises(RdrError, match="group named 'Medium'"):
        display.plot(group="Medium")


# The diagram


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_diagrams_words_keep_apart_and_inside(theme):
    figure = MethodDiagram().in_theme(theme)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    boxes = {text.get_text(): text.get_window_extent(renderer) for text in figure.axes[0].texts}
    whole = figure.bbox
    for words, box in boxes.items():
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1, words
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1, words
        others = [other for key, other in boxes.items() if key != words]
        assert not any(box.overlaps(other) for other in others), words
    assert min(text.get_fontsize() for text in figure.axes[0].texts) >= 8


def test_the_diagrams_numbers_are_one_batch():
    from rdr_viz.displays.method_diagram import _FEATURES

    display = MethodDiagram()
    boxes = [patch for patch in display.figure().axes[0].patches if isinstance(patch, FancyBboxPatch)]
    squares = [box for box in boxes if box.get_width() == box.get_height()]
    assert len(squares) == sum(map(len, _FEATURES.values()))
    for formula in display.data["formula"]:
        assert formula in display.alt


# By name


@pytest.mark.parametrize("kind", kinds(in_galleries=False))
def test_kinds_of_studies_are_found_by_name(kind):
    assert compares_runs(kind)
    assert DISPLAYS[kind].title.endswith("?")


def test_a_displays_options_go_through_its_name():
    runs = settings_and_optimizers()
    assert make_display("panels", runs, groups=["All"], by_optimizer=True).panels[0] == "IF 10, SGD"
    assert make_display("b-prime", [make_run()], groups=["Few"]).groups == ("Few",)
    with pytest.raises(RdrError, match="no option of kind 'panels' named 'group'; did you mean 'groups'"):
        make_display("panels", runs, group=["All"])
    with pytest.raises(RdrError, match="kind 'sweep' has no options, so not 'groups'"):
        make_display("sweep", runs, groups=["All"])


@pytest.mark.parametrize(
    "picture", [picture for figure in load_paper("rdr").figures for picture in figure.pictures], ids=lambda p: p.kind
)
def test_a_papers_pictures_have_displays_that_take_their_options(picture):
    if picture.kind == "diagram":
        assert not picture.options
        return
    found = DISPLAYS[picture.kind]
    make = found.from_runs if compares_runs(picture.kind) else found.from_run
    assert set(picture.options) <= set(inspect.signature(make).parameters)


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> list[str]:
    """Folders of two runs of one epoch that differ in RDR's momentum."""
    ask = {"imbalance_factor": 20, "epochs": 1, "runs": tmp_path_factory.mktemp("runs"), "progress": False}
    return [str(rdr_core.train("digits", method=method, **ask).path) for method in ("rdr", "rdr:momentum=0.9")]


@pytest.fixture
def rdr(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rdr", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


@pytest.mark.parametrize(("kind", "found"), [("sweep", "at momentum 0."), ("panels", " led over all classes with ")])
def test_they_can_be_drawn_from_the_command_line(rdr, stored, tmp_path, kind, found):
    status, out, _ = rdr("plot", *stored, "--kind", kind)
    assert (status, found in out) == (0, True)
    assert {path.name for path in tmp_path.iterdir()} == {f"{kind}.{suffix}" for suffix in ("csv", "pdf", "png", "svg")}


def test_the_command_line_lists_them_and_refuses_what_they_cannot_draw(rdr, stored):
    status, out, err = rdr("plot", stored[0], "-k", "sweep")
    assert (status, out) == (2, "")
    assert err.startswith("rdr: A sweep shows one parameter of one method")
    _, out, _ = rdr("kinds")
    for kind in kinds(in_galleries=False):
        assert re.search(rf"^{kind} +runs +.*\?$", out, flags=re.MULTILINE)
