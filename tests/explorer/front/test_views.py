"""What the page draws is what the displays in print draw, number by number."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from published_page import CLOTHES, digits

from rdr_core.data.groups import GROUPS
from rdr_core.runs import list_runs
from rdr_viz.analysis.over_epochs import READINGS
from rdr_viz.analysis.words import number
from rdr_viz.displays.accuracy_by_class import AccuracyByClass
from rdr_viz.displays.answers import Answers
from rdr_viz.displays.bound_terms import BoundTerms
from rdr_viz.displays.calibration import Calibration
from rdr_viz.displays.class_counts import ClassCounts
from rdr_viz.displays.confusion import Confusion
from rdr_viz.displays.eigenvalues_over_epochs import EigenvaluesOverEpochs
from rdr_viz.displays.group_accuracy import GroupAccuracy
from rdr_viz.displays.loss_surface import LossSurface
from rdr_viz.displays.peeking import Peeking
from rdr_viz.displays.ratio_reliability import RatioReliability
from rdr_viz.displays.spectral_density import SpectralDensityPlot
from rdr_viz.displays.weight_and_b_prime import WeightAndBPrime
from rdr_viz.displays.weights_by_class import WeightsByClass

pytestmark = pytest.mark.slow

SHORT = "digits, 3 epochs"
METHODS = ["ce", "inverse", "rdr"]
OPTIONS = {"b_prime": "smallest true-class logit", "b_prime_batch": "smallest in each batch, averaged"}


def drawn(seen, view: str, **state) -> pd.DataFrame:
    seen.show(view=view, **{"method": METHODS, **state})
    return pd.DataFrame(seen.rows)


def same(
    found: pd.DataFrame,
    expected: pd.DataFrame,
    keys: list[str],
    columns: dict[str, str],
    rtol: float = 2e-6,
    atol: float = 1e-6,
) -> None:
    """The same rows by their keys, with the same numbers; columns of the page by those of the display."""
    both = found.merge(expected, on=keys, suffixes=("", "_print"), how="outer", indicator=True)
    assert set(both["_merge"]) == {"both"}, both[both["_merge"] != "both"][keys].head()
    assert len(both) == len(found) == len(expected)
    for ours, theirs in columns.items():
        name = f"{theirs}_print" if f"{theirs}_print" in both else theirs
        np.testing.assert_allclose(
            both[ours].astype(float), both[name].astype(float), rtol=rtol, atol=atol, err_msg=ours
        )


def test_class_counts(seen):
    found = drawn(seen, "counts")
    same(found, ClassCounts.from_run(digits("ce")[0]).data, ["rank"], {"count": "count"})
    assert found["name"].tolist() == [str(digit) for digit in range(10)]


@pytest.mark.parametrize("epoch", [None, 20])
def test_accuracy_by_group(seen, epoch):
    found = drawn(seen, "accuracy", **({"epoch": epoch} if epoch else {}))
    expected = GroupAccuracy.from_runs(digits(*METHODS), epoch=epoch).data
    same(found, expected, ["method", "seed", "group"], {"accuracy": "accuracy"})


@pytest.mark.parametrize("epoch", [None, 20])
def test_accuracy_by_class(seen, epoch):
    found = drawn(seen, "classes", **({"epoch": epoch} if epoch else {}))
    expected = AccuracyByClass.from_runs(digits(*METHODS), epoch=epoch).data
    found[["low", "high"]] = found[["low", "high"]].clip(0, 100)
    columns = {"mean": "accuracy", "low": "low", "high": "high", "sd": "sd"}
    same(found, expected.drop(columns=["count", "name", "group", "seeds"]), ["method", "class"], columns, rtol=1e-5)


def test_weights(seen):
    found = drawn(seen, "weights", seed=1)
    parts = [WeightsByClass.from_run(run).data.assign(method=run.config.method) for run in digits(*METHODS, seeds=(1,))]
    same(
        found,
        pd.concat(parts)[["method", "epoch", "class", "weight"]],
        ["method", "epoch", "class"],
        {"weight": "weight"},
    )


def test_raw_ratios(seen):
    found = drawn(seen, "weights", seed=1, option="raw ratios")
    shown = WeightsByClass.from_run(digits("rdr", seeds=(1,))[0])
    expected = shown.data.assign(method="rdr")[["method", "epoch", "class", "ratio"]]
    same(found, expected, ["method", "epoch", "class"], {"ratio": "ratio"})  # CE and 1/n have none
    ends = re.findall(r"(?:Many|Medium|Few) ([0-9.]+) and ([0-9.]+)", shown.finding.split("Mean raw ratio: ")[1])
    moves = [f"{first} to {last} on {group}" for group, (first, last) in zip(GROUPS, ends, strict=False)]
    assert f"{moves[0]}, {moves[1]} and {moves[2]}" in seen.sentence


def test_methods_without_ratios_say_so(seen):
    assert drawn(seen, "weights", method=["ce", "inverse"], option="raw ratios").empty
    assert seen.sentence == "These methods measure no ratio; RDR does."


@pytest.mark.parametrize("reading", OPTIONS)
def test_weights_and_b_prime(seen, reading):
    option = {} if reading == next(iter(READINGS)) else {"option": OPTIONS[reading]}
    found = drawn(seen, "b-prime", seed=0, **option)
    shown = {run.config.method: WeightAndBPrime.from_run(run, reading=reading) for run in digits(*METHODS, seeds=(0,))}
    expected = pd.concat([display.data.assign(method=method) for method, display in shown.items()])
    same(
        found,
        expected.drop(columns="classes"),
        ["method", "epoch", "group"],
        {"weight": "weight", "b_prime": "b_prime"},
    )
    for group, rho in shown["rdr"].without_drift.items():  # the last method's are in the sentence
        assert f"{number(rho, 2)} on {group}" in seen.sentence


def test_bound(seen):
    found = drawn(seen, "bound")
    data = BoundTerms.from_runs(digits(*METHODS)).data
    expected = data.groupby(["method", "group", "epoch"], as_index=False).agg(
        terms=("terms", "mean"), low=("terms", "min"), high=("terms", "max")
    )
    same(found, expected, ["method", "group", "epoch"], {"terms": "terms", "low": "low", "high": "high"}, rtol=1e-5)


@pytest.mark.parametrize("level", ["group", "class"])
def test_confusion(seen, level):
    found = drawn(seen, "confusion", seed=0, **({"option": "by class"} if level == "class" else {}))
    shown = Confusion.from_runs(digits(*METHODS, seeds=(0,)))
    expected = shown.data[shown.data["level"] == level].copy()
    if level == "class":
        expected[["true", "predicted"]] = expected[["true", "predicted"]].astype(int).astype(str)
    same(
        found,
        expected.drop(columns=["level", "label"]),
        ["method", "seed", "true", "predicted"],
        {"images": "images", "percent": "percent"},
    )


def test_calibration(seen):
    found = drawn(seen, "calibration", seed=0)
    expected = Calibration.from_runs(digits(*METHODS, seeds=(0,))).data
    columns = {name: name for name in ("images", "confidence", "accuracy", "ece", "overconfidence")}
    same(found, expected.drop(columns=["label"]), ["method", "seed", "group", "bin"], columns, rtol=1e-5)


def test_density(seen):
    found = drawn(seen, "density", seed=0)
    expected = SpectralDensityPlot.from_runs(digits(*METHODS, seeds=(0,)), classes=range(10)).data
    expected = expected[expected["class"] == 9]
    assert set(found["class"]) == {9}
    for method, rows in expected.groupby("method"):
        ours = found[found["method"] == method]
        for name in ("grid", "density", "lambda_min", "lambda_max"):
            np.testing.assert_allclose(ours[name], rows[name], rtol=1e-6, atol=1e-12)


def test_eigenvalues(seen):
    found = drawn(seen, "eigenvalues", seed=0)
    parts = [EigenvaluesOverEpochs.from_run(run, by="class").data.assign(method=run.config.method)
             for run in digits(*METHODS, seeds=(0,))]  # fmt: skip
    names = ["lambda_max", "lambda_min", "mean_loss", "lambda_ratio", "lambda_max_per_loss"]
    expected = pd.concat(parts)[["method", "epoch", "class", *names]]
    assert expected.loc[expected["epoch"] == 60, names].notna().all(axis=None)
    same(found, expected, ["method", "epoch", "class"], {name: name for name in names})


@pytest.mark.parametrize(
    ("option", "column", "says", "end"),
    [
        ("largest", "lambda_max", "the loss is sharpest on", max),
        ("smallest", "lambda_min", "the loss bends down most on", min),
        ("smallest / largest", "lambda_ratio", "the smallest eigenvalue over the largest", min),
        ("largest / training loss", "lambda_max_per_loss", "At equal training loss", max),
    ],
)
def test_the_sentence_on_eigenvalues_is_of_what_is_drawn(seen, option, column, says, end):
    found = drawn(seen, "eigenvalues", seed=0, **({} if option == "largest" else {"option": option}))
    final = found[(found["method"] == "rdr") & (found["epoch"] == 60)]
    by_class = final.set_index("name")[column].astype(float).to_dict()
    assert says in seen.sentence
    assert f"{end(by_class, key=by_class.get)} (" in seen.page.locator(".panel .say b").last.inner_text()


def test_eigenvalues_of_runs_without_a_loss_say_so(seen):
    seen.show(view="eigenvalues", method=METHODS, seed=0)
    seen.ask("panel.context.chosen.forEach(one => one.runs[0].data.mean_loss.values.fill(NaN))")
    seen.show(view="eigenvalues", method=METHODS, seed=0, option="largest / training loss")
    assert "The training loss at these weights is not stored" in seen.sentence
    seen.show(view="eigenvalues", method=METHODS, seed=0, option="smallest / largest")
    assert "over the largest" in seen.sentence


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_reliability_of_ratios(seen, published, seeds):
    """Of one run with its own intervals, of two with Student's; methods without ratios are named."""
    found = drawn(seen, "reliability", data=SHORT, method=["ce", "rdr", "rdr+la"], seed=seeds)
    runs = [run.as_stored for run in list_runs(published.parent / "runs", method=["rdr", "rdr+la"], seed=seeds)]
    expected = RatioReliability.from_runs(runs).data
    columns = {name: name for name in ("ratio", "reliability", "low", "high", "seeds")}
    same(found, expected.drop(columns=["label"]), ["method", "level", "class", "group"], columns, rtol=1e-5)
    assert found["count"].tolist() == expected["images"].tolist()
    assert "CE has no density ratios." in seen.sentence
    last = expected[(expected["method"] == "rdr+la") & (expected["level"] == "all")].iloc[0]
    share, low, high = (number(100 * last[name], 0) for name in ("reliability", "low", "high"))
    assert f"With RDR+LA {share} % ({low} to {high}) of r's variance" in seen.sentence
    assert ("One run:" in seen.sentence) == (len(seeds) == 1)


