"""The numbers behind the pictures, without drawing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from made_up_runs import make_run
from scipy.stats import spearmanr

from rdr_core.errors import RdrError
from rdr_viz.analysis.accuracy import accuracy_by_group, summarise
from rdr_viz.analysis.correlation import spearman
from rdr_viz.analysis.counts import class_table
from rdr_viz.analysis.over_epochs import first_and_last, warm_up_epochs, weight_and_b_prime
from rdr_viz.analysis.words import number, percent, short


def test_spearman_agrees_with_scipy_ties_included():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 40), rng.integers(0, 6, 40)
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-10)


@pytest.mark.parametrize(
    ("x", "y"),
    [([1, 1, 1], [1, 2, 3]), ([1, 2], [2, 1]), ([1, np.nan, 3, 4], [1, 2, np.nan, 3]), ([], [])],
    ids=["constant", "two", "two pairs", "none"],
)
def test_spearman_without_anything_to_correlate_is_nan(x, y):
    assert np.isnan(spearman(x, y))


def test_words():
    assert number(-1234.56) == "−1,234.6"
    assert number(-0.01) == "0.0"
    assert [short(v) for v in (0.0123456, 1.0, 12345.6, 0.0, float("nan"))] == [
        "0.0123", "1.00", "12,346", "0.00", "n/a",
    ]  # fmt: skip
    assert percent(3.456) == "3.5\N{NO-BREAK SPACE}%"


def test_classes_out_of_order_are_shown_by_group_and_count():
    run = make_run("ce")
    run.class_counts = np.array([124, 200, 52, 34, 22, 14, 9, 6, 4, 2])
    table = class_table(run)
    assert table["class"].tolist()[:3] == [1, 0, 2]
    assert table["rank"].tolist() == list(range(1, 11))


def test_warm_up_ends_when_the_last_class_has_left_weight_one():
    classes = pd.DataFrame(
        {"epoch": [1, 1, 2, 2, 3, 3, 4, 4], "class": [0, 1] * 4, "weight": [1, 1, 0.5, 1, 0.5, 3, 0.5, 3.0]}
    )
    assert warm_up_epochs(classes) == 2
    assert warm_up_epochs(classes.assign(weight=1.0)) == 0
    assert warm_up_epochs(classes.assign(weight=2.0)) == 0


def test_first_and_last_fifth_leave_the_warm_up_out():
    data = pd.DataFrame({"epoch": range(1, 13), "warm_up": [True] * 2 + [False] * 10})
    assert first_and_last(data) == ([3, 4], [11, 12])


def test_group_means_are_over_the_groups_classes():
    run = make_run("rdr")
    data = weight_and_b_prime(run, "b_prime_batch")
    row = data[(data["epoch"] == 7) & (data["group"] == "Few")].iloc[0]
    epoch = run.classes[run.classes["epoch"] == 7]
    classes = epoch[epoch["class"].isin([7, 8, 9])]
    assert row["weight"] == pytest.approx(classes["weight"].mean() / epoch["weight"].mean())
    assert row["b_prime"] == pytest.approx(classes["b_prime_batch"].mean())
    assert row["classes"] == 3


def test_unknown_reading_names_the_known_ones():
    with pytest.raises(RdrError, match="did you mean 'b_prime_batch'"):
        weight_and_b_prime(make_run(), "b_prime_bath")


def test_summary_is_mean_and_sample_sd():
    summary = summarise(accuracy_by_group([make_run("ce", seed=s) for s in (0, 1, 2)]))
    many = summary[summary["group"] == "Many"].iloc[0]
    assert many["mean"] == pytest.approx(96.8)
    assert many["sd"] == pytest.approx(0.8)
    assert many["seeds"] == 3


def test_a_group_whose_name_is_missing_keeps_its_row():
    data = accuracy_by_group([make_run("ce", seed=s) for s in (0, 1)])
    data["label"] = data["label"].where(data["group"] != "Few")
    summary = summarise(data)
    assert summary["group"].tolist() == ["All", "Many", "Medium", "Few"]
    assert summary["seeds"].tolist() == [2] * 4


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([], "no run"),
        ([make_run("ce"), make_run("rdr", dataset="mnist")], "differ in their data set"),
        ([make_run("ce"), make_run("rdr", imbalance_factor=10.0)], "imbalance factor"),
        ([make_run("ce"), make_run("rdr", noise_rate=0.05)], r"differ in their label noise \(0.0, 0.05\)"),
        ([make_run("ce"), make_run("rdr", augmentation="strong")], r"differ in their augmentation \(plain, strong\)"),
        ([make_run("ce"), make_run("rdr", batch_size=64)], "differ in their batch size"),
        ([make_run("ce"), make_run("ce")], "twice"),
    ],
    ids=["none", "data sets", "imbalance", "noise", "augmentation", "batch size", "twice"],
)
def test_runs_that_cannot_be_compared_are_refused(runs, words):
    with pytest.raises(RdrError, match=words):
        accuracy_by_group(runs)


def drawn(method: str, seed: int, **data):
    return make_run(method, seed=seed, **({"data_seed": seed, "class_order": seed} | data))


def test_seeds_may_draw_their_data_where_each_method_has_them():
    runs = [drawn(method, seed) for method in ("ce", "rdr") for seed in (0, 1)]
    assert set(accuracy_by_group(runs)["seed"]) == {0, 1}


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([drawn("ce", 1), drawn("rdr", 1, data_seed=2)], r"seed 1 differ in their subset of the data \(1, 2\)"),
        ([drawn("ce", 1), drawn("rdr", 1, class_order="file")], r"seed 1 differ in their order of classes \(1, file\)"),
        ([drawn("ce", 1), drawn("rdr", 2)], "another subset of the data, and ce has no run of seed 2; choose seeds"),
        ([drawn("ce", 1), drawn("ce", 2), drawn("rdr", 2)], "and rdr has no run of seed 1; choose seeds that each"),
        ([drawn("ce", 1, data_seed=0), drawn("rdr", 2, data_seed=0)], "another order of classes, and ce has no run"),
    ],
    ids=["subset", "order", "other seeds", "fewer seeds", "orders alone"],
)
def test_methods_on_other_data_are_refused(runs, words):
    with pytest.raises(RdrError, match=words):
        accuracy_by_group(runs)


def test_numbers_and_the_command_import_nothing_heavy():
    script = (
        "import sys, pkgutil, importlib, rdr_viz, rdr_viz.cli\n"
        "light = [m for m in ('matplotlib', 'seaborn', 'pandas', 'torch') if m in sys.modules]\n"
        "import rdr_viz.analysis\n"
        "for m in pkgutil.iter_modules(rdr_viz.analysis.__path__):\n"
        "    importlib.import_module('rdr_viz.analysis.' + m.name)\n"
        "print(light, [m for m in ('matplotlib', 'seaborn', 'torch') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "[] []\n"
