"""Methods in words: every part's facts are there, and the sentence on the prior follows the powers."""

from __future__ import annotations

import re

import pytest

from rdr_core import RdrError
from rdr_core.methods.explain import RECIPES, explain, prior_in_words
from rdr_core.methods.grammar import parse
from rdr_core.methods.parts import PARTS, format_value


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("name", sorted(PARTS.all()))
def test_a_part_is_explained_with_all_that_the_table_has(name):
    part, said = PARTS[name], flat(explain(name))
    for fact in (part.summary, part.formula, part.source, part.notes):
        assert flat(fact) in said
    for key, default in part.defaults.items():
        assert f"{key} = {format_value(default)} ({part.ranges[key].words}; default {format_value(default)})" in said


def test_a_combination_names_itself_its_parts_and_given_values():
    said = explain("la + rdr:gamma=0.50 + drw")
    assert said.splitlines()[0] == "rdr:gamma=0.5+la+drw"
    assert re.findall(r"^(\w+) \(", said, flags=re.MULTILINE) == ["rdr", "la", "drw"]
    assert "gamma = 0.5 (0 or larger; default 1)" in said
    assert max(map(len, said.splitlines())) <= 110


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ce", "No part carries it: a class counts as often as it occurs"),
        ("ldam", "No part carries it"),
        ("vs:tau=0", "No part carries it"),
        ("inverse", r"^The weights \(inverse\) carry v = 1\. That is 1, as Fisher consistency .* needs"),
        ("rdr", r"^The weights \(rdr\) carry v = 1\. That is 1, as"),
        ("rdr+la", r"^The loss \(la\) carries tau = 1\. That is 1, as"),
        ("sade", r"^Each of the 3 experts \(sade\) carries a share of its own, on average about all of it\.$"),
        ("inverse+sade", r"about all of it\. Weights or visits beside them correct a second time\.$"),
        ("cb+sade", r"Weights or visits beside them correct a second time\.$"),
        ("rdr+sade", r"about all of it\.$"),
        ("rdr+balanced_softmax", r"^The loss \(balanced_softmax\) carries tau = 1\. That is 1, as"),
        (
            "rdr:prior=1+la",
            r"\(rdr\) carry v = 1 and the loss \(la\) carries tau = 1\. That is 2 in sum, so .* more than",
        ),
        ("inverse:gamma=0.25+la:tau=0.75", r"v = 0\.25 and .* tau = 0\.75\. That is 1 in sum, as"),
        ("rdr:gamma=0.5", r"v = 0\.5\. That is less than 1, so a part of the imbalance stays"),
        ("rdr:gamma=0.5+la:tau=0.5", r"v = 0\.25 and .* tau = 0\.5\. That is less than 1 in sum"),
        ("ce+posthoc", r"^The second stage \(posthoc\) takes out tau = 1\. That is 1, as"),
        ("rdr+posthoc", r"That is 2 in sum, so the prior is corrected more than once"),
        ("ce+crt", "Neither loss nor weights carry it; see above for what crt does about it"),
        ("cb", r"^The weights \(cb\) do not follow a power of the prior\.$"),
        ("cdb+la", r"^The loss \(la\) carries tau = 1; the weights \(cdb\) do not follow .* a second time"),
    ],
)
def test_who_carries_the_prior(name, said):
    assert re.search(said, prior_in_words(parse(name)))


def test_deferred_weights_leave_the_loss_alone_at_first():
    said = flat(explain("inverse:gamma=0.1+la:tau=0.9+drw"))
    assert "That is 1 in sum" in said
    assert "Until drw turns the weights on, the loss carries tau = 0.9 alone." in said
    assert "Until" not in explain("inverse:gamma=0.1+la:tau=0.9")


def test_what_it_wants_of_network_and_data():
    assert "network   Cosine classifier, scale 20." in explain("ldam:scale=20")
    assert "held out  25 images of each class, before the imbalance is made." in explain("cdb")
    for word in ("network", "held out"):
        assert f"    {word}  " not in explain("rdr")


def test_a_schedule_alone_is_a_part_and_no_method():
    assert explain("drw").startswith("drw (schedule): deferred re-weighting")
    with pytest.raises(RdrError, match="defers weights but has none"):
        explain("drw+la")


def test_an_unknown_method_is_refused_with_the_nearest():
    with pytest.raises(RdrError, match="did you mean 'ldam'"):
        explain("lda")


@pytest.mark.parametrize("method", RECIPES.values())
def test_recipes_have_their_canonical_names(method):
    assert parse(method).name == method


def test_no_two_recipes_share_a_name():
    assert len(set(RECIPES.values())) == len(RECIPES)


def test_adrw_recipes_add_to_one():
    for known_as, method in RECIPES.items():
        if "ADRW" in known_as:
            spec = parse(method)
            assert spec.prior_in_weights + spec.prior_in_loss == pytest.approx(1)
            assert spec.get("schedule").arguments["start"] == 0.8