def test_how_ratios_that_nobody_replayed_are_got(seen):
    seen.show(view="reliability", data=SHORT, method="rdr", seed=2)
    assert seen.sentence == "RDR: not analysed for this view yet."
    (line,) = [line for line in seen.page.locator(".offers pre").inner_text().splitlines() if "analyse" in line]
    assert line.startswith("rdr analyse runs/digits-if50-rdr-s2-")
    assert line.endswith(" --what ratios")


def test_loss_surface(seen):
    found = drawn(seen, "surface", seed=0)
    expected = LossSurface.from_runs(digits(*METHODS, seeds=(0,)), span=1.0).data
    expected = expected[["method", "group", "a", "loss"]].assign(a=expected["a"].round(6))
    found["a"] = found["a"].round(6)
    same(found, expected, ["method", "group", "a"], {"loss": "loss"})


def test_peeking(seen):
    found = drawn(seen, "peeking")
    expected = Peeking.from_runs(digits(*METHODS)).data
    columns = {name: name for name in ("last", "best", "gain", "best_epoch")}
    same(found, expected.drop(columns=["label", "epochs", "setting"]), ["method", "seed"], columns, atol=1e-5)


def test_answers(seen):
    found = drawn(seen, "answers", seed=0)
    expected = Answers.from_runs(digits(*METHODS, seeds=(0,))).data.drop_duplicates(["class", "right"])
    same(found, expected[["class", "right", "images", "method"]], ["class", "right", "method"], {"images": "images"})


