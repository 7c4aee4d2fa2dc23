"""The forest plot's axes: every number of a claim lies on its axis, where the claim holds is shaded, ticks are even."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_paper_page import PAPER, claim, measured, unmeasured

from rdr_viz.papers.forest import SORTS, axes
from rdr_viz.papers.questions import BETTER, CHOICES, MEANS, QUESTIONS, RATIO, question


def only(*rows):
    (axis,) = axes(rows)
    return axis


numbers = st.floats(-80, 80).map(lambda value: round(value, 3))


@given(st.lists(st.tuples(numbers, st.floats(0.01, 20)), min_size=1, max_size=6), numbers)
def test_every_number_lies_on_its_axis_and_in_order(found, paper):
    rows = [claim("A.", measured("digits", "holds", mean=m, low=m - h, high=m + h, paper=paper)) for m, h in found]
    axis = only(*rows)
    for row in rows:
        spot = axis.spot(row.measured[0])
        low, mean, high, printed = (float(value) for value in (spot.low, spot.mean, spot.high, spot.paper))
        assert 0 <= low <= mean <= high <= 100
        assert 0 <= printed <= 100
        assert spot.control == ""


@given(numbers, st.floats(0.1, 30))
def test_places_are_even_in_differences_and_in_logarithms_of_ratios(mean, half):
    row = claim("A.", measured("digits", "holds", mean=mean, low=mean - half, high=mean + half))
    spot = only(row).spot(row.measured[0])
    assert float(spot.mean) == pytest.approx((float(spot.low) + float(spot.high)) / 2, abs=0.02)
    low, high = math.exp(mean / 20 - half / 20), math.exp(mean / 20 + half / 20)
    row = claim("A.", measured("digits", "holds", mean=math.sqrt(low * high), low=low, high=high), measure="lambda_max")
    spot = only(row).spot(row.measured[0])
    assert only(row).is_log
    assert float(spot.mean) == pytest.approx((float(spot.low) + float(spot.high)) / 2, abs=0.02)


@given(numbers, st.floats(0.01, 60))
def test_ticks_are_few_and_on_the_axis(mean, half):
    axis = only(claim("A.", measured("digits", "holds", mean=mean, low=mean - half, high=mean + half)))
    places = [float(place) for place, _ in axis.ticks]
    assert 2 <= len(places) <= 8
    assert all(0 <= place <= 100 for place in places)
    assert np.ptp(np.diff(places)) < 0.05


def test_the_ground_is_where_the_claim_holds():
    above = claim("A.", measured("digits", "holds"))
    between = claim("B.", measured("digits", "holds"), above=None, between=(-0.5, 0.5))
    axis = only(above, between)
    zero = float(axis.place(0))
    left, width = map(float, axis.ground(above.claim))
    assert left == pytest.approx(zero, abs=0.01)
    assert left + width == pytest.approx(100, abs=0.02)
    left, width = map(float, axis.ground(between.claim))
    assert (left, left + width) == pytest.approx((float(axis.place(-0.5)), float(axis.place(0.5))), abs=0.02)
    assert axis.ends(between.claim) == [axis.place(-0.5), axis.place(0.5)]


def test_what_has_another_unit_has_another_axis():
    measures = ["all", "few", "lambda_max", "lambda_min", "change of the weight of many"]
    rows = [claim(name, measured("digits", "holds", mean=2, low=1, high=3), measure=name) for name in measures]
    found = axes([*rows, claim("never", unmeasured(10))])
    assert sorted(axis.rows[0].claim.says for axis in found) == sorted(measures)
    assert len({axis.title for axis in found}) == len(measures)
    assert [axis.is_log for axis in found].count(True) == 1


def test_claims_are_sorted_by_what_one_asks_for():
    rows = [
        claim("holds", measured("digits", "holds", seeds=3)),
        claim("fails once", measured("digits", "holds"), measured("digits", "fails", 100)),
        claim("fails", measured("digits", "fails"), measured("digits", "fails", 100)),
        claim("open", measured("digits", "undecided", seeds=9)),
    ]
    axis = only(*rows)
    first = {name: min(axis.rows, key=lambda row: axis.places(row)[name]).claim.says for name in SORTS}
    assert first == {"question": "holds", "fails": "fails", "holds": "fails once", "seeds": "open"}
    for name in SORTS:
        assert sorted(axis.places(row)[name] for row in rows) == [0, 1, 2, 3]


def test_a_claim_asks_what_it_is_set_against():
    asked = {claim.says: question(claim) for claim in PAPER.claims}
    assert set(asked.values()) == set(QUESTIONS)

    def of(start):
        return {key for says, key in asked.items() if says.startswith(start)}

    assert of("RDR beats cross-entropy") == {BETTER}
    assert of("RDR beats 1/n") == of("The sample's own ratio") == of("The released RDR beats its fair") == {RATIO}
    assert of("RDR improves logit") == {BETTER}  # of its readings one differs by the ratio alone
    assert of("RDR improves SAM") == of("RDR helps with 5 %") == {BETTER}
    assert of("Through training") == of("RDR makes the loss") == {MEANS}
    assert of("Deferring alone improves") == of("RDR costs less") == of("The momentum m") == {CHOICES}
