"""Pictures of weights and B' over epochs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_up_runs import make_run
from scipy.stats import spearmanr

from rdr_core.data.groups import GROUPS
from rdr_core.errors import RdrError
from rdr_viz import WeightAndBPrime, WeightsByClass
from rdr_viz.analysis.words import short
from rdr_viz.displays.weights_by_class import apart


def test_panels_draw_the_data_and_print_the_correlation():
    display = WeightAndBPrime.from_run(make_run())
    axes = display.figure().axes
    assert len(axes) == 6
    few = display.data[display.data["group"] == "Few"]
    np.testing.assert_array_equal(axes[2].lines[0].get_ydata(), few["weight"])
    np.testing.assert_array_equal(axes[5].lines[0].get_ydata(), few["b_prime"])
    rho = spearmanr(few["weight"], few["b_prime"]).statistic
    assert display.correlations["Few"] == pytest.approx(rho, abs=1e-9)
    weight, b_prime = (few[name].to_numpy() for name in ("weight", "b_prime"))
    bumps = spearmanr(*(s[1:-1] - (s[:-2] + s[2:]) / 2 for s in (weight, b_prime))).statistic
    assert display.without_drift["Few"] == pytest.approx(bumps, abs=1e-9)
    assert axes[2].get_title(loc="left") == f"Few\nρ {rho:.2f} ({bumps:.2f})".replace("-", "−")
    assert f"ρ {rho:.2f}, without drift {bumps:.2f}".replace("-", "−") in display.alt
    inverse = sum(rho <= -0.5 for rho in display.without_drift.values())
    assert f"in {inverse or 'none'} of 3 groups" in display.finding


def test_a_constant_weight_has_no_correlation():
    display = WeightAndBPrime.from_run(make_run("ce"))
    assert all(np.isnan(rho) for rho in display.correlations.values())
    assert "ρ n/a" in display.alt
    assert display.finding.startswith("Many, Medium and Few: no correlation")
    assert display.figure().axes[0].get_title(loc="left") == "Many\nρ n/a (n/a)"


def test_a_missing_group_says_so():
    display = WeightAndBPrime.from_run(make_run(few=False))
    axes = display.figure().axes
    assert [text.get_text() for text in axes[2].texts] == ["no class in\nthis group"]
    assert not axes[5].axison
    assert "Few: no class in this group" in display.alt
    assert display.plot(group="Few").texts[0].get_text() == "no class in\nthis group"


def test_the_warm_up_is_neither_correlated_nor_drawn_as_weight():
    display = WeightAndBPrime.from_run(make_run(warm_up=4))
    rows = display.data[display.data["group"] == "Many"]
    assert rows["warm_up"].sum() == 4
    weight, b_prime = (display.figure().axes[i].lines[0].get_ydata() for i in (0, 3))
    assert np.isnan(weight[:4]).all()
    assert not np.isnan(b_prime).any()
    after = rows[~rows["warm_up"]]
    assert display.correlations["Many"] == pytest.approx(spearmanr(after["weight"], after["b_prime"]).statistic)


def test_one_group_on_two_axes():
    ax = WeightAndBPrime.from_run(make_run()).plot(group="Few")
    assert ax.get_ylabel() == "Class weight"
    assert [other.get_ylabel() for other in ax.figure.axes] == ["Class weight", "Mean B′"]
    with pytest.raises(RdrError, match="group named 'few'"):
        WeightAndBPrime.from_run(make_run()).plot(group="few")


def test_seeds_have_their_mean_and_a_band_from_the_least_to_the_largest():
    runs = [make_run(seed=seed) for seed in (2, 0, 1)]
    display = WeightAndBPrime.from_seeds(runs)
    each = [WeightAndBPrime.from_run(run) for run in runs]
    few = np.array([one.data.loc[one.data["group"] == "Few", "weight"] for one in each])
    panel = display.figure().axes[2]
    np.testing.assert_allclose(panel.lines[0].get_ydata(), few.mean(0))
    band = panel.collections[0].get_paths()[0].vertices
    for at, epoch in ((0, 1), (-1, 20)):
        heights = band[band[:, 0] == epoch, 1]
        assert (heights.min(), heights.max()) == pytest.approx((few[:, at].min(), few[:, at].max()))
    rhos = [one.correlations["Few"] for one in each]
    assert display.correlations["Few"] == pytest.approx(np.mean(rhos))
    assert "mean of 3 seeds" in display.alt
    assert "(mean of 3 seeds)" in display.finding
    assert sorted(set(display.data["seed"])) == [0, 1, 2]


def test_groups_share_their_scales():
    for display in (WeightAndBPrime.from_run(make_run()), WeightAndBPrime.from_run(make_run(few=False))):
        axes = display.figure().axes
        for row in (axes[:3], axes[3:]):
            assert len({ax.get_ylim() for ax in row if ax.has_data()}) == 1


def test_one_method_at_a_time():
    with pytest.raises(RdrError, match="for one method, not for ce and rdr; choose runs of one"):
        WeightAndBPrime.from_seeds([make_run("ce"), make_run("rdr")])
    with pytest.raises(RdrError, match="seed 0 is there twice"):
        WeightAndBPrime.from_seeds([make_run(), make_run()])


def test_the_title_says_the_data_and_names_of_classes_stand_whole():
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "a very long name")
    display = WeightsByClass.from_run(make_run(dataset="cifar10", class_names=names), groups=("Many", "Few"))
    figure = display.figure()
    assert figure.get_suptitle() == "RDR: weight of each class (CIFAR-10, IF 50)"
    words = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert {"airplane", "automobile", "a very long n…"} <= set(words)


def test_a_line_per_class_and_direct_labels():
    display = WeightsByClass.from_run(make_run())
    ax = display.plot()
    assert len(ax.lines) == 10
    last = display.data[display.data["epoch"] == 20].set_index("class")["weight"]
    words = [text.get_text() for text in ax.texts]
    assert words == [
        f"class 0 (n = 124): {last[0]:.3g}", f"class 9 (n = 2): {last[9]:.3g}", "Many", "Medium", "Few",
    ]  # fmt: skip
    assert ax.get_yscale() == "log"
    assert f"class 9 (2 images) from {display.data['weight'][9]:.3g} to {last[9]:.3g}" in display.alt


def test_the_finding_compares_first_and_last_fifth():
    display = WeightsByClass.from_run(make_run(warm_up=5))
    many = display.data[display.data["group"] == "Many"]
    first = many.loc[many["epoch"].between(6, 8), "weight"].mean()
    last = many.loc[many["epoch"].between(18, 20), "weight"].mean()
    change = f"{100 * (last / first - 1):.1f}".replace("-", "−")
    assert display.finding.startswith(
        f"Mean weight in epochs 6 to 8 and in epochs 18 to 20: Many {first:.3f} and {last:.3f} "
        f"({change}\N{NO-BREAK SPACE}%)"
    )
    assert display.finding.endswith("Before epoch 6 some class still had its initial weight, 1.")


@pytest.mark.parametrize("groups", [None, ("Many", "Few")])
def test_raw_ratios_stand_beneath_the_weights(groups):
    run = make_run(warm_up=5)
    display = WeightsByClass.from_run(run, groups=groups)
    axes = display.figure().axes
    upper, lower = axes[: len(axes) // 2], axes[len(axes) // 2 :]
    assert [ax.get_ylabel() for ax in lower] == ["Mean raw ratio r", ""][: len(lower)]
    drawn = [line.get_ydata() for ax in lower for line in ax.lines]
    shown = run.classes[run.classes["group"].isin(groups or GROUPS)].pivot(
        index="epoch", columns="class", values="ratio"
    )
    assert np.isnan(np.array(drawn)[:, :5]).all()
    np.testing.assert_array_equal(np.array(drawn)[:, 5:], shown.to_numpy().T[:, 5:])
    assert [len(ax.lines) for ax in upper] == [len(ax.lines) for ax in lower]
    many = run.classes[run.classes["group"] == "Many"]
    first, last = (many.loc[many["epoch"].between(*ends), "ratio"].mean() for ends in ((6, 8), (18, 20)))
    assert f"Mean raw ratio: Many {short(first)} and {short(last)} (" in display.finding
    after = many[(many["class"] == 0) & (many["epoch"] > 5)]["ratio"]
    assert f"after the warm-up: class 0 from {short(after.iloc[0])} to {short(after.iloc[-1])} and" in display.alt


def test_a_method_without_ratios_has_weights_alone():
    display = WeightsByClass.from_run(make_run("inverse"))
    assert len(display.figure().axes) == 1
    assert len(WeightsByClass.from_run(make_run("inverse"), groups=GROUPS).figure().axes) == 3
    assert "raw ratio" not in display.finding + display.alt


def test_weights_that_never_move():
    display = WeightsByClass.from_run(make_run("ce"))
    assert display.finding == "Every class kept the weight 1.00 throughout."
    ax = display.plot()
    assert [text.get_text() for text in ax.texts] == ["every class: 1.00"]
    assert ax.get_ylim()[0] == 0


def test_one_epoch_and_a_class_never_visited_can_be_drawn():
    run = make_run(epochs=1)
    run.classes.loc[run.classes["class"] == 9, ["weight", "b_prime"]] = np.nan
    assert WeightsByClass.from_run(run).plot().get_xlim() == (0, 2)
    assert "n/a" in WeightsByClass.from_run(run).alt
    assert np.isnan(WeightAndBPrime.from_run(run).correlations["Few"])
    WeightAndBPrime.from_run(run).figure()


def test_labels_keep_apart_and_inside():
    heights = np.array([1.0, 1.0, 1.0, 0.0])
    np.testing.assert_allclose(apart(heights, 0.1), [0.8, 0.9, 1.0, 0.0])
    np.testing.assert_allclose(apart(np.array([0.2, 0.8]), 0.1), [0.2, 0.8])


def test_data_are_tidy():
    data = WeightsByClass.from_run(make_run()).data
    assert data.columns.tolist() == ["epoch", "class", "name", "count", "group", "weight", "ratio", "warm_up"]
    assert isinstance(data, pd.DataFrame)
    assert len(data) == 200