def test_learning_is_the_runs_histories(seen):
    found = drawn(seen, "learning")
    for method in METHODS:
        histories = pd.concat([run.history for run in digits(method)])
        for panel, column in (("Training loss", "loss"), ("Many", "many"), ("Few", "few")):
            rows = found[(found["method"] == method) & (found["panel"] == panel)]
            by_epoch = histories.groupby("epoch")[column]
            np.testing.assert_allclose(rows["mean"], by_epoch.mean(), rtol=1e-5)
            np.testing.assert_allclose(rows["low"], by_epoch.min(), rtol=1e-5)
            np.testing.assert_allclose(rows["high"], by_epoch.max(), rtol=1e-5)


def test_where_seeds_draw_the_data_methods_are_compared_on_the_same_alone(seen):
    """Fashion-MNIST's seeds stand for other subsets: a seed missing in one method is left out, and that is said."""
    seen.show(view="accuracy", data=CLOTHES, **{"if": 100}, method=["ce", "rdr:preset=released"])
    assert {row["seed"] for row in seen.rows} == {0, 1}
    seen.ask(f"source.sets.find(one => one.name === {CLOTHES!r}).tails[0].runs.splice(0, 1)")  # CE's seed 0
    seen.ask("_show()")
    assert {row["seed"] for row in seen.rows} == {1}
    assert "1 seed that not every method has is left out" in seen.sentence
