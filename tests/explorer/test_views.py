"""What a view shows of which runs, and what it says is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rdr_core.errors import RdrError
from rdr_core.runs import Run
from rdr_viz.analyses import ANALYSES
from rdr_viz.displays.accuracy_by_class import AccuracyByClass
from rdr_viz.displays.group_accuracy import GroupAccuracy
from rdr_viz.explorer.catalogue import Catalogue
from rdr_viz.explorer.state import State
from rdr_viz.explorer.views import SIDE_BY_SIDE, VIEWS, Plan, neighbours, plan
from rdr_viz.kinds import KINDS
from rdr_viz.numbers.training import weights_by_class
from rdr_viz.numbers.words import short

STATE = State(methods=("rdr", "ce"), seeds=(0, 1))
every_view = pytest.mark.parametrize("view", VIEWS)


def run_of(catalogue, method="ce", seed=0, factor=50.0) -> Run:
    return catalogue.find("digits", factor, "exponential", method, seed).run


@every_view
def test_a_view_shows_stored_runs_without_computing_anything(catalogue, view):
    found = plan(replace(STATE, view=view), catalogue)
    assert found.notes == ()
    assert found.untrained == found.unanalysed == ()
    assert found.epochs == 60
    shown = {run.path for request in found.requests for run in request.runs}
    seeds = (0, 1) if VIEWS[view].of == "seeds" else (0,)
    wanted = {run_of(catalogue, method, seed).path for method in ("ce", "rdr") for seed in seeds}
    if VIEWS[view].of == "data":
        assert len(shown) == 1
    else:
        assert shown == wanted
    assert len(found.requests) == (2 if VIEWS[view].of == "each method" else 1)
    for request in found.requests:
        display = request.display()
        assert display.alt
        assert display.finding
        assert VIEWS[view].question == display.title


def test_views_are_of_kinds_and_analyses_that_there_are():
    assert {view.kind for view in VIEWS.values()} <= set(KINDS)
    assert {view.analysis for view in VIEWS.values()} - {""} <= set(ANALYSES)
    assert all(bool(view.analysis) == bool(view.result) for view in VIEWS.values())


@pytest.mark.parametrize(
    ("view", "option"), [(name, option) for name, view in VIEWS.items() for option in view.options]
)
def test_every_option_draws_and_the_first_is_the_default(catalogue, view, option):
    (one,) = plan(replace(STATE, view=view, methods=("rdr",), option=option), catalogue).requests
    (usual,) = plan(replace(STATE, view=view, methods=("rdr",)), catalogue).requests
    same = one.display().alt == usual.display().alt and one.display().data.equals(usual.display().data)
    first = option == next(iter(VIEWS[view].options))
    assert same if first else not same or one.arguments != usual.arguments


def test_of_class_spectra_the_smallest_class_is_shown(catalogue):
    (request,) = plan(replace(STATE, view="density"), catalogue).requests
    assert set(request.display().data["class"]) == {int(np.argmin(run_of(catalogue).class_counts))}


def test_a_picture_as_of_an_epoch_has_the_numbers_of_that_epoch(catalogue):
    runs = [run_of(catalogue, seed=seed) for seed in (0, 1)]
    early = GroupAccuracy.from_runs(runs, epoch=7).data
    for run in runs:
        row = run.history.set_index("epoch").loc[7]
        own = early[early["seed"] == run.config.seed].set_index("group")["accuracy"]
        assert own.to_dict() == {"All": row.accuracy, "Many": row.many, "Medium": row.medium, "Few": row.few}
    by_class = AccuracyByClass.from_runs(runs, epoch=7).data.set_index("class")["accuracy"]
    expected = pd.concat([run.classes for run in runs]).query("epoch == 7").groupby("class")["accuracy"].mean()
    pd.testing.assert_series_equal(by_class.sort_index(), expected, check_names=False, check_dtype=False)
    last = GroupAccuracy.from_runs(runs, epoch=60).data
    pd.testing.assert_frame_equal(last, GroupAccuracy.from_runs(runs).data)
    with pytest.raises(RdrError, match="has no epoch 61; give one of 1 to 60"):
        GroupAccuracy.from_runs(runs, epoch=61)


def test_one_seed_has_no_interval_at_an_earlier_epoch_and_says_so(catalogue):
    (request,) = plan(replace(STATE, view="classes", methods=("ce",), seeds=(0,), epoch=7), catalogue).requests
    display = request.display()
    assert request.epoch == 7
    assert display.data[["low", "high"]].isna().all(axis=None)
    assert "none for one seed" in display.finding
    display.figure()
    (last,) = plan(replace(STATE, view="classes", methods=("ce",), seeds=(0,)), catalogue).requests
    assert last.display().data["low"].notna().all()  # its test images were analysed
    (plain,) = plan(replace(STATE, view="classes", methods=("cb",), seeds=(0,)), catalogue).requests
    assert plain.epoch == 60
    assert plain.display().data["low"].isna().all()  # nobody looked at this run's


@pytest.mark.parametrize("epoch", [60, 61, None])
@every_view
def test_the_last_epoch_is_the_picture_without_any(catalogue, view, epoch):
    asked = plan(replace(STATE, view=view, epoch=epoch), catalogue)
    assert {request.epoch for request in asked.requests} == {None}


def test_words_at_an_epoch_are_the_numbers_there(catalogue):
    weights, b_prime, bound = (
        plan(replace(STATE, view=view, methods=("rdr",), seeds=(0,)), catalogue).requests[0]
        for view in ("weights", "b-prime", "bound")
    )
    run = run_of(catalogue, "rdr")
    table = weights_by_class(run)
    few = table[(table["epoch"] == 20) & (table["group"] == "Few")]["weight"].mean()
    assert f"{short(few)} on Few" in VIEWS["weights"].at(weights.display(), 20)
    strict = run.classes.query("epoch == 20 and group == 'Few'")["b_prime"].mean()
    assert f"{short(few)} and {short(strict)} on Few" in VIEWS["b-prime"].at(b_prime.display(), 20)
    at_20 = run.classes.query("epoch == 20")
    terms = (at_20["weight"] / at_20["weight"].mean() * at_20["b_prime"]).sum()
    assert VIEWS["bound"].at(bound.display(), 20) == f"At epoch 20 the sum is {short(terms)} for RDR."


def test_what_was_not_trained_is_named_and_what_was_is_shown(catalogue):
    found = plan(replace(STATE, view="accuracy", methods=("ce", "vs"), seeds=(0, 99)), catalogue)
    assert [(config.method, config.seed) for config in found.untrained] == [("ce", 99), ("vs", 0), ("vs", 99)]
    assert found.notes == (
        "There is no finished run of CE (seed 99); VS (seed 0, 99) on digits at imbalance factor 50.",
    )
    assert [run.config.method for run in found.requests[0].runs] == ["ce"]
    alone = plan(replace(STATE, view="weights", methods=("ce", "vs"), seeds=(0, 99)), catalogue)
    assert [(config.method, config.seed) for config in alone.untrained] == [("vs", 0)]  # it draws one seed


def test_what_was_not_analysed_is_named(catalogue):
    found = plan(replace(STATE, view="density", methods=("ce", "cb"), seeds=(0,)), catalogue)
    assert [run.config.method for run in found.unanalysed] == ["cb"]
    assert found.notes == ("Spectral density of CB: not analysed yet at imbalance factor 50.",)
    assert len(found.requests) == 1


def test_more_methods_than_fit_are_said(catalogue):
    found = plan(replace(STATE, view="weights", methods=("ce", "la", "inverse", "rdr", "cb")), catalogue)
    assert [request.runs[0].config.method for request in found.requests] == ["ce", "cb", "la"]
    assert found.notes == (f"{SIDE_BY_SIDE} methods fit side by side; 1/n and RDR not shown.",)


def test_class_counts_need_no_method(catalogue):
    assert plan(replace(STATE, view="counts", methods=(), seeds=()), catalogue).requests
    assert plan(replace(STATE, view="accuracy", methods=()), catalogue) == Plan(
        notes=("Choose at least one method and one seed.",)
    )


@every_view
def test_without_any_run_each_view_offers_to_train(view):
    found = plan(replace(STATE, view=view), Catalogue([]))
    assert found.requests == ()
    assert {config.method for config in found.untrained} == {"ce", "rdr"}


@pytest.mark.parametrize(
    "wrong", [{"view": "pie"}, {"view": "weights", "option": "three"}, {"view": "counts", "option": "x"}]
)
def test_a_view_or_option_that_is_none_is_told(catalogue, wrong):
    with pytest.raises(RdrError, match=r"pie|three|'x'"):
        plan(replace(STATE, **wrong), catalogue)


@every_view
def test_neighbours_are_one_step_away_the_nearest_tail_first(catalogue, view):
    state = replace(STATE, view=view, epoch=20, imbalance_factor=10.0)
    found = list(neighbours(state, catalogue))
    tails = [other.imbalance_factor for other in found if other.imbalance_factor != 10.0]
    assert tails == catalogue.imbalances("digits", "exponential")[1:]
    for other in found:
        changed = {
            name for name in ("imbalance_factor", "epoch", "methods", "view", "seeds")
            if getattr(other, name) != getattr(state, name)
        }  # fmt: skip
        assert len(changed) <= 1
        plan(other, catalogue)
    if VIEWS[view].epochs:
        assert {19, 21} <= {other.epoch for other in found}
